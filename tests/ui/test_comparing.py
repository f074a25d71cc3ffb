"""Compare's views, without a browser: what they say is what the reports and scores say."""

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_curve

from ganad import service
from ganad.config import PARTS
from ganad.evaluation import comparison, metrics, thresholds
from ganad.evaluation.agreement import verdicts
from ganad.runs import run_directory
from ganad.training import throughput
from ganad.ui import charts
from ganad.ui.panels import agreement, run_comparison
from ganad.ui.views import compare_runs
from tests.conftest import SHIPPED, put_failed, put_finished
from tests.test_pages import opened, words


def put_like(folder, called, source="ganomaly", noise=0.0, most=None, **asked):
    """A finished run with other settings, its scores shaken: noise in units of the scores' own logarithm."""
    run = put_finished(folder, called)
    found = run_directory.read_scores(SHIPPED[source])
    config = json.loads((SHIPPED[source] / "config.json").read_text()) | asked
    run_directory.write_json(run / "config.json", config)
    rng = np.random.default_rng(int(called[:4]))
    sets = {}
    for which, s in (("val", found.val), ("test", found.test)):
        rows = np.sort(rng.permutation(len(s))[: most if which == "test" else None])
        shaken = {p: (s.parts[p] * np.exp(noise * rng.normal(size=len(s))))[rows] for p in PARTS}
        sets[which] = shaken | {"digit": s.digit[rows], "index": s.index[rows], "z": s.z[rows]}
    run_directory.write_scores(run, sets)
    w, test = run_directory.settings(run).weights, sets["test"]
    at = thresholds.threshold_for(metrics.total(sets["val"], w))
    e = metrics.evaluate(test, test["digit"], run_directory.settings(run).normal, w, at)
    run_directory.write_json(run / "report.json", metrics.report(e, w))
    return run


def view(at, name):
    at.segmented_control(key="view").set_value(name).run()
    assert not at.exception, at.exception[0].stack_trace
    return words(at)


@pytest.fixture
def three(runs_dir):
    return [
        put_like(runs_dir, "0001-ganomaly-n8-s0", noise=0.4),
        put_like(runs_dir, "0002-ganomaly-n8-s1", noise=0.4, seed=1),
        put_like(runs_dir, "0003-egbad-n8-s0", "egbad", most=3000, name="two<b>nets"),
    ]


def test_every_view_opens_with_runs_of_one_task(three):
    at = opened("pages/5_Compare.py")
    for name in at.segmented_control(key="view").options:
        assert view(at, name)


def test_precision_drawn_from_a_roc_curve_is_scikit_learn_s(three):
    found = service.scores(three[0].name)
    score = metrics.total(found.test.parts, service.run_info(three[0].name).weights)
    fpr, tpr, _ = roc_curve(found.anomalous, score, drop_intermediate=False)
    my_recall, my_precision, area = metrics.precision_recall_of_roc(fpr, tpr, found.anomalous.mean())
    precision, recall, _ = precision_recall_curve(found.anomalous, score)
    assert my_precision == pytest.approx(precision[-2::-1])
    assert my_recall == pytest.approx(recall[-2::-1])
    assert area == pytest.approx(average_precision_score(found.anomalous, score))


def test_curves_are_those_of_the_weights_in_force_and_marked_when_the_test_set_was_looked_at(three):
    name = three[1].name
    found = service.scores(name)
    alone = metrics.auroc(found.anomalous, metrics.total(found.test.parts, (1, 0, 0)))
    usual = service.run_info(name).report["auroc"]
    at = opened("pages/5_Compare.py", run=name)
    assert f"{usual:.4f}" in words(at)
    assert "those that were set on Evaluate" not in words(at)
    at = opened("pages/5_Compare.py", run=name, w="1,0,0")
    assert f"{alone:.4f}" in words(at)
    assert "those that were set on Evaluate" in words(at)
    assert any("badge" in m.value and "chosen while looking" in m.value for m in at.markdown)


