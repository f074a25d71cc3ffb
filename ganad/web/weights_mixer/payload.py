"""What a browser is given of a run once, so that it can weigh every image anew by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ganad.config import PARTS, parts_in
from ganad.evaluation.scores import Scores
from ganad.web import colours
from ganad.web.encode import as_base64, deflated

LABELS = {
    "colours": {
        "normal": colours.NORMAL.both,
        "anomalous": colours.ANOMALOUS.both,
        "wrong": colours.WRONG.both,
        "ink": colours.THRESHOLD.both,
        "faint": colours.THRESHOLD.faint(0.25),
        "tile": colours.TILE,
        **{p: colours.PARTS[p].both for p in PARTS},
    },
}
"""Colours, the same for every run."""


def pack(scores: Scores, images: np.ndarray, names: Sequence[str] = (), originals: int | None = None) -> dict[str, Any]:
    """Parts, classes, labels and pixels as JSON values. names: of the classes, where they are no digits; originals: of how many the
    held-out images are variants, where each does not stand for itself.

    The nets work in float32, so the parts lose nothing as such. All images are sent, (N, 28, 28) uint8, deflated: any of them
    may come to the threshold during a drag, when Python cannot be asked. 10,000 digits are 2 MB, less than as a PNG, and
    the browser keeps 8 MB of bytes instead of 31 MB of coloured pixels.
    """
    parts = parts_in(scores.test.parts)
    return {
        "parts": [p.capitalize() for p in parts],
        "hues": [colours.PARTS[p].name for p in parts],
        "test": [as_base64(np.asarray(scores.test.parts[p], dtype="<f4")) for p in parts],
        "val": [as_base64(np.asarray(scores.val.parts[p], dtype="<f4")) for p in parts],
        "names": list(names),
        "originals": originals,
        "digit": as_base64(scores.test.digit.astype(np.uint8)),
        "anomalous": as_base64(scores.anomalous.astype(np.uint8)),
        "images": deflated(np.ascontiguousarray(images, dtype=np.uint8)),
    }
