"""The speed benchmark's own arithmetic: what it counts, how it takes turns, what its rows say."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from ganad import config
from ganad.__main__ import app
from ganad.bench import speed, time_to_auroc
from ganad.config import METHOD_NAMES, resolve
from ganad.evaluation import metrics
from ganad.models import build

KEYS = {"name", "ours", "reference", "unit", "ratio"}


@pytest.fixture
def small(monkeypatch, runs_dir):
    """The same work on nets of four filters and a handful of images."""

    def tiny(method, preset, **asked):
        less = dict(filters=4, latent=6, batch_size=8) | (
            dict(search_steps=3, search_candidates=4) if method == "anogan" else {}
        )
        return resolve(method, preset, **(less | asked))

    for module in (speed, time_to_auroc):
        monkeypatch.setattr(module, "resolve", tiny)
    monkeypatch.setattr(
        "ganad.training.throughput.measure",
        lambda s, seconds=1.0: {"float32": 1.0, "bf16": None, "score": 1.0, "fit": None},
    )
    for name, value in dict(
        IMAGES=20, ONE_BY_ONE=3, SEARCH_BATCHES=(1, 2), MATMUL=64, FITTED_TO=200, OTHERS=20
    ).items():
        monkeypatch.setattr(speed, name, value)


def test_rows_name_both_sides_and_their_ratio(small):
    rows = speed.speed(lambda text: None, rounds=1)
    assert all(row.keys() >= KEYS for row in rows)
    for row in rows:
        sides = (row["reference"], row["ours"]) if row["unit"] == "ms" else (row["ours"], row["reference"])
        assert row["ratio"] == pytest.approx(sides[0] / sides[1]), row["name"]
        assert row["ours"] > 0
    assert len({row["name"] for row in rows}) == len(rows)
    assert [r["name"] for r in rows if "release" in r["name"]] == [
        "training step, ganomaly paper, float32 against the release's step in float32"
    ]
    assert sum("one image" in r["name"] for r in rows) == len(METHOD_NAMES)
    assert {r["name"].split()[0] for r in rows if "share" in r} == {"training", "scoring,"}
    assert all(r["share"] > 0 and r["gflop"] > 0 for r in rows if "share" in r)
    table = speed.speed_table(rows).splitlines()
    assert len(table) == 2 + len(rows)
    assert {line.count("|") for line in table} == {7}
    json.dumps(rows)


def test_the_command_prints_the_rows_as_json(monkeypatch, capsys):
    row = {"name": "a", "ours": 2.0, "reference": 1.0, "unit": "images/s", "ratio": 2.0}
    monkeypatch.setattr(speed, "speed", lambda say: [row])
    app(["bench", "speed", "--json"], standalone_mode=False)
    assert json.loads(capsys.readouterr().out) == [row]
    app(["bench", "speed"], standalone_mode=False)
    assert "| a | 2 | 1 | images/s | 2.00 |" in capsys.readouterr().out


def test_sides_take_turns_and_their_first_call_is_not_counted(monkeypatch):
    now, calls = [0.0], []
    monkeypatch.setattr(speed.time, "perf_counter", lambda: now[0])

    def side(name, *lasts):
        left = iter(lasts)

        def call():
            calls.append(name)
            now[0] += next(left)

        return call

    assert speed.alternate(side("a", 100, 1, 5, 2), side("b", 100, 8, 7, 9), rounds=3) == [2, 8]
    assert calls == ["a", "b"] * 4


def test_what_a_layer_costs_is_two_for_each_weight_at_each_place():
    net = nn.Sequential(nn.Conv2d(3, 5, 4, 2, 1), nn.Flatten(), nn.Linear(5 * 16, 7))
    x = torch.zeros(2, 3, 8, 8)
    assert speed.flops(lambda: net(x)) == 2 * 2 * (16 * 5 * 3 * 16 + 80 * 7)


def test_a_step_of_the_release_costs_more_than_ours():
    """Of the forward passes alone: G and four looks of D against G and two."""
    s = resolve("ganomaly", "paper", normal=(8,), filters=4, latent=6)
    ours, plain = build(s), speed._plain_stepper(s)
    assert speed.flops(plain) > 1.2 * speed.flops(lambda: ours.step(speed._noise(s), torch.Generator()))


# --- seconds until it is good ---------------------------------------------------------------------------------------


def curves(monkeypatch, **of):
    """Stand-ins: method -> digit -> (seconds, AUROC) after each epoch."""
    monkeypatch.setattr(time_to_auroc, "resolve", lambda method, preset, normal, **asked: (method, normal[0]))

    def looks(settings, every):
        for epoch, (seconds, auroc) in enumerate(of[settings[0]][settings[1]], 1):
            if epoch % every == 0:
                yield epoch, seconds, auroc

    monkeypatch.setattr(time_to_auroc, "_looks", looks)


def test_the_first_epoch_counts_at_which_the_mean_over_the_digits_reaches_the_bar(monkeypatch):
    curves(
        monkeypatch,
        ganomaly={2: [(10, 0.8), (20, 0.97), (30, 0.99)], 4: [(12, 0.9), (24, 0.91), (36, 0.93)]},
        egbad={2: [(4, 0.96), (8, 0.5), (12, 0.5)], 4: [(6, 0.96), (12, 0.5), (18, 0.5)]},
    )
    rows = time_to_auroc.reach([0.95], ["ganomaly", "egbad"], [2, 4], lambda text: None)
    assert all(row.keys() >= KEYS for row in rows)
    assert [(r["ours"], r["epoch"]) for r in rows] == [(33, 3), (5, 1)]  # digit 4 alone never gets there
    assert [r["best"] for r in rows] == pytest.approx([0.96, 0.96])
    assert [r["ratio"] for r in rows] == pytest.approx([1, 33 / 5])
    assert len(rows[1]["looks"]) == 1, "it stops when it is good enough"
    (row,) = time_to_auroc.reach([0.95], ["ganomaly"], [2, 4], lambda text: None, every=2)
    assert (row["epoch"], row["best"]) == (None, 0.94), "a look at each second epoch alone misses the third"


def test_each_mark_has_its_row_and_training_goes_on_to_the_highest(monkeypatch):
    curves(
        monkeypatch,
        ganomaly={2: [(10, 0.8), (20, 0.96), (30, 0.99), (40, 1.0)]},
        egbad={2: [(5, 0.96), (6, 0.97)]},
    )
    rows = time_to_auroc.reach([0.98, 0.95], ["ganomaly", "egbad"], [2], lambda text: None)
    assert [(r["bar"], r["ours"], r["epoch"]) for r in rows] == [
        (0.95, 20, 2), (0.98, 30, 3), (0.95, 5, 1), (0.98, None, None)
    ]  # fmt: skip
    assert [r["ratio"] for r in rows] == [1, 1, 4, None], "each against the first method's time to the same mark"
    assert len(rows[0]["looks"]) == 3, "it stops at the highest mark"


def test_what_is_not_reached_says_its_best(monkeypatch):
    curves(monkeypatch, egbad={8: [(1, 0.6), (2, 0.7), (3, 0.65)]})
    (row,) = time_to_auroc.reach([0.95], ["egbad"], [8], lambda text: None)
    assert (row["ours"], row["epoch"], row["ratio"], row["best"]) == (None, None, None, 0.7)
    assert "not reached" in time_to_auroc.reach_table([row])
    assert "0.7000" in time_to_auroc.reach_table([row])


@pytest.mark.parametrize("method", METHOD_NAMES)
def test_a_real_training_is_scored_after_each_epoch_on_a_sample_with_every_digit(method, small, monkeypatch):
    seen = []
    auroc = metrics.auroc
    monkeypatch.setattr(metrics, "auroc", lambda anomalous, score: seen.append(anomalous) or auroc(anomalous, score))
    (row,) = time_to_auroc.reach(
        [1.0], [method], [8], lambda text: None, epochs=2, limit=300, sample=100, precision="float32", ema_decay=0.5
    )
    (one, first, a), (two, second, b) = row["looks"]
    assert (one, two) == (1, 2)
    assert min(first, second) > 0
    assert 0 <= a <= 1
    assert 0 <= b <= 1
    assert [len(s) for s in seen] == [100, 100]
    assert np.mean(seen[0]) == pytest.approx(0.9, abs=0.02)  # as in the whole test set
    assert config.PRESETS[method]["tuned"]["epochs"] > 2


@pytest.mark.parametrize("method", config.METHOD_NAMES)
def test_a_pass_is_timed_with_the_transform_error_that_a_trained_run_has(small, method):
    timed = speed._method(method)
    assert (timed.transforms is not None and timed.transforms.is_fitted) == timed.settings.fits_transform_error
