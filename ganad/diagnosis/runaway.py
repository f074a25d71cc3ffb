"""A loss runs away: it grows far beyond what a player that only guesses would pay, or is no number any more."""

from __future__ import annotations

import numpy as np

from ganad.diagnosis.discriminator_won import guessing
from ganad.diagnosis.finding import Curve, Evidence, Finding
from ganad.diagnosis.learning_rates import usual_or_less
from ganad.wording import values

TIMES = 15.0
"""So many times the loss of guessing. Cross-entropy grows with the size of the logit: this is being wrong, and sure of it, by far."""


def rule(evidence: Evidence) -> Finding | None:
    """The run failed because a loss stopped being finite, or the discriminator's loss was once `TIMES` the loss of guessing."""
    s, level = evidence.settings, guessing(evidence.settings)
    steps, loss = evidence.losses("loss/discriminator")
    failed = "stopped being finite" in evidence.error
    highest = float(loss.max()) if len(loss) else 0.0
    grew = level is not None and highest > TIMES * level
    if not failed and not grew:
        return None
    change = usual_or_less(s, "lr", "lr_d", times=10)
    change |= {"precision": "float32"} if failed else {}
    shown = (
        f"The discriminator's loss rose to {highest:,.3g}, {highest / level:,.0f} times that of guessing"
        if grew
        else ""
    )
    died = "A loss is no finite number any more, and the training ended there" if failed else ""
    first = float(steps[loss > TIMES * level][0]) if grew else float(steps[-1]) if len(steps) else 0.0
    return Finding(
        name="loss running away",
        title="A loss runs away",
        severity="serious",
        evidence={"highest loss": highest, "failed": float(failed)} | ({"times guessing": highest / level} if level else {}),
        meaning=f"{'. '.join(filter(None, (shown, died)))}: the steps are too long, each player overshoots the other's last move.",
        change=change,
        change_in_words=values(change),
        curve=Curve(steps, {"discriminator": np.maximum(np.abs(loss), 1e-8)}, first, "step", (level, "guessing") if level else None, log=True)
        if len(steps) > 1
        else None,
    )  # fmt: skip
