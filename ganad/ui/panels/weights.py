"""The weights of the three parts and the threshold: one state, shared by Browse, Evaluate and Score.

A slider stands for the influence that a part has among held-out normals: its weight times its standard deviation there. Two
sliders at the same height have the same influence, whatever the units of their parts. The raw weights, as in the papers and on the
command line, stand below.
"""

from __future__ import annotations

import math

import numpy as np
import streamlit as st

from ganad import glossary
from ganad.config import FALSE_ALARMS, PARTS
from ganad.evaluation import metrics
from ganad.evaluation.thresholds import RULE_DEFAULTS, RULES
from ganad.service import RunInfo
from ganad.ui.messages import guard, notices
from ganad.ui.state import address, cache
from ganad.ui.state.rule import Mix, mix_of, rule_of, standardised, units_of, weights_of
from ganad.ui.theme import layout

_RULE_TERMS = {"false alarms": "false alarms at most", "cost": "cost", "best F1": "best F1"}
PRICES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
"""What a miss may cost, in false alarms."""


def mixer(run: RunInfo, *, with_threshold: bool = True) -> Mix:
    """Draw the sliders and return what they say. Values outlive a change of page, and are kept per run."""
    scales = scales_of(run)
    st.session_state.pop("mixer_was_reset", None)
    if st.session_state.pop("mixer_refused", False):
        notices.toast("At least one part needs a weight.", icon=":material/info:")
    with st.container(border=True, key="mixer"):
        columns = layout.cells("mixer", 4 if with_threshold else 3)
        weights = weights_of(run)
        shown = metrics.shown_weights(cache.scores(run.name).val.parts, weights, standardised())
        for column, part, weight, scale in zip(columns, PARTS, weights, scales, strict=False):
            key = f"say_{part}"
            st.session_state[key] = min(1.0, weight * scale)
            column.slider(
                part.capitalize(), 0.0, 1.0, step=0.01, key=key, on_change=guard.callback(_moved), args=(run, part),
                help=f"{part.capitalize()}: {glossary.MEANING[part]}. Influence: {glossary.MEANING['influence']}.",
            )  # fmt: skip
            column.caption(f"weight {shown[part]:,.4g}")
        mix = _threshold(run, weights, columns[3] if with_threshold else None)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                "Defaults", icon=":material/restart_alt:", key="mixer_defaults", on_click=guard.callback(_reset), args=(run,), type="tertiary",
                disabled=not mix.tuned_on_test, help=f"Weights as in the paper ({', '.join(f'{w:g}' for w in run.weights)}) and "
                f"a threshold with at most {FALSE_ALARMS:.0%} false alarms.",
            )  # fmt: skip
            units(run, "units_mixer")
            if mix.tuned_on_test:
                st.badge("chosen while looking at the test set", icon=":material/visibility:", color="orange")
            st.caption(mix.words)
    return mix


def units(run: RunInfo, key: str = "units") -> None:
    """A switch: parts raw as in the papers, or standardised on held-out normals; for all pages."""
    st.session_state[key] = "standardised" if standardised() else "raw"
    st.segmented_control(
        "Parts", ["raw", "standardised"], key=key, required=True, label_visibility="collapsed",
        format_func={"raw": "Raw parts", "standardised": "Standardised"}.get, on_change=guard.callback(_in_other_units), args=(run, key),
        help=f"Raw: as in the papers, each part in its own unit. Standardised: {glossary.MEANING['standardised']}.",
    )  # fmt: skip


def _in_other_units(run: RunInfo, key: str) -> None:
    st.session_state["standardised"] = st.session_state[key] == "standardised"
    address.write(run)


def scales_of(run: RunInfo) -> tuple[float, ...]:
    """Slider position per unit of weight: the part's standard deviation among held-out normals, over the largest default influence."""
    spread = metrics.std_of_parts(cache.scores(run.name).val.parts)
    largest = max(w * spread[p] for w, p in zip(run.weights, PARTS, strict=True)) or 1.0
    return tuple(spread[p] / largest for p in PARTS)


