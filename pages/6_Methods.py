"""Methods: what is each detector, and where in the app can each of its terms be seen?"""

import streamlit as st

from ganad.config import METHOD_NAMES
from ganad.ui import page
from ganad.ui.components.linked_choice import linked_choice
from ganad.ui.panels import generator_playground, race, slow_motion
from ganad.ui.views import methods

run = page.begin(
    "Methods",
    lead="How each detector learns and scores: watch it, play with it, then read its paper term by term.",
    without_run=True,
)
with st.container(horizontal=True):
    method = linked_choice("Method", METHOD_NAMES, name="detector", default=run.method if run else None)
    seen = linked_choice("What to look at", methods.VIEWS, name="watch")
if seen == "slow motion":
    slow_motion.show(method, run)
elif seen == "race":
    race.show(run)
else:
    generator_playground.show(method, run)
methods.article(method)
