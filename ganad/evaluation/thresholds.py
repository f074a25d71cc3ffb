"""Where the threshold lies: by false alarms of held-out normals, by the cost of a miss, by best F1, or by hand."""

from __future__ import annotations

import math

import numpy as np

from ganad.config import FALSE_ALARMS
from ganad.wording import percent

RULES = {"false alarms": "False alarms", "cost": "Cost", "best F1": "Best F1", "manual": "Manual"}
"""Where a threshold comes from: held-out normals; the price of a miss in false alarms; the test labels; the hand."""

OLD_RULES = {"by hand": "manual"}
"""What a rule was called in links of earlier versions -> what it is called now."""

DEFAULT_RULE = ("false alarms", FALSE_ALARMS)

RULE_DEFAULTS = {"false alarms": FALSE_ALARMS, "cost": 1.0, "best F1": 0.0}
"""The number that a rule begins with."""


def is_valid_rule(rule: object, value: float) -> bool:
    """True for a key of `RULES` with a number that it can have."""
    if rule == "false alarms":
        return 0 < value < 1
    return rule in tuple(RULES) and math.isfinite(value) and (rule != "cost" or value > 0)


def threshold_for(val: np.ndarray, false_alarms: float = FALSE_ALARMS) -> float:
    """The lowest threshold that calls a new normal image anomalous with a probability of at most `false_alarms`.

    val: (n,) scores of held-out normal images. It is their k-th smallest with k = ceil((n + 1)(1 - a)); an image is
    anomalous when it scores *above* it. That bound holds for any score, as long as the new image comes from
    where the held-out ones came from (split conformal prediction, Vovk et al. 2005; Lei et al. 2018). With too few
    held-out images for so small an `a` the answer is infinity: nothing is called anomalous.
    """
    k = math.ceil((len(val) + 1) * (1 - false_alarms) - 1e-9)
    return math.inf if k > len(val) else float(np.sort(val)[max(k, 1) - 1])


def no_threshold(held_out: int | None = None, false_alarms: float | None = None) -> str:
    """Why nothing is called anomalous where `threshold_for` is infinite, and what to do about it, for every place that says so.

    held_out: how many held-out normal images there are; false_alarms: the share that was asked for; None where it is not
    known. A threshold exists from (n + 1) a >= 1 on.
    """
    rate = "so few false alarms" if false_alarms is None else f"at most {_percent(false_alarms)} false alarms"
    if held_out is None:
        there, lowest = "there are too few held-out normal images", "more of them"
    else:
        there = f"{held_out:,} held-out normal image{' is' if held_out == 1 else 's are'} too few"
        # Rounded up to a tenth of a percent, so that what is advised is enough.
        lowest = f"at least {_percent(math.ceil(1000 / (held_out + 1) - 1e-9) / 1000)} (1 in {held_out + 1:,})"
    wanted = ""
    if false_alarms is not None:
        wanted = f", and {math.ceil(1 / false_alarms - 1 - 1e-9):,} of them are needed"
    return (
        f"Nothing is called anomalous: {there} for a threshold with {rate}. Allow {lowest}, or train on more normal images: "
        f"a tenth of them is held out{wanted}."
    )


def promise(false_alarms: float, originals: int | None = None) -> str:
    """What a threshold by false alarms promises, as the end of a sentence that begins with it.

    originals: of how many originals the held-out images are variants, which are no independent draws; None where each stands for itself.
    """
    if originals is None:
        return f"a new normal image lies above it with a probability of at most {percent(false_alarms)}."
    return (
        f"at most {percent(false_alarms)} of the variants of {originals} held-out originals lie above it; from so many no "
        f"threshold could promise less than 1 false alarm in {originals + 1}."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def min_cost_threshold(score: np.ndarray, anomalous: np.ndarray, ratio: float) -> float:
    """The threshold at which misses and false alarms cost least, if a miss costs `ratio` false alarms (> 0).

    It is one of the scores; of several that are equally cheap, the highest. Chosen with labels: on a test set that is a
    figure of what could be had, no promise.
    """
    thresholds, fp, fn = error_counts(score, anomalous)
    return float(thresholds[np.argmin(ratio * fn + fp)])


def best_f1_threshold(score: np.ndarray, anomalous: np.ndarray) -> float:
    """The threshold, one of the scores, with the highest F1 = 2 tp / (2 tp + fp + fn); of equals the highest. With labels."""
    thresholds, fp, fn = error_counts(score, anomalous)
    tp = anomalous.sum() - fn
    return float(thresholds[np.argmax(2 * tp / np.maximum(2 * tp + fp + fn, 1))])


def error_counts(score: np.ndarray, anomalous: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every distinct score as a threshold, highest first, with the false alarms and the misses that it makes."""
    thresholds = np.unique(score)[::-1]
    normal, strange = np.sort(score[~anomalous]), np.sort(score[anomalous])
    fp = len(normal) - np.searchsorted(normal, thresholds, side="right")
    return thresholds, fp, np.searchsorted(strange, thresholds, side="right")
