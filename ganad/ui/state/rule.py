"""Weights and threshold in force: one state for each run, shared by Browse, Evaluate and Score."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import streamlit as st

from ganad.config import check_weights
from ganad.errors import ConfigError
from ganad.evaluation import metrics, thresholds
from ganad.evaluation.thresholds import DEFAULT_RULE, OLD_RULES, is_valid_rule
from ganad.service import RunInfo
from ganad.ui.messages import notices
from ganad.ui.state import cache

NAMES = ("w", "at", "units")


@dataclass(frozen=True)
class Mix:
    """What the sliders say. words tells where the threshold comes from."""

    weights: tuple[float, float, float]
    threshold: float
    words: str
    default_weights: bool
    rule: str
    advised: bool = False
    units: metrics.Units = metrics.RAW
    """In which score and threshold are shown; they themselves are raw."""

    @property
    def tuned_on_test(self) -> bool:
        """True when something was chosen by the test labels, or by a person who sees them.

        Weights that training images advised were not, as long as they stay as they were advised.
        """
        return self.rule != "false alarms" or not (self.default_weights or self.advised)


def note(mix: Mix) -> None:
    """Where there is no threshold: why, and what to do, for views that do not say it in other words."""
    if math.isinf(mix.threshold):
        notices.info(mix.words, icon=":material/rule:")


def weights_of(run: RunInfo) -> tuple[float, float, float]:
    """The raw weights in force for a run in this session."""
    return st.session_state.get("weights", {}).get(run.name, run.weights)


def rule_of(run: RunInfo) -> tuple[str, float]:
    """Where the threshold comes from, a key of `RULES`, and its number: the share of false alarms, how many false alarms a
    miss costs, or the threshold itself; best F1 has none."""
    return st.session_state.get("rule", {}).get(run.name, DEFAULT_RULE)


def keep(run: RunInfo, weights: tuple[float, float, float], rule: tuple[str, float]) -> None:
    """Put weights and rule in force for a run in this session."""
    for name, value, usual in (("weights", weights, run.weights), ("rule", rule, DEFAULT_RULE)):
        st.session_state.setdefault(name, {}).pop(run.name, None)
        if value != usual:
            st.session_state[name][run.name] = value


def advise(run: RunInfo, weights: tuple[float, float, float]) -> None:
    """Put weights in force that training images advised, with the usual promise for the threshold."""
    keep(run, weights, DEFAULT_RULE)
    st.session_state.setdefault("advised", {})[run.name] = weights


def advised(run: RunInfo) -> tuple[float, float, float] | None:
    """The weights that training images advised for a run in this session."""
    return st.session_state.get("advised", {}).get(run.name)


def standardised() -> bool:
    """True where scores are shown in spreads of the held-out normals, in this session."""
    return bool(st.session_state.get("standardised"))


def units_of(run: RunInfo, on_standardised: bool) -> metrics.Units:
    """Raw scores, or spreads of the held-out normals under the weights in force."""
    return metrics.standard_units(cache.scores(run.name).val.parts, weights_of(run)) if on_standardised else metrics.RAW


def mix_of(run: RunInfo) -> Mix:
    """Weights and threshold in force for a run, without drawing anything."""
    weights, (rule, value) = weights_of(run), rule_of(run)
    units = units_of(run, standardised())
    val, test = cache.totals(run.name, weights)
    anomalous = cache.scores(run.name).anomalous
    if rule == "manual":
        threshold, why = float(value), ", set by hand."
    elif rule == "cost":
        threshold = thresholds.min_cost_threshold(test, anomalous, value)
        why = f": cheapest on the test set if a miss costs as much as {value:.3g} false alarms."
    elif rule == "best F1":
        threshold, why = thresholds.best_f1_threshold(test, anomalous), ": the highest F1 on the test set."
    else:
        threshold = thresholds.threshold_for(val, value)
        why = f": a new normal image lies above it with a probability of at most {value:.1%}."
    words = f"Threshold {units.shown(threshold):.4g}{why}"
    if math.isinf(threshold):
        words = thresholds.no_threshold(len(val), value)
    return Mix(
        weights=weights, threshold=threshold, words=words, default_weights=weights == run.weights, rule=rule,
        advised=weights == advised(run), units=units,
    )  # fmt: skip


# --- in the URL ------------------------------------------------------------------------------------------------


def to_query(run: RunInfo) -> dict[str, str]:
    """Weights and rule as they stand in a URL; what is as usual is left out.

    Weights are exact: a score moves with each of their digits. A threshold has as many as it takes to call the same images
    anomalous.
    """
    said = {}
    if weights_of(run) != run.weights:
        said["w"] = ",".join(repr(float(w)).removesuffix(".0") for w in weights_of(run))
    rule, value = rule_of(run)
    if (rule, value) != DEFAULT_RULE:
        number = shortest(value, cache.totals(run.name, weights_of(run))[1]) if rule == "manual" else f"{value:.8g}"
        said["at"] = f"{rule.replace(' ', '-')}:{number}"
    if standardised():
        said["units"] = "standardised"
    return said


def shortest(value: float, scores: np.ndarray) -> str:
    """A number in as few digits as leave each of the scores on its side of it, or on it: for links."""
    below, above = np.count_nonzero(scores < value), np.count_nonzero(scores > value)
    for digits in range(4, 17):
        near = float(f"{value:.{digits}g}")
        if np.count_nonzero(scores < near) == below and np.count_nonzero(scores > near) == above:
            return f"{value:.{digits}g}"
    return repr(float(value))


def from_query(run: RunInfo, said: Mapping[str, str]) -> list[str]:
    """Put a URL's weights and rule in force; returns what made no sense, as "name=value"."""
    weights, rule, odd = run.weights, DEFAULT_RULE, []
    if "w" in said:
        try:
            weights = check_weights(tuple(map(float, said["w"].split(","))))
        except (ValueError, ConfigError):
            odd.append(f"w={said['w'][:40]}")
    if "at" in said:
        try:
            rule = _rule(said["at"])
        except ValueError:
            odd.append(f"at={said['at'][:40]}")
    if said.get("units", "raw") not in ("raw", "standardised"):
        odd.append(f"units={said['units'][:40]}")
    st.session_state["standardised"] = said.get("units") == "standardised"
    keep(run, weights, rule)
    return odd


def _rule(text: str) -> tuple[str, float]:
    kind, _, number = text.partition(":")
    kind, value = kind.replace("-", " "), float(number)
    kind = OLD_RULES.get(kind, kind)
    if not is_valid_rule(kind, value):
        raise ValueError
    return kind, value
