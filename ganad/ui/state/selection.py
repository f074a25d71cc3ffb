"""Which test images are looked at, in which order, and which one is picked. Pure values."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from ganad.config import PARTS
from ganad.evaluation import projection
from ganad.ui.state.filters import FILTERS, Filter, Scored


def sorts(parts: Collection[str]) -> tuple[str, ...]:
    """The orders that images can be in: by score, and by each of these parts."""
    return tuple(f"{direction} {by}" for by in ("score", *parts) for direction in ("highest", "lowest"))


SORTS = sorts(PARTS)
MAPS = ("PCA", "UMAP")


@dataclass(frozen=True)
class Selection:
    """A choice of test images, and the one that is picked.

    digits   these alone; empty means all
    verdict  a key of `filters.VERDICTS`
    band     scores from, to (both included); None means all
    lasso    corners of a polygon on the latent map, in its coordinates; empty means all
    map      how that was drawn, one of `MAPS`
    image    the picked image by its index in the official test set
    sort     one of `SORTS`; by score in a run that does not have the part
    """

    digits: tuple[int, ...] = ()
    verdict: str = "all"
    band: tuple[float, float] | None = None
    lasso: tuple[tuple[float, float], ...] = ()
    map: str = MAPS[0]
    image: int | None = None
    sort: str = SORTS[0]

    @property
    def active(self) -> list[tuple[Filter, Any]]:
        """The filters that leave out images, with their values."""
        values = [(f, getattr(self, f.name)) for f in FILTERS]
        return [(f, value) for f, value in values if value != f.off]

    @property
    def whole(self) -> bool:
        """True when no image is left out."""
        return not self.active

    def without(self, *names: str) -> Selection:
        """The same with these filters off; without any name, all of them."""
        return replace(self, **{f.name: f.off for f in FILTERS if not names or f.name in names})

    def labels(self, view: Scored) -> dict[str, str]:
        """Name of each active filter -> what it leaves, in words."""
        return {f.name: f.label(value, view) for f, value in self.active}


EVERYTHING = Selection()
"""No filter is on, no image picked."""
NAMES = tuple(f.name for f in fields(Selection))
"""The names in a URL."""


def to_query(chosen: Selection, view: Scored) -> dict[str, str]:
    """The selection as it stands in a URL; what is as usual is left out."""
    query = {f.name: f.format(value, view) for f, value in chosen.active}
    if chosen.map != MAPS[0]:
        query["map"] = chosen.map.lower()
    if chosen.image is not None:
        query["image"] = str(chosen.image)
    if chosen.sort != SORTS[0]:
        query["sort"] = chosen.sort.replace(" ", "-")
    return query


def from_query(query: Mapping[str, str], *, has_map: bool) -> tuple[Selection, list[str]]:
    """The selection that a URL asks for, and what made no sense in it, as "name=value"; that is as usual.

    has_map: the run has a latent map for a lasso to lie on.
    """
    chosen, problems = Selection(), []
    for name, text in query.items():
        if name not in NAMES:
            continue
        try:
            chosen = replace(chosen, **{name: _PARSE[name](text)})
        except (ValueError, IndexError):
            problems.append(f"{name}={text[:40]}")
    if chosen.map not in projection.kinds():
        problems.append(f"map={chosen.map.lower()}, but umap-learn is not installed here")
        chosen = replace(chosen, map=MAPS[0], lasso=())
    if chosen.lasso and not has_map:
        problems.append("lasso, but this run has no latent map at hand")
        chosen = replace(chosen, lasso=())
    return chosen, problems


def _image(text: str) -> int:
    value = int(text)
    if value < 0:
        raise ValueError
    return value


_PARSE = {f.name: f.parse for f in FILTERS} | {
    "image": _image,
    "sort": lambda text: SORTS[SORTS.index(text.replace("-", " "))],
    "map": lambda text: MAPS[[m.lower() for m in MAPS].index(text.lower())],
}
