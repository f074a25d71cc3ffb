"""The confusion matrix as four buttons with digits on them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ganad.ui.components.declare import declare_beside
from ganad.ui.theme import pictures
from ganad.web import colours

FACES = 9
"""Digits on a button at most."""
CELLS = {  # name -> what it is called, a mistake?
    "caught": ("caught", False),
    "missed": ("missed", True),
    "false alarms": ("false alarms", True),
    "passed": ("passed", False),
}

_OUTCOMES = declare_beside(__file__)


def outcomes(
    rows: dict[str, np.ndarray], images: np.ndarray, *, key: str, picked: str, on_pick: Callable[[], None]
) -> None:
    """Show how many images of each kind there are, and some of them.

    rows      a key of `CELLS` -> rows of `images` (N, 28, 28) uint8, the most telling first
    picked    which of them is chosen, or another word for none
    on_pick   called on a click; `sent(key, "pick")` is the name of the button
    """
    cells, faces = [], []
    for name, (title, wrong) in CELLS.items():
        other = {"caught": "missed", "missed": "caught", "false alarms": "passed", "passed": "false alarms"}[name]
        n, of = len(rows[name]), len(rows[name]) + len(rows[other])
        share = n / of if of else 0.0
        some = rows[name][:FACES]
        cells.append({
            "name": name, "title": title, "count": f"{n:,}", "share": f"{share:.1%}".replace("%", " %"),
            "colour": (colours.WRONG if wrong else colours.RIGHT).both,
            "depth": round(5 + (40 if wrong else 20) * share), "from": len(faces), "faces": len(some),
            "picked": name == picked, "alt": f"{n:,} of {of:,}: {title}. Show them",
        })  # fmt: skip
        faces += list(images[some])
    strip = np.stack(faces) if faces else np.zeros((1, 28, 28), dtype=np.uint8)
    _OUTCOMES(
        key=key,
        data={"cells": cells, "sprite": pictures.data_uri(pictures.sprite(strip, len(strip)))},
        on_pick_change=on_pick,
        height="content",
    )
