"""The mixer's arithmetic, its own modules in a real browser, beside Python's."""

import base64
import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from ganad import service
from ganad.config import PARTS
from ganad.evaluation import bootstrap, metrics, thresholds
from ganad.ui.charts import scores as charts
from ganad.ui.state.decision_rule import DecisionRule
from ganad.web.weights_mixer import files
from ganad.wording import number

RUN = "ganomaly-n8"


def encoded(raw):
    return base64.b64encode(raw).decode()


NAMES = "floats, bytes, total, thresholdFor, count, roc, room, cheapest, bestF1, meanAndSpread, standardUnits, RAW, draws, bandOf, range, bin, BARS, thresholdInWords, number"
MODULE = encoded(f"{files.MODULE}\nexport {{ {NAMES} }};".encode())
JUDGE = """async ([source, test, val, anomalous, weights, share, corners]) => {
  const m = await import("data:text/javascript;base64," + source);
  const parts = test.map(m.floats), held = val.map(m.floats), truth = m.bytes(anomalous), n = truth.length;
  const score = m.total(parts, weights, new Float64Array(n));
  const [normal, odd] = [0, 1].map((k) => score.filter((_, i) => truth[i] === k).sort());
  const threshold = m.thresholdFor(m.total(held, weights, new Float64Array(held[0].length)).sort(), share);
  const curve = m.roc(normal, odd, m.room(n));
  return { area: curve.area, threshold: String(threshold), counts: m.count(normal, odd, threshold),
           cheap: [0.01, 0.5, 1, 10, 100].map((ratio) => curve.at[m.cheapest(curve, ratio)]), f1: curve.at[m.bestF1(curve)],
           ...(corners && { fp: [...curve.fp.slice(0, curve.length)], tp: [...curve.tp.slice(0, curve.length)],
                            at: [...curve.at.slice(0, curve.length - 1)] }) };
}"""


@pytest.fixture(scope="module")
def blank(context):
    """A tab without any page, for what the module of the numbers computes."""
    made = context.new_page()
    yield made
    made.close()


def in_the_browser(page, parts, val, anomalous, weights, share, corners=False):
    """What the mixer makes of these; with the corners of the curve if asked for, which are thousands."""
    texts = [[encoded(np.asarray(of[p], "<f4").tobytes()) for p in PARTS] for of in (parts, val)]
    flags = encoded(anomalous.astype(np.uint8).tobytes())
    return page.evaluate(JUDGE, [MODULE, *texts, flags, list(weights), share, corners])


def in_python(parts, val, anomalous, weights, share):
    """AUROC, threshold and counts of the parts as they travelled, in float32."""
    parts, val = ({p: of[p].astype(np.float32) for p in PARTS} for of in (parts, val))
    score = metrics.total(parts, weights)
    threshold = thresholds.threshold_for(metrics.total(val, weights), share)
    called = score > threshold
    counts = {
        "tp": int((anomalous & called).sum()),
        "fn": int((anomalous & ~called).sum()),
        "fp": int((~anomalous & called).sum()),
        "tn": int((~anomalous & ~called).sum()),
    }
    return roc_auc_score(anomalous, score), threshold, counts, score


WEIGHTS = [(0, 0, 1), (1, 0, 0), (0, 1, 0), (0.9, 0.1, 0), (1e-3, 0.02, 1), (0.3, 70.0, 1234.5)]


@pytest.mark.parametrize("share", [0.005, 0.05, 0.2])
@pytest.mark.parametrize("weights", WEIGHTS, ids=str)
def test_area_threshold_and_counts_are_python_s(blank, weights, share):
    found = service.scores(RUN)
    given = (found.test.parts, found.val.parts, found.anomalous, weights, share)
    area, threshold, counts, _ = in_python(*given)
    seen = in_the_browser(blank, *given)
    assert seen["area"] == pytest.approx(area, abs=1e-6)
    assert float(seen["threshold"]) == pytest.approx(threshold, rel=1e-6)
    assert seen["counts"] == counts


