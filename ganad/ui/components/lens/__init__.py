"""One image under a lens: input, reconstruction and residual, with what each pixel adds."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable

import numpy as np

from ganad.scoring.attribution import Pixels
from ganad.ui.components.declare import declare_beside
from ganad.web import colours

_LENS = declare_beside(__file__)


def lens(
    given: np.ndarray,
    reconstruction: np.ndarray,
    pixels: Pixels,
    *,
    key: str,
    whole: str,
    weight: float,
    judged_as_a_whole: bool,
    alt: tuple[str, str, str],
    steps: tuple[bool, bool] | None = None,
    on_step: Callable[[], None] = lambda: None,
) -> None:
    """Show (28, 28) uint8 input and reconstruction.

    pixels     what each pixel adds to the residual part
    whole      what is said while no pixel is pointed at
    weight     of the residual part in the score; 0 is said
    judged_as_a_whole  how rare such a residual is counts in the latent part (`w_residual_density`)
    alt        what a screen reader says of input, reconstruction and residual
    steps      is there an image before, is there one after; None where there is no row of images
    on_step    called for the previous (-1) or the next (1) image: `sent(key, "step")`
    """
    adds = np.ascontiguousarray(pixels.adds, dtype="<f4").tobytes()
    _LENS(
        key=key,
        data={
            "given": _base64(given.astype(np.uint8).tobytes()),
            "made": _base64(reconstruction.astype(np.uint8).tobytes()),
            "adds": _base64(adds),
            "map": _MAP,
            "stops": list(colours.RESIDUAL_STOPS),
            "residual": f"{pixels.total:.4g}",
            "weight": weight,
            "unweighed": "with weight 0 nothing to the score"
            + ", which asks how rare the whole residual is" * judged_as_a_whole,
            "about": "" if pixels.exact else "about ",
            "whole": whole,
            "alt": list(alt),
            "steps": steps is not None,
            "before": bool(steps and steps[0]),
            "after": bool(steps and steps[1]),
            "version": zlib.crc32(adds + given.tobytes() + reconstruction.tobytes()),
        },
        on_step_change=on_step,
        height="content",
    )


def in_words(pixels: Pixels, weight: float, stored: float | None = None, *, judged_as_a_whole: bool = False) -> str:
    """What all pixels add up to, which of them adds most, and whether that counts. weight, judged_as_a_whole: as `lens` has them.

    stored: the residual part in the score; a search that is made again may end a little elsewhere.
    """
    total, row, column = pixels.total, *np.unravel_index(int(pixels.adds.argmax()), pixels.adds.shape)
    shown = total - pixels.outside
    if pixels.size > 32:
        if pixels.exact:
            words = f"The nets see {pixels.size}x{pixels.size}; each pixel here holds its share by area, and all add {shown:.4g} of {total:.4g}."
        else:
            words = (
                f"The nets saw {pixels.size}x{pixels.size} and only these pictures are stored: all add {shown:.4g} of {total:.4g}, "
                "shared out in proportion, so each number is a rough one."
            )
    else:
        why = ["the frame around them"] * (pixels.size == 32) + ["the rounding of greys"] * (not pixels.exact)
        rest = f" ({pixels.outside:+.2g}: {' and '.join(why)})" if why else ""
        words = f"The pixels shown add {shown:.4g} of {total:.4g}{rest}."
    words += f" Row {row + 1}, column {column + 1} adds most, {pixels.adds[row, column]:.3g}."
    if stored is not None and abs(stored - total) > 0.002 * abs(stored):
        words += f" This is a new search; the one that was scored ended at {stored:.4g}."
    if not weight:
        words += " The residual part has weight 0, so " + (
            "how much it is does not enter the score; how rare such a residual is does, in the latent part."
            if judged_as_a_whole
            else "none of it enters the score."
        )
    return words


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


_MAP = _base64(colours.RESIDUAL_MAP.tobytes())
