"""wall.npz of a run: twenty fixed test images and what the nets make of them, as they are after the latest kept epoch.

epoch               () which epoch; is_finished () bool: after whatever is fitted when the training is over
is_generated        () bool: `drawn` are generated images instead, since there is no encoder yet; then there are no parts
given, drawn        (W, 28, 28) uint8: ten of normal classes and then ten of others; what the nets made of them
digit               (W,) the class of each; normal (W,) bool
<part>              (W,) float32, one array a part

It is only looked at: nothing is learned from these images, and nothing chosen by them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ganad.errors import RunError
from ganad.runs import run_directory

FILE = "wall.npz"
MOST_BYTES = 10_000_000
_NAMED = ("epoch", "is_finished", "is_generated", "given", "drawn", "digit", "normal")
_ADVICE = "Remove the file: the run is whole without it."


@dataclass(frozen=True, eq=False)
class Wall:
    """See the head of this file."""

    epoch: int
    is_finished: bool
    is_generated: bool
    given: np.ndarray
    drawn: np.ndarray
    digit: np.ndarray
    normal: np.ndarray
    parts: dict[str, np.ndarray]


def read(run: Path) -> Wall | None:
    """None where nothing was kept. Raises RunError if the file is damaged."""
    arrays = run_directory.kept_arrays(run, FILE, check, _ADVICE, MOST_BYTES)
    if arrays is None:
        return None
    return Wall(
        int(arrays["epoch"]), bool(arrays["is_finished"]), bool(arrays["is_generated"]),
        *(arrays[name] for name in ("given", "drawn", "digit", "normal")),
        parts={} if arrays["is_generated"] else {part: arrays[part] for part in run_directory.settings(run).parts},
    )  # fmt: skip


def check(arrays: dict[str, np.ndarray], parts: tuple[str, ...], what: str) -> None:
    """Raises RunError unless the arrays are those of a wall, with these parts. what: names the file in the message."""
    if missing := [name for name in _NAMED if name not in arrays]:
        raise RunError(f"{what} has no {missing[0]}. {_ADVICE}")
    flat = arrays["digit"].shape
    expected = {
        "epoch": ((), "iu"), "is_finished": ((), "b"), "is_generated": ((), "b"), "given": ((*flat, 28, 28), "iu"),
        "drawn": ((*flat, 28, 28), "iu"), "digit": (flat, "iu"), "normal": (flat, "b"),
    }  # fmt: skip
    if arrays["is_generated"].shape == () and not arrays["is_generated"]:
        expected |= dict.fromkeys(parts, (flat, "f"))
    for name, (shape, kinds) in expected.items():
        values = arrays.get(name)
        if values is None or values.shape != shape or len(flat) != 1 or values.dtype.kind not in kinds:
            raise RunError(f"{what}: {name} should be {run_directory.KINDS[kinds]} of shape {shape}. {_ADVICE}")
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise RunError(f"{what}: {name} has values that are not finite. {_ADVICE}")
    if arrays["given"].dtype != np.uint8 or arrays["drawn"].dtype != np.uint8:
        raise RunError(f"{what}: its pictures should have 8 bit. {_ADVICE}")


def write(run: Path, wall: Wall) -> None:
    """Put the wall into the run, whole, in one move."""
    with run_directory.replaced_with_checksum(run / FILE) as part:
        np.savez_compressed(part, **{name: getattr(wall, name) for name in _NAMED}, **wall.parts)
