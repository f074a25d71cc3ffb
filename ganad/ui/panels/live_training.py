"""A run as it learns: curves, probe wall and one's own drawing, re-scored after each epoch, on the page of a run at work and of one that has ended."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from ganad import service
from ganad.data import preparation, preprocess
from ganad.errors import GanadError
from ganad.service import DrawingScore, RunInfo
from ganad.ui.components import live_training
from ganad.ui.components.digit_pad import digit_pad
from ganad.ui.messages import guard, notices
from ganad.ui.panels import steering
from ganad.ui.state import cache
from ganad.ui.state.session import memory
from ganad.wording import plural


def remember(digit: np.ndarray, kind: str) -> None:
    """Keep the (28, 28) uint8 picture that was judged last as the drawing that runs score after each epoch.

    kind: how it was prepared; runs of other data do not score it.
    """
    drawing = (digit.tobytes(), kind)
    if memory().drawing != drawing:
        memory().drawing = drawing
        memory().drawing_scores = {}


def draw_one(run: RunInfo) -> None:
    """A sheet for the drawing that is scored after each epoch. Outside of what is polled, so that no stroke is lost."""
    if run.settings.scores_by_search:
        return
    with st.popover("Your drawing", icon=":material/draw:", key="own_drawing"):
        st.caption(
            f"It is scored by the nets of each epoch, as soon as that ends. Try a digit that is not {run.normal_in_words}."
        )
        ink = digit_pad(key="train_pad", size=240)
        if ink is None:
            return
        try:
            prepared = preprocess.prepare(ink, invert=False) if run.preparation == "digit" else preparation.whole(ink)
        except GanadError as error:
            notices.info(error, icon=":material/draw:")
            return
        remember(prepared.digit, run.preparation)


def curves(run: RunInfo) -> None:
    """Losses and held-out parts over the epochs."""
    rows = service.logged_metrics(run.name)
    if left_out := service.damaged_lines(run.name):
        notices.warning(
            f"{plural(left_out, 'damaged line')} of metrics.jsonl {'are' if left_out > 1 else 'is'} left out."
        )
    per_epoch, marks = _steps_per_epoch(run, rows), guard.or_none(steering.marks, run) or []
    panels = live_training.curves(
        rows, run.settings, per_epoch, parent=service.parent_metrics(run.name), marks=[(epoch - 1, words) for epoch, words in marks]
    )  # fmt: skip
    if not panels:
        if run.at_work:
            st.caption("Losses appear after the first steps.")
        return
    last = rows[-1]["step"]
    version = f"{run.name}-{last}-{len(rows)}-{len(marks)}"
    live_training.live_curves(panels, key=f"curves_{run.name}", run=run.name, version=version)
    if marks:
        steering.changes(run)


def _steps_per_epoch(run: RunInfo, rows: list[dict[str, Any]]) -> float:
    """From the log itself where an epoch has ended, since a run that was trained on has another total."""
    ends = [row for row in rows if "val" in row]
    if ends:
        return ends[-1]["step"] / ends[-1]["epoch"]
    return run.status.total / run.status.epochs if run.status.total and run.status.epochs else 1.0


def wall(run: RunInfo) -> None:
    """Ten normals and ten others as the nets see them after the latest epoch, and one's own drawing. Nothing where none was kept."""
    version = service.wall_version(run.name)
    if not version:
        return
    kept = _wall(run.name, version)
    if kept is None:
        return
    mine = guard.or_none(_drawing, run)
    names = [run.class_name(d) for d in range(int(kept.digit.max()) + 1)]
    said = mine[1] if mine else []
    live_training.live_wall(
        live_training.wall_data(kept, names, mine, goes_on=run.at_work),
        key=f"wall_{run.name}", version=f"{run.name}-{version}-{hash(memory().drawing)}-{[one.epoch for one in said]}",
    )  # fmt: skip


@cache.kept()
def _wall(name: str, version: int) -> service.Wall | None:
    return service.probe_wall(name)


def _drawing(run: RunInfo) -> tuple[np.ndarray, list[DrawingScore]] | None:
    """The remembered drawing and what the nets of each epoch said of it; those of an epoch are asked once."""
    drawing = memory().drawing
    if drawing is None or drawing[1] != run.preparation or run.settings.scores_by_search:
        return None
    said = memory().drawing_scores.setdefault(run.name, {})
    version = service.nets_version(run.name)
    for epoch in service.epochs_with_nets(run.name):
        if epoch not in said:
            said[epoch] = _score_after(run.name, epoch, version, drawing[0])
    return np.frombuffer(drawing[0], np.uint8).reshape(28, 28), [said[epoch] for epoch in sorted(said)]


@cache.kept()
def _score_after(name: str, epoch: int, version: int, pixels: bytes) -> DrawingScore:
    return service.score_after(name, epoch, np.frombuffer(pixels, np.uint8).reshape(28, 28).copy())