@pytest.mark.parametrize("weights", WEIGHTS)
def test_the_cheapest_line_and_that_of_the_best_f1_are_python_s(blank, weights):
    found = service.scores(RUN)
    seen = in_the_browser(blank, found.test.parts, found.val.parts, found.anomalous, weights, 0.05)
    score = in_python(found.test.parts, found.val.parts, found.anomalous, weights, 0.05)[3]
    assert seen["cheap"] == [thresholds.min_cost_threshold(score, found.anomalous, r) for r in (0.01, 0.5, 1, 10, 100)]
    assert seen["f1"] == thresholds.best_f1_threshold(score, found.anomalous)


@pytest.mark.parametrize("weights", WEIGHTS)
def test_standardised_units_are_python_s(blank, weights):
    val = service.scores(RUN).val.parts
    units = blank.evaluate(
        """async ([source, val, weights]) => {
          const m = await import("data:text/javascript;base64," + source), usually = val.map((v) => m.meanAndSpread(m.floats(v)));
          const units = m.standardUnits(usually, weights);
          return [units.shift, units.unit, units.shown(12), units.score(units.shown(12))];
        }""",
        [MODULE, [encoded(np.asarray(val[p], "<f4").tobytes()) for p in PARTS], list(weights)],
    )  # fmt: skip
    expected = metrics.standard_units(val, weights)
    assert units == pytest.approx([expected.shift, expected.unit, expected.shown(12), 12], rel=1e-6)


@pytest.mark.parametrize("weights", [(0, 0, 1), (0.9, 0.1, 0)], ids=str)
def test_the_band_of_other_test_sets_is_python_s_but_for_the_draws(blank, weights):
    found = service.scores(RUN)
    score, truth = metrics.total(found.test.parts, weights), found.anomalous
    band = blank.evaluate(
        """async ([source, normal, anomalous]) => {
          const m = await import("data:text/javascript;base64," + source);
          const sorted = [normal, anomalous].map((s) => Float64Array.from(s).sort());
          return m.bandOf(...sorted, m.draws(normal.length, anomalous.length));
        }""",
        [MODULE, score[~truth].tolist(), score[truth].tolist()],
    )  # fmt: skip
    expected, others = bootstrap.band(score, truth), bootstrap.band(score, truth, seed=1)
    slack = 3 * max(abs(expected.low - others.low), abs(expected.high - others.high), 3e-4)
    assert band["area"] == pytest.approx([expected.low, expected.high], abs=slack)
    fpr, low, high = np.array(band["curve"]).T
    assert fpr == pytest.approx(expected.fpr)
    assert np.abs(low - expected.tpr_low).mean() < 0.005
    assert np.abs(high - expected.tpr_high).mean() < 0.005


def test_every_promise_on_the_slider_gives_the_same_place_whatever_the_number_of_held_out_images(blank):
    sizes, shares = [19, 99, 199, 585, 999], [0.01 * 0.5 * k for k in range(1, 41)]
    script = """async ([source, sizes, shares]) => {
      const m = await import("data:text/javascript;base64," + source);
      return sizes.map((n) => shares.map((a) => String(m.thresholdFor(Float64Array.from({ length: n }, (_, i) => i), a))));
    }"""
    seen = blank.evaluate(script, [MODULE, sizes, shares])
    for n, row in zip(sizes, seen, strict=True):
        assert [float(t) for t in row] == [thresholds.threshold_for(np.arange(n), a) for a in shares]


def test_equal_scores_count_half_and_a_threshold_that_many_share_is_not_above_itself(blank):
    rng = np.random.default_rng(0)
    anomalous = rng.random(500) < 0.6
    parts = {p: rng.integers(0, 4, 500) + anomalous for p in PARTS}
    val = {p: rng.integers(0, 4, 99) for p in PARTS}
    area, threshold, counts, score = in_python(parts, val, anomalous, (1, 2, 0), 0.05)
    assert len(np.unique(score)) < 15
    seen = in_the_browser(blank, parts, val, anomalous, (1, 2, 0), 0.05, corners=True)
    assert seen["area"] == pytest.approx(area, abs=1e-12)
    assert float(seen["threshold"]) == threshold
    assert seen["counts"] == counts
    # each corner of the curve holds what lies above its threshold
    for fp, tp, at in zip(seen["fp"], seen["tp"], seen["at"], strict=False):
        assert (fp, tp) == (int((score > at)[~anomalous].sum()), int((score > at)[anomalous].sum()))
    assert (seen["fp"][-1], seen["tp"][-1]) == (int((~anomalous).sum()), int(anomalous.sum()))


