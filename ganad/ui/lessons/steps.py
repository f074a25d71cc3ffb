"""What a lesson is made of, and what it can see of a session. Pure values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ganad.config import Weights


@dataclass(frozen=True)
class TrainedRun:
    """A finished run of the reader's own, as far as lessons ask about it."""

    name: str
    contamination: float
    images: int | None
    """`limit`: training images at most."""


@dataclass(frozen=True)
class Seen:
    """What the reader has done, as it stands now."""

    page: str = ""
    run: str = ""
    method: str = ""
    searches: bool = False
    """The picked run is scored by a search."""
    image: int | None = None
    """The picked test image."""
    image_is_anomalous: bool | None = None
    image_called_anomalous: bool | None = None
    image_class: str = ""
    weights: Weights = ()
    usual_weights: Weights = ()
    threshold: tuple[str, float] = ("", 0.0)
    drawing: str = ""
    """Names the drawing that was explained last."""
    drawing_called: str = ""
    """Its verdict."""
    claimed: str = ""
    """What the reader says that it shows."""
    racing: bool = False
    trained: frozenset[TrainedRun] = frozenset()

    @property
    def residual_alone(self) -> bool:
        """Only the residual part counts in the score."""
        return bool(self.weights) and self.weights[0] > 0 and not any(self.weights[1:])


Done = Callable[[Seen, Seen], bool]
"""(now, when the step began) -> whether it is done."""


@dataclass(frozen=True)
class Step:
    """One thing to do."""

    page: str
    """Title of the page where it is done."""
    task: str
    done: Done
    learned: str
    """What one has seen by doing it."""
    asks_what_was_drawn: bool = False


@dataclass(frozen=True)
class Lesson:
    """Steps in order. id: its name in a link. run: the shipped run that it begins with."""

    id: str
    title: str
    about: str
    run: str
    steps: tuple[Step, ...]

    @property
    def pages(self) -> set[str]:
        """The pages that it needs."""
        return {step.page for step in self.steps}
