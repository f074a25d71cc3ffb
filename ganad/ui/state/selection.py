"""What is being looked at: one choice of test images, shared by Browse, Evaluate and Compare."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np
import streamlit as st

from ganad.config import PARTS
from ganad.errors import GanadError
from ganad.evaluation import projection
from ganad.evaluation.filters import inside_polygon, near_threshold, outcomes
from ganad.service import RunInfo
from ganad.ui.state import cache
from ganad.ui.state.rule import Mix, shortest, weights_of

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
SORTS = tuple(f"{direction} {by}" for by in ("score", *PARTS) for direction in ("highest", "lowest"))
MAPS = ("PCA", "UMAP")


@dataclass(frozen=True)
class Selection:
    """A choice of test images, and the one that is picked.

    digits   these alone; empty means all
    verdict  a key of `VERDICTS`
    band     scores from, to (both included); None means all
    lasso    corners of a polygon on the latent map, in its coordinates; empty means all
    map      how that was drawn, one of `MAPS`
    image    the picked image by its index in the official test set
    sort     one of `SORTS`
    """

    digits: tuple[int, ...] = ()
    verdict: str = "all"
    band: tuple[float, float] | None = None
    lasso: tuple[tuple[float, float], ...] = ()
    map: str = MAPS[0]
    image: int | None = None
    sort: str = SORTS[0]

    @property
    def whole(self) -> bool:
        """True when no image is left out."""
        return replace(self, image=None, sort=SORTS[0], map=MAPS[0]) == Selection()


NAMES = tuple(f.name for f in fields(Selection))


def current(run: RunInfo) -> Selection:
    """The choice in force. Another run keeps digits, verdict, order and image."""
    name, chosen = st.session_state.get("selection", (run.name, Selection()))
    return chosen if name == run.name else replace(chosen, band=None, lasso=())


def choose(run: RunInfo, **changes: object) -> None:
    """Change the choice; for callbacks and before a view is drawn. The URL follows."""
    st.session_state["selection"] = (run.name, replace(current(run), **changes))
    from ganad.ui.state import address  # it knows this module

    address.write(run)


def clear(run: RunInfo) -> None:
    """All images again; the picked one stays."""
    choose(run, digits=(), verdict="all", band=None, lasso=())


def map_of(run: RunInfo, kind: str | None = None) -> projection.Projection | None:
    """Where the images of a run lie, on the map that is looked at unless another kind is asked for.

    None for a run without nets, while nobody has asked for a search, and while the map is being computed or could not be.
    """
    try:
        return cache.latent_map(run.name, kind or current(run).map) if cache.has_codes(run) else None
    except GanadError:
        return None


def rows(run: RunInfo, mix: Mix, chosen: Selection | None = None) -> np.ndarray:
    """Rows of the run's test images that match, in the chosen order."""
    chosen = chosen or current(run)
    found = cache.scores(run.name)
    _, test = cache.totals(run.name, mix.weights)
    keep = np.isin(found.test.digit, chosen.digits) if chosen.digits else np.ones(len(test), dtype=bool)
    if chosen.band:
        keep &= (test >= chosen.band[0]) & (test <= chosen.band[1])
    if chosen.lasso:
        places = map_of(
            run, chosen.map
        )  # None while it is computed, and when somebody deletes the nets of the run meanwhile
        keep &= inside_polygon(places.test, chosen.lasso) if places is not None else True
    if chosen.verdict == "near the threshold":
        keep &= near_threshold(test, mix.threshold, keep)
    elif chosen.verdict != "all":
        keep &= outcomes(found.anomalous, test > mix.threshold) == chosen.verdict
    wanted = np.flatnonzero(keep)
    direction, by = chosen.sort.split()
    values = (test if by == "score" else found.test.parts[by])[wanted]
    return wanted[np.argsort(-values if direction == "highest" else values, kind="stable")]


