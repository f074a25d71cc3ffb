"""What the machine and the server permit: files, paths, bounds, access, shared memory."""
