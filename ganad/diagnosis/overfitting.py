"""Overfitting: images that the nets have learned from are redrawn far better than held-out ones."""

from __future__ import annotations

import numpy as np

from ganad.diagnosis.finding import Curve, Evidence, Finding

APART = 1.4
"""Held-out residual over that of training images. 1 is no difference; shipped runs lie between 0.79 and 1.21, those with few images looked at farthest from 1."""
FEWEST_STEPS = 50


def rule(evidence: Evidence) -> Finding | None:
    """The mean residual of held-out normals is `APART` times that of training images, at the last look that has both."""
    epochs, looks = evidence.looks("val/residual", "train/residual")
    if not len(epochs) or evidence.steps < FEWEST_STEPS or looks[-1, 1] <= 0:
        return None
    ratios = looks[:, 0] / np.maximum(looks[:, 1], 1e-12)
    if ratios[-1] < APART:
        return None
    s = evidence.settings
    since = float(epochs[np.flatnonzero(ratios < APART)[-1] + 1] if (ratios < APART).any() else epochs[0])
    change, words = _change(evidence, since)
    return Finding(
        name="overfitting",
        title="It knows its training images by heart",
        severity="serious" if ratios[-1] > 2 else "mild",
        evidence={"held-out residual": float(looks[-1, 0]), "training residual": float(looks[-1, 1]), "ratio": float(ratios[-1])},
        meaning=f"Held-out normals have a residual of {looks[-1, 0]:.3g}, training images one of {looks[-1, 1]:.3g}: new normal images look "
        f"{ratios[-1]:.1f} times as strange as those it has seen{f', of which there are {s.limit} at most' if s.limit else ''}.",
        change=change,
        change_in_words=words,
        curve=Curve(epochs, {"held-out": looks[:, 0], "training": looks[:, 1]}, since, "epoch") if len(epochs) > 1 else None,
    )  # fmt: skip


def _change(evidence: Evidence, since: float) -> tuple[dict, str]:
    """More images where they were limited, else varied ones, else fewer epochs."""
    s = evidence.settings
    if s.limit and s.limit < 2000:
        return {"limit": None}, "all training images"
    if not s.augment:
        return {
            "augment": 1.0,
            "augment_turn": 10.0,
            "augment_scale": 0.1,
        }, "training images shifted, turned and scaled"
    epochs = int(max(1, min(since, s.epochs - 1)))
    return {"epochs": epochs}, f"{epochs:,} epochs"
