"""The mixer that follows the drag, on a run: the same decision rule as the plain sliders keep, and the same answer."""

from __future__ import annotations

from ganad.service import RunInfo
from ganad.ui.components.live_mixer import Setting, hear_if_new, live_mixer, parse
from ganad.ui.messages import guard
from ganad.ui.panels import linked_charts
from ganad.ui.panels.weights import scales_of
from ganad.ui.state import cache, current
from ganad.ui.state.decision_rule import DecisionRule
from ganad.ui.state.scored_view import ScoredView
from ganad.ui.state.session import memory


def live(run: RunInfo) -> ScoredView:
    """Draw the live mixer of a finished run and return the view that it was last left at.

    Browse and Score follow what is moved here, and the mixer follows what is chosen there.
    """
    key = state_key(run)
    view = current.view(run)
    memory().decided_since_mixer = False
    live_mixer(
        cache.packed(run.name),
        key=key,
        version=f"{run.name}/{cache.version(run.name)}",
        scales=scales_of(run),
        defaults=Setting(DecisionRule(run.weights)),
        current=Setting(view.rule, view.selection.band),
        advised=current.advised(run),
        on_mix=guard.callback(lambda setting: take_over(run, setting)),
        on_pick=guard.callback(lambda: linked_charts.picked_on_strip(run, key)),
    )
    return view


def state_key(run: RunInfo) -> str:
    """Key of a run's mixer: each run has one of its own."""
    return f"live_{run.name}"


def hear_late(left: object) -> None:
    """Take over a report that a change of page kept from being heard. left: {"run": name, "mix": report}, from a browser."""
    name, mix = (left.get("run"), left.get("mix")) if isinstance(left, dict) else (None, None)
    run = next((r for r in cache.list_runs() if r.name == name and r.state == "finished"), None)
    setting = parse(mix, len(run.settings.parts)) if run else None
    if setting is not None and hear_if_new(mix) and not memory().decided_since_mixer:
        take_over(run, setting)


def take_over(run: RunInfo, setting: Setting) -> None:
    """Put in force what the browser reported."""
    moved = setting.rule.kind == "manual" and current.rule(run).threshold_rule != setting.rule.threshold_rule
    current.decide(run, setting.rule, band=setting.band, nearest_image=moved)
