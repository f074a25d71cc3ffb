"""What is wrong with a run, and the changed run that would not have it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ganad.config import parse
from ganad.data import foreign, sources
from ganad.diagnosis import doctor
from ganad.diagnosis.finding import Evidence, Finding
from ganad.errors import RunError
from ganad.runs import run_directory
from ganad.service.images import data_of, dataset
from ganad.service.nets import has_nets, method
from ganad.service.runs import run_info
from ganad.service.steering import in_force
from ganad.service.training import start
from ganad.training import length


def diagnose(name: str, *, thorough: bool = False) -> list[Finding]:
    """What is wrong with a run, at work or ended, the serious first; empty where nothing was found.

    thorough: what the run did not keep, as runs of earlier versions did not, is computed from its images and nets: some seconds.
    Raises RunError for damaged files, DataError for images that are not there.
    """
    return doctor.diagnose(evidence(name, thorough=thorough))


def not_looked_at(name: str) -> list[str]:
    """Names of findings whose evidence the run did not keep, and that a thorough look would judge too."""
    run = run_directory.find(name)
    if run_directory.status(run).state != "finished":
        return []
    missing = [] if _kept_check(run) else ["contamination"]
    if has_nets(name) and not evidence(name).looks("train/residual", "spread")[0].size:
        missing += ["overfitting", "collapse"]
    return missing


def evidence(name: str, *, thorough: bool = False) -> Evidence:
    """What the rules are given of a run. thorough: as of `diagnose`."""
    run = run_directory.find(name)
    settings, status, rows = in_force(name), run_directory.status(run), run_directory.read_metrics(run)
    looked_at, strange = _kept_check(run) or (0, ())
    if thorough and status.state == "finished":
        rows, looked_at, strange = _look_closer(name, rows, looked_at, strange)
    info = run_info(name)
    return Evidence(
        settings=settings,
        rows=rows,
        ended=status.state == "finished",
        error=(status.error or "") if status.state == "failed" else "",
        steps=max((row["step"] for row in rows), default=0),
        # A class of one's own has a length of its own, see service.own_class.EPOCHS.
        usual_steps=0 if info.originals else length.usual(settings)[1],
        short_in_words=info.short_in_words,
        looked_at=looked_at,
        foreign=tuple(strange),
    )


def training_images(name: str, positions: tuple[int, ...]) -> np.ndarray:
    """(n, 28, 28) uint8: images of the training file of a run's data, by their position in it.

    Raises RunError if there are others now, with fewer images.
    """
    run = run_directory.find(name)
    train = dataset(data_of(run)).train
    if len(positions) and max(positions) > train.index[-1]:
        raise RunError(f"The images that {run.name} learned from are not where they were.")
    return train.images[np.searchsorted(train.index, positions)]


def start_changed(name: str, finding: Finding) -> str:
    """Train anew with the change that a finding suggests, in the background; returns the new run's name.

    Raises RunError where there is no change to try, ConfigError where it does not fit.
    """
    if not finding.change:
        raise RunError(f"There is no setting to change against {finding.name!r}.")
    settings = run_directory.settings(run_directory.find(name))
    return start(parse(settings.model_dump() | finding.change))


def _kept_check(run: Any) -> tuple[int, tuple[int, ...]] | None:
    data = run_directory.read_meta(run).get("data") or {}
    return (data["looked_at"], tuple(data["foreign"])) if data.get("looked_at") else None


def _look_closer(name: str, rows: list, looked_at: int, strange: tuple[int, ...]) -> tuple[list, int, tuple[int, ...]]:
    """The evidence with what was not kept: foreign training images, and parts of training images at the end."""
    run = run_directory.find(name)
    settings, images = run_directory.settings(run), dataset(data_of(run))
    split = sources.split(images, settings)
    if not looked_at:
        checked = foreign.check(images.train, split, settings.normal)
        looked_at, strange = (checked[0], tuple(checked[1].tolist())) if checked else (0, ())
    if has_nets(name) and not any("train" in row for row in rows):
        from ganad.training.run_training import look

        at_end = max((row["step"] for row in rows), default=0)
        rows = [*rows, {"step": at_end, "epoch": settings.epochs} | look(method(name), split)]
    return rows, looked_at, strange
