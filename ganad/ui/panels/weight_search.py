"""Which weights would training images choose? A map of AUROC over the influence of the parts; a click uses a point's weights."""

from __future__ import annotations

import numpy as np
import streamlit as st

from ganad.config import Weights
from ganad.evaluation import metrics
from ganad.service import RunInfo
from ganad.ui import charts
from ganad.ui.messages import guard
from ganad.ui.panels import export
from ganad.ui.panels.weights import scales_of
from ganad.ui.state import cache, current
from ganad.ui.state.session import marked
from ganad.ui.theme import layout

STEPS = {3: 12, 4: 8}
"""parts -> steps of the grid from no influence to all of it: 91 and 165 points."""


def advice(run: RunInfo) -> None:
    """The map, on demand: the model has to score training images of the other classes for it."""
    with st.container(border=True, key="advice"):
        left, right = layout.side_by_side("advice", [2, 3])
        with left:
            st.subheader("Weights by training images")
            st.markdown(
                "Weights that look best on the test set flatter themselves. This map uses other images: held-out normals "
                f"against *training* images of the other {run.kinds}, which the net has never seen. Click a point to use its weights."
            )
            shown = st.toggle("Show the map", key="advice_map", persist_state="session")
            if not shown:
                return
            with right, st.skeleton(height=380):
                anomalies = guard.or_none(cache.reference_anomalies, run.name)
            if anomalies is None:
                return
            areas, best = _areas_of(run), best_of(run)
            words = ", ".join(f"{p} {s:.2f}" for p, s in zip(run.settings.parts, best, strict=True))
            st.metric(
                "best on the map", f"{areas.max():.4f}", border=True, delta=words,
                delta_color="off", delta_arrow="off",
                help=f"The best of {len(areas)} points is a little flattered as well: it was picked on these images. Its AUROC on the test "
                "set, above, is what counts.",
            )  # fmt: skip
            st.button(
                "Use these weights", icon=":material/done:", key="advice_best", on_click=guard.callback(_weigh_best), args=(run,),
                type="primary",
            )  # fmt: skip
            st.caption(
                f"{len(cache.scores(run.name).val):,} held-out normals, {len(anomalies['residual']):,} training images of other {run.kinds}."
            )
        with right:
            influence = [w * s for w, s in zip(current.rule(run).weights, scales_of(run), strict=True)]
            st.plotly_chart(
                charts.influence_map(run.settings.parts, grid(run), areas, np.asarray(influence) / (sum(influence) or 1.0)), key="ternary",
                config=export.config("ternary"), on_select=guard.callback(lambda: _clicked(run)), selection_mode="points",
                alt=f"AUROC over the weights, best {areas.max():.4f} at {words}",
            )  # fmt: skip


def grid(run: RunInfo) -> np.ndarray:
    """(K, parts): the points of the map, each a division of the influence among the parts."""
    parts = len(run.settings.parts)
    return metrics.weight_grid(STEPS.get(parts, 6), parts)


def best_of(run: RunInfo) -> tuple[float, ...]:
    """The point of the map with the highest AUROC."""
    return tuple(grid(run)[int(np.argmax(_areas_of(run)))])


def _areas_of(run: RunInfo) -> np.ndarray:
    return _areas(run.name, cache.version(run.name), scales_of(run), tuple(map(tuple, grid(run))))


@cache.kept()
def _areas(name: str, version: int, scales: tuple[float, ...], points: tuple[tuple[float, ...], ...]) -> np.ndarray:
    """(K,) AUROC of each point of the map."""
    val, strange = cache.scores(name).val.parts, cache.reference_anomalies(name)
    return metrics.aurocs_over_weights(val, strange, [_weights(point, scales) for point in points])


def _weights(influence: tuple[float, ...], scales: tuple[float, ...]) -> Weights:
    """Raw weights whose largest influence is a whole slider."""
    most = max(influence)
    return tuple(float(s / most / k) if k else 0.0 for s, k in zip(influence, scales, strict=True))


def _clicked(run: RunInfo) -> None:
    points = [p for p in marked("ternary") if p.get("customdata") is not None]
    if points:
        row = points[0]["customdata"]
        _weigh(run, tuple(grid(run)[int(row[0] if isinstance(row, list) else row)]))


def _weigh_best(run: RunInfo) -> None:
    _weigh(run, best_of(run))


def _weigh(run: RunInfo, influence: tuple[float, ...]) -> None:
    """Put the weights of a point in force; the rule of the threshold goes back to the promise on held-out normals."""
    current.advise(run, _weights(influence, scales_of(run)))
