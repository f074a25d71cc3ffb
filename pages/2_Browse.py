"""Browse: what does the detector see in each test image?"""

import streamlit as st

from ganad.ui import page
from ganad.ui.messages import guard
from ganad.ui.panels.weights import mixer
from ganad.ui.views import browse

with guard.part():
    run = page.begin(
        "Browse",
        lead="Every test image with its verdict. Pick one to see what was redrawn, what was not, and what that adds to its score.",
    )
    run = page.needs_scores(run)
    with st.expander("Weights and threshold", icon=":material/tune:", expanded=False):
        mix = page.guarded(mixer, run)
    gallery, inspector = page.split("browse", [6, 5])
    with gallery, guard.part():
        row = browse.gallery(run, mix)
    with inspector, guard.part():
        browse.inspector(run, mix, row)
