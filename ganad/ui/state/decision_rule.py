"""How a score is made and where the threshold lies: weights of the parts, rule of the threshold, units. Pure values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ganad.config import PARTS, Weights, check_weights
from ganad.errors import ConfigError
from ganad.evaluation import metrics, thresholds
from ganad.evaluation.thresholds import DEFAULT_RULE, OLD_RULES, is_valid_rule
from ganad.wording import number

NAMES = ("w", "at", "units")
"""The names in a URL."""


@dataclass(frozen=True)
class DecisionRule:
    """What turns the parts of an image into a verdict.

    weights       raw weight of each part, in the order of `PARTS`
    kind          where the threshold comes from, a key of `thresholds.RULES`
    value         its number: the share of false alarms, how many false alarms a miss costs, or the threshold itself; best F1
                  has none
    standardised  scores are shown in standard deviations of held-out normals. Nothing else depends on it: weights and
                  threshold are raw
    """

    weights: Weights
    kind: str = DEFAULT_RULE[0]
    value: float = DEFAULT_RULE[1]
    standardised: bool = False

    @property
    def threshold_rule(self) -> tuple[str, float]:
        """Kind and value."""
        return self.kind, self.value

    def with_threshold(self, kind: str, value: float) -> DecisionRule:
        """The same weights and units under another rule of the threshold."""
        return replace(self, kind=kind, value=value)

    def threshold(self, val: np.ndarray, test: np.ndarray, anomalous: np.ndarray) -> float:
        """The threshold, raw; infinite where there are too few held-out images for one.

        val         (n,) scores of held-out normals under these weights
        test        (m,) scores of test images; anomalous: (m,) bool. The rules "cost" and "best F1" look at them
        """
        if self.kind == "manual":
            return float(self.value)
        if self.kind == "cost":
            return thresholds.min_cost_threshold(test, anomalous, self.value)
        if self.kind == "best F1":
            return thresholds.best_f1_threshold(test, anomalous)
        return thresholds.threshold_for(val, self.value)

    def in_words(self, threshold: float, units: metrics.Units, held_out: int, originals: int | None = None) -> str:
        """Where the threshold lies and where it comes from. held_out: how many held-out normals there are; originals: of how many
        they are variants, None where each stands for itself."""
        if math.isinf(threshold):
            return thresholds.no_threshold(held_out, self.value)
        usual = f": {thresholds.promise(self.value, originals)}"
        reason = {
            "manual": ", set by hand.",
            "cost": f": cheapest on the test set if a miss costs as much as {number(self.value)} false alarms.",
            "best F1": ": the highest F1 on the test set.",
        }.get(self.kind, usual)
        return f"Threshold {number(units.shown(threshold))}{reason}"


# --- in a URL ----------------------------------------------------------------------------------------------------------


def to_query(rule: DecisionRule, default: DecisionRule, test: np.ndarray) -> dict[str, str]:
    """The rule as it stands in a URL; what is as in `default` is left out.

    Weights are exact: a score moves with each of their digits. A threshold has as many as it takes to call the same of the
    test images anomalous, whose scores are `test`.
    """
    query = {}
    if rule.weights != default.weights:
        query["w"] = ",".join(repr(float(w)).removesuffix(".0") for w in rule.weights)
    if rule.threshold_rule != default.threshold_rule:
        number = shortest(rule.value, test) if rule.kind == "manual" else f"{rule.value:.8g}"
        query["at"] = f"{rule.kind.replace(' ', '-')}:{number}"
    if rule.standardised:
        query["units"] = "standardised"
    return query


def from_query(query: Mapping[str, str], default: DecisionRule) -> tuple[DecisionRule, list[str]]:
    """The rule that a URL asks for, and what made no sense in it, as "name=value"; that is as in `default`."""
    rule, problems = replace(default, standardised=query.get("units") == "standardised"), []
    if "w" in query:
        try:
            rule = replace(
                rule, weights=check_weights(tuple(map(float, query["w"].split(","))), PARTS[: len(default.weights)])
            )
        except (ValueError, ConfigError):
            problems.append(f"w={query['w'][:40]}")
    if "at" in query:
        try:
            rule = rule.with_threshold(*_threshold_rule(query["at"]))
        except ValueError:
            problems.append(f"at={query['at'][:40]}")
    if query.get("units", "raw") not in ("raw", "standardised"):
        problems.append(f"units={query['units'][:40]}")
    return rule, problems


def shortest(value: float, scores: np.ndarray) -> str:
    """A number in as few digits as leave each of the scores on its side of it, or on it: for links."""
    below, above = np.count_nonzero(scores < value), np.count_nonzero(scores > value)
    for digits in range(4, 17):
        near = float(f"{value:.{digits}g}")
        if np.count_nonzero(scores < near) == below and np.count_nonzero(scores > near) == above:
            return f"{value:.{digits}g}"
    return repr(float(value))


def _threshold_rule(text: str) -> tuple[str, float]:
    kind, _, number = text.partition(":")
    kind, value = kind.replace("-", " "), float(number)
    kind = OLD_RULES.get(kind, kind)
    if not is_valid_rule(kind, value):
        raise ValueError
    return kind, value
