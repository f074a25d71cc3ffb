"""Ways to look at chosen runs: digit by digit, significance, speed, settings, all digits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from ganad import service
from ganad.config import METHOD_NAMES, Weights
from ganad.errors import GanadError
from ganad.evaluation import comparison, metrics
from ganad.service import RunInfo, digits_in_words
from ganad.ui import charts
from ganad.ui.messages import guard, notices
from ganad.ui.messages.escape import html, markdown
from ganad.ui.panels import export
from ganad.ui.state import cache, current
from ganad.ui.state.selection import Selection
from ganad.ui.state.session import marked, memory
from ganad.ui.theme import layout, pictures

FEWEST = 100
"""So many common test images are wanted before two runs are compared image by image."""
DIGIT_VIEWS = ("Areas", "Curves")
FEW_RUNS = 3
"""A method with fewer runs of a single normal digit has no matrix."""


@dataclass(frozen=True)
class Shown:
    """A finished run on screen, with its name and its colour there."""

    run: RunInfo
    name: str
    colour: str


def legend(shown: Sequence[Shown]) -> None:
    """Names of runs beside their colours, in one line that wraps."""
    st.html(
        "<div style='display:flex;flex-wrap:wrap;gap:.3rem 1.4rem'>"
        + "".join(
            f"<span style='white-space:nowrap'><span style='display:inline-block;width:.8em;height:.8em;border-radius:50%;"
            f"background:{s.colour};margin-right:.45em'></span>{html(s.name)}</span>"
            for s in shown
        )
        + "</div>"
    )


def one_task(shown: Sequence[Shown]) -> list[Shown]:
    """The runs that do the task of the first one; the others are named and left out."""
    same = [s for s in shown if comparison.task(s.run.settings) == comparison.task(shown[0].run.settings)]
    if left := [s.name for s in shown if s not in same]:
        st.caption(markdown(":material/info: Left out, since they do another task: {}.", ", ".join(left)))
    return same


# --- digit by digit ----------------------------------------------------------------------------------------------------


def naming(shown: Sequence[Shown]) -> RunInfo:
    """The run whose word for its classes fits all of these: one whose classes have names, if there is one."""
    return next((s.run for s in shown if s.run.has_names), shown[0].run)


def _anomalous(shown: Sequence[Shown]) -> list[str]:
    """The classes that are anomalies of any of these runs, each once, in the order of their numbers."""
    known = {
        (int(d), s.run.class_name(int(d)))
        for s in shown
        for d, of in s.run.report["per_digit"].items()
        if not of["normal"]
    }
    return list(dict.fromkeys(name for _, name in sorted(known)))


def digits(shown: Sequence[Shown]) -> None:
    """Which digits, or classes, are hard, and for whom."""
    legend(shown)
    view = st.segmented_control(
        "Digits as", DIGIT_VIEWS, default=DIGIT_VIEWS[0], key="digit_view", required=True, persist_state="session",
        label_visibility="collapsed", wrap=True,
    )  # fmt: skip
    if view == DIGIT_VIEWS[1]:
        _digit_curves(shown)
        return
    kind, names = naming(shown).kind, _anomalous(shown)
    dots = [
        (
            s.name,
            s.colour,
            {s.run.class_name(int(d)): of["auroc"] for d, of in s.run.report["per_digit"].items() if not of["normal"]},
        )
        for s in shown
    ]
    st.plotly_chart(
        charts.digit_dots(dots, names, kind=kind), key="digit_dots", config=export.config("digit_dots"),
        alt=f"AUROC of each anomalous {kind}: " + "; ".join(f"{n} {_listed(a)}" for n, _, a in dots),
    )  # fmt: skip
    common = [name for name in names if all(name in a for *_, a in dots)]
    if len(shown) > 1 and common:
        hardest = min(common, key=lambda d: np.mean([a[d] for *_, a in dots]))
        widest = max(common, key=lambda d: np.ptp([a[d] for *_, a in dots]))
        best = max(dots, key=lambda of: of[2][widest])
        text = markdown(
            "The hardest {} is the **{}**." if kind == "digit" else "The hardest {} is **{}**.", kind, hardest
        )
        if gap := float(np.ptp([a[widest] for *_, a in dots])):
            text += markdown(
                " The runs differ most on " + ("the " if kind == "digit" else "") + "**{}**, by {}: best is {}.",
                widest,
                f"{gap:.3f}",
                best[0],
            )
        st.caption(text)


def _digit_curves(shown: Sequence[Shown]) -> None:
    kind, panels = naming(shown).kind, {name: [] for name in _anomalous(shown)}
    for s in shown:
        scores = cache.scores(s.run.name)
        _, score = cache.totals(s.run.name, s.run.weights)
        normal = score[~scores.anomalous]
        for d in sorted(set(scores.test.digit[scores.anomalous].tolist())):
            own = score[scores.anomalous & (scores.test.digit == d)]
            curve = metrics.rates(np.r_[normal, own], np.arange(len(normal) + len(own)) >= len(normal))
            panels[s.run.class_name(d)].append(
                charts.DigitCurve(s.name, s.colour, curve.x, curve.y, metrics.area(normal, own))
            )
    st.plotly_chart(
        charts.digit_curves(panels, kind=kind), key="digit_curves", config=export.config("digit_curves"),
        alt=f"ROC curve of each anomalous {kind} against the normal ones: "
        + "; ".join(f"{d}: " + ", ".join(f"{c.run} {c.auroc:.3f}" for c in curves) for d, curves in panels.items()),
    )  # fmt: skip
    st.caption(
        f"Each panel: anomalies caught against false alarms, this {kind} against the normal ones. The numbers are AUROC."
    )


def _listed(areas: dict[str, float]) -> str:
    return ", ".join(f"{d}: {a:.3f}" for d, a in areas.items())


# --- significance ------------------------------------------------------------------------------------------------------


def significance(shown: Sequence[Shown]) -> None:
    """Groups of runs that differ by seed alone, and whether their gaps are more than chance."""
    same = one_task(shown)
    groups: dict[str, list[Shown]] = {}
    for s in same:
        groups.setdefault(comparison.config_key(s.run.settings), []).append(s)
    ranked = sorted(groups.values(), key=lambda group: -_mean(group))
    names = _group_names(ranked)
    with st.skeleton(height=78 * len(ranked) + 60):
        gaps = [None] + [
            guard.or_end_page(_gap, tuple(_key(s) for s in group), tuple(_key(s) for s in ranked[0]))
            for group in ranked[1:]
        ]
    if any(g is not None and g[0] is None for g in gaps):
        notices.info(
            "These runs have too few test images in common to be compared image by image.", icon=":material/rule:"
        )
        return
    judged = min([n for _, n in gaps[1:]], default=0)
    gaps = [None] + [g for g, _ in gaps[1:]]
    rows = [
        charts.Standing(
            name, group[0].colour, tuple(s.run.report["auroc"] for s in group), g and (g.gap, g.low, g.high)
        )
        for name, group, g in zip(names, ranked, gaps, strict=True)
    ]
    st.plotly_chart(
        charts.standings(rows), key="standings", config=export.config("standings"),
        alt="; ".join(f"{r.name}: AUROC {np.mean(r.areas):.4f} of {len(r.areas)}" for r in rows),
    )  # fmt: skip
    for name, g in zip(names[1:], gaps[1:], strict=True):
        sure = ":material/check_circle:" if g.seeds is not None else ":material/help:"
        icon = sure if g.significant else ":material/drag_handle:"
        st.markdown(
            markdown(
                icon + " {} against {}: **{}**. Gap {}, between {} and {} on other test images.",
                name, names[0], g.words, *(f"{x:+.4f}" for x in (g.gap, g.low, g.high)),
            )
        )  # fmt: skip
    if len(ranked) == 1:
        n = len(ranked[0])
        st.caption(
            "Tick a run with other settings to compare." if n == 1
            else f"These {n} runs differ by their seed alone: this spread is the noise that any gap has to exceed."
        )  # fmt: skip
    st.caption(
        f"Intervals: {comparison.RESAMPLES} times the test images are drawn anew, the same draw for every run. The bar behind the "
        "dots is one standard deviation between seeds to either side of the mean."
        + (
            f" Not all runs have scored all images: gaps are those on the {judged:,} that both sides have."
            if 0 < judged < _most_images(same)
            else ""
        )
    )


def _most_images(shown: Sequence[Shown]) -> int:
    return max(s.run.report["n_normal"] + s.run.report["n_anomalous"] for s in shown)


def _mean(group: Sequence[Shown]) -> float:
    return float(np.mean([s.run.report["auroc"] for s in group]))


def _group_names(groups: Sequence[Sequence[Shown]]) -> list[str]:
    """Method and preset, the settings that tell groups apart where these do not, and how many seeds."""
    first = [group[0].run.settings for group in groups]
    plain = [f"{METHOD_NAMES[s.method]} · {s.preset}" for s in first]
    names = []
    for s, name, group in zip(first, plain, groups, strict=True):
        rivals = [o for o, n in zip(first, plain, strict=True) if n == name]
        own = [f"{k} {_value(getattr(s, k))}" for k in comparison.differing(rivals) if k != "seed"][:3]
        seeds = f"{len(group)} seeds" if len(group) > 1 else f"seed {s.seed}"
        names.append(" · ".join([name, *own, seeds]))
    return names


def _key(s: Shown) -> tuple[str, int, Weights]:
    return s.run.name, cache.version(s.run.name), s.run.weights


@cache.kept("Drawing the test images anew")
def _gap(ours: tuple, theirs: tuple) -> tuple[comparison.Gap | None, int]:
    """The gap between two groups of runs, None where they share too few test images, and how many they share."""
    scored = [cache.scores(name).test for name, *_ in (*ours, *theirs)]
    rows = comparison.shared(scored)
    anomalous = cache.scores(ours[0][0]).anomalous[rows[0]]
    if min(int(anomalous.sum()), int((~anomalous).sum())) < FEWEST // 10 or len(anomalous) < FEWEST:
        return None, len(anomalous)
    totals = [cache.totals(name, w)[1][r] for (name, _, w), r in zip((*ours, *theirs), rows, strict=True)]
    return comparison.gap(anomalous, totals[: len(ours)], totals[len(ours) :]), len(anomalous)


# --- quality against time ----------------------------------------------------------------------------------------------


def speed(shown: Sequence[Shown]) -> None:
    """AUROC against milliseconds an image, for what has been measured on this machine."""
    busy = memory().measuring and any(_ms(s) is None for s in shown)
    guard.fragment(_speed, run_every=1.0 if busy else None)(list(shown), busy)


def _ms(s: Shown) -> float | None:
    return service.scoring_ms(s.run.settings)


def _speed(shown: list[Shown], busy: bool) -> None:
    known = [(s.name, s.colour, ms, s.run.report["auroc"]) for s in shown if (ms := _ms(s)) is not None]
    unknown = [s for s in shown if _ms(s) is None]
    if known:
        st.plotly_chart(
            charts.trade(known), key="trade", config=export.config("trade"),
            alt="; ".join(f"{n}: {ms:.3g} ms, AUROC {a:.3f}" for n, _, ms, a in known),
        )  # fmt: skip
        st.caption("Up and to the left is better. A speed belongs to the layers and this machine, not to the seed.")
    if not unknown:
        if busy:
            memory().measuring = False
            st.rerun()  # ends the polling
        return
    names = ", ".join(s.name for s in unknown)
    if not memory().measuring:
        st.markdown(markdown(":material/timer_off: Not yet measured on this machine: {}.", names))
        st.button(
            "Measure", icon=":material/timer:", key="measure", on_click=guard.callback(_measure),
            help="A few seconds for each, in a process of its own; then it is remembered.",
        )  # fmt: skip
        return
    try:
        service.estimate(unknown[0].run.settings)  # begins to measure, and says None until it has
    except GanadError as error:
        memory().measuring = False
        notices.error(error)
        return
    st.caption(markdown(":material/timer: measuring {} …", unknown[0].name))
    if not busy:
        st.rerun()  # begins the polling


def _measure() -> None:
    memory().measuring = True


# --- settings ----------------------------------------------------------------------------------------------------------


def settings(shown: Sequence[Shown]) -> None:
    """Only what differs, with whatever departs from the most frequent value marked."""
    if len(shown) == 1:
        notices.info("Tick a second run to see what differs.", icon=":material/check_box:")
        return
    all_settings = [s.run.settings for s in shown]
    rows = comparison.differing(all_settings)
    if not rows:
        notices.info("These runs were all_settings for the very same.", icon=":material/drag_handle:")
        return
    common = set.intersection(*(set(type(s).model_fields) for s in all_settings))
    fields = type(all_settings[0]).model_fields
    shared_ = sorted((k for k in rows if k in common), key=lambda k: k != "method")
    head = "".join(
        f"<th style='text-align:left;padding:.4rem 1rem;font-weight:600;border-bottom:3px solid {s.colour};min-width:7rem'>"
        f"{html(s.name)}</th>"
        for s in shown
    )
    lines = "".join(
        "<tr><th style='text-align:left;font-weight:400;padding:.4rem 1rem .4rem 0;min-width:12rem'>"
        f"<code style='font-size:.88rem'>{k}</code><div style='font-size:.8rem;opacity:.65;line-height:1.3'>"
        f"{'' if k == 'method' else html(fields[k].description or '')}</div></th>"
        + "".join(_cell(v, rows[k]) for v in rows[k])
        + "</tr>"
        for k in shared_
    )
    st.html(
        "<div style='overflow-x:auto'><table style='border-collapse:collapse'>"
        f"<thead><tr><th></th>{head}</tr></thead><tbody>{lines}</tbody></table></div>"
    )
    if set(rows) == {"seed"}:
        st.caption("These runs differ by their seed alone: what else differs between them is chance.")
    alone = [s for s in shown if set(type(s.run.settings).model_fields) - common]
    for s in {s.run.method: s for s in alone}.values():
        own = [k for k in type(s.run.settings).model_fields if k not in common and k in rows]
        words = ", ".join(f"{k} {_value(getattr(s.run.settings, k))}" for k in own)
        notices.caption(f"Of {METHOD_NAMES[s.run.method]} alone: {words}." if words else "")
    st.caption(f"{len(common - set(rows)) - 1} other settings are the same in all of them.")


def _cell(value: object, values: list) -> str:
    counts = [values.count(v) for v in values]
    apart = max(counts) > 1 and value != values[int(np.argmax(counts))]
    look = "background:rgba(124,135,151,.22);font-weight:700" if apart else ""
    return f"<td style='padding:.4rem 1rem;border-top:1px solid rgba(124,135,151,.3);{look}'>{html(_value(value))}</td>"


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(f"{v:g}" for v in value)
    return "–" if value in (None, "") else f"{value:g}" if isinstance(value, float) else str(value)


# --- all digits --------------------------------------------------------------------------------------------------------


def one_digit_runs(runs: Sequence[RunInfo]) -> dict[str, dict[int, RunInfo]]:
    """method -> normal digit -> its finished run on MNIST; the shipped one first, else the newest of the user's."""
    by_method: dict[str, dict[int, RunInfo]] = {}
    for r in sorted(runs, key=lambda r: not r.shipped):
        whole = r.settings.data is None and r.settings.test_digits is None
        if r.state == "finished" and r.report and len(r.normal) == 1 and whole:
            by_method.setdefault(r.method, {}).setdefault(r.normal[0], r)
    return {m: of for m, of in by_method.items() if len(of) >= FEW_RUNS}


