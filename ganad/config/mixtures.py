"""How many Gaussians are fitted to how many codes: fixed numbers, which are known without loading torch.

What the mixtures are for: `ganad.models.density`.
"""

from __future__ import annotations

CANDIDATES = (10, 30, 100)
"""Numbers of Gaussians that are tried; the one under which other codes of normal images are likeliest is kept."""
CODES_PER_GAUSSIAN = 100
"""A mixture with fewer codes than this for each of its Gaussians is not tried: it takes long and comes near to learning them by heart."""
MOST_CODES = 12_000
"""Codes that a mixture is fitted to, at most: more take longer and gain nothing that was seen."""
MOST_OTHERS = 4_000
"""Codes that choose among mixtures, at most."""
DIRECTIONS = 32
"""Principal directions in which a mixture describes residuals and features; with 64 less is found, in what EGBAD leaves over, in what
AnoGAN's discriminator sees and in what the first layer of its copy does (docs/choices/)."""
OF_ENCODER = 64
"""Those of what EGBAD's encoder sees, of which more is found with as many."""
OF_COPY = 64
"""Those of what AnoGAN's copy of the discriminator sees, which has learned to tell transformed images apart; with 128 as much is found."""
USUAL_ROUNDS = 25
"""Steps that a mixture of MNIST's codes took: 12 to 40."""


def tried(codes: int) -> list[int]:
    """Numbers of Gaussians that are tried on so many codes, at most: a number that is no better than the one before ends it."""
    return [k for k in CANDIDATES if k * CODES_PER_GAUSSIAN <= codes] or [1]


def others_of(images: int, most: int = MOST_OTHERS) -> int:
    """How many of so many training images nothing is fitted to but the units: a fifth, at most so many."""
    return min(images // 5, most)


def expected_seconds(images: int, speed: float) -> float:
    """About how long `fit` takes for so many training images, `speed` as `ganad.models.density.speed` gives it for one mixture."""
    codes = min(images - others_of(images), MOST_CODES)
    return USUAL_ROUNDS * sum(tried(codes)) * codes / speed
