"""A race on Methods: the search of AnoGAN beside methods that score in one pass, on one image, timed on this machine."""

from __future__ import annotations

from ganad import service
from ganad.config import METHOD_NAMES
from ganad.service import Lane, RunInfo
from ganad.ui.components import race
from ganad.ui.messages import guard, notices
from ganad.ui.panels import test_image
from ganad.ui.state import cache


def show(run: RunInfo | None) -> None:
    """How long each method takes for the score of one image, and what it has drawn by when.

    run: the picked one, whose task is taken where AnoGAN and another method have learned it.
    """
    with guard.part():
        runners = runners_of(run)
        if not runners:
            notices.info(
                "A race needs a finished AnoGAN and a finished run of another method with the same normal digits, both with their nets."
            )
            return
        row = test_image.pick(runners[0], key="race")
        lanes = _race(tuple(r.name for r in runners), tuple(cache.version(r.name) for r in runners), row)
        race.race(
            lanes, cache.images(runners[0].name)[row], key="race",
            version=f"{[(r.name, cache.version(r.name)) for r in runners]} {row}", note=in_words(lanes),
        )  # fmt: skip


def runners_of(run: RunInfo | None) -> list[RunInfo]:
    """A run of each method on one task, AnoGAN's first; the picked run's task where that can be raced, else the first that can. Empty: none can."""
    tasks: dict[tuple, dict[str, RunInfo]] = {}
    for r in cache.list_runs():
        if r.state == "finished" and service.has_nets(r.name):
            tasks.setdefault(_task(r), {}).setdefault(r.method, r)
    if run and run.method in (own := tasks.get(_task(run), {})) and service.has_nets(run.name):
        own[run.method] = run
    able = {task: own for task, own in tasks.items() if "anogan" in own and len(own) > 1}
    if not able:
        return []
    own = able.get(_task(run) if run else None) or next(iter(able.values()))
    return [own[m] for m in sorted(own, key=lambda m: (m != "anogan", list(METHOD_NAMES).index(m)))]


def _task(run: RunInfo) -> tuple:
    return run.settings.normal, run.settings.data


def in_words(lanes: list[Lane]) -> str:
    """Who took how long, and how often that goes into the slowest, in one sentence."""
    first, *others = sorted(lanes, key=lambda lane: -lane.seconds[-1])
    slow = float(first.seconds[-1])
    times = ", ".join(
        f"{lane.method} {_ms(float(lane.seconds[-1]))}, {slow / float(lane.seconds[-1]):.3g} times as fast"
        for lane in others
    )
    return (
        f"For this one image, on one core of this machine with the nets loaded, {first.method} takes {_ms(slow)} ({first.steps} steps); {times}. "
        "What this buys is speed alone: how good each is, Compare shows."
    )


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.3g} ms" if seconds < 10 else f"{seconds:.3g} s"


@cache.kept("Timing each method")
def _race(names: tuple[str, ...], versions: tuple[int, ...], row: int) -> list[Lane]:
    return service.race(names, cache.images(names[0])[row])
