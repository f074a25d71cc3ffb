"""Methods: what is each detector, and where in the app can each of its terms be seen?"""

import streamlit as st

from ganad.config import METHOD_NAMES
from ganad.ui import page
from ganad.ui.panels import generator_playground, race, slow_motion
from ganad.ui.views import methods

run = page.begin(
    "Methods",
    lead="The papers behind the detectors, term by term, and where to look for each of them.",
    without_run=True,
)
default = run.method if run else next(iter(METHOD_NAMES))
method = st.segmented_control(
    "Method", list(METHOD_NAMES), default=default, key="read", format_func=METHOD_NAMES.get, required=True,
    label_visibility="collapsed", wrap=True,
)  # fmt: skip
slow_motion.show(method, run)
race.show(run)
generator_playground.show(method, run)
methods.article(method)
