"""How a method scores one image in a single pass, written as data: nets, and steps between named values.

A browser runs the same steps on the same weights (`ganad/web/nets`), so that a drawing can be judged without asking the
server. A method that searches for its codes has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from torch import nn

Operation = Literal[
    "net", "normalize", "concatenate", "sum_abs", "mean_square", "add_softplus_of_negative", "latent_part", "discrimination_part",
    "add_transform_error",
]  # fmt: skip
"""What a step may do.

net                        the output of the net named by `of` for the one input
normalize                  a code scaled to length √nz (`ganomaly.l2_normalize`)
concatenate                two vectors, one after the other
sum_abs, mean_square       of two inputs: the sum of |a - b|, the mean of (a - b)²
add_softplus_of_negative   a + weight · softplus(-b)
latent_part                `Method.latent_part` of a distance, a code, the image, its reconstruction, and what lies below the code where it is asked for
discrimination_part        `Method.discrimination_part` of a distance, the image, and the features of the image where they are asked for
add_transform_error        `Method.with_transform_error` of a part and the image
"""


class Step(NamedTuple):
    """One value made of others. Values are one image's: pictures (c, h, w), vectors (n,) or single numbers."""

    output: str
    operation: Operation
    inputs: tuple[str, ...]
    of: str = ""
    """For "net": which one."""
    weight: float = 1.0


@dataclass(frozen=True)
class ScoringProgram:
    """From the value `x`, the image (1, S, S) in [-1, 1], to the values `reconstruction`, `z` and each part by its name."""

    nets: Mapping[str, nn.Module]
    steps: tuple[Step, ...]
