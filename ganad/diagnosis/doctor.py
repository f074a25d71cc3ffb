"""All rules, and what they say of a run."""

from __future__ import annotations

from collections.abc import Callable

from ganad.diagnosis import collapse, contamination, discriminator_won, overfitting, runaway, still_improving
from ganad.diagnosis.finding import Evidence, Finding

RULES: dict[str, Callable[[Evidence], Finding | None]] = {
    "loss running away": runaway.rule,
    "discriminator has won": discriminator_won.rule,
    "collapse": collapse.rule,
    "still improving": still_improving.rule,
    "overfitting": overfitting.rule,
    "contamination": contamination.rule,
}
"""Name of a finding -> the rule that finds it."""


def diagnose(evidence: Evidence) -> list[Finding]:
    """What is wrong, the serious first."""
    found = [finding for rule in RULES.values() if (finding := rule(evidence))]
    return sorted(found, key=lambda finding: finding.severity != "serious")
