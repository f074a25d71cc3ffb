"""A generator to play with: codes on a map, along directions and between two digits, drawn in the browser as one moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ganad.evaluation.projection import Directions
from ganad.ui.components.declare import declare_beside
from ganad.web import colours
from ganad.web.encode import as_base64, deflated

_PLAYGROUND = declare_beside(__file__)


def pack(
    generator: bytes, directions: Directions, normal: np.ndarray, codes: np.ndarray, images: np.ndarray, labels: Sequence[str], anomalous: np.ndarray
) -> dict[str, Any]:  # fmt: skip
    """What travels to the browser.

    generator        from `scoring.browser_nets.pack_generator`
    normal           (n, nz) codes of held-out normals, for the map
    codes, images    (m, nz) and (m, 28, 28) uint8 of test images to begin from, with their labels, and which are anomalous (m,)
    """
    return {
        "generator": deflated(generator),
        "middle": as_base64(directions.middle, "<f4"),
        "axes": [
            as_base64(axis * spread, "<f4") for axis, spread in zip(directions.axes, directions.spread, strict=True)
        ],
        "normal": as_base64(directions.places(normal)[:, :2], "<f4"),
        "places": as_base64(directions.places(codes), "<f4"),
        "codes": as_base64(codes, "<f4"),
        "latent": int(codes.shape[1]),
        "images": as_base64(images),
        "labels": list(labels),
        "anomalous": anomalous.astype(int).tolist(),
    }


def playground(packed: dict[str, Any], *, key: str, version: str, note: str) -> None:
    """Show it. `packed` is from `pack`; version names it: the browser reads it again only when it changes. note: a sentence below."""
    _PLAYGROUND(
        key=key,
        data=packed
        | {
            "version": version,
            "note": note,
            "colours": {name: colour.both for name, colour in colours.VERDICTS.items()},
        },
        height="content",
    )
