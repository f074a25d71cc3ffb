"""The plain sliders: a weight for each part of the score, and the rule of the threshold.

A slider stands for the influence that a part has among held-out normals: its weight times its standard deviation there. Two
sliders at the same height have the same influence, whatever the units of their parts. Below each stands its share of all
influence, and the raw weight, as in the papers and on the command line.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import streamlit as st

from ganad import glossary
from ganad.config import FALSE_ALARMS
from ganad.evaluation import metrics
from ganad.evaluation.thresholds import RULE_DEFAULTS, RULES
from ganad.service import RunInfo
from ganad.ui.messages import guard, notices
from ganad.ui.state import cache, current
from ganad.ui.state.decision_rule import DecisionRule
from ganad.ui.state.scored_view import ScoredView
from ganad.ui.state.session import held, memory, set_widget
from ganad.ui.theme import layout

_RULE_TERMS = {"false alarms": "false alarms at most", "cost": "cost", "best F1": "best F1"}
COSTS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
"""What a miss may cost, in false alarms."""


def mixer(run: RunInfo, *, with_threshold: bool = True) -> ScoredView:
    """Draw the sliders and return the view that they stand for. Values outlive a change of page, and are kept per run."""
    m, view, scales = memory(), current.view(run), scales_of(run)
    m.weights_reset = False
    if m.weights_refused:
        m.weights_refused = False
        notices.toast("At least one part needs a weight.", icon=":material/info:")
    shares = metrics.shown_weights(view.scores.val.parts, view.weights, standardised=True)
    with st.container(border=True, key="mixer"):
        columns = layout.cells("mixer", len(shares) + with_threshold)
        for column, part, weight, scale in zip(columns, shares, view.weights, scales, strict=False):
            key = f"influence_{part}"
            set_widget(key, min(1.0, weight * scale))
            column.slider(
                part.capitalize(), 0.0, 1.0, step=0.01, key=key, on_change=guard.callback(_moved), args=(run, part),
                help=f"{part.capitalize()}: {glossary.MEANING[part]}. Influence: {glossary.MEANING['influence']}.",
            )  # fmt: skip
            column.caption(f"**{shares[part]:.0%}** of the score · weight {weight:,.4g}")
        if with_threshold:
            with columns[-1]:
                _threshold(view)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                "Defaults", icon=":material/restart_alt:", key="mixer_defaults", on_click=guard.callback(_reset), args=(run,), type="tertiary",
                disabled=not view.tuned_on_test, help=f"Weights as in the paper ({', '.join(f'{w:g}' for w in run.weights)}) and "
                f"a threshold with at most {FALSE_ALARMS:.0%} false alarms.",
            )  # fmt: skip
            units(run, "units_mixer")
            if view.tuned_on_test:
                st.badge("chosen while looking at the test set", icon=":material/visibility:", color="orange")
            st.caption(view.threshold_in_words)
    return view


def units(run: RunInfo, key: str = "units") -> None:
    """A switch: parts raw as in the papers, or standardised on held-out normals; for all pages."""
    set_widget(key, "standardised" if current.rule(run).standardised else "raw")
    st.segmented_control(
        "Parts", ["raw", "standardised"], key=key, required=True, label_visibility="collapsed",
        format_func={"raw": "Raw parts", "standardised": "Standardised"}.get, on_change=guard.callback(_in_other_units), args=(run, key),
        help=f"Raw: as in the papers, each part in its own unit. Standardised: {glossary.MEANING['standardised']}.", wrap=True,
    )  # fmt: skip


def _in_other_units(run: RunInfo, key: str) -> None:
    current.decide(run, replace(current.rule(run), standardised=held(key) == "standardised"))


def scales_of(run: RunInfo) -> tuple[float, ...]:
    """`metrics.slider_scales` of a run."""
    return metrics.slider_scales(cache.scores(run.name).val.parts, run.weights)


def _moved(run: RunInfo, part: str) -> None:
    m = memory()
    if m.weights_reset:
        return  # the same click: the browser still reports where the slider was
    rule, i = current.rule(run), run.settings.parts.index(part)
    scale, weights = scales_of(run)[i], list(rule.weights)
    weights[i] = held(f"influence_{part}") / scale if scale else 0.0
    if any(weights):
        current.decide(run, replace(rule, weights=tuple(weights)))
    else:
        m.weights_refused = True


def _reset(run: RunInfo) -> None:
    memory().weights_reset = True
    current.decide(run, DecisionRule(run.weights, standardised=current.rule(run).standardised))


def _threshold(view: ScoredView) -> None:
    """Where the threshold comes from, and the slider of that rule."""
    run, rule = view.run, view.rule
    set_widget("rule_kind", rule.kind)
    st.selectbox(
        "Threshold", list(RULES), key="rule_kind", format_func=RULES.get, on_change=guard.callback(_changed_kind), args=(run,),
        help=" ".join(f"{RULES[r]}: {glossary.MEANING[t]}." for r, t in _RULE_TERMS.items()),
    )  # fmt: skip
    if rule.kind == "false alarms":
        set_widget("rule_share", float(np.clip(100 * rule.value, 0.5, 20.0)))
        st.slider(
            "False alarms at most", 0.5, 20.0, step=0.5, format="%.1f %%", key="rule_share", on_change=guard.callback(_moved_value),
            args=(run, "false alarms", "rule_share", 0.01), label_visibility="collapsed",
        )  # fmt: skip
    elif rule.kind == "cost":
        set_widget("rule_cost", min(COSTS, key=lambda cost: abs(math.log(cost / rule.value))))
        st.select_slider(
            "A miss costs so many false alarms", COSTS, key="rule_cost", on_change=guard.callback(_moved_value),
            args=(run, "cost", "rule_cost", 1.0), label_visibility="collapsed", format_func=lambda cost: f"miss = {cost:g} × alarm",
        )  # fmt: skip
    elif rule.kind == "manual":
        low, high = (
            float(min(view.val.min(), view.test.min())),
            float(np.quantile(np.r_[view.val, view.test], 0.995)),
        )
        high = high if high > low else low + 1.0
        value, low, high = (float(view.units.shown(x)) for x in (np.clip(rule.value, low, high), low, high))
        set_widget("rule_manual", value)
        st.slider(
            "Threshold", low, high, step=(high - low) / 200, format="%.4g", key="rule_manual", on_change=guard.callback(_moved_threshold),
            args=(run, rule.standardised), label_visibility="collapsed",
        )  # fmt: skip


def _changed_kind(run: RunInfo) -> None:
    """Another rule. Manual begins where the threshold is."""
    view, kind = current.view(run), held("rule_kind")
    threshold = float(view.val.max()) if math.isinf(view.threshold) else view.threshold
    current.decide(run, view.rule.with_threshold(kind, RULE_DEFAULTS.get(kind, threshold)))


def _moved_threshold(run: RunInfo, on_standardised: bool) -> None:
    """The threshold was moved by hand, on an axis of raw or of standardised scores: that axis is what its number means."""
    view = current.view(run)
    if view.rule.kind != "manual":
        return  # another rule was picked at the same time
    threshold = view.units_on(on_standardised).score(held("rule_manual"))
    current.decide(run, view.rule.with_threshold("manual", threshold))


def _moved_value(run: RunInfo, kind: str, key: str, factor: float) -> None:
    """The slider of one rule was moved. Where another rule was picked at the same time, that one counts."""
    rule = current.rule(run)
    if rule.kind == kind:
        current.decide(run, rule.with_threshold(kind, factor * held(key)))
