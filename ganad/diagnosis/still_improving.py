"""Too short: the training ended while the reconstructions of held-out normals were still getting better."""

from __future__ import annotations

import numpy as np

from ganad.diagnosis.finding import Curve, Evidence, Finding
from ganad.wording import plural

ENOUGH = 0.5
"""Share of its preset's steps from which on a training is not called short for their number alone."""
FALLS = 0.03
"""The held-out residual of a short training fell by so much in its last third: it was not done."""
FALLS_FAST = 0.25
"""The held-out residual fell by so much in the last tenth of the training, however long that was."""
FEWEST = 4
"""Kept epochs that a curve needs."""


def rule(evidence: Evidence) -> Finding | None:
    """Of an ended run: few steps and a curve that falls, or that is too short to be seen flat; or a curve that falls fast."""
    if not evidence.ended or evidence.error or not evidence.steps:
        return None
    epochs, looks = evidence.looks("val/residual")
    residual = looks[:, 0]
    share = evidence.steps / evidence.usual_steps if evidence.usual_steps else 1.0
    third, tenth = fall(epochs, residual, 1 / 3), fall(epochs, residual, 0.1)
    seen = len(epochs) >= FEWEST
    short = share < ENOUGH and (not seen or third > FALLS)
    if not short and not (len(epochs) >= 10 and tenth > FALLS_FAST):
        return None
    s = evidence.settings
    more = int(min(10_000, max(2 * s.epochs, np.ceil(s.epochs / max(share, 1e-6)) if share < ENOUGH else 0)))
    curve = (
        f"The residual of held-out normals still fell by {third:.0%} in its last third."
        if seen
        else f"From {plural(len(epochs), 'kept epoch')} it cannot be seen whether its curve has come to rest."
    )
    said = evidence.short_in_words or (
        f"It ended after {evidence.steps:,} steps, {share:.0%} of what its preset is meant for."
    )
    return Finding(
        name="still improving",
        title="It was still improving" if seen else "It was short",
        severity="serious" if share < ENOUGH / 2 else "mild",
        evidence={"steps": float(evidence.steps), "share of the usual steps": share}
        | ({"fall in the last third": third} if seen else {}),
        meaning=f"{said} {curve}",
        change={"epochs": more},
        change_in_words=f"{more:,} epochs",
        curve=Curve(epochs, {"held-out residual": residual}, _at(epochs, 1 / 3), "epoch") if seen else None,
    )


def fall(epochs: np.ndarray, values: np.ndarray, share: float) -> float:
    """By which share of itself a curve fell over the last `share` of the epochs; below 0 where it rose."""
    if len(values) < 2:
        return 0.0
    before = float(np.interp(_at(epochs, share), epochs, values))
    return 1 - float(values[-1]) / before if before else 0.0


def _at(epochs: np.ndarray, share: float) -> float:
    return float(min(epochs[-1] - share * epochs[-1], epochs[-2])) if len(epochs) > 1 else 0.0
