"""A generator to play with: codes on a map, along directions and between two digits, drawn in the browser as one moves."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from ganad.evaluation.projection import Directions
from ganad.ui.components.declare import declare_beside
from ganad.web import colours

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
        "generator": base64.b64encode(zlib.compress(generator)).decode("ascii"),
        "middle": _base64(directions.middle),
        "axes": [_base64(axis * spread) for axis, spread in zip(directions.axes, directions.spread, strict=True)],
        "normal": _base64(directions.places(normal)[:, :2]),
        "places": _base64(directions.places(codes)),
        "codes": _base64(codes),
        "latent": int(codes.shape[1]),
        "images": base64.b64encode(np.ascontiguousarray(images).tobytes()).decode("ascii"),
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


def _base64(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array, dtype="<f4").tobytes()).decode("ascii")