def matrix(runs: Sequence[RunInfo]) -> None:
    """Every digit as the normal one against every other: where does a method fail?"""
    by_method = one_digit_runs(runs)
    if not by_method:
        notices.info(
            f"This needs at least {FEW_RUNS} finished runs of one method, each with another single normal digit.",
            icon=":material/grid_on:",
        )
        return
    method = next(iter(by_method))
    if len(by_method) > 1:
        method = st.segmented_control(
            "Method", list(by_method), default=method, key="matrix_method", required=True, format_func=METHOD_NAMES.get,
            label_visibility="collapsed", wrap=True,
        )  # fmt: skip
    own = by_method[method]
    areas = np.full((10, 10), np.nan)
    for normal, r in own.items():
        for d, of in r.report["per_digit"].items():
            if not of["normal"]:
                areas[normal, int(d)] = of["auroc"]
    left, right = layout.side_by_side("matrix", [3, 2])
    with left:
        st.plotly_chart(
            charts.matrix(areas, {d: r.name for d, r in own.items()}), key="matrix", config=export.config("matrix"),
            on_select=guard.callback(_clicked_cell), selection_mode="points",
            alt=f"AUROC of {METHOD_NAMES[method]} for each normal and each anomalous digit",
        )  # fmt: skip
    with right:
        st.markdown(f"**{METHOD_NAMES[method]}**, a run for each normal digit. The redder a cell, the more often that "
                    "digit passes for the normal one. The numbers are AUROC; .5 is guessing.")  # fmt: skip
        worst = sorted((a, i, j) for i, row in enumerate(areas) for j, a in enumerate(row) if not np.isnan(a))[:3]
        st.markdown("\n".join(f"- **{j}** passes for **{i}**: {a:.3f}" for a, i, j in worst))
        _images_of_cell(own)
        missing = [d for d in range(10) if d not in own]
        if missing:
            st.caption(f"No run yet with normal {digits_in_words(missing)}.")
        if any(not r.shipped for r in own.values()):
            st.caption("Where no run is shipped, your newest one with that digit is shown.")


