"""A training step or a score in slow motion: the diagram of a method, filled moment by moment with real values."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ganad.ui.components.declare import declare_beside
from ganad.web import colours

if TYPE_CHECKING:
    from ganad.walkthrough.scenes import Call, Layer, Scene

_SLOW_MOTION = declare_beside(__file__)
MAPS = 16
"""Feature maps of a layer that travel to the browser, the first ones."""
MOST_WEIGHTS = 100_000
"""Weights of a layer that travel there, at most: of a layer with more it is only said which numbers it adds up."""


def pack(scenes: Sequence[Scene]) -> dict[str, Any]:
    """What travels to the browser: diagrams and moments as data, every array once, as float32."""
    arrays = _Arrays()
    calls: list[Call] = []
    packed = [
        {
            "title": scene.title,
            "nodes": [vars(node) | {"weights": node.weights} for node in scene.nodes],
            "edges": [vars(edge) for edge in scene.edges],
            "formulas": [[vars(term) for term in formula] for formula in scene.formulas],
            "moments": [
                {
                    "title": moment.title,
                    "text": moment.text,
                    "lit": moment.lit,
                    "flow": [list(pair) for pair in moment.flow],
                    "terms": moment.terms,
                    "values": {node: arrays.of(value) for node, value in moment.values},
                    "learns": moment.learns,
                    "call": _index(calls, moment.call),
                }
                for moment in scene.moments
            ],
        }
        for scene in scenes
    ]
    layers = [
        [
            {
                "name": layer.name,
                "maps": len(layer.output),
                "output": arrays.of(layer.output[:MAPS] if layer.output.ndim == 3 else layer.output),
                "window": layer.window,
            }
            | _weighed(layer, arrays)
            for layer in call.layers
        ]
        for call in calls
    ]
    given = [
        arrays.of(call.inputs[0][:MAPS] if call.inputs[0].ndim == 3 else call.inputs[0].reshape(-1)) for call in calls
    ]
    return {"scenes": packed, "calls": layers, "given": given, "arrays": arrays.packed()}


def slow_motion(packed: dict[str, Any], *, key: str, version: str, note: str) -> None:
    """Show it. `packed` is from `pack`; version names it: the browser reads it again only when it changes. note: a sentence below."""
    _SLOW_MOTION(
        key=key,
        data=packed
        | {
            "version": version,
            "note": note,
            "players": {name: colour.both for name, colour in colours.PLAYERS.items()},
            "signs": [colours.ANOMALOUS.both, colours.NORMAL.both],
        },
        height="content",
    )


def _weighed(layer: Layer, arrays: _Arrays) -> dict[str, Any]:
    """What a number of the layer is the sum of: the numbers that the layer was given, its weights and its bias."""
    if layer.weight is None or layer.given is None:
        return {}
    maps = MAPS if layer.output.ndim == 3 else len(layer.weight)
    if layer.weight[:maps].size > MOST_WEIGHTS:
        return {}
    bias = {} if layer.bias is None else {"bias": arrays.of(layer.bias)}
    return {"given": arrays.of(layer.given), "weight": arrays.of(layer.weight, maps)} | bias


class _Arrays:
    """Arrays one behind the other; a value is its number there, or a plain number."""

    def __init__(self) -> None:
        self._arrays: list[tuple[np.ndarray, int | None]] = []

    def of(self, value: np.ndarray | float, first: int | None = None) -> dict[str, Any] | float:
        """Where the browser finds it, or the first so many rows of it: {"array": which one}; a number is itself."""
        if isinstance(value, float):
            return value
        for i, (other, its_first) in enumerate(self._arrays):
            if other is value and its_first == first:
                return {"array": i}
        self._arrays.append((value, first))
        return {"array": len(self._arrays) - 1}

    def packed(self) -> dict[str, Any]:
        everything = [np.ascontiguousarray(a[:first], dtype="<f4") for a, first in self._arrays]
        return {
            "shapes": [a.shape for a in everything],
            "numbers": base64.b64encode(b"".join(a.tobytes() for a in everything)).decode("ascii"),
        }


def _index(calls: list[Call], call: Call | None) -> int | None:
    if call is None:
        return None
    for i, other in enumerate(calls):
        if other is call:
            return i
    calls.append(call)
    return len(calls) - 1