def _moved(run: RunInfo, part: str) -> None:
    if st.session_state.get("mixer_was_reset"):
        return  # the same click: the browser still reports where the slider was
    scale = scales_of(run)[PARTS.index(part)]
    said = list(weights_of(run))
    said[PARTS.index(part)] = st.session_state[f"say_{part}"] / scale if scale else 0.0
    if any(said):
        st.session_state.setdefault("weights", {})[run.name] = tuple(said)
        address.write(run)
    else:
        st.session_state["mixer_refused"] = True


def _reset(run: RunInfo) -> None:
    st.session_state.get("weights", {}).pop(run.name, None)
    st.session_state.get("rule", {}).pop(run.name, None)
    st.session_state["mixer_was_reset"] = True
    address.write(run)


def _threshold(run: RunInfo, weights: tuple[float, float, float], column) -> Mix:
    rule, value = rule_of(run)
    val, test = cache.totals(run.name, weights)
    if column is not None:
        with column:
            st.session_state["rule_kind"] = rule
            st.selectbox(
                "Threshold", list(RULES), key="rule_kind", format_func=RULES.get, on_change=guard.callback(_ruled), args=(run,),
                help=" ".join(f"{RULES[r]}: {glossary.MEANING[t]}." for r, t in _RULE_TERMS.items()),
            )  # fmt: skip
            if rule == "false alarms":
                st.session_state["rule_share"] = float(np.clip(100 * value, 0.5, 20.0))
                st.slider(
                    "False alarms at most", 0.5, 20.0, step=0.5, format="%.1f %%", key="rule_share", on_change=guard.callback(_slid),
                    args=(run, "false alarms", "rule_share", 0.01), label_visibility="collapsed",
                )  # fmt: skip
            elif rule == "cost":
                st.session_state["rule_cost"] = min(PRICES, key=lambda p: abs(math.log(p / value)))
                st.select_slider(
                    "A miss costs so many false alarms", PRICES, key="rule_cost", on_change=guard.callback(_slid),
                    args=(run, "cost", "rule_cost", 1.0), label_visibility="collapsed", format_func=lambda p: f"miss = {p:g} × alarm",
                )  # fmt: skip
            elif rule == "manual":
                low, high = float(min(val.min(), test.min())), float(np.quantile(np.r_[val, test], 0.995))
                high = high if high > low else low + 1.0
                unit = mix_of(run).units
                value, low, high = (float(unit.shown(x)) for x in (np.clip(value, low, high), low, high))
                st.session_state["rule_hand"] = value
                st.slider(
                    "Threshold", low, high, step=(high - low) / 200, format="%.4g", key="rule_hand", on_change=guard.callback(_put),
                    args=(run, standardised()), label_visibility="collapsed",
                )  # fmt: skip
    return mix_of(run)


def _ruled(run: RunInfo) -> None:
    """Another rule. Manual begins where the threshold is."""
    now, kind = mix_of(run).threshold, st.session_state["rule_kind"]
    if math.isinf(now):
        now = float(cache.totals(run.name, weights_of(run))[0].max())
    st.session_state.setdefault("rule", {})[run.name] = (kind, RULE_DEFAULTS.get(kind, now))
    address.write(run)


def _put(run: RunInfo, on_standardised: bool) -> None:
    """The threshold was moved by hand, on an axis of raw or of standardised scores: that axis is what its number means."""
    if rule_of(run)[0] != "manual":
        return  # another rule was picked at the same time
    unit = units_of(run, on_standardised)
    st.session_state.setdefault("rule", {})[run.name] = ("manual", unit.score(st.session_state["rule_hand"]))
    address.write(run)


def _slid(run: RunInfo, kind: str, key: str, factor: float) -> None:
    """The slider of one rule was moved. Where another rule was picked at the same time, that one counts."""
    if rule_of(run)[0] != kind:
        return
    st.session_state.setdefault("rule", {})[run.name] = (kind, factor * st.session_state[key])
    address.write(run)
