"""What was computed is shared by everybody who asks for it again, within so many bytes; what was asked for longest ago goes."""

from __future__ import annotations

import dataclasses
import functools
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

import cachetools
import numpy as np

from ganad.system import access

BRIEF_SHARE = 1 / 16
"""Of the bound, for what is kept briefly: one of many values, such as one for each move of a slider, few of which are asked for again."""
_ALONE = threading.Condition()


def remembered(function: Callable[..., Any], *, briefly: bool = False) -> Callable[..., Any]:
    """A function whose results are kept, up to GANAD_CACHE_BYTES for all such functions together (limits.CACHE_BYTES).

    Arguments are hashable. Whoever asks for what is being computed waits for it. All get the same object, which nobody
    changes. What is larger than the whole bound is computed each time. briefly: in a part of its own, BRIEF_SHARE of the bound.
    """

    @functools.wraps(function)
    def asked(*args: Any) -> Any:
        return _keeping(function, briefly)(*args)

    return asked


@functools.cache
def _keeping(function: Callable[..., Any], briefly: bool) -> Callable[..., Any]:
    name = function.__module__, function.__qualname__
    return cachetools.cached(_store(briefly), key=lambda *args: (name, *args), condition=_ALONE)(function)


@functools.cache
def _store(briefly: bool) -> cachetools.LRUCache:
    """Made when it is first needed, so that a bound that is no number is an error of a page and not of an import."""
    share = BRIEF_SHARE if briefly else 1 - BRIEF_SHARE
    return cachetools.LRUCache(share * access.quota("GANAD_CACHE_BYTES"), getsizeof=size_of)


def forget() -> None:
    """Keep nothing."""
    with _ALONE:
        for briefly in (False, True):
            _store(briefly).clear()


def bytes_kept() -> int:
    """Bytes of what is kept at present."""
    return sum(_store(briefly).currsize for briefly in (False, True))


@functools.singledispatch
def size_of(value: Any) -> int:
    """Bytes of a value: of the arrays, text and bytes in it."""
    if dataclasses.is_dataclass(value):
        return 64 + sum(size_of(getattr(value, f.name)) for f in dataclasses.fields(value))
    return sys.getsizeof(value)


@size_of.register
def _(value: np.ndarray) -> int:
    return 64 + value.nbytes


@size_of.register(list)
@size_of.register(tuple)
@size_of.register(set)
def _(value: Any) -> int:
    return 64 + sum(map(size_of, value))


@size_of.register(Mapping)
def _(value: Mapping) -> int:
    return 64 + sum(size_of(k) + size_of(v) for k, v in value.items())
