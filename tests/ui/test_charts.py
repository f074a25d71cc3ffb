"""Charts show the numbers that they were given: counts add up, no spike is lost, colours can be told apart."""

import tomllib
from itertools import combinations
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest

from ganad.ui import charts
from ganad.ui.charts import base
from ganad.web import colours

ROOT = Path(__file__).parents[2]
NAMED = ("NORMAL", "ANOMALOUS", "ENCODER", "GENERATOR", "DISCRIMINATOR", "THRESHOLD", "WRONG")


def trace(figure, name):
    """The one trace of that name."""
    (found,) = [t for t in figure.data if t.name == name]
    return found


def words(figure):
    """Whatever is written into the figure, as one text."""
    return " | ".join(a.text for a in figure.layout.annotations)


# --- histogram


def test_every_score_is_counted_once_even_far_in_the_tail():
    rng = np.random.default_rng(0)
    normal, anomalous = rng.gamma(2, 1, 1000), np.append(rng.gamma(4, 1, 500), [1e6, 2e6])
    binned = charts.bin_scores((normal, anomalous))
    assert [c.sum() for c in binned.counts] == [1000, 502]
    assert binned.edges[-1] < 100
    assert binned.clipped == (normal > binned.edges[-1]).sum() + (anomalous > binned.edges[-1]).sum() >= 2


def test_bins_are_common_equal_and_hold_what_lies_between_their_edges():
    values = np.array([0.0, 0.4, 0.6, 2.9])
    binned = charts.bin_scores((values,), bins=4, include=(3.0,))
    assert np.allclose(np.diff(binned.edges), 3.75 / 4)
    expected = [sum(a <= v < b for v in values) for a, b in zip(binned.edges, binned.edges[1:], strict=False)]
    assert binned.counts[0].tolist() == expected == [3, 0, 0, 1]


def test_the_threshold_is_inside_the_histogram_however_high_it_is():
    binned = charts.bin_scores((np.array([0.1, 0.2]),), include=(7.0,))
    assert binned.edges[0] <= 0.1
    assert binned.edges[-1] > 7.0


def test_equal_scores_and_no_scores_still_make_bins():
    binned = charts.bin_scores((np.full(9, 2.0), np.array([])))
    assert binned.edges[0] < 2 < binned.edges[-1]
    assert [c.sum() for c in binned.counts] == [9, 0]


def test_scores_that_are_not_finite_are_left_out_of_the_bins():
    binned = charts.bin_scores((np.array([0.0, 1.0, np.nan, np.inf]),))
    assert binned.counts[0].sum() == 2
    assert binned.clipped == 0


def test_each_class_of_the_histogram_has_area_one():
    rng = np.random.default_rng(1)
    figure = charts.histogram(rng.normal(5, 1, 100), rng.normal(9, 1, 9000), 7.0)
    for name in ("normal", "anomalous"):
        outline = trace(figure, name)
        assert np.isclose(np.trapezoid(outline.y, outline.x), 1.0)


def test_the_hover_text_of_a_bar_counts_both_classes():
    figure = charts.histogram(np.zeros(3), np.full(4, 10.0), 5.0)
    hover = trace(figure, "count").customdata
    assert "normal: 3 of 3 (100 %)" in hover[0]
    assert "anomalous: 0 of 4 (0 %)" in hover[0]
    assert any("anomalous: 4 of 4 (100 %)" in h for h in hover)


def test_the_axis_says_how_many_scores_its_last_bar_swallows():
    line = np.linspace(0, 1, 1000)
    figure = charts.histogram(line, np.append(line, 50.0), 0.5)
    assert "the last bar holds 1 above" in figure.layout.xaxis.title.text
    roomy = charts.histogram(np.arange(9.0), np.arange(9.0), 20.0)
    assert roomy.layout.xaxis.title.text == "score"
    assert roomy.layout.xaxis.range[1] > 20.0


def test_an_image_beyond_the_axis_is_pinned_to_its_end_with_its_true_score():
    figure = charts.histogram(np.linspace(0, 1, 100), np.array([]), 0.9, marked=55.0, marked_label="your digit")
    assert trace(figure, "marked").x[0] == figure.layout.xaxis.range[1]
    assert "<b>your digit</b> 55 →" in words(figure)


# --- curves


def test_the_operating_point_is_said_in_words():
    curve = charts.RocCurve(
        "a", np.array([0, 0.05, 1]), np.array([0, 0.9, 1]), 0.92, point=(0.05, 0.9), thresholds=np.array([np.inf, 3, 1])
    )
    figure = charts.roc([curve])
    assert "catches 90 %<br>at 5 % false alarms" in words(figure)
    assert "AUROC <b>0.920</b>" in words(figure)
    assert [h.split("<br>")[1] for h in trace(figure, "a").customdata] == ["threshold ∞", "threshold 3", "threshold 1"]


