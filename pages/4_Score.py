"""Score: what does the detector say of a digit of my own?"""

import streamlit as st

from ganad.ui import page
from ganad.ui.messages import guard
from ganad.ui.views import score

run = page.begin("Score", lead="Draw one or bring a photo, and see what the detector makes of it.")
run = page.needs_scores(run)
way = st.segmented_control(
    "How", ["Draw", "Upload"], default="Draw", key="way", required=True, label_visibility="collapsed",
    persist_state="session", wrap=True,
)  # fmt: skip
guard.or_end_page(score.draw if way == "Draw" else score.upload, run)
