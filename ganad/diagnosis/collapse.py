"""Collapse: whatever it is shown, the generator draws the same."""

from __future__ import annotations

from typing import Any

from ganad.config import EgbadSettings, GanomalySettings, Settings
from ganad.diagnosis.finding import Curve, Evidence, Finding
from ganad.diagnosis.learning_rates import usual_or_less
from ganad.diagnosis.still_improving import FALLS, fall
from ganad.wording import values

SAME = 0.05
"""Variance of the reconstructions from image to image, as a share of that of the images. Shipped runs have 0.75 and more."""
FEWEST = 3
"""Kept epochs before anything is said: untrained nets draw all the same too."""


def rule(evidence: Evidence) -> Finding | None:
    """Reconstructions of held-out normals hardly differ, and these are not just about to come."""
    epochs, looks = evidence.looks("spread", "val/residual")
    if len(epochs) < FEWEST and not (
        evidence.ended and len(epochs) == 1 and len(evidence.looks("val/residual")[0]) >= FEWEST
    ):
        return None
    spread = float(looks[-1, 0])
    learning, residual = evidence.looks("val/residual")
    if spread >= SAME or fall(learning, residual[:, 0], 1 / 3) > FALLS:
        return None
    s = evidence.settings
    change = _change(s)
    return Finding(
        name="collapse",
        title="The generator draws always the same",
        severity="serious",
        evidence={"spread of reconstructions": spread, "held-out residual": float(looks[-1, 1])},
        meaning=f"From one held-out normal to the next the reconstructions vary by {spread:.1%} of what the images vary by: the generator has collapsed to "
        "one picture, so the residual says how far an image is from that picture, and nothing else.",
        change=change,
        change_in_words=values(change),
        curve=Curve(epochs, {"spread": looks[:, 0]}, float(epochs[max(0, len(epochs) * 2 // 3 - 1)]), "epoch", (1.0, "as the images"))
        if len(epochs) > 1
        else None,
    )  # fmt: skip


def _change(s: Settings) -> dict[str, Any]:
    """A reconstruction loss holds a generator to its images, where the method has one that counts little; else other steps."""
    if isinstance(s, GanomalySettings) and s.w_con < 50:
        return {"w_con": 50.0} | ({} if s.w_adv else {"w_adv": 1.0})
    if isinstance(s, EgbadSettings) and s.w_cycle < 10:
        return {"w_cycle": 10.0}
    return usual_or_less(s, "lr", "lr_d", times=4)