def test_several_curves_are_told_apart_by_name_area_and_colour():
    line = np.linspace(0, 1, 5)
    made = [
        charts.RocCurve(n, line, line**p, 1 / (p + 1), c)
        for n, p, c in (("one", 1, "#0072b2"), ("two", 0.5, "#b84d00"))
    ]
    figure = charts.roc(made)
    assert "one</b></span>  0.500" in words(figure)
    assert "two</b></span>  0.667" in words(figure)
    assert [trace(figure, n).line.color for n in ("one", "two")] == ["#0072b2", "#b84d00"]


def test_a_long_curve_is_thinned_without_losing_its_shape():
    fpr = np.linspace(0, 1, 20_000)
    figure = charts.roc([charts.RocCurve("a", fpr, np.sqrt(fpr), 2 / 3)])
    shown = trace(figure, "a")
    assert len(shown.x) <= 500
    assert (shown.x[0], shown.x[-1]) == (0, 1)
    assert np.abs(np.interp(fpr, shown.x, shown.y) - np.sqrt(fpr)).max() < 0.005


def test_precision_is_shown_beside_its_chance_level():
    figure = charts.precision_recall(np.array([0.9, 1.0]), np.array([1.0, 0.0]), 0.9, (0.8, 0.97))
    assert "chance: 90 % are anomalies" in words(figure)
    assert "precision <b>97 %</b>, recall <b>80 %</b>" in words(figure)


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"),
        (1, "100 %"),
        (0.5, "50 %"),
        (0.05, "5 %"),
        (0.053, "5.3 %"),
        (0.9963, "99.6 %"),
        (1e-5, "<0.1 %"),
        (0.99999, ">99.9 %"),
    ],
)
def test_almost_all_is_not_called_all(share, text):
    assert base._percent(share) == text


# --- one image


def test_the_parts_of_a_waterfall_begin_where_the_one_before_ends_and_the_last_is_the_score():
    parts = {
        "residual": {"value": 60.0, "weight": 0.9, "contribution": 54.0, "percentile": 99.2},
        "discrimination": {"value": 10.0, "weight": -1.0, "contribution": -10.0, "percentile": 3.0},
        "latent": {"value": 2.0, "weight": 3.0, "contribution": 6.0, "percentile": 50.0},
    }
    figure = charts.waterfall(parts, 40.0)
    assert [(trace(figure, p).base[0], trace(figure, p).x[0]) for p in parts] == [(0, 54), (54, -10), (44, 6)]
    assert trace(figure, "score").x == (50,)
    assert trace(figure, "residual").marker.color == colours.PARTS["residual"].both
    assert trace(figure, "score").marker.color == colours.ANOMALOUS.both
    assert trace(charts.waterfall(parts, 60.0), "score").marker.color == colours.NORMAL.both
    assert "above 99.2 % of normals" in words(figure)
    unweighed = charts.waterfall(parts | {"residual": parts["residual"] | {"weight": 0.0, "contribution": 0.0}}, 40.0)
    assert "weight 0; its 60: above 99.2 % of normals" in words(unweighed)


def test_each_dot_has_the_colour_of_its_verdict():
    figure = charts.score_strip([("8", 0.4, "normal"), ("3", 2.0, "anomalous"), ("4", 2.01, "anomalous")], 1.0)
    assert trace(figure, "normal").x.tolist() == [0.4]
    assert trace(figure, "anomalous").x.tolist() == [2.0, 2.01]
    assert trace(figure, "anomalous").y[0] != trace(figure, "anomalous").y[1]


def test_dots_on_one_level_do_not_touch():
    values = np.random.default_rng(3).random(40)
    levels = charts.stack(values, 0.1)
    for level in np.unique(levels):
        assert np.all(np.diff(np.sort(values[levels == level])) >= 0.1)


# --- training


def test_names_at_the_ends_of_lines_keep_their_order_and_their_distance():
    placed = charts.spread_apart([10.0, 0.0, 11.0, 100.0], gap=15)
    assert placed[3] == 100.0
    assert np.diff(sorted(placed[:3])).tolist() == [15, 15]
    assert placed[1] < placed[0] < placed[2]
    assert np.isclose(np.mean(placed[:3]), 7.0)


def test_a_search_is_drawn_as_the_best_score_over_its_paths():
    score, paths = np.array([5.0, 4.0, 4.0]), np.array([[5.0, 9.0], [4.0, 8.0], [6.0, np.nan]])
    figure = charts.descent(score, paths)
    *faint, bold = figure.data
    assert next(tuple(f.y) for f in faint) == (5.0, 4.0, 6.0)
    assert tuple(bold.y) == (5.0, 4.0, 4.0)
    low, high = figure.layout.yaxis.range
    assert low < 4.0
    assert high >= 8.0
    assert "4" in words(figure)


