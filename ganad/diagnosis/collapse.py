"""Collapse: whatever it is shown, the generator draws the same."""

from __future__ import annotations

from ganad.diagnosis.finding import Curve, Evidence, Finding
from ganad.diagnosis.still_improving import FALLS, fall

SAME = 0.05
"""Variance of the reconstructions from image to image, as a share of that of the images. Shipped runs have 0.4 and more."""
FEWEST = 3
"""Kept epochs before anything is said: untrained nets draw all the same too."""


def rule(evidence: Evidence) -> Finding | None:
    """Reconstructions of held-out normals hardly differ, and these are not just about to come."""
    epochs, looks = evidence.looks("spread", "val/residual")
    if len(epochs) < FEWEST and not (evidence.ended and len(epochs) == 1 and len(evidence.looks("val/residual")[0]) >= FEWEST):
        return None
    spread = float(looks[-1, 0])
    learning, residual = evidence.looks("val/residual")
    if spread >= SAME or fall(learning, residual[:, 0], 1 / 3) > FALLS:
        return None
    s = evidence.settings
    change = _change(s.model_dump(), s.method)
    return Finding(
        name="collapse",
        title="The generator draws always the same",
        severity="serious",
        evidence={"spread of reconstructions": spread, "held-out residual": float(looks[-1, 1])},
        meaning=f"From one held-out normal to the next the reconstructions vary by {spread:.1%} of what the images vary by: the generator has collapsed to "
        "one picture, so the residual says how far an image is from that picture, and nothing else.",
        change=change,
        change_in_words=", ".join(f"{k} {v:g}" for k, v in change.items()),
        curve=Curve(epochs, {"spread": looks[:, 0]}, float(epochs[max(0, len(epochs) * 2 // 3 - 1)]), "epoch", (1.0, "as the images"))
        if len(epochs) > 1
        else None,
    )  # fmt: skip


def _change(settings: dict, method: str) -> dict[str, float]:
    """A reconstruction loss holds a generator to its images, where the method has one that counts little; else shorter steps."""
    if method == "ganomaly" and settings["w_con"] < 50:
        return {"w_con": 50.0} | ({"w_adv": 1.0} if not settings["w_adv"] else {})
    if method == "egbad" and settings["w_cycle"] < 10:
        return {"w_cycle": 10.0}
    return {"lr": settings["lr"] / 4} | ({"lr_d": settings["lr_d"] / 4} if settings["lr_d"] else {})
