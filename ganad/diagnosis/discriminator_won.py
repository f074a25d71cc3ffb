"""The discriminator has won: its loss is next to nothing, so what it tells the generator is next to nothing."""

from __future__ import annotations

import numpy as np

from ganad.config import Settings
from ganad.diagnosis.finding import Curve, Evidence, Finding, last
from ganad.diagnosis.learning_rates import usual_or_less
from ganad.wording import values

WON = 0.01
"""Share of the loss of guessing. Below it D takes 99 of 100 images for what they are, and is sure of it."""
LEAST = 20
"""Logged steps, at least."""


def guessing(settings: Settings) -> float | None:
    """What a discriminator pays that cannot tell the two sides apart; None for one that pays no cross-entropy (f-AnoGAN's critic)."""
    return settings.curves["loss/discriminator"].equilibrium


def rule(evidence: Evidence) -> Finding | None:
    """The median of the last quarter of the discriminator's losses is less than a hundredth of the loss of guessing."""
    level, (steps, loss) = guessing(evidence.settings), evidence.losses("loss/discriminator")
    if level is None or len(loss) < LEAST:
        return None
    now = float(np.median(last(loss, 0.25)))
    if now >= WON * level:
        return None
    change = usual_or_less(evidence.settings, "lr_d", times=10)
    return Finding(
        name="discriminator has won",
        title="The discriminator has won",
        severity="serious",
        evidence={"loss": now, "loss of guessing": level, "share": now / level},
        meaning=f"In the last quarter of the steps the discriminator pays {now:.2g}, where guessing costs {level:.3g}: it knows every drawn image, so its "
        "answers no longer tell the generator what to change.",
        change=change,
        change_in_words=values(change),
        curve=Curve(
            steps,
            {"discriminator": np.maximum(loss, 1e-8)},
            float(last(steps, 0.25)[0]),
            "step",
            (level, "guessing"),
            log=True,
        ),
    )
