"""The filters of test images, an object each: how it is read from a URL and written there, what it leaves, what it is called."""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np

from ganad.config import MOST_CLASSES
from ganad.evaluation import metrics
from ganad.evaluation.filters import inside_polygon, near_threshold, outcomes
from ganad.evaluation.projection import Projection
from ganad.evaluation.scores import Scores
from ganad.ui.state.decision_rule import shortest
from ganad.wording import number

VERDICTS = {
    "all": "everything",
    "caught": "caught",
    "missed": "missed",
    "false alarms": "false alarms",
    "passed": "passed",
    "near the threshold": "near threshold",
}
OLD_VERDICTS = {"hits": "caught", "misses": "missed", "correct": "passed", "near misses": "near the threshold"}
"""What these were called in links of earlier versions -> what they are called now."""
MEANING = {
    "caught": "anomalies called anomalous",
    "missed": "anomalies called normal",
    "false alarms": "normal images called anomalous",
    "passed": "normal images called normal",
    "near the threshold": "the images closest to the threshold, on both sides",
}


class Scored(Protocol):
    """What a filter may look at; `ganad.ui.state.scored_view.ScoredView` has it."""

    scores: Scores
    test: np.ndarray
    threshold: float
    units: metrics.Units

    def map(self, kind: str | None = None) -> Projection | None: ...


class Filter(Protocol):
    """One way to leave out test images. Its value is a field of `Selection` of the same name."""

    name: str
    off: Any
    """The value that leaves out nothing."""

    def parse(self, text: str) -> Any:
        """The value out of a URL. Raises ValueError or IndexError for anything else."""
        ...

    def format(self, value: Any, view: Scored) -> str:
        """The value as it stands in a URL."""
        ...

    def mask(self, value: Any, view: Scored, among: np.ndarray) -> np.ndarray | bool:
        """(m,) bool: which test images it leaves, of those `among` which it chooses."""
        ...

    def label(self, value: Any, view: Scored) -> str:
        """In words, for a chip."""
        ...


class DigitFilter:
    """Images of some digits."""

    name, off = "digits", ()

    def parse(self, text: str) -> tuple[int, ...]:
        digits = tuple(sorted({int(part) for part in (text.split(",") if "," in text else text) if part}))
        if not digits or not 0 <= digits[0] <= digits[-1] < MOST_CLASSES:
            raise ValueError
        return digits

    def format(self, value: tuple[int, ...], view: Scored) -> str:
        if max(value) < 10:
            return "".join(map(str, value))
        return "".join(f"{number}," for number in value)

    def mask(self, value: tuple[int, ...], view: Scored, among: np.ndarray) -> np.ndarray:
        return np.isin(view.scores.test.digit, value)

    def label(self, value: tuple[int, ...], view: Scored) -> str:
        return ("" if view.run.has_names else "digit ") + ", ".join(map(view.run.class_name, value))


class BandFilter:
    """Images whose scores lie between two, both included."""

    name, off = "band", None

    def parse(self, text: str) -> tuple[float, float]:
        low, high = _numbers(text.replace("~", ","))
        if low > high:
            raise ValueError
        return low, high

    def format(self, value: tuple[float, float], view: Scored) -> str:
        return "~".join(shortest(x, view.test) for x in value)

    def mask(self, value: tuple[float, float], view: Scored, among: np.ndarray) -> np.ndarray:
        return (view.test >= value[0]) & (view.test <= value[1])

    def label(self, value: tuple[float, float], view: Scored) -> str:
        return "score {} to {}".format(*(number(view.units.shown(x)) for x in value))


class LassoFilter:
    """Images inside a polygon on the latent map that is looked at."""

    name, off = "lasso", ()

    def parse(self, text: str) -> tuple[tuple[float, float], ...]:
        corners = tuple(_numbers(corner) for corner in text.split("~"))
        if len(corners) < 3 or any(len(c) != 2 for c in corners):
            raise ValueError
        return corners  # type: ignore[return-value]

    def format(self, value: tuple[tuple[float, float], ...], view: Scored) -> str:
        return "~".join(f"{x:.4g},{y:.4g}" for x, y in value)

    def mask(self, value: tuple[tuple[float, float], ...], view: Scored, among: np.ndarray) -> np.ndarray | bool:
        places = view.map()  # None while it is computed, and when the nets of the run are deleted meanwhile
        return True if places is None else inside_polygon(places.test, value)

    def label(self, value: tuple[tuple[float, float], ...], view: Scored) -> str:
        return "inside the lasso"


class VerdictFilter:
    """Images of one outcome, or those closest to the threshold among what the other filters leave: hence the last one."""

    name, off = "verdict", "all"

    def parse(self, text: str) -> str:
        verdict = text.replace("-", " ")
        verdict = OLD_VERDICTS.get(verdict, verdict)
        if verdict not in VERDICTS:
            raise ValueError
        return verdict

    def format(self, value: str, view: Scored) -> str:
        return value.replace(" ", "-")

    def mask(self, value: str, view: Scored, among: np.ndarray) -> np.ndarray:
        if value == "near the threshold":
            return near_threshold(view.test, view.threshold, among)
        return outcomes(view.scores.anomalous, view.test > view.threshold) == value

    def label(self, value: str, view: Scored) -> str:
        return VERDICTS[value]


FILTERS: tuple[Filter, ...] = (DigitFilter(), BandFilter(), LassoFilter(), VerdictFilter())
"""In the order in which they are applied."""


def _numbers(text: str) -> tuple[float, ...]:
    values = tuple(map(float, text.split(",")))
    if not all(map(math.isfinite, values)):
        raise ValueError
    return values
