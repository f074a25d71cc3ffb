"""Sliders, histogram, ROC, counts and digits that follow the drag: the browser itself weighs every image anew."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ganad.config import Weights
from ganad.evaluation.thresholds import is_valid_rule
from ganad.ui.components.declare import declare
from ganad.ui.state.decision_rule import DecisionRule
from ganad.ui.state.session import memory, sent
from ganad.web.weights_mixer import files, payload

_LIVE = declare("live_mixer", files.MARKUP, files.STYLE, files.MODULE)


@dataclass(frozen=True)
class Setting:
    """What the mixer is set to.

    rule    weights, rule of the threshold, and the units that it shows
    band    scores from, to that are brushed on the histogram, or None; raw
    """

    rule: DecisionRule
    band: tuple[float, float] | None = None


def live_mixer(
    packed: dict[str, Any],
    *,
    key: str,
    version: str,
    scales: tuple[float, ...],
    defaults: Setting,
    current: Setting,
    advised: Weights | None = None,
    on_mix: Callable[[Setting], None] = lambda _: None,
    on_pick: Callable[[], None] = lambda: None,
) -> None:
    """Show the mixer; a new script run follows each release.

    packed     what `payload.pack` made; it travels only when the component is shown anew, so hand in the same again and again
    key        of the component
    version    names the run: the browser unpacks the images again only when it changes
    scales     position of a part's slider per unit of its weight
    defaults   what its button goes back to
    advised    weights that were not chosen on test images although they are not the defaults
    on_mix     called with what it was left at, also where a click that follows at once leads to another page
    on_pick    called when a digit of the strip was clicked; `sent(key, "pick")["row"]` says which
    current    what it shall show. While this is what the browser said itself, nothing is sent back
    """
    _LIVE(
        key=key,
        data=packed
        | payload.LABELS
        | {
            "version": version,
            "scales": list(scales),
            "defaults": _plain(defaults),
            "set": _given(key, version, current) | {"advised": None if advised is None else list(advised)},
        },
        on_mix_change=lambda: _hear(key, len(current.rule.weights), on_mix),
        on_pick_change=on_pick,
        height="content",
    )


def parse(mix: object, parts: int = 3) -> Setting | None:
    """A setting out of {"weights": [..], "rule": .., "value": ..} as a browser sends it; None for anything else."""
    if not isinstance(mix, dict):
        return None
    weights, rule, value, band = (mix.get(name) for name in ("weights", "rule", "value", "band"))
    if not isinstance(weights, list | tuple) or len(weights) != parts or not all(map(_is_finite, [*weights, value])):
        return None
    if min(weights) < 0 or not any(weights) or not is_valid_rule(rule, value):
        return None
    if band is not None:
        if not isinstance(band, list | tuple) or len(band) != 2 or not all(map(_is_finite, band)) or band[0] > band[1]:
            return None
        band = (float(band[0]), float(band[1]))
    standardised = mix.get("standardised") is True
    return Setting(DecisionRule(tuple(map(float, weights)), rule, float(value), standardised), band)  # type: ignore[arg-type]


def hear_if_new(mix: dict[str, Any]) -> bool:
    """Remember when a report was made, and say whether that was after all that have been heard; one without a time is none."""
    m, at = memory(), mix.get("at")
    if not _is_finite(at) or at <= m.mix_heard:
        return False
    m.mix_heard = float(at)
    return True


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _hear(key: str, parts: int, on_mix: Callable[[Setting], None]) -> None:
    mix = sent(key, "mix")
    setting = parse(mix, parts)
    if setting is None:
        return
    hear_if_new(mix)
    known = memory().of_component
    n, given, _ = known.get((key, "given"), (0, None, None))
    known[key, "given"] = n, given, setting
    on_mix(setting)


def _given(key: str, version: str, current: Setting) -> dict[str, Any]:
    """What to tell the browser to show, under a new name whenever it shows something else.

    It stays the same while the browser moves its own sliders. So does the whole message then, and Streamlit does not
    send it: megabytes travel once and not with each release.
    """
    known = memory().of_component
    n, given, shown = known.get((key, "given"), (0, None, None))
    if given is None or shown != current:
        n, given, shown = n + 1, current, current
    known[key, "given"] = n, given, shown
    return {"id": f"{version}/{n}"} | _plain(given)


def _plain(setting: Setting) -> dict[str, Any]:
    rule, band = setting.rule, setting.band
    return {
        "weights": list(rule.weights), "rule": rule.kind, "value": rule.value, "standardised": rule.standardised,
        "band": None if band is None else list(band),
    }  # fmt: skip
