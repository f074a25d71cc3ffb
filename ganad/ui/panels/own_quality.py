"""How well a detector of one's own class does, with its uncertainty: two intervals as bars, and what they mean."""

from __future__ import annotations

import streamlit as st

from ganad import service
from ganad.config import Weights
from ganad.service import RunInfo
from ganad.ui.state import cache
from ganad.web import colours


def show(run: RunInfo, weights: Weights | None = None, threshold: float | None = None) -> None:
    """The bars and their sentences; nothing for a run that was not trained on few originals.

    weights, threshold: those in force, None for the run's own.
    """
    quality = of(run, weights, threshold)
    if quality is None:
        return
    alarms = quality.false_alarms
    area, seen, promise = service.quality_in_words(quality)
    with st.container(border=True, key="own_quality"):
        st.html(
            _bar("AUROC", quality.auroc, quality.low, quality.high, colours.ANOMALOUS.both)
            + _bar("false alarms", alarms.value, alarms.low, alarms.high, colours.NORMAL.both)
        )
        st.caption(f"{area} {seen}")
        st.caption(f":material/rule: {promise}")


def of(run: RunInfo, weights: Weights | None = None, threshold: float | None = None) -> service.Quality | None:
    """The same as numbers; None for a run that was not trained on few originals."""
    return _quality(run.name, cache.version(run.name), weights, threshold) if run.originals else None


@cache.kept(briefly=True)
def _quality(name: str, version: int, weights: Weights | None, threshold: float | None) -> service.Quality | None:
    return service.own_class_quality(name, weights, threshold)


def _bar(name: str, value: float, low: float, high: float, colour: str) -> str:
    """HTML: a scale from 0 to 1 with an interval on it and a dot where the value is."""
    said = f"{name} {value:.2f}, 95 % interval {low:.2f} to {high:.2f}"
    return (
        f'<div role="img" aria-label="{said}" style="display: grid; grid-template-columns: 6.5rem 1fr 7rem; align-items: center; gap: .7rem; '
        'line-height: 1.9; font-size: .9rem">'
        f'<span>{name}</span><span style="position: relative; height: 10px; border-radius: 5px; background: color-mix(in srgb, currentColor 14%, transparent)">'
        f'<i style="position: absolute; top: 0; bottom: 0; left: {low:.2%}; width: {max(high - low, 0.005):.2%}; border-radius: 5px; background: {colour}; opacity: .55"></i>'
        f'<i style="position: absolute; top: -3px; width: 4px; height: 16px; margin-left: -2px; left: {min(max(value, 0.005), 0.995):.2%}; background: {colour}"></i>'
        f"</span><span>{low:.2f} to {high:.2f}</span></div>"
    )
