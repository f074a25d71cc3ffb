"""A study on Compare: a matrix that fills while it runs, what its settings do, and its best run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from ganad import service
from ganad.config import METHOD_NAMES
from ganad.studies import objective, process, store, summary
from ganad.studies.plan import StudyPlan
from ganad.studies.summary import Row
from ganad.ui.charts import studies as charts
from ganad.ui.messages import guard, notices
from ganad.ui.messages.escape import markdown, plain
from ganad.ui.panels import export, shared_server
from ganad.ui.state import address
from ganad.ui.theme import layout
from ganad.wording import plural

NONE = "none"


def show() -> None:
    """The choice of a study, where there are any, and what the chosen one says."""
    there = [study.name for study in guard.or_none(store.listing) or []]
    if not there:
        return
    asked = address.study()
    names = [NONE, *there]
    chosen = st.selectbox(
        "Study", names, index=names.index(asked) if asked in there else 0, key="study", persist_state="session",
        format_func=lambda n: "No study: compare single runs" if n == NONE else n,
        help="Runs that were begun together, by `python -m ganad sweep` or by Several runs on the Train page.",
    )  # fmt: skip
    if chosen == NONE:
        return
    study = store.root() / chosen
    with st.container(border=True):
        live = process.at_work(study)
        guard.fragment(_study, run_every=3.0 if live else None)(chosen, live)


def _study(name: str, live: bool) -> None:
    study = store.root() / name
    plan, rows = store.plan_of(study), summary.rows(study)
    counts = summary.counts(rows)
    done = counts.get("finished", 0)
    working = process.at_work(study)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(plain(name))
        words = ", ".join(f"{n} {state}" for state, n in counts.items())
        notices.caption(f"{words}; {summary.core_hours(rows):.2f} core-hours so far")
    st.progress(sum(row.share for row in rows) / max(1, len(rows)))
    if not shared_server.readonly():
        if working:
            st.button(
                "Stop the study", icon=":material/stop:", key="study_stop", on_click=guard.callback(_stop), args=(name,)
            )
        elif done < len(rows):
            st.button(
                "Go on", icon=":material/play_arrow:", key="study_go_on", on_click=guard.callback(_go_on), args=(name,)
            )
    st.plotly_chart(
        _matrix(rows),
        key="study_matrix",
        config=export.config("study_matrix"),
        alt=f"{done} of {len(rows)} runs finished",
    )
    st.caption(f"Mean {objective.IN_WORDS}. While it fills, how many runs are done.")
    _best(rows)
    if plan.grid:
        _settings(plan, rows)
    if live and not working:
        st.rerun()


def _stop(name: str) -> None:
    process.stop(store.root() / name)


def _go_on(name: str) -> None:
    process.go_on(store.root() / name)


def _words(row: Row) -> str:
    return service.digits_in_words(row.normal)


def _matrix(rows: Sequence[Row]):
    methods, classes = list(dict.fromkeys(r.method for r in rows)), list(dict.fromkeys(_words(r) for r in rows))
    cells = []
    for method in methods:
        line = []
        for name in classes:
            own = [r for r in rows if r.method == method and _words(r) == name]
            known = [r.objective for r in own if r.objective is not None]
            runs = ", ".join(r.run for r in own if r.run)
            line.append(
                charts.Cell(
                    float(np.mean(known)) if known else None,
                    sum(r.state == "finished" for r in own),
                    len(own),
                    runs[:200],
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
        markdown("Best: **{}**, {}, normal {}, seed {}{}: objective **{}**", best.run, METHOD_NAMES[best.method], _words(best), best.seed, varied, f"{best.objective:.4f}")
        + tested
        + "."
    )  # fmt: skip
    st.page_link(
        "pages/3_Evaluate.py", label="Open it in Evaluate", icon=":material/monitoring:", query_params={"run": best.run}
    )


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
    if len(plan.grid) > 1 and len(known) > 1:
        dimensions = [(name, [r.values.get(name, "–") for r in known]) for name in plan.grid]
        st.plotly_chart(
            charts.parallel(dimensions, [r.objective for r in known]), key="study_parallel", config=export.config("study_parallel"),
            alt="each run's settings and objective",
        )  # fmt: skip