def test_each_small_curve_is_that_of_its_digit_and_its_area_that_of_the_report(three):
    at = opened("pages/5_Compare.py", run=three[0].name)
    view(at, "Digits")
    at.segmented_control(key="digit_view").set_value("Curves").run()
    (figure,) = [json.loads(c.proto.spec) for c in at.get("plotly_chart")]
    report = service.run_info(three[0].name).report["per_digit"]
    assert len(figure["data"]) == 9 * 3
    areas = {w for a in figure["layout"]["annotations"] for w in re.findall(r"0\.\d{3}|1\.000", a["text"])}
    assert {f"{of['auroc']:.3f}" for of in report.values() if not of["normal"]} <= areas


def test_precision_is_an_overlay_too_and_says_what_guessing_reaches(three):
    at = opened("pages/5_Compare.py", run=three[0].name)
    at.segmented_control(key="curve").set_value("Precision, recall").run()
    assert not at.exception
    (figure,) = [json.loads(c.proto.spec) for c in at.get("plotly_chart")]
    names = {t["name"] for t in figure["data"]}
    assert "chance" in names
    assert len(names) >= 4


def test_the_settings_that_differ_are_shown_and_no_others(three):
    said = view(opened("pages/5_Compare.py"), "Settings")
    for key in ("epochs", "latent", "batch_size", "weights", "seed", "method"):
        assert f"<code style='font-size:.88rem'>{key}</code>" in said
    assert "image_size" not in said.split("Of EGBAD")[0]
    assert "two&lt;b&gt;nets" in said
    assert "two<b>nets" not in said


def test_seeds_are_put_together_and_their_gap_is_called_noise(runs_dir):
    for i in range(3):
        put_like(runs_dir, f"000{i + 1}-ganomaly-n8-s{i}", noise=0.3, seed=i)
        put_like(runs_dir, f"000{i + 4}-ganomaly-n8-s{i}", noise=0.3, seed=i, epochs=13)
    at = opened("pages/5_Compare.py")
    at.session_state[compare_runs.table_key(service.list_runs(), service.list_runs()[0])] = {
        "selection": {"rows": list(range(6))}
    }
    said = view(at, "Significance")
    assert said.count("no difference beyond the noise") == 1
    assert "3 seeds" in said


def test_a_speed_that_was_never_measured_is_said_so_and_one_that_was_is_drawn(three, runs_dir):
    at = opened("pages/5_Compare.py")
    shutil.rmtree(runs_dir / ".speed")
    said = view(at, "Speed")
    assert "Not yet measured on this machine" in said
    assert at.button(key="measure")
    assert not at.get("plotly_chart")
    for run in three:
        where = throughput.memory(run_directory.settings(run))
        where.parent.mkdir(exist_ok=True)
        run_directory.write_json(where, {"float32": 1000.0, "bf16": None, "score": 4000.0, "fit": None})
    assert service.scoring_ms(run_directory.settings(three[0])) == 0.25
    assert "Not yet measured" not in view(at, "Speed")
    assert at.get("plotly_chart")


def test_runs_of_another_task_are_left_out_by_name(three, runs_dir):
    put_like(runs_dir, "0000-ganomaly-n3-s0", normal=[3])
    at = opened("pages/5_Compare.py")
    assert "Left out" not in view(at, "Agreement"), "at first only runs with the picked one's task are ticked"
    all_four = {"selection": {"rows": [i for i, r in enumerate(service.list_runs()) if not r.shipped]}}
    picked = next(r for r in service.list_runs() if r.name == at.selectbox(key="run").value)
    at.session_state[compare_runs.table_key(service.list_runs(), picked)] = all_four
    assert "Left out, since they do another task: GANomaly · 3 · tuned · 0000" in view(at, "Agreement")


def test_one_run_is_no_jury(runs_dir):
    put_finished(runs_dir)
    assert "at least two runs" in view(opened("pages/5_Compare.py"), "Agreement")


