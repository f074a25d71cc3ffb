"""Every chart of the dashboard: plain numbers in, a Plotly figure out. A module a question.

Backgrounds are transparent and words take the colour of the page, so each figure is right on the light theme and on
the dark one. Show them with `st.plotly_chart(figure, config=charts.CONFIG)`; width is the column's, height is the
figure's. Lines are named where they run, so there is no legend to look up.
"""

from ganad.ui.charts.base import CONFIG, spread_apart
from ganad.ui.charts.comparison import (
    PASSES,
    DigitCurve,
    Standing,
    agreement,
    digit_curves,
    digit_dots,
    matrix,
    standings,
    trade,
)
from ganad.ui.charts.curves import PrecisionCurve, RocCurve, precision_recall, precision_recalls, roc, roc_with_player
from ganad.ui.charts.diagnosis import finding
from ganad.ui.charts.influence import influence_map
from ganad.ui.charts.scores import BINS, Bins, bin_scores, histogram, score_strip, stack, waterfall
from ganad.ui.charts.training import descent

__all__ = [
    "BINS",
    "CONFIG",
    "PASSES",
    "Bins",
    "DigitCurve",
    "PrecisionCurve",
    "RocCurve",
    "Standing",
    "agreement",
    "bin_scores",
    "descent",
    "digit_curves",
    "digit_dots",
    "finding",
    "histogram",
    "influence_map",
    "matrix",
    "precision_recall",
    "precision_recalls",
    "roc",
    "roc_with_player",
    "score_strip",
    "spread_apart",
    "stack",
    "standings",
    "trade",
    "waterfall",
]
