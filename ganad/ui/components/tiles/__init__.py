"""A gallery of digits to pick from: one picture for all of them, one button for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ganad.ui.components.declare import declare_beside
from ganad.ui.state.session import held, memory, sent, set_widget
from ganad.ui.theme import pictures

_COLS = 20
_TILES = declare_beside(__file__)


def tiles(
    images: np.ndarray,
    *,
    key: str,
    labels: Sequence[str],
    version: str,
    frames: Sequence[str | None] | None = None,
    badges: Sequence[str] | None = None,
    picked: int | list[int] | None = None,
    multi: bool = False,
    size: int = 56,
    name: str = "Images",
    ids: Sequence[int] | None = None,
    on_pick: Callable[[], None] = lambda: None,
) -> int | list[int] | None:
    """Show images (N, 28, 28) uint8 as tiles; returns the picked index or None, with `multi` a sorted list of indices.

    key       where the choice lives: `sent(key, "picked")`
    labels    N words for the pointer and for screen readers
    version   names the set of images: the browser builds the gallery again only when it changes. With one pick, a pick
              belongs to its version: another one begins at `picked` again; with `multi` it stays
    frames    N CSS colours (`colours.NORMAL.both`) or None for no frame
    badges    N short words in the corner of the tile, "" for none
    picked    the choice at first
    multi     tiles are switches: framed when on, dimmed when off
    size      side of a tile in CSS pixels; multiples of 28 are the crispest
    name      what the gallery shows, for screen readers
    ids       N whole numbers that name the images. A click then reports the name of what was clicked (`clicked(key)`) and
              keeps no state: what is picked is said by `picked` on every run
    on_pick   called when somebody picked, before the script runs again

    From Python: `set_widget(key, {"picked": 3})` (or a list), in a callback or before this call; a test does the same
    through `at.session_state`. Raises ValueError when labels, frames, badges or ids are not N.
    """
    n = len(images)
    for what, values in (("labels", labels), ("frames", frames), ("badges", badges), ("ids", ids)):
        if values is not None and len(values) != n:
            raise ValueError(f"{what} must be one per image: {n} images, got {len(values)} {what}")
    start = valid(picked, n, multi)
    current = start
    if ids is None:
        _forget_pick_of_other_version(key, version, multi, start)
        current = valid(sent(key, "picked"), n, multi) if held(key) else start
    cols = min(_COLS, max(1, n))
    result = _TILES(
        key=key,
        data={
            "sprite": pictures.data_uri(pictures.sprite(images, cols)),
            "count": n,
            "cols": cols,
            "labels": list(labels),
            "frames": None if frames is None else list(frames),
            "badges": None if badges is None else list(badges),
            "picked": current,
            "multi": multi,
            "size": size,
            "version": version,
            "name": name,
            "ids": None if ids is None else [int(i) for i in ids],
        },
        height="content",
        **({"default": {"picked": start}, "on_picked_change": on_pick} if ids is None else {"on_pick_change": on_pick}),
    )
    return valid(result.picked, n, multi) if ids is None else current


def clicked(key: str) -> int | None:
    """The name of the image that was clicked just now, for tiles with `ids`."""
    name = sent(key, "pick")
    return name if isinstance(name, int) and not isinstance(name, bool) else None


def valid(picked: object, n: int, multi: bool) -> int | list[int] | None:
    """The choice as far as it exists: an index in 0..n-1 or None, with `multi` a sorted list of such indices."""
    if multi:
        many = picked if isinstance(picked, list | tuple | set) else [] if picked is None else [picked]
        return sorted({i for i in many if _is_index(i, n)})
    return picked if _is_index(picked, n) else None  # type: ignore[return-value]


def _is_index(value: object, n: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < n


def _forget_pick_of_other_version(key: str, version: str, multi: bool, start: int | list[int] | None) -> None:
    known = memory().of_component
    if not multi and known.get((key, "version"), version) != version and held(key) is not None:
        set_widget(key, {"picked": start})
    known[key, "version"] = version
