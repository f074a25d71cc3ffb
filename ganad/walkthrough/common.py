"""Pieces that the scenes of several methods share."""

from __future__ import annotations

import numpy as np

from ganad.walkthrough.scenes import Edge, Moment, Node

REDRAWN = (
    Node("x", "x", "image", 0, 0),
    Node("E", "E", "net", 1, 0, "encoder"),
    Node("z", "z", "code", 2, 0),
    Node("G", "G", "net", 3, 0, "generator"),
    Node("x_hat", "x̂", "image", 4, 0),
    Node("f", "f(x)", "features", 1, 1),
    Node("D", "D", "net", 2, 1, "discriminator"),
    Node("f_hat", "f(x̂)", "features", 3, 1),
)
"""x → E → z → G → x̂ in a row, and below it what D makes of x and of x̂."""
REDRAWN_EDGES = (
    Edge("x", "E"), Edge("E", "z"), Edge("z", "G"), Edge("G", "x_hat"), Edge("x", "D"), Edge("x_hat", "D"), Edge("D", "f"), Edge("D", "f_hat"),
)  # fmt: skip
ENCODED_AGAIN = (Edge("x_hat", "E2"), Edge("E2", "z_hat"))


def image_and_noise(x: np.ndarray, z: np.ndarray, batch: int) -> Moment:
    """How a step of a GAN begins."""
    return Moment(
        "An image, and random numbers",
        f"x is the picked image, as if it were a training image; z are {z.size:,} numbers drawn from a normal distribution. "
        f"The step takes {batch} of each at once; one pair is shown.",
        lit=("x", "z"), values=(("x", x), ("z", z)),
    )  # fmt: skip
