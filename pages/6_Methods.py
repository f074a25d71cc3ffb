"""Methods: what is each detector, and where in the app can each of its terms be seen?"""

import streamlit as st

from ganad.config import METHOD_NAMES
from ganad.ui import page
from ganad.ui.panels import generator_playground, race, slow_motion
from ganad.ui.views import methods

run = page.begin(
    "Methods",
    lead="How each detector learns and scores: watch it, play with it, then read its paper term by term.",
    without_run=True,
)
default = run.method if run else next(iter(METHOD_NAMES))
method = st.segmented_control(
    "Method", list(METHOD_NAMES), default=default, key="read", format_func=METHOD_NAMES.get, required=True,
    label_visibility="collapsed", wrap=True,
)  # fmt: skip
seen = st.segmented_control(
    "What to look at", methods.VIEWS, default="slow motion", key="methods_view", format_func=methods.VIEWS.get, required=True,
    label_visibility="collapsed", wrap=True, persist_state="session",
)  # fmt: skip
if seen == "slow motion":
    slow_motion.show(method, run)
elif seen == "race":
    race.show(run)
else:
    generator_playground.show(method, run)
methods.article(method)
