"""A run as it learns: its curves, thinned without losing a spike, with zoom and pan; and a wall of probe images.

Two places on the page show it, so that each is sent when its own content has changed: the curves when steps were logged, the wall once an
epoch. What a reader has zoomed into is kept in the browser, whatever arrives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ganad.config import Settings
from ganad.config.curves import Curve
from ganad.service import DrawingScore, Wall
from ganad.ui.components.declare import declare_beside
from ganad.web import colours
from ganad.web.encode import as_base64, deflated
from ganad.web.envelope import envelope

_LIVE = declare_beside(__file__)
BUCKETS = 320
"""Of a curve, about as many as a chart has pixels on a narrow screen."""


def curves(
    rows: Sequence[Mapping[str, Any]],
    settings: Settings,
    steps_per_epoch: float,
    *,
    parent: Sequence[Mapping[str, Any]] = (),
    marks: Sequence[tuple[float, str]] = (),
) -> list[dict[str, Any]]:
    """A panel for the loss of each player and for each of its terms, and one for each part of the score on held-out normals.

    rows: of metrics.jsonl. Each curve is thinned; x counts epochs, so that the end of epoch n lies at n. parent: rows of the run
    that this one branched off from, whose curves stand grey beneath. marks: (epoch, words) where the run was steered.
    """
    logged, before = ([row for row in of if "val" not in row] for of in (rows, parent))
    names = {name for row in logged for name in row if "/" in name}
    panels = []
    for player in sorted(name.removeprefix("loss/") for name in names if name.startswith("loss/")):
        colour = colours.PLAYERS.get(player, colours.THRESHOLD).both
        terms = sorted(name for name in names if name.startswith(f"{player}/"))
        for name in (f"loss/{player}", *terms):
            title = (
                f"Loss of the {player}" if name.startswith("loss/") else f"{name.split('/')[1]} term of the {player}"
            )
            known = settings.curves.get(name, Curve(""))
            panels.append(_panel(logged, before, name, title, colour, known, steps_per_epoch, small=name in terms))
    held_out, before = ([{"step": row["step"], **row["val"]} for row in of if "val" in row] for of in (rows, parent))
    for part in settings.parts:
        title = f"Mean {part} of held-out normals"
        colour = colours.PARTS[part].both
        panels.append(_panel(held_out, before, part, title, colour, _HELD_OUT, steps_per_epoch, small=True))
    return [panel | {"marks": list(marks)} for panel in panels if panel is not None]


_HELD_OUT = Curve("of images that the nets never learn from: where it rises while the losses fall, they memorise")


def _panel(
    rows: Sequence[Mapping[str, Any]],
    parent: Sequence[Mapping[str, Any]],
    name: str,
    title: str,
    colour: str,
    known: Curve,
    steps_per_epoch: float,
    *,
    small: bool,
) -> dict[str, Any] | None:
    """None where no row has a finite value of that name."""
    points, beneath = (_points(of, name, steps_per_epoch) for of in (rows, parent))
    if points is None:
        return None
    return {
        "title": title, "colour": colour, "small": small, "meaning": known.meaning, "equilibrium": known.equilibrium,
        "in_words": known.in_words, "points": points, "parent": beneath,
    }  # fmt: skip


def _points(rows: Sequence[Mapping[str, Any]], name: str, steps_per_epoch: float) -> str | None:
    """The thinned curve of what rows hold under a name, as the browser reads it; None where they hold nothing finite."""
    pairs = [(r["step"] / steps_per_epoch, r[name]) for r in rows if r.get(name) is not None and np.isfinite(r[name])]
    if not pairs:
        return None
    x, y = np.array(pairs, dtype=np.float64).T
    return as_base64(envelope(x, y, BUCKETS), "<f4")


def live_curves(panels: list[dict[str, Any]], *, key: str, run: str, version: str) -> None:
    """Show the curves. panels: from `curves`; version: names them. Zoom and pan belong to the run."""
    _LIVE(key=key, data={"kind": "curves", "run": run, "version": version, "panels": panels}, height="content")


def wall_data(
    wall: Wall,
    names: Sequence[str],
    drawing: tuple[np.ndarray, Sequence[DrawingScore]] | None,
    *,
    goes_on: bool = False,
) -> dict[str, Any]:
    """What the wall shows. names: of each class; drawing: (28, 28) uint8 and what the nets of each epoch said of it, in order.

    goes_on: the run is trained on from where this wall was made.
    """
    label = "after the training" if wall.is_finished and not goes_on else f"after epoch {wall.epoch}"
    mine = None
    if drawing is not None:
        given, said = drawing
        mine = {
            "given": as_base64(given),
            "drawn": as_base64(said[-1].reconstruction) if said else None,
            "epochs": [one.epoch for one in said],
            "scores": [one.score for one in said],
            "thresholds": [one.threshold for one in said],
            "percentile": said[-1].percentile if said else None,
        }
    return {
        "label": label,
        "generated": wall.is_generated,
        "pictures": deflated(np.concatenate([wall.given, wall.drawn]).tobytes()),
        "names": [names[d] for d in wall.digit],
        "normal": wall.normal.tolist(),
        "scores": None if wall.score is None else wall.score.tolist(),
        "threshold": wall.threshold,
        "mine": mine,
        "colours": {name: colour.both for name, colour in colours.VERDICTS.items()}
        | {"threshold": colours.THRESHOLD.both},
    }


def live_wall(data: dict[str, Any], *, key: str, version: str) -> None:
    """Show the wall. data: from `wall_data`; version names it: the browser draws it again only when it changes."""
    _LIVE(key=key, data={"kind": "wall", "version": version, **data}, height="content")
