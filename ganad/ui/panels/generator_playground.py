"""The generator of a run, to play with: on a map of its codes, along their main directions, between two digits."""

from __future__ import annotations

from typing import Any

import numpy as np

from ganad import service
from ganad.config import METHOD_NAMES
from ganad.evaluation import projection
from ganad.service import RunInfo
from ganad.ui.components import generator_playground
from ganad.ui.messages import guard, notices
from ganad.ui.messages.escape import markdown
from ganad.ui.panels import latent_space, slow_motion
from ganad.ui.state import cache

EACH = 2
"""Test images of each class to begin from."""
NOTE = (
    "Directions are those along which the codes of held-out normals vary most (PCA), in their standard deviations; what a code has beside them stays as it is. "
    "Dots: held-out normals. Rings: the images above, blue where they are normal, orange where they are not. The generator of {run} draws here in the browser, in "
    "half precision. It has only learned to draw normal images, so a walk to an anomaly ends at what it draws in its place."
)


def show(method: str, run: RunInfo | None) -> None:
    """The playground. run: the picked one, whose generator is used if it is of this method."""
    with guard.part():
        own = slow_motion.nets_of(method, run)
        if own is None:
            notices.info(
                markdown("There is no finished run of **{}** with its nets here to play with.", METHOD_NAMES[method])
            )
            return
        if not latent_space.ready(own, f"playground_{method}"):
            return
        packed = _packed(own.name, cache.version(own.name))
        if packed is None:
            notices.info(
                markdown(
                    "The generator of **{}** is too large to draw in a browser as one moves: pick a run of the preset **tuned**.",
                    own.short,
                )
            )
            return
        generator_playground.playground(
            packed, key=f"playground_{method}", version=f"{own.name} {cache.version(own.name)}", note=NOTE.format(run=own.short)
        )  # fmt: skip


@cache.kept("Packing the generator for the browser")
def _packed(name: str, version: int) -> dict[str, Any] | None:
    file = service.browser_generator(name)
    if file is None:
        return None
    held_out, test = cache.codes(name)
    scores, run = cache.scores(name), service.run_info(name)
    names = cache.class_names(run.settings.data)
    digits = scores.test.digit
    # Normal classes first: that is where one begins.
    classes = sorted(np.unique(digits).tolist(), key=lambda c: c not in run.settings.normal)
    rows = [int(row) for c in classes for row in np.flatnonzero(digits == c)[:EACH]]
    directions = projection.principal_directions(held_out.astype(np.float64))
    return generator_playground.pack(
        file, directions, held_out[:: max(1, len(held_out) // 300)], test[rows], cache.images(name)[rows],
        [names[digits[row]] for row in rows], scores.anomalous[rows],
    )  # fmt: skip
