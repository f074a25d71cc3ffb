"""Poisoned normals: among the images that are taken for normal are some of other classes."""

from __future__ import annotations

from ganad.diagnosis.finding import Evidence, Finding

MOST = 0.045
"""Share of foreign images (`data.foreign`) in a clean training set, at most: MNIST's digits have 3.3 % at most, with a tenth of others 6.0 % and more."""
FEWEST = 100
"""Training images looked at, at least."""


def rule(evidence: Evidence) -> Finding | None:
    """More of the training images have only images of other classes for neighbours than a clean set has."""
    if evidence.looked_at < FEWEST:
        return None
    share = len(evidence.foreign) / evidence.looked_at
    if share <= MOST:
        return None
    s = evidence.settings
    change: dict = {} if s.leave_out_foreign else {"leave_out_foreign": True}
    return Finding(
        name="contamination",
        title="Other classes among the normals",
        severity="serious" if share > 2 * MOST else "mild",
        evidence={"looked at": float(evidence.looked_at), "foreign": float(len(evidence.foreign)), "share": share},
        meaning=f"Of {evidence.looked_at:,} training images {len(evidence.foreign):,} ({share:.1%}; a clean set has {MOST:.1%} at most) have none but images of other "
        "classes for nearest neighbours: they were probably put among the normals by mistake, and the nets learn to call them normal.",
        change=change,
        change_in_words="without these images" if change else "",
        images=evidence.foreign,
    )
