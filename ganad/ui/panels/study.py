"""A study on Compare: a matrix that fills while it runs, what its settings do, and its best run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from ganad.config import METHOD_NAMES
from ganad.studies import objective, process, store, summary
from ganad.studies.plan import StudyPlan
from ganad.studies.summary import Row
from ganad.ui.charts import studies as charts
from ganad.ui.messages import guard, notices
from ganad.ui.messages.escape import markdown, plain
from ganad.ui.panels import export, shared_server
from ganad.ui.state import address
from ganad.ui.state.session import held, marked, set_widget
from ganad.ui.theme import layout
from ganad.wording import plural

NONE = "none"
MOST_LINKS = 6
"""Runs of a clicked cell that are named."""


def show() -> set[str]:
    """The choice of a study, where there are any, and what the chosen one says; returns the names of its runs, none without a study."""
    there = [study.name for study in guard.or_none(store.listing) or []]
    if not there:
        return set()
    asked = address.choice("study")
    set_widget("study", asked if asked in there else NONE)
    chosen = st.selectbox(
        "Study", [NONE, *there], key="study", on_change=guard.callback(_chosen),
        format_func=lambda n: "No study: compare single runs" if n == NONE else n,
        help="Runs that were begun together, by `python -m ganad sweep` or by Several runs on the Train page.",
    )  # fmt: skip
    if chosen == NONE:
        return set()
    study = store.root() / chosen
    with st.container(border=True):
        live = process.at_work(study)
        guard.fragment(_study, run_every=3.0 if live else None)(chosen, live)
    return {run.name for run in store.runs_of(study).values()}


def _chosen() -> None:
    name = held("study")
    address.choose("study", None if name == NONE else name)


def _study(name: str, live: bool) -> None:
    study = store.root() / name
    plan, rows = store.plan_of(study), summary.rows(study)
    counts, to_come = summary.counts(rows), store.to_come(study)
    asked = len(rows) + to_come
    done = counts.get("finished", 0) + counts.get(store.EARLY, 0)
    if to_come:
        counts["to come"] = to_come
    working = process.at_work(study)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(plain(name))
        words = ", ".join(f"{n} {state}" for state, n in counts.items())
        notices.caption(f"{words}; {summary.core_hours(rows):.2f} core-hours so far")
    st.progress(sum(row.share for row in rows) / max(1, asked))
    if not shared_server.readonly():
        if working:
            st.button(
                "Stop the study", icon=":material/stop:", key="study_stop", on_click=guard.callback(_stop), args=(name,)
            )
        elif done < asked:
            st.button(
                "Go on", icon=":material/play_arrow:", key="study_go_on", on_click=guard.callback(_go_on), args=(name,)
            )
    if rows:
        st.plotly_chart(
            _matrix(rows),
            key="study_matrix",
            config=export.config("study_matrix"),
            on_select="rerun",
            selection_mode="points",
            alt=f"{done} of {asked} runs done",
        )
        st.caption(
            f"Mean {objective.IN_WORDS}. While it fills, how many runs are done. A click on a cell leads to its runs."
        )
        _clicked(rows)
    _best(rows)
    if plan.search:
        trial = summary.best_trial(rows)
        if trial is not None and trial.runs > 1:
            words = ", ".join(f"{k} {v}" for k, v in trial.values.items())
            st.markdown(
                markdown(
                    "Best settings by the mean of {}: {}, objective **{}**.",
                    plural(trial.runs, "run"),
                    words,
                    f"{trial.objective:.4f}",
                )
            )
        _searched(plan, rows)
    elif plan.grid:
        _settings(plan, rows)
    if live and not working:
        st.rerun()


def _stop(name: str) -> None:
    process.stop(store.root() / name)


def _go_on(name: str) -> None:
    process.go_on(store.root() / name)


def _axes(rows: Sequence[Row]) -> tuple[list[str], list[str]]:
    """The methods and the classes of the matrix, in the order of the plan."""
    return list(dict.fromkeys(r.method for r in rows)), list(dict.fromkeys(r.normal_in_words for r in rows))


def _clicked(rows: Sequence[Row]) -> None:
    """The runs of the clicked cell, the best first, and the way to each."""
    points = [p for p in marked("study_matrix") if p.get("customdata") is not None]
    methods, classes = _axes(rows)
    if not points:
        return
    i, j = map(int, points[0]["customdata"])
    if i >= len(methods) or j >= len(classes):
        return
    own = [r for r in rows if r.run and (r.method, r.normal_in_words) == (methods[i], classes[j])]
    own.sort(key=lambda r: -1.0 if r.objective is None else r.objective, reverse=True)
    with st.container(border=True, key="study_cell"):
        st.markdown(markdown("**{}, normal {}**: {}", METHOD_NAMES[methods[i]], classes[j], plural(len(own), "run")))
        for row in own[:MOST_LINKS]:
            said = f"objective {row.objective:.4f}" if row.objective is not None else row.state
            varied = "".join(f", {k} {v}" for k, v in row.values.items())
            finished = row.state == "finished"
            st.page_link(
                "pages/3_Evaluate.py" if finished else "pages/1_Train.py", icon=":material/monitoring:" if finished else ":material/play_circle:",
                label=plain(f"{row.run}: {said}, seed {row.seed}{varied}"), query_params={"run": row.run},
            )  # fmt: skip
        if len(own) > MOST_LINKS:
            st.caption(f"The best {MOST_LINKS} of {len(own)}; the table below has all.")


def _matrix(rows: Sequence[Row]):
    methods, classes = _axes(rows)
    cells = []
    for method in methods:
        line = []
        for name in classes:
            own = [r for r in rows if r.method == method and r.normal_in_words == name]
            known = [r.objective for r in own if r.objective is not None]
            line.append(
                charts.Cell(
                    float(np.mean(known)) if known else None,
                    sum(r.state in ("finished", store.EARLY) for r in own),
                    len(own),
                    sum(r.run is not None for r in own),
                )
            )
        cells.append(line)
    return charts.study_matrix([METHOD_NAMES[m] for m in methods], classes, cells)


def _best(rows: Sequence[Row]) -> None:
    best = summary.best(rows)
    if best is None:
        return
    tested = (
        f"; on the test set **{best.auroc:.4f}**, which had no part in the choice" if best.auroc is not None else ""
    )
    varied = "".join(f", {k} {v}" for k, v in best.values.items())
    st.markdown(
        markdown("Best: **{}**, {}, normal {}, seed {}{}: objective **{}**", best.run, METHOD_NAMES[best.method], best.normal_in_words, best.seed, varied, f"{best.objective:.4f}")
        + tested
        + "."
    )  # fmt: skip
    st.page_link(
        "pages/3_Evaluate.py", label="Open it in Evaluate", icon=":material/monitoring:", query_params={"run": best.run}
    )


def _searched(plan: StudyPlan, rows: Sequence[Row]) -> None:
    """How the search went, and its runs along one of its settings."""
    known = [(n, r, r.early if r.objective is None else r.objective) for n, r in enumerate(rows, 1)]
    known = [(n, r, value) for n, r, value in known if value is not None]
    if not known:
        return
    left, right = layout.side_by_side("study", [1, 1])
    with left:
        points = [charts.Point(r.run or "", n, value, r.objective is None) for n, r, value in known]
        st.plotly_chart(
            charts.searched(points, "run", best=True), key="study_history", config=export.config("study_history"),
            alt=f"best objective so far: {max((p.objective for p in points if not p.early), default=0):.4f}",
        )  # fmt: skip
        st.caption(
            "The runs of the search in their order; a hollow one was stopped early, at the objective that it had then."
        )
    with right:
        name = next(iter(plan.search))
        if len(plan.search) > 1:
            name = st.segmented_control(
                "Setting", list(plan.search), default=name, key="study_setting", required=True, wrap=True
            )
        space = plan.spaces()[name]
        if space.choices:
            values = list(space.choices)
            lines = {
                METHOD_NAMES[plan.methods[0]]: [
                    [v for _, r, v in known if r.objective is not None and str(r.values[name]) == c] for c in values
                ]
            }
            drawn = charts.setting_curve(name, values, lines)
        else:
            drawn = charts.searched(
                [charts.Point(r.run or "", r.values[name], v, r.objective is None) for _, r, v in known],
                name,
                log=space.log,
            )
        st.plotly_chart(drawn, key="study_curve", config=export.config("study_curve"), alt=f"objective at each {name}")
    _parallel(plan, rows)


def _settings(plan: StudyPlan, rows: Sequence[Row]) -> None:
    known = [r for r in rows if r.objective is not None]
    if not known:
        return
    explained = summary.mattered(rows)
    left, right = layout.side_by_side("study", [1, 1])
    with left:
        name = next(iter(plan.grid))
        if len(plan.grid) > 1:
            name = st.segmented_control(
                "Setting", list(plan.grid), default=name, key="study_setting", required=True, wrap=True
            )
        values = list(dict.fromkeys(r.values[name] for r in rows if name in r.values))
        lines = {
            METHOD_NAMES[m]: [[r.objective for r in known if r.method == m and r.values.get(name) == v] for v in values]
            for m in dict.fromkeys(r.method for r in known)
        }
        st.plotly_chart(
            charts.setting_curve(name, values, lines),
            key="study_curve",
            config=export.config("study_curve"),
            alt=f"objective at each {name}",
        )
        st.caption("Means over classes and seeds; bars: twice the standard error.")
    with right:
        if explained:
            st.plotly_chart(
                charts.mattered([(m.name, m.share) for m in explained]), key="study_mattered", config=export.config("study_mattered"),
                alt="; ".join(f"{m.name} {m.share:.0%}" for m in explained),
            )  # fmt: skip
            st.caption(
                f"{explained[0].name} explains most of the spread of {plural(len(known), 'run')} (η²: between-group over total sum of squares; shares "
                "of choices that act together do not add up to 100 %)."
            )
    _parallel(plan, rows)


def _parallel(plan: StudyPlan, rows: Sequence[Row]) -> None:
    """All settings at once, where there are several."""
    known = [r for r in rows if r.objective is not None]
    if len(plan.varied) > 1 and len(known) > 1:
        dimensions = [(name, [r.values.get(name, "–") for r in known]) for name in plan.varied]
        logarithmic = [name for name, space in plan.spaces().items() if space.log]
        st.plotly_chart(
            charts.parallel(dimensions, [r.objective for r in known], logarithmic=logarithmic), key="study_parallel",
            config=export.config("study_parallel"), alt="each run's settings and objective",
        )  # fmt: skip
        st.caption(
            "A line is a run, from its settings on the left to its objective on the right: blue is better, orange worse. Drag along an axis to keep "
            "the runs that cross it there; click the axis to have all again."
        )
