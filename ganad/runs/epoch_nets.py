"""epoch_nets/ of a run: what scoring needs of its nets, in half precision, after the latest kept epoch and a handful before it.

A drawing can then be judged by the nets of a run that is still at work, and afterwards by those of an earlier epoch. Of small nets
alone, within `MOST_BYTES` a run. Nothing here knows a network: `runs.checkpoint` writes and reads the tensors.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from pathlib import Path

FOLDER = "epoch_nets"
KEPT = 5
"""Epochs of a training whose nets stay, beside those of the latest."""
MOST_BYTES = 8_000_000
"""Of all these files of a run; a run with larger nets keeps none. One of GANomaly's `tuned` takes 1.2 MB, of EGBAD's 1.0 MB."""

_NAME = re.compile(r"[0-9]{1,6}\.safetensors")


def kept(run: Path) -> dict[int, Path]:
    """epoch -> file, in order."""
    found = {int(path.stem): path for path in (run / FOLDER).glob("*.safetensors") if _NAME.fullmatch(path.name)}
    return dict(sorted(found.items()))


def place(run: Path, epoch: int) -> Path:
    """Where the nets of an epoch lie, be they there or not."""
    return run / FOLDER / f"{epoch:05d}.safetensors"


def fits(size: int) -> bool:
    """Whether nets of so many bytes, in half precision, are kept."""
    return size * (KEPT + 1) <= MOST_BYTES


def staying(epochs: Iterable[int]) -> set[int]:
    """`KEPT` of the epochs of a training, the first among them, denser at the start, where most happens. The last always is the latest."""
    epochs = sorted(epochs)[:-1]
    wanted = {round(len(epochs) ** (i / (KEPT - 1))) - 1 for i in range(KEPT)} if epochs else set()
    return {epochs[i] for i in wanted}


def prune(run: Path, epochs: Iterable[int], latest: int) -> None:
    """Remove what need not stay once those of `latest` are there, and what an interrupted training had from later epochs."""
    wanted = {e for e in staying(epochs) if e < latest} | {latest}
    for epoch, path in kept(run).items():
        if epoch not in wanted:
            with contextlib.suppress(OSError):  # it is in nobody's way
                path.unlink()