def test_a_baseline_is_dashed_and_thinner_than_a_run():
    line = np.linspace(0, 1, 9)
    run, base = charts.RocCurve("run", line, line, 0.9), charts.RocCurve("PCA", line, line, 0.8, baseline="dash")
    _, drawn, dashed = charts.roc([run, base]).data
    assert (drawn.line.dash, dashed.line.dash) == ("solid", "dash")
    assert dashed.line.width < drawn.line.width


# --- the look


def every_figure():
    line = np.linspace(0, 1, 9)
    yield charts.histogram(line, line + 1, 0.9, marked=0.2)
    yield charts.roc([charts.RocCurve("a", line, line, 0.5, point=(0.1, 0.1))])
    yield charts.precision_recall(line, line, 0.5, (0.5, 0.5))
    yield charts.waterfall({"latent": {"value": 1.0, "weight": 1.0, "contribution": 1.0, "percentile": 50.0}}, 0.5)
    yield charts.score_strip([("a long label", 0.5, "normal")], 1.0)
    yield charts.descent(np.array([3.0, 2.0, 1.0]), np.array([[3.0], [2.5], [1.0]]))


def test_every_figure_is_see_through_has_no_legend_and_its_own_height():
    for figure in every_figure():
        assert isinstance(figure, go.Figure)
        assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0,0,0,0)"
        assert figure.layout.showlegend is False
        assert figure.layout.height > 100


# --- colours


def theme():
    return tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]


def test_contrast_is_the_one_of_the_standard():
    assert np.isclose(colours.contrast("#000000", "#ffffff"), 21.0)
    assert np.isclose(colours.contrast("#777777", "#777777"), 1.0)
    assert round(colours.contrast("#767676", "#ffffff"), 2) == 4.54  # the well-known lightest grey for text on white


@pytest.mark.parametrize("name", NAMED)
def test_every_colour_is_readable_on_the_pages_that_it_is_meant_for(name):
    colour = getattr(colours, name)
    for variant, shown_on in (("light", ("light",)), ("dark", ("dark",)), ("both", ("light", "dark"))):
        for mode in shown_on:
            for ground in ("backgroundColor", "secondaryBackgroundColor"):
                least = 3.0 if variant == "both" else 4.4  # shapes and large words; small words
                assert colours.contrast(getattr(colour, variant), theme()[mode][ground]) >= least, (
                    variant,
                    mode,
                    ground,
                )


def test_words_and_charts_of_streamlit_have_the_same_colours():
    for name in NAMED:
        colour = getattr(colours, name)
        for mode in ("light", "dark"):
            assert theme()[mode][f"{colour.name}Color"] == getattr(colour, mode)
            assert theme()[mode][f"{colour.name}TextColor"] == getattr(colour, mode)


def test_text_and_white_on_buttons_are_readable():
    for mode in ("light", "dark"):
        page = theme()[mode]
        assert colours.contrast(page["textColor"], page["backgroundColor"]) > 12
        assert colours.contrast(page["primaryColor"], "#ffffff") > 4.2
        assert colours.contrast(page["primaryColor"], page["backgroundColor"]) > 3


# Linear-light matrices of Machado, Oliveira and Fernandes (2009), severity 1.
COLOUR_BLIND = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
}


def lab(linear):
    """CIE L*a*b* of linear sRGB, white D65."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    t = to_xyz @ np.clip(linear, 0, 1) / np.array([0.9505, 1.0, 1.089])
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("kind", COLOUR_BLIND)
@pytest.mark.parametrize("variant", ["light", "dark", "both"])
def test_colours_that_meet_in_one_chart_differ_for_the_colour_blind(kind, variant):
    def seen(colour):
        value = np.array(colours.rgb(getattr(colour, variant))) / 255
        return lab(
            np.array(COLOUR_BLIND[kind]) @ np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
        )

    verdicts = list(colours.VERDICTS.values())
    for group, least in ((verdicts, 60), (list(colours.PLAYERS.values()), 14), ([colours.RIGHT, colours.WRONG], 14)):
        for a, b in combinations(group, 2):
            assert np.linalg.norm(seen(a) - seen(b)) > least, (a, b)


def test_runs_have_colours_that_mean_nothing_else_and_can_be_told_apart():
    def seen(colour, matrix=((1, 0, 0), (0, 1, 0), (0, 0, 1))):
        value = np.array(colours.rgb(colour)) / 255
        return lab(np.array(matrix) @ np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4))

    meant = [*colours.VERDICTS.values(), *colours.PLAYERS.values(), colours.WRONG]
    for run in colours.RUNS:
        assert min(colours.contrast(run, ground) for ground in (colours.LIGHT_BACKGROUND, colours.DARK_BACKGROUND)) > 3
        assert all(np.linalg.norm(seen(run) - seen(c.both)) > 22 for c in meant), run
    for a, b in combinations(colours.RUNS, 2):
        assert np.linalg.norm(seen(a) - seen(b)) > 28, (a, b)
        assert all(np.linalg.norm(seen(a, m) - seen(b, m)) > 14 for m in COLOUR_BLIND.values()), (a, b)