def test_the_matrix_waits_for_three_digits_and_shows_what_the_reports_say(runs_dir):
    for d in (8, 3):
        put_like(runs_dir, f"000{d}-ganomaly-n{d}-s0", normal=[d])
    assert "at least 3 finished runs" in view(opened("pages/5_Compare.py"), "All digits")
    put_like(runs_dir, "0005-ganomaly-n5-s0", normal=[5])
    put_like(runs_dir, "0009-ganomaly-n8-s0", normal=[8], noise=3.0)
    at = opened("pages/5_Compare.py")
    said = view(at, "All digits")
    assert "0, 1, 2, 4, 6, 7 and 9" in said
    found = run_comparison.one_digit_runs(service.list_runs())
    assert {d: r.name[:4] for d, r in found["ganomaly"].items()} == {8: "0009", 5: "0005", 3: "0003"}
    (chart,) = at.get("plotly_chart")
    cells = json.loads(chart.proto.spec)["data"][0]["text"]
    reports = {d: r.report["per_digit"] for d, r in found["ganomaly"].items()}
    for normal, row in enumerate(cells):
        for digit, cell in enumerate(row):
            known = normal in reports and digit != normal
            assert cell == (f"{reports[normal][str(digit)]['auroc']:.3f}".lstrip("0") if known else "")


# --- agreement


def asked(paths):
    return verdicts([(run_directory.read_scores(p), service.run_info(p.name).weights) for p in paths])


def test_agreement_joins_images_by_their_index_and_judges_each_run_by_its_own_threshold(three):
    v = asked(three)
    assert v.called.shape == v.percentile.shape == (3, 3000)
    first, last = (run_directory.read_scores(three[i]).test for i in (0, 2))
    np.testing.assert_array_equal(np.sort(first.index[v.rows]), np.sort(last.index))
    np.testing.assert_array_equal(v.anomalous, first.digit[v.rows] != 8)
    report = run_directory.read_json(three[2] / "report.json")
    assert v.called[2][v.anomalous].mean() == pytest.approx(report["hit_rate"])
    assert comparison.weighted_aurocs(v.anomalous, v.score[2], np.ones((1, 3000)))[0] == pytest.approx(report["auroc"])


def test_the_most_disputed_image_comes_first_and_the_same_run_twice_has_nothing_to_dispute(three):
    v = asked(three)
    assert v.dispute.max() == max(abs(a - b) for a, b in zip(v.percentile.min(0), v.percentile.max(0), strict=True))
    twice = asked([three[0], three[0]])
    assert twice.dispute.max() == 0
    assert twice.rank_correlations()[0, 1] == pytest.approx(1)
    at = opened("pages/5_Compare.py")
    said = view(at, "Agreement")
    cards = said.split("minmax(255px,1fr))")[1]
    assert cards.count("<img ") == agreement.CARDS
    top = v.percentile[::-1, np.argmax(v.dispute)]  # the newest run is drawn first
    firsts = [f">{p:.0f}</span>" for p in top]
    at_ = [cards.index(f) for f in firsts]
    assert max(at_) < cards.index("<img ", cards.index("<img ") + 1)


# --- charts


def test_each_dot_is_the_area_of_its_digit_and_no_two_runs_lie_on_each_other():
    figure = charts.digit_dots(
        [("a", "#111111", {"0": 0.9, "3": 0.8}), ("b", "#222222", {"0": 0.9, "3": 0.4})], ["0", "1", "3"]
    )
    a, b = (t for t in figure.data if t.name)
    assert list(a.x) == [0.9, 0.8]
    assert list(b.x) == [0.9, 0.4]
    assert not set(a.y) & set(b.y)
    assert figure.layout.xaxis.range[0] <= 0.4
    assert list(figure.layout.yaxis.ticktext) == ["0", "3"]


def test_a_class_that_two_data_sets_number_differently_is_told_once():
    """One has Shirt as its class 0, the other as its class 2."""
    run = next(r for r in service.list_runs() if r.name == "ganomaly-n8")
    of = {"auroc": 0.9, "normal": False}
    shown = [
        run_comparison.Shown(
            replace(run, classes=names, report={"per_digit": dict.fromkeys(map(str, range(3)), of)}), "a", "#111111"
        )
        for names in (("Shirt", "Bag", "Coat"), ("Coat", "Bag", "Shirt"))
    ]
    assert run_comparison._anomalous(shown) == ["Coat", "Shirt", "Bag"]


