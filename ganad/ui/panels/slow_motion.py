"""A step of training and a score in slow motion, by the nets of a run, on an image that one picks."""

from __future__ import annotations

from typing import Any

from ganad import service
from ganad.config import METHOD_NAMES
from ganad.service import RunInfo
from ganad.ui.components import slow_motion
from ganad.ui.messages import guard, notices
from ganad.ui.messages.escape import markdown
from ganad.ui.panels import test_image
from ganad.ui.state import cache

NOTE = (
    "By the nets of {run}: one more step of training, which is thrown away. The images are not varied, and Adam begins anew, so that this "
    "step is larger than those of the training were. Every number is computed in single precision by the run's own nets. Click on a map of a layer to read "
    "its numbers."
)


def show(method: str, run: RunInfo | None) -> None:
    """The choice of an image, and the diagram. run: the picked one, whose nets are used if it is of this method."""
    with guard.part():
        own = nets_of(method, run)
        if own is None:
            notices.info(
                markdown(
                    "There is no finished run of **{}** with its nets here. Train one, and it can be watched here.",
                    METHOD_NAMES[method],
                )
            )
            return
        row = test_image.pick(own, key=f"slow_{method}")
        slow_motion.slow_motion(
            _packed(own.name, cache.version(own.name), row),
            key=f"slow_{method}",
            version=f"{own.name} {cache.version(own.name)} {row}",
            note=NOTE.format(run=own.short),
        )


def nets_of(method: str, run: RunInfo | None) -> RunInfo | None:
    """The picked run if it is of this method, finished and with its nets; else the first such run with one normal class, or any."""
    own = [r for r in cache.list_runs() if r.method == method and r.state == "finished" and service.has_nets(r.name)]
    if run and run.name in {r.name for r in own}:
        return run
    own.sort(key=lambda r: len(r.settings.normal))
    return own[0] if own else None


@cache.kept("Taking a step")
def _packed(name: str, version: int, row: int) -> dict[str, Any]:
    return slow_motion.pack(service.walkthrough(name, cache.images(name)[row]))
