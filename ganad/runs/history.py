"""history.npz of a run: after each kept epoch, what the nets said of a small fixed sample of images.

epoch         (E,) which epoch; the last row may be the finished run, after whatever is fitted when the training is over
is_finished   (E,) bool
held_out      (S,) bool: a held-out normal, else a test image
row           (S,) its row in the run's scores; digit (S,) its class
<part>        (E, S) float32, one array a part
z             (E, S, nz) float16 codes, or in a shipped run `places` (E, S, 2) float16, codes projected already
drawn         (E, P, 28, 28) uint8, in a shipped run: reconstructions of the probe images, which others keep in samples/
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ganad.errors import RunError
from ganad.runs import run_directory

FILE = "history.npz"
MOST_BYTES = 100_000_000
_ADVICE = "Remove the file: the run is whole without it."


@dataclass(frozen=True, eq=False)
class History:
    """See the head of this file."""

    epoch: np.ndarray
    is_finished: np.ndarray
    held_out: np.ndarray
    row: np.ndarray
    digit: np.ndarray
    parts: dict[str, np.ndarray]
    z: np.ndarray | None = None
    places: np.ndarray | None = None
    drawn: np.ndarray | None = None


def read(run: Path) -> History | None:
    """None where nothing was kept. Raises RunError if the file is damaged."""
    arrays = run_directory.kept_arrays(run, FILE, check, _ADVICE, MOST_BYTES)
    if arrays is None:
        return None
    return History(
        **{name: arrays[name] for name in ("epoch", "is_finished", "held_out", "row", "digit")},
        parts={part: arrays[part] for part in run_directory.settings(run).parts},
        **{name: arrays.get(name) for name in ("z", "places", "drawn")},
    )


def check(arrays: dict[str, np.ndarray], parts: tuple[str, ...], what: str) -> None:
    """Raises RunError unless the arrays are those of a history, of these parts. what: names the file in the message."""
    if missing := [name for name in ("epoch", "is_finished", "held_out", "row", "digit", *parts) if name not in arrays]:
        raise RunError(f"{what} has no {missing[0]}. {_ADVICE}")
    epochs, images = len(np.atleast_1d(arrays["epoch"])), len(np.atleast_1d(arrays["row"]))
    expected = {
        "epoch": ((epochs,), "iu"), "is_finished": ((epochs,), "b"), "held_out": ((images,), "b"), "row": ((images,), "iu"),
        "digit": ((images,), "iu"), **{part: ((epochs, images), "f") for part in parts},
    }  # fmt: skip
    for name, (shape, kinds) in expected.items():
        if arrays[name].shape != shape or arrays[name].dtype.kind not in kinds:
            raise RunError(
                f"{what}: {name} has shape {arrays[name].shape} of {arrays[name].dtype}, expected {shape} of {run_directory.KINDS[kinds]}. {_ADVICE}"
            )
    for name, axes, kinds in (("z", 3, "f"), ("places", 3, "f"), ("drawn", 4, "iu")):
        if name in arrays and (
            arrays[name].ndim != axes or len(arrays[name]) != epochs or arrays[name].dtype.kind not in kinds
        ):
            raise RunError(
                f"{what}: {name} has shape {arrays[name].shape}, expected {epochs} epochs of {run_directory.KINDS[kinds]}. {_ADVICE}"
            )
    if not epochs or not images or not np.isfinite(np.stack([arrays[part] for part in parts])).all():
        raise RunError(f"{what} has numbers that are none, or is empty. {_ADVICE}")


def write(run: Path, history: History) -> None:
    """Put the history into the run, whole, in one move."""
    arrays = {name: getattr(history, name) for name in ("epoch", "is_finished", "held_out", "row", "digit")}
    more = {name: value for name in ("z", "places", "drawn") if (value := getattr(history, name)) is not None}
    with run_directory.replaced_with_checksum(run / FILE) as part:
        np.savez_compressed(part, **arrays, **history.parts, **more)


def until(known: History, epoch: int) -> History | None:
    """The rows up to an epoch, without the finished run; None where there are none that a worker could go on with."""
    keep = (known.epoch <= epoch) & ~known.is_finished
    if not keep.any() or known.z is None:
        return None
    return replace(
        known,
        epoch=known.epoch[keep],
        is_finished=known.is_finished[keep],
        parts={part: values[keep] for part, values in known.parts.items()},
        z=known.z[keep],
    )