def test_standings_show_every_seed_the_interval_and_where_nothing_lies():
    groups = [
        charts.Standing("best", "#111111", (0.9, 0.92), None),
        charts.Standing("other", "#222222", (0.85,), (-0.06, -0.08, -0.04)),
    ]
    figure = charts.standings(groups)
    dots = {t.name: t for t in figure.data if t.name}
    assert list(dots["best"].x) == [0.9, 0.92]
    assert list(dots["gap of other"].x) == [-0.06]
    assert figure.layout.xaxis2.range[0] < -0.08 < 0 < figure.layout.xaxis2.range[1]
    assert figure.layout.xaxis.range[0] < 0.85
    assert "0.9100 ± 0.0141" in " ".join(a.text for a in figure.layout.annotations)


def test_names_beside_points_that_lie_together_do_not():
    figure = charts.trade([("a", "#111111", 0.2, 0.95), ("b", "#222222", 0.2, 0.95), ("c", "#333333", 20.0, 0.8)])
    y = [a.y for a in figure.layout.annotations]
    low, high = figure.layout.yaxis.range
    assert abs(y[0] - y[1]) >= (high - low) / 16
    assert all(figure.layout.xaxis.range[0] < np.log10(t.x[0]) < figure.layout.xaxis.range[1] for t in figure.data)


def test_cells_of_the_matrix_are_redder_the_lower_and_empty_where_nothing_is_known():
    areas = np.full((10, 10), np.nan)
    areas[8, 1], areas[8, 2], areas[8, 3] = 0.5, 0.9, 1.0
    cells, to_click = charts.matrix(areas, {8: "run"}).data
    assert [list(at) for at in to_click.customdata] == [[8, 1], [8, 2], [8, 3]]
    assert cells.z[8][1] == 1 > cells.z[8][2] > cells.z[8][3] == 0
    assert np.isnan(cells.z[0]).all()
    assert [cells.text[8][j] for j in (0, 1, 2, 3)] == ["", ".500", ".900", "1.000"]


def test_at_first_only_runs_with_the_picked_one_s_task_are_ticked_and_itself_always(runs_dir):
    for n in range(5):
        put_like(runs_dir, f"000{n + 1}-ganomaly-n8-s{n}", seed=n)
    put_like(runs_dir, "0006-ganomaly-n3-s0", normal=[3])
    runs = compare_runs.in_order(service.list_runs(), None)

    def ticked(name):
        picked = next(r for r in runs if r.name == name)
        shown = compare_runs.in_order(runs, picked)
        return {shown[i].name for i in compare_runs.first_ticks(shown, picked)}

    assert ticked("0006-ganomaly-n3-s0") == {"0006-ganomaly-n3-s0"}
    first = ticked("0001-ganomaly-n8-s0")
    assert "0001-ganomaly-n8-s0" in first
    assert len(first) == 4
    assert "0006-ganomaly-n3-s0" not in first
    said = words(opened("pages/5_Compare.py", run="0006-ganomaly-n3-s0"))
    assert "different digits normal" not in said
    assert "GANomaly · 3 · tuned · 0006" in said
    assert "GANomaly · 8" not in said


def test_a_run_without_results_stands_last_with_a_dash_and_is_not_ticked(runs_dir):
    put_finished(runs_dir, "0001-ganomaly-n8-s0")
    put_failed(runs_dir, "0002-ganomaly-n8-s0")
    at = opened("pages/5_Compare.py", run="0002-ganomaly-n8-s0")
    table = at.dataframe[0]
    assert list(table.value["run"]) == ["0001-ganomaly-n8-s0", "0002-ganomaly-n8-s0"]
    assert table.proto.placeholder == "–"
    assert "GANomaly · 8 · tuned · 0001" in words(at)