def picked(run: RunInfo, mix: Mix, among: np.ndarray | None = None) -> int | None:
    """Row of the picked image; the first one of the choice where it is not part of that; None where that is empty."""
    among = rows(run, mix) if among is None else among
    if not len(among):
        return None
    at = np.flatnonzero(cache.scores(run.name).test.index[among] == current(run).image)
    return int(among[at[0] if len(at) else 0])


def nearest_to(run: RunInfo, mix: Mix) -> int:
    """The image, by its index in the test set, whose score is closest to the threshold."""
    _, test = cache.totals(run.name, mix.weights)
    return int(cache.scores(run.name).test.index[np.argmin(np.abs(test - mix.threshold))])


# --- in the URL ------------------------------------------------------------------------------------------------


def to_query(run: RunInfo) -> dict[str, str]:
    """The choice as it stands in a URL; what is as usual is left out."""
    c, said = current(run), {}
    if c.digits:
        said["digits"] = "".join(map(str, c.digits))
    if c.verdict != "all":
        said["verdict"] = c.verdict.replace(" ", "-")
    if c.band:
        _, scores = cache.totals(run.name, weights_of(run))
        said["band"] = "~".join(shortest(x, scores) for x in c.band)
    if c.lasso:
        said["lasso"] = "~".join(f"{x:.4g},{y:.4g}" for x, y in c.lasso)
    if c.map != MAPS[0]:
        said["map"] = c.map.lower()
    if c.image is not None:
        said["image"] = str(c.image)
    if c.sort != SORTS[0]:
        said["sort"] = c.sort.replace(" ", "-")
    return said


def from_query(run: RunInfo, said: Mapping[str, str]) -> list[str]:
    """Put a URL's choice in force; returns what made no sense, as "name=value"."""
    chosen, odd = Selection(), []
    for name, value in said.items():
        if name not in NAMES:
            continue
        try:
            chosen = replace(chosen, **{name: _READ[name](value)})
        except (ValueError, IndexError):
            odd.append(f"{name}={value[:40]}")
    if chosen.map not in projection.kinds():
        odd.append(f"map={chosen.map.lower()}, but umap-learn is not installed here")
        chosen = replace(chosen, map=MAPS[0], lasso=())
    if chosen.lasso and map_of(run, MAPS[0]) is None:  # which needs no more than the codes, and is there at once
        odd.append("lasso, but this run has no latent map at hand")
        chosen = replace(chosen, lasso=())
    st.session_state["selection"] = (run.name, chosen)
    return odd


def _digits(text: str) -> tuple[int, ...]:
    digits = tuple(sorted({int(c) for c in text if c != ","}))
    if not digits:
        raise ValueError
    return digits


def _one_of(allowed: tuple[str, ...]):
    def read(text: str) -> str:
        text = text.replace("-", " ")
        return allowed[allowed.index(OLD_VERDICTS.get(text, text))]

    return read


def _numbers(text: str) -> tuple[float, ...]:
    values = tuple(map(float, text.split(",")))
    if not all(map(math.isfinite, values)):
        raise ValueError
    return values


def _band(text: str) -> tuple[float, float]:
    low, high = _numbers(text.replace("~", ","))
    if low > high:
        raise ValueError
    return low, high


def _lasso(text: str) -> tuple[tuple[float, float], ...]:
    corners = tuple(_numbers(corner) for corner in text.split("~"))
    if len(corners) < 3 or any(len(c) != 2 for c in corners):
        raise ValueError
    return corners  # type: ignore[return-value]


def _image(text: str) -> int:
    value = int(text)
    if value < 0:
        raise ValueError
    return value


_READ = {
    "digits": _digits, "verdict": _one_of(tuple(VERDICTS)), "band": _band, "lasso": _lasso, "image": _image,
    "sort": _one_of(SORTS), "map": lambda text: MAPS[[m.lower() for m in MAPS].index(text.lower())],
}  # fmt: skip
