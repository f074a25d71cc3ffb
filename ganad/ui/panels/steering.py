"""A run that is changed on its way: steered while it trains, branched off afterwards, and where that stands on its curves."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Mapping
from typing import Any

import streamlit as st

from ganad import service
from ganad.config import Settings
from ganad.errors import GanadError
from ganad.service import RunInfo
from ganad.ui.messages import guard, notices
from ganad.ui.panels import settings_form
from ganad.ui.state import picked_run
from ganad.ui.state.session import held

# --- while it trains -------------------------------------------------------------------------------------------------


UNCHANGED_S = 30.0
"""From one look to the next at what is in force, while nothing is asked for."""


def panel(run: RunInfo, poll_s: float) -> None:
    """Number inputs for what can change while a run trains, a button that asks for it, and what is in force.

    poll_s: from one look at a change that was asked for to the next; without one there is hardly anything to see.
    """
    with st.expander("Steer it", icon=":material/tune:", key=f"steer_panel_{run.name}"):
        now, waiting = service.in_force(run.name), service.asked(run.name)
        shown = {name: waiting.get(name, getattr(now, name)) for name in now.steerable}
        keys = _inputs(now, shown, f"steer_{run.name}")
        st.button(
            "Change from the next epoch on", icon=":material/check:", key="steer", on_click=guard.callback(_steer), args=(run.name, shown, keys),
            help="A change holds from the first step of an epoch on and is written down, so that the same seed and the same "
            "changes give the same weights again.",
        )  # fmt: skip
        guard.fragment(_in_force, run_every=poll_s if waiting else UNCHANGED_S)(run.name)


def _in_force(name: str) -> None:
    """What counts at this moment, and what waits for an epoch to begin; polled as the rest of the page is."""
    now, waiting, status = service.in_force(name), service.asked(name), service.run_info(name).status
    notices.caption(
        f"In force in epoch {max(1, status.epoch)}: {words(now, {k: getattr(now, k) for k in now.steerable})}."
    )
    if waiting:
        notices.info(
            f"Asked for: {words(now, waiting)}. It takes effect when the next epoch begins.", icon=":material/schedule:"
        )


def _steer(name: str, shown: Mapping[str, float | None], keys: Mapping[str, str]) -> None:
    changed = _changed(shown, keys)
    if not changed:
        notices.toast("Nothing was changed: type another value first.", icon=":material/tune:")
    elif service.steer(name, changed):
        notices.toast(f"{words(service.in_force(name), changed)}, from the next epoch on.", icon=":material/tune:")


# --- afterwards ------------------------------------------------------------------------------------------------------


def offer_branch(run: RunInfo) -> None:
    """A popover: a new run that goes on from one of the kept epochs, with other settings. Nothing where none is kept."""
    epochs = service.branch_epochs(run.name)
    phases = bool(run.settings.epochs_without_reconstructions)
    if phases:  # such a run cannot have more epochs, so nothing is left to train after its last
        epochs = [epoch for epoch in epochs if epoch < run.settings.epochs]
    if not epochs:
        return
    with st.popover("Branch off", icon=":material/call_split:", key="branch_off"):
        st.caption("A new run goes on from one of these epochs, with other settings. This one stays as it is.")
        epoch = st.segmented_control(
            "After epoch", epochs, default=epochs[0], key=f"branch_epoch_{run.name}", required=True, wrap=True
        )
        before = service.settings_after(run.name, epoch)
        shown = {name: getattr(before, name) for name in before.steerable}
        keys = _inputs(before, shown, f"branch_{run.name}_{epoch}")
        if not phases:
            shown["epochs"], keys["epochs"] = run.settings.epochs, f"branch_{run.name}_{epoch}_epochs"
            default = run.settings.epochs if epoch < run.settings.epochs else 2 * run.settings.epochs
            st.number_input("Epochs in all", value=default, step=1, key=keys["epochs"])
        st.button(
            "Train the branch", type="primary", icon=":material/play_arrow:", key="train_branch", on_click=guard.callback(_branch),
            args=(run.name, epoch, shown, keys),
        )  # fmt: skip


def _branch(name: str, epoch: int, shown: Mapping[str, float | None], keys: Mapping[str, str]) -> None:
    picked_run.pick(service.branch(name, epoch, _changed(shown, keys)))


# --- what was changed ------------------------------------------------------------------------------------------------


def origin(run: RunInfo) -> None:
    """One line about a branch: where it comes from."""
    if run.settings.parent:
        notices.caption(
            f"Branched off from {run.settings.parent.run} after epoch {run.settings.parent.epoch}; the parent's curves stand grey beneath."
        )


def command(run: RunInfo) -> tuple[str, str] | None:
    """A sentence and the command line that repeats a finished run which was changed on its way; None for any other."""
    with contextlib.suppress(GanadError):  # damaged commands are told beside the curves
        if run.state == "finished" and not run.shipped and service.commands_of(run.name):
            said = "Its settings were changed on its way: this trains it once more with the same seed and changes, and compares the weights:"
            return said, shlex.join(["python", "-m", "ganad", "replay", run.name])
    return None


def marks(run: RunInfo) -> list[tuple[int, str]]:
    """(epoch, words) for the curves of a run, from which epoch on: where it branched off, and where it was steered."""
    at: dict[int, list[str]] = {}
    if run.settings.parent:
        at[run.settings.parent.epoch + 1] = ["branch"]
    for command in service.commands_of(run.name):
        at.setdefault(command.epoch, []).extend(_briefly(command.set))
    return [(epoch, ", ".join(said)) for epoch, said in sorted(at.items())]


def changes(run: RunInfo) -> None:
    """A line for each command, in the words of the settings."""
    for command in service.commands_of(run.name):
        notices.caption(f"From epoch {command.epoch} on: {words(run.settings, command.set)}.")


def words(settings: Settings, values: Mapping[str, float | None]) -> str:
    """ "learning rate 0.0001 · weight of the adversarial loss 5"."""
    return " · ".join(f"{_label(settings, name)} {_text(value)}" for name, value in values.items())


def _label(settings: Settings, name: str) -> str:
    label = settings.labels[name][1]
    return label[0].lower() + label[1:]


def _briefly(values: Mapping[str, float | None]) -> list[str]:
    """A word for each change where there is room for it, else their number."""
    return (
        [f"{name} {_text(value)}" for name, value in values.items()] if len(values) < 3 else [f"{len(values)} settings"]
    )


def _text(value: float | None) -> str:
    return "the same" if value is None else f"{value:g}"


# --- inputs ----------------------------------------------------------------------------------------------------------


def _inputs(settings: Settings, shown: Mapping[str, Any], prefix: str) -> dict[str, str]:
    """A number input for each setting; returns setting -> the key of its widget.

    A key holds the value that the input begins with: once another one is in force the input is a new one, which shows that.
    """
    keys, names = {name: f"{prefix}_{name}_{value}" for name, value in shown.items()}, list(shown)
    for i in range(0, len(names), 2):  # a row at a time, so that the order stays where columns stack
        for name, column in zip(names[i : i + 2], st.columns(2), strict=False):
            with column:
                settings_form.number(settings, name, shown[name], keys[name])
    return keys


def _changed(shown: Mapping[str, Any], keys: Mapping[str, str]) -> dict[str, Any]:
    """What the inputs hold at this moment, where it is not what they began with or would be without them."""
    return {name: held(key, shown[name]) for name, key in keys.items() if held(key, shown[name]) != shown[name]}
