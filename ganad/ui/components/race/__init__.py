"""A race to the score of one image: a lane for each method, shown slowly, with times that were measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ganad.service import Lane
from ganad.ui.components.declare import declare_beside
from ganad.web.encode import as_base64

_RACE = declare_beside(__file__)
SHOWN_S = 6.0
"""So long the slowest lane takes on the screen."""
_PASSES = {1: "one pass", 3: "three passes"}


def race(lanes: Sequence[Lane], given: np.ndarray, *, key: str, version: str, note: str) -> None:
    """Show the race. given (28, 28) uint8: the image; version names the race, which begins anew when it changes; note: a sentence below."""
    longest = max(float(lane.seconds[-1]) for lane in lanes)
    _RACE(
        key=key,
        data={
            "version": version,
            "note": note,
            "given": as_base64(given),
            "seconds": longest,
            "slower": SHOWN_S / longest,
            "lanes": [
                {
                    "method": lane.method,
                    "how": f"{lane.steps} steps of a search" if lane.steps else _PASSES[lane.looks],
                    "seconds": lane.seconds.tolist(),
                    "frames": as_base64(lane.frames),
                }
                for lane in lanes
            ],
        },
        height="content",
    )
