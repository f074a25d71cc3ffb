"""Images of a class of one's own while they are being collected."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass
class OwnDraft:
    """What has been collected in a session, and not been trained on yet.

    images    number -> (28, 28) uint8, in the order in which they came
    count     the highest number that was given
    taken     the highest number that the pad gave to a drawing of these
    removed   number and image that were removed last, for putting it back
    batches   how many times files were taken over: each time the uploader is a new one, hence empty
    problems  why files or drawings were not taken, in words; those of the last batch
    """

    images: dict[int, np.ndarray] = field(default_factory=dict)
    count: int = 0
    taken: int = 0
    removed: tuple[int, np.ndarray] | None = None
    batches: int = 0
    problems: list[str] = field(default_factory=list)

    def add(self, image: np.ndarray) -> None:
        """One more."""
        self.count += 1
        self.images[self.count] = image

    def remove(self, number: int) -> None:
        """Take one away; one that is gone already stays so."""
        if number in self.images:
            self.removed = number, self.images.pop(number)

    def put_back(self) -> None:
        """The one that was removed last, where it was."""
        if self.removed is not None:
            number, image = self.removed
            self.images = dict(sorted((self.images | {number: image}).items()))
            self.removed = None

    def clear(self) -> None:
        """Begin anew."""
        self.images, self.removed, self.problems = {}, None, []
