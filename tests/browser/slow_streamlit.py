"""Streamlit, with every run of a page's script held up by `SLOW_S` seconds: a slow machine, for whoever types faster.

python slow_streamlit.py run app.py ...

A run that is started is not trained but stopped at once: what it was asked for is all that is looked at.
"""

import sys
import time
from pathlib import Path

from streamlit.runtime.scriptrunner import script_runner
from streamlit.web.cli import main

sys.path.insert(0, str(Path(__file__).parents[2]))

from ganad.runs import run_directory
from ganad.training import jobs

SLOW_S = 0.4
"""Long beside the milliseconds between two clicks of somebody in a hurry."""

at_full_speed = script_runner.ScriptRunner._run_script


def slowly(self, *args, **more):
    time.sleep(SLOW_S)
    return at_full_speed(self, *args, **more)


def untrained(run):
    run_directory.write_status(run, run_directory.Status(state="stopped"))


if __name__ == "__main__":
    script_runner.ScriptRunner._run_script = slowly
    jobs.launch = untrained
    sys.exit(main())