def _clicked_cell() -> None:
    """A cell of the matrix was clicked: remember which."""
    points = [p for p in marked("matrix") if p.get("customdata") is not None]
    memory().matrix_cell = tuple(map(int, points[0]["customdata"])) if points else None


def _images_of_cell(own: dict[int, RunInfo]) -> None:
    """The images of the clicked cell that pass most easily, and the way to all of them."""
    normal, digit = memory().matrix_cell or (None, None)
    if normal not in own:
        st.caption("Click a cell to see its images.")
        return
    run = own[normal]
    view = current.view(run).selecting(Selection(digits=(digit,), sort="lowest score"))
    rows = view.rows
    passed = int((~view.called[rows]).sum())
    with st.container(border=True, key="matrix_images"):
        st.markdown(
            f"**The {digit} where {normal} is normal:** {passed:,} of {len(rows):,} are called normal, the most normal first."
        )
        images = cache.images(run.name)
        st.html(
            pictures.figure_html(
                [
                    (pictures.png(images[r], 2), "", f"{run.image_of(digit)}, test image {view.index(r)}")
                    for r in rows[:10]
                ],
                size_px=52,
            )
        )
        query = {"run": run.name, "digits": str(digit), "sort": "lowest-score"}
        st.page_link("pages/2_Browse.py", label="Open in Browse", icon=":material/grid_view:", query_params=query)
