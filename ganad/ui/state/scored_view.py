"""A run's test images under the weights, the threshold and the selection in force: computed once, then handed down."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, replace

import numpy as np

from ganad.config import Weights
from ganad.errors import GanadError
from ganad.evaluation import filters, metrics, projection
from ganad.evaluation.scores import Scores
from ganad.service import RunInfo
from ganad.ui.messages import notices
from ganad.ui.state import cache
from ganad.ui.state.decision_rule import DecisionRule
from ganad.ui.state.selection import EVERYTHING, Selection


@dataclass(frozen=True)
class ScoredView:
    """What a view needs to know of a run. Arrays have one row an image; scores and threshold are raw.

    run         the run
    scores      parts, digits and labels of held-out normals and test images
    rule        weights, rule of the threshold and units
    selection   the choice of test images
    advised     the weights were chosen on training images
    """

    run: RunInfo
    scores: Scores
    rule: DecisionRule
    selection: Selection = EVERYTHING
    advised: bool = False

    @property
    def weights(self) -> Weights:
        """Raw weight of each part."""
        return self.rule.weights

    @functools.cached_property
    def _totals(self) -> tuple[np.ndarray, np.ndarray]:
        return cache.totals(self.run.name, self.weights)

    @property
    def val(self) -> np.ndarray:
        """(n,) scores of held-out normals."""
        return self._totals[0]

    @property
    def test(self) -> np.ndarray:
        """(m,) scores of test images."""
        return self._totals[1]

    @functools.cached_property
    def threshold(self) -> float:
        """Above it an image is called anomalous; infinite where there is none."""
        return self.rule.threshold(self.val, self.test, self.scores.anomalous)

    @functools.cached_property
    def units(self) -> metrics.Units:
        """In which score and threshold are shown."""
        return self.units_on(self.rule.standardised)

    def units_on(self, standardised: bool) -> metrics.Units:
        """Raw scores, or standard deviations of held-out normals under these weights."""
        return metrics.standard_units(self.scores.val.parts, self.weights) if standardised else metrics.RAW

    @property
    def threshold_in_words(self) -> str:
        """Where the threshold lies and where it comes from, or why there is none."""
        return self.rule.in_words(self.threshold, self.units, len(self.val), self.run.held_out_originals)

    @property
    def tuned_on_test(self) -> bool:
        """True when something was chosen by the test labels, or by a person who sees them.

        Weights that training images advised were not, as long as they stay as they were advised.
        """
        return self.rule.kind != "false alarms" or not (self.weights == self.run.weights or self.advised)

    @functools.cached_property
    def called(self) -> np.ndarray:
        """(m,) bool: which test images are called anomalous."""
        return self.test > self.threshold

    @functools.cached_property
    def outcomes(self) -> np.ndarray:
        """(m,) words: caught, missed, false alarms, passed."""
        return filters.outcomes(self.scores.anomalous, self.called)

    @functools.cached_property
    def rows(self) -> np.ndarray:
        """Rows of the test images that are selected, in their order."""
        keep = np.ones(len(self.test), dtype=bool)
        for selected, value in self.selection.active:
            keep &= selected.mask(value, self, keep)
        wanted = np.flatnonzero(keep)
        direction, by = self.selection.sort.split()
        values = self.scores.test.parts.get(by, self.test)[wanted]
        return wanted[np.argsort(-values if direction == "highest" else values, kind="stable")]

    @functools.cached_property
    def picked(self) -> int | None:
        """Row of the picked image; the first selected one where it is not among them; None where none is selected."""
        if not len(self.rows):
            return None
        at = np.flatnonzero(self.scores.test.index[self.rows] == self.selection.image)
        return int(self.rows[at[0] if len(at) else 0])

    @property
    def picked_place(self) -> int:
        """Where the picked image stands in `rows`."""
        return int(np.flatnonzero(self.rows == self.picked)[0])

    def index(self, row: int) -> int:
        """Index in the official test set of a row."""
        return int(self.scores.test.index[row])

    def parts(self, row: int) -> dict[str, float]:
        """part -> raw value of one test image."""
        return {part: float(values[row]) for part, values in self.scores.test.parts.items()}

    @property
    def nearest_to_threshold(self) -> int:
        """The image, by its index in the test set, whose score is closest to the threshold."""
        return self.index(int(np.argmin(np.abs(self.test - self.threshold))))

    def map(self, kind: str | None = None) -> projection.Projection | None:
        """Where the images lie, on the map that is looked at unless another kind is asked for.

        None for a run without nets, while nobody has asked for a search, and while the map is being computed or could not be.
        """
        try:
            has_codes = cache.has_codes(self.run)
            return cache.latent_map(self.run.name, kind or self.selection.map) if has_codes else None
        except GanadError:
            return None

    def selecting(self, selection: Selection) -> ScoredView:
        """The same run and rule with another selection."""
        return replace(self, selection=selection)

    def note_missing_threshold(self) -> None:
        """Where there is no threshold: why, and what to do, for views that do not say it in other words."""
        if math.isinf(self.threshold):
            notices.info(self.threshold_in_words, icon=":material/rule:")
