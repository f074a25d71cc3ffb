"""One slider for what a run kept of its epochs: probe images, losses, scores, ROC curve and latent space move together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from ganad.config import FALSE_ALARMS, Weights
from ganad.service import EpochHistory
from ganad.ui.components.declare import declare_beside
from ganad.ui.state.session import memory, sent
from ganad.web import colours
from ganad.web.encode import as_base64
from ganad.web.envelope import envelope

_PLAYER = declare_beside(__file__)
POINTS = 300
"""Points of a loss curve that are sent: the least and the greatest of each stretch, so that no spike is lost."""


Losses = Mapping[str, Sequence[tuple[float, float]]]
"""player -> (epoch, loss) of each logged step."""


def pack(history: EpochHistory, losses: Losses, parent: Losses = MappingProxyType({})) -> dict[str, Any]:
    """What travels to the browser of a history. parent: losses of the run that it branched off from, to be drawn grey beneath."""
    return {
        "epochs": history.epoch.tolist(),
        "labels": [
            "finished" if done else f"epoch {e}" for e, done in zip(history.epoch, history.is_finished, strict=True)
        ],
        "last": int(history.epoch.max()),
        "parts": [as_base64(values.astype("<f4")) for values in history.parts.values()],
        "places": as_base64(history.places.astype("<f4")),
        "held_out": as_base64(history.held_out.astype(np.uint8)),
        "anomalous": as_base64(history.anomalous.astype(np.uint8)),
        "given": None if history.given is None else as_base64(history.given),
        "drawn": None if history.drawn is None or history.given is None else as_base64(history.drawn),
        "losses": [
            {
                "player": player,
                "colour": colours.PLAYERS[player].both,
                "points": thinned(points),
                "parent": thinned(parent.get(player, ())),
            }
            for player, points in losses.items()
        ],
    }


def epoch_player(
    packed: dict[str, Any], *, key: str, run: str, version: str, weights: Weights, note: str, tells: bool = False
) -> str | None:
    """Show the player. `packed` is from `pack`; version names it: the browser reads it again only when it changes.

    run       names the run: a new version of the same run keeps the epoch that is looked at, unless it was the last
    weights   raw, of the parts
    note      a sentence below
    tells     let Python know where the slider rests

    Returns the label of the epoch where it rests, as in `pack`; None as long as it was not told.
    """
    known = memory().of_component
    _PLAYER(
        key=key,
        data=packed
        | {
            "run": run,
            "version": version,
            "weights": list(weights),
            "share": FALSE_ALARMS,
            "note": note,
            "colours": {name: colour.both for name, colour in colours.VERDICTS.items()},
            "tells": tells,
        },
        on_epoch_change=lambda: known.update({(key, run): sent(key, "epoch")}),
        height="content",
    )
    label = known.get((key, run))
    return label if label in packed["labels"] else None


def thinned(points: Sequence[tuple[float, float]], most: int = POINTS) -> list[list[float]]:
    """At most `most` points, the least and the greatest value of each stretch in their order, first and last among them."""
    x, y = np.array(points, dtype=np.float64).reshape(-1, 2).T
    return envelope(x, y, most // 2 - 1).tolist()
