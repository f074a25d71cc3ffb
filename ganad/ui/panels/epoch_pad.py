"""The pad that judges with the nets of an earlier epoch, where the run has kept them: the same drawing, seen by a net that knew less."""

from __future__ import annotations

import math

import streamlit as st

from ganad import service
from ganad.config import FALSE_ALARMS, METHOD_NAMES
from ganad.evaluation import metrics, thresholds
from ganad.service import RunInfo
from ganad.ui.components import digit_pad
from ganad.ui.components.digit_pad import Live
from ganad.ui.messages import guard, notices
from ganad.ui.panels import live_pad
from ganad.ui.state import cache, current
from ganad.ui.state.scored_view import ScoredView
from ganad.web.pad import payload
from ganad.wording import number

FINISHED = "finished"


def epoch(view: ScoredView) -> int | None:
    """The epoch whose nets shall judge; None for those of the finished run, and where no others were kept."""
    epochs = service.epochs_with_nets(view.run.name)
    if not epochs:
        return None
    asked = st.select_slider(
        "Judged by the nets", [*map(str, epochs), FINISHED], value=FINISHED, key=f"pad_epoch_{view.run.name}", width=420,
        format_func=lambda which: which if which == FINISHED else f"after epoch {which}",
        help="Nets of a few epochs are kept while a run trains. The drawing stays, and is judged anew.",
    )  # fmt: skip
    return None if asked == FINISHED else int(asked)


def live(view: ScoredView, after: int) -> Live | None:
    """What the pad needs to judge by the nets of an epoch: the weights in force, and a threshold by the held-out normals as these nets
    scored them. None, and a word why, where that epoch's held-out scores were not kept.
    """
    run = view.run
    held_out = guard.or_none(service.held_out_parts, run.name, after)
    if held_out is None:
        notices.info(
            f"The held-out normals of epoch {after} were not kept, so there is no threshold for it: the finished nets judge."
        )
        return None
    total = metrics.total(held_out, view.weights)
    share = view.rule.value if view.rule.kind == "false alarms" else FALSE_ALARMS
    threshold = thresholds.threshold_for(total, share)
    if math.isinf(threshold):
        words = thresholds.no_threshold(len(total), share)
    else:
        promise = thresholds.promise(share, run.held_out_originals)
        words = f"Threshold {number(threshold)} by the nets after epoch {after}: {promise}"
    rule = payload.rule(
        held_out, view.weights, threshold, preparation=run.preparation,
        detector=f"{METHOD_NAMES[run.method]}, as it was after epoch {after},", normal=run.normal_in_words,
        among=run.held_out_in_words(len(total)), threshold_in_words=words, asks=False,
    )  # fmt: skip
    return Live(f"{run.name}-epoch-{after}-{cache.version(run.name)}", rule)


def send_nets(view: ScoredView, live: Live, after: int, key: str = "pad") -> None:
    """The nets of that epoch, after the pad of that key is on the page."""
    nets = guard.or_none(_nets, view.run.name, after, cache.version(view.run.name))
    if nets is not None:
        digit_pad.send_nets(key, live.version, nets)


def beside(run: RunInfo, label: str | None, *, key: str) -> None:
    """A pad below the slider over the epochs of a finished run. It judges by the nets that the slider's epoch had, or by the
    last ones before it that were kept; by the first ones where none are older.

    label   of the slider's epoch: "epoch 3", or "finished", which None means too
    """
    view = current.view(run)
    kept = service.epochs_with_nets(run.name)
    at = None if label in (None, FINISHED) else int(label.removeprefix("epoch "))
    after = None if at is None else max((e for e in kept if e <= at), default=kept[0])
    own = live_pad.live(view, asks=False) if after is None else live(view, after)
    if own is None:
        return
    which = "the finished nets" if after is None else f"the nets after epoch {after}"
    why = "" if after in (None, at) else f". Nets were kept after epochs {', '.join(map(str, kept))}"
    st.caption(f"Judged by **{which}**{why}.")
    digit_pad.digit_pad(key=key, size=260, live=own)
    if after is None:
        live_pad.send_nets(view, own, key)
    else:
        send_nets(view, own, after, key)


@cache.kept("Packing the nets of that epoch")
def _nets(name: str, after: int, version: int) -> dict[str, str] | None:
    own = service.browser_nets_after(name, after)
    return own and payload.nets(own.file, own.codes, own.images)
