"""Score: what does the detector say of a digit of my own?"""

import streamlit as st

from ganad.ui import page
from ganad.ui.messages import guard
from ganad.ui.views import guess, page_of_digits, score

WAYS = {
    "Draw": score.draw,
    "Upload": score.upload,
    "A page of digits": page_of_digits.page_of_digits,
    "Beat the detector": guess.guess,
}

run = page.begin(
    "Score", lead="Draw one or bring a photo, and see what the detector makes of it; or judge better than it does."
)
run = page.needs_scores(run)
guess.take_link()
way = st.segmented_control(
    "How", list(WAYS), default="Draw", key="way", required=True, label_visibility="collapsed",
    persist_state="session", wrap=True,
)  # fmt: skip
guard.or_end_page(WAYS[way], run)
