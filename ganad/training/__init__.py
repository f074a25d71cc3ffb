"""From settings to a finished run: the loop, the worker process, its jobs, the speed of this machine."""
