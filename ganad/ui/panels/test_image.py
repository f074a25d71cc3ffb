"""A choice of one test image by its class, for what is shown of one image."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from ganad.service import RunInfo
from ganad.ui.state import cache, current

PICKED = "picked"


def pick(run: RunInfo, key: str) -> int:
    """A row of the run's test images: the one that is picked on Browse, or the first of a class. At first an anomalous one."""
    test = cache.scores(run.name).test
    classes = np.unique(test.digit).tolist()
    names = cache.class_names(run.settings.data)
    browsed = current.selection(run).image
    rows = np.flatnonzero(test.index == browsed) if browsed is not None else []
    choices: list[Any] = [PICKED] * bool(len(rows)) + classes
    anomalous = [c for c in classes if c not in run.settings.normal]
    chosen = st.segmented_control(
        "Image", choices, default=PICKED if len(rows) else (anomalous or classes)[0], key=f"{key}_image_{run.name}",
        format_func=lambda c: "Picked on Browse" if c == PICKED else names[c], required=True, wrap=True,
    )  # fmt: skip
    return int(rows[0]) if chosen == PICKED else int(np.flatnonzero(test.digit == chosen)[0])
