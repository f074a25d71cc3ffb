"""What the reader has done, out of the session."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ganad.service import RunInfo
from ganad.ui.lessons.steps import Seen, TrainedRun
from ganad.ui.state import cache, current
from ganad.ui.state.session import held, memory

CLAIM = "lesson_drawn"
"""Key of the widget that asks what was drawn."""


def seen(run: RunInfo | None) -> Seen:
    """As it stands at this moment, also in the middle of a fragment."""
    m = memory()
    trained = frozenset(
        TrainedRun(r.name, r.settings.contamination, r.settings.limit)
        for r in cache.list_runs()
        if r.state == "finished" and not r.shipped
    )
    drawing, called = m.explained or ("", "")
    now = Seen(
        page=m.page, trained=trained, drawing=drawing, drawing_called=called, claimed=held(CLAIM) or "", racing=held("watch") == "race"
    )  # fmt: skip
    if run is None or run.state != "finished":
        return now
    view = current.view(run)
    image = view.selection.image
    at = np.flatnonzero(view.scores.test.index == image) if image is not None else []
    more = {}
    if len(at):
        row = int(at[0])
        more = {
            "image": image,
            "image_is_anomalous": bool(view.scores.anomalous[row]),
            "image_called_anomalous": bool(view.test[row] > view.threshold),
            "image_class": run.class_name(int(view.scores.test.digit[row])),
        }
    return replace(
        now, run=run.name, method=run.method, searches=run.settings.scores_by_search, weights=view.weights, usual_weights=run.weights,
        threshold=view.rule.threshold_rule, **more,
    )  # fmt: skip
