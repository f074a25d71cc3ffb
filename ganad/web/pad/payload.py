"""What the pad needs to judge by itself, as JSON values: nets once, and the rule of decision whenever it changes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ganad.evaluation import metrics
from ganad.web import colours
from ganad.web.encode import as_base64, deflated


def nets(file: bytes, codes: np.ndarray, images: np.ndarray) -> dict[str, str]:
    """The nets (see `scoring.browser_nets`) and held-out normals, their codes (n, nz) and pixels (n, 28, 28) uint8, each deflated, as base64."""
    content = {"nets": file, "codes": codes.astype("<f4").tobytes(), "images": np.ascontiguousarray(images).tobytes()}
    return {what: deflated(raw) for what, raw in content.items()}


def rule(
    val: Mapping[str, np.ndarray],
    weights: Sequence[float],
    threshold: float,
    *,
    units: metrics.Units = metrics.RAW,
    preparation: str,
    detector: str,
    normal: str,
    among: str,
    threshold_in_words: str,
    asks: bool,
) -> dict[str, Any]:
    """How parts become a verdict, and the words for it.

    val                  part -> (n,) of the held-out normals
    threshold            raw; infinite where there is none
    preparation          a key of `data.preparation.KINDS`
    detector, normal     what the method is called, what it learned
    among                what scores are compared with, such as "585 held-out normal 8s"
    asks                 there is a server that can explain a drawing in detail
    """
    return {
        "preparation": preparation,
        "parts": list(val),
        "part_colours": [colours.PARTS[part].both for part in val],
        "weights": list(weights),
        "threshold": threshold if math.isfinite(threshold) else None,
        "threshold_in_words": threshold_in_words,
        "shift": units.shift,
        "unit": units.unit,
        "held": as_base64(np.sort(metrics.total(val, weights)), "<f4"),
        "held_parts": [as_base64(np.sort(values), "<f4") for values in val.values()],
        "among": among,
        "title": "Draw one digit" if preparation == "digit" else "Draw a picture",
        "intro": f"This {detector} has learned what {normal} looks like, and its nets run here in the browser: draw that with mouse, pen or finger, "
        "then something else, and watch verdict, reconstruction and score change with each move.",
        "below": "Normal images that the nets never learned from.",
        "colours": {name: colour.both for name, colour in colours.VERDICTS.items()},
        "map": as_base64(colours.RESIDUAL_MAP),
        "asks": asks,
    }
