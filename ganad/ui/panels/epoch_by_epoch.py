"""How a run learned: one slider over its kept epochs, on Train and on Evaluate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from ganad import service
from ganad.config import Weights
from ganad.service import RunInfo
from ganad.ui.components import epoch_player
from ganad.ui.messages import guard
from ganad.ui.panels import epoch_pad
from ganad.ui.state import cache
from ganad.ui.state.session import held
from ganad.web import colours

NOTE = (
    "{all:,} fixed images, {held_out:,} held-out normals and {test:,} of the test set, scored after each epoch. It is monitoring: nothing is chosen by it, and "
    "the last epoch is the one that counts."
)
FITTED = " Densities, typicality and transform error are fitted when the training is over, so they are in the last state alone."


def show(run: RunInfo, weights: Weights, *, key: str) -> None:
    """The player, where the run has kept its epochs (`service.history_version`). Raises RunError for a damaged file."""
    version = service.history_version(run.name)
    packed = _packed(run.name, version) if version else None
    if packed is None:
        return
    held_out, every = packed["sample"]
    note = NOTE.format(all=every, held_out=held_out, test=every - held_out)
    nets = service.epochs_with_nets(run.name)
    draws = f"{key}_draw"
    fitted = run.settings.fits_statistics and packed["labels"][-1] == "finished"
    label = epoch_player.epoch_player(
        packed, key=key, run=run.name, version=f"{run.name}-{version}",
        weights=weights, note=note + FITTED * fitted, tells=bool(nets and held(draws)),
    )  # fmt: skip
    if nets and run.state != "finished":
        st.page_link(
            "pages/4_Score.py", label="Draw, and be judged by the nets of an epoch", icon=":material/draw:", query_params={"run": run.name}
        )  # fmt: skip
    elif nets and st.toggle(
        "Draw for these nets", key=draws, persist_state="session",
        help="A pad that judges by the nets of the slider's epoch: what did they make of your digit when they knew less?",
    ):  # fmt: skip
        with guard.part():
            epoch_pad.beside(run, label, key=f"{key}_pad")


@cache.kept()
def _packed(name: str, version: int) -> dict[str, Any] | None:
    history = service.epoch_history(name)
    if history is None:
        return None
    sample = [int(history.held_out.sum()), len(history.held_out)]
    packed = epoch_player.pack(history, losses(service.logged_metrics(name)), losses(service.parent_metrics(name)))
    return packed | {"sample": sample}


def losses(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[tuple[float, float]]]:
    """player -> (epoch, loss) of each logged step of a run's metrics; epochs count up to the end of their last step."""
    ends = [(row["step"], row["epoch"]) for row in rows if "val" in row]
    if not ends:
        return {}
    per_epoch = ends[-1][0] / ends[-1][1]
    out: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        for name_, value in row.items():
            player = name_.removeprefix("loss/")
            if player != name_ and player in colours.PLAYERS:
                out.setdefault(player, []).append((row["step"] / per_epoch, value))
    return dict(sorted(out.items()))
