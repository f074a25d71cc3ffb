"""Streamlit, with every run of a page's script held up by `SLOW_S` seconds: a slow machine, for whoever types faster.

python slow_streamlit.py run app.py ...
"""

import sys
import time

from streamlit.runtime.scriptrunner import script_runner
from streamlit.web.cli import main

SLOW_S = 0.7

at_full_speed = script_runner.ScriptRunner._run_script


def slowly(self, *args, **more):
    time.sleep(SLOW_S)
    return at_full_speed(self, *args, **more)


script_runner.ScriptRunner._run_script = slowly

if __name__ == "__main__":
    sys.exit(main())
