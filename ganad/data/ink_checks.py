"""Whether ink is likely to be one digit: a dot or a row of digits gets a score too, and it would say nothing.

The bounds are those of MNIST: of its 10,000 test digits none is doubted as a dot, three in a thousand as several (a broken 5).
"""

from __future__ import annotations

import numpy as np

DOT_WIDTH = 9.0
"""Stroke width in pixels of 20x20 from where ink is a dot or a blot; the widest of MNIST's test digits has 8.7."""
WIDEST = 1.9
"""Width by height of the widest digit; 99.9 % of MNIST's test digits stay below 1.7."""
FEWEST_PIXELS = 9
"""The longer side of the ink in the given picture; less is enlarged more than twice."""
_SHARE = 0.2  # of the largest piece's ink: smaller pieces are parts of a digit, as the bar of a 5
_OVERLAP = 0.2  # pieces beside each other share less than this of the smaller one's extent


def doubts(crop: np.ndarray, stroke_width: float, side: int) -> tuple[str, ...]:
    """Sentences on why the ink may be no single digit; empty for ink like MNIST's.

    crop: (h, w) in 0..1, cut to the ink. stroke_width: in pixels once the longer side is 20. side: the longer side in
    pixels of the picture that was given.
    """
    if stroke_width > DOT_WIDTH:
        return ("Very little ink: this looks like a dot, not like a digit, and its score says little.",)
    if side < FEWEST_PIXELS:
        return (f"Very little ink: {side} pixels were enlarged to 20, and the score says little.",)
    if (pieces := _pieces_apart(crop)) > 1:
        return (f"Several digits? The ink has {pieces} large pieces apart from each other; one digit is expected.",)
    height, width = crop.shape
    if width > WIDEST * height:
        return (f"Several digits? The ink is {width / height:.1f} times as wide as high; one digit is expected.",)
    return ()


def _pieces_apart(crop: np.ndarray) -> int:
    """How many large pieces of ink lie side by side, or one above the other."""
    from scipy.ndimage import find_objects, label, sum_labels

    labels, n = label(crop > 0.1, structure=np.ones((3, 3)))
    mass = sum_labels(crop, labels, np.arange(1, n + 1))
    boxes = [box for box, m in zip(find_objects(labels), mass, strict=True) if m >= _SHARE * mass.max()]
    return max(_apart([(box[axis].start, box[axis].stop) for box in boxes]) for axis in (0, 1))


def _apart(spans: list[tuple[int, int]]) -> int:
    """How many of the spans (start, stop) remain when those that overlap are joined."""
    first, *others = sorted(spans)
    joined = [first]
    for start, stop in others:
        begin, end = joined[-1]
        if end - start >= _OVERLAP * min(end - begin, stop - start):
            joined[-1] = (begin, max(end, stop))
        else:
            joined.append((start, stop))
    return len(joined)