def test_too_few_held_out_images_for_a_promise_mean_that_nothing_is_called(blank):
    rng = np.random.default_rng(1)
    parts, val = ({p: rng.random(n) for p in PARTS} for n in (50, 30))
    seen = in_the_browser(blank, parts, val, np.arange(50) < 20, (1, 1, 1), 0.005)
    assert seen["threshold"] == "Infinity"
    assert math.isinf(thresholds.threshold_for(np.zeros(30), 0.005))
    assert seen["counts"] == {"tp": 0, "fn": 20, "fp": 0, "tn": 30}


@pytest.mark.parametrize("weights", WEIGHTS)
def test_the_bars_of_the_histogram_are_python_s(blank, weights):
    """The same range, and the same images in each bar, but where a score lies on the edge of two."""
    found = service.scores(RUN)
    score = metrics.total(found.test.parts, weights)
    samples = score[~found.anomalous], score[found.anomalous]
    threshold = thresholds.threshold_for(metrics.total(found.val.parts, weights))
    seen = blank.evaluate(
        """async ([source, normal, anomalous, threshold]) => {
          const m = await import("data:text/javascript;base64," + source);
          const sorted = [normal, anomalous].map((s) => Float64Array.from(s).sort()), span = m.range(...sorted, threshold, m.BARS);
          return { span, bars: m.BARS, counts: sorted.map((s) => [...m.bin(s, span, m.BARS)]) };
        }""",
        [MODULE, *(s.tolist() for s in samples), threshold],
    )  # fmt: skip
    bins = charts.bin_scores(samples, bins=seen["bars"], include=(threshold,))
    assert [seen["span"]["low"], seen["span"]["high"]] == pytest.approx([bins.edges[0], bins.edges[-1]], rel=1e-9)
    for ours, theirs in zip(seen["counts"], bins.counts, strict=True):
        assert sum(ours) == sum(theirs)
        assert np.abs(np.subtract(ours, theirs)).sum() <= 4


RULES = [
    ("false alarms", 0.05, 30.26), ("false alarms", 0.125, 0.04321), ("false alarms", 0.005, math.inf), ("cost", 0.5, 1234.6),
    ("cost", 20.0, 7.0), ("best F1", 0.0, 99.96), ("manual", 3.14159, 3.14159), ("manual", -2.5, -2.5),
]  # fmt: skip


@pytest.mark.parametrize("units", [metrics.RAW, metrics.Units(shift=1.5, unit=0.25)], ids=["raw", "standardised"])
@pytest.mark.parametrize(("kind", "value", "threshold"), RULES)
def test_the_sentence_below_the_sliders_is_python_s(blank, kind, value, threshold, units):
    seen = blank.evaluate(
        """async ([source, kind, value, threshold, shift, unit]) => {
          const m = await import("data:text/javascript;base64," + source);
          const units = { shown: (x) => (x - shift) / unit };
          const at = threshold === null ? Infinity : threshold;
          return [null, 8].map((originals) => m.thresholdInWords(kind, value, at, units, 15, originals));
        }""",
        [MODULE, kind, value, threshold if math.isfinite(threshold) else None, units.shift, units.unit],
    )  # fmt: skip
    rule = DecisionRule((1.0, 0.0, 0.0), kind, value)
    assert seen == [rule.in_words(threshold, units, 15, originals) for originals in (None, 8)]


def test_numbers_are_written_as_in_python(blank):
    values = [0.0, 1.0, 0.05231, 9.996, 30.14, 999.4, 1234.6, 98765.4, -2.5, -1234.0]
    seen = blank.evaluate(
        """async ([source, values]) => { const m = await import("data:text/javascript;base64," + source); return values.map(m.number); }""",
        [MODULE, values],
    )
    assert seen == [number(v) for v in values]
