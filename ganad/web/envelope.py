"""A long curve in few points from which no spike is missing."""

from __future__ import annotations

import numpy as np


def envelope(x: np.ndarray, y: np.ndarray, buckets: int) -> np.ndarray:
    """(K, 2) of the points (x, y) that a chart so many pixels wide can show, in their order.

    The range of x is cut into `buckets` of equal width. Of each the points with the least and the greatest y are kept, and of the whole
    curve the first and the last. x: (N,) ascending; y: (N,) finite. A curve of at most two points a bucket stays as it is.
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if len(x) <= 2 * buckets:
        return np.stack([x, y], axis=1)
    bucket = bucket_of(x, buckets)
    starts = np.flatnonzero(np.diff(bucket, prepend=-1))
    # Within a bucket the lowest comes first and the highest last, and those of equal height in their order.
    order = np.lexsort((y, bucket))
    ends = np.append(starts[1:], len(x)) - 1
    kept = np.unique(np.concatenate([order[starts], order[ends], [0, len(x) - 1]]))
    return np.stack([x[kept], y[kept]], axis=1)


def bucket_of(x: np.ndarray, buckets: int) -> np.ndarray:
    """(N,) the bucket that each of x, ascending, lies in: 0 to buckets - 1."""
    width = (x[-1] - x[0]) / buckets or 1.0
    return np.minimum(((x - x[0]) / width).astype(np.int64), buckets - 1)
