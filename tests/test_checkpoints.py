"""The shipped runs: small, whole, and worth what their README says."""

import hashlib
import json

import numpy as np
import pytest

from ganad import service
from ganad.bench import release
from ganad.bench.quality import shelf_table
from ganad.config import METHOD_NAMES, PARTS
from ganad.evaluation import metrics
from ganad.runs import checkpoint, history, run_directory
from ganad.system import files
from tests.conftest import ROOT, SHIPPED, put_finished

NAMES = sorted(p.parent.name for p in (ROOT / "checkpoints").glob("*/config.json"))
BARE = [n for n in NAMES if not (ROOT / "checkpoints" / n / "weights.safetensors").exists()]
WITH_NETS = [n for n in NAMES if n not in BARE]


def test_there_are_ten_digits_and_nine_normal_ones_for_each_method_and_the_article():
    expected = {f"{m}-{normal}" for m in METHOD_NAMES for normal in (*(f"n{d}" for d in range(10)), "all-but-8")}
    assert expected | {"egbad-article", "anogan-article"} == set(NAMES)
    for m, path in SHIPPED.items():
        assert run_directory.settings(path).method == m
        assert run_directory.settings(path).normal == (8,)


def test_the_shelf_fits_on_forty_five_megabytes_and_says_so():
    files = [p for p in (ROOT / "checkpoints").rglob("*") if p.is_file()]
    assert sum(p.stat().st_size for p in files) <= 45e6
    said = (ROOT / "checkpoints" / "README.md").read_text()
    assert f"{len(NAMES)} runs" in said


@pytest.mark.parametrize("name", WITH_NETS)
def test_scoring_it_again_gives_what_it_was_shipped_with(name):
    found, settings = service.scores(name), run_directory.settings(ROOT / "checkpoints" / name)
    rows = np.linspace(0, len(found.test) - 1, 12 if settings.scores_by_search else 60).astype(int)
    made = service.rescore(name, rows)
    if settings.scores_by_search:  # a search magnifies rounding, which differs by the images beside it
        shipped = metrics.total({p: found.test.parts[p][rows] for p in PARTS}, settings.weights)
        np.testing.assert_allclose(metrics.total(made, settings.weights), shipped, rtol=0.25)
        assert np.median(np.abs(metrics.total(made, settings.weights) / shipped - 1)) < 0.03
        return
    for part in PARTS:
        np.testing.assert_allclose(made[part], found.test.parts[part][rows], rtol=2e-3)
    stored = service.reconstructions(name)
    if stored is not None:
        again = service.reconstruct(name, service.test_images(name)[rows]).astype(int)
        assert np.abs(again - stored[rows]).max() <= release.GREYS


@pytest.mark.parametrize("name", NAMES)
def test_its_report_is_what_its_scores_say_and_the_threshold_keeps_its_promise(name):
    found, said = service.scores(name), service.run_info(name).report
    result, weights = service.evaluate_run(name)
    again = json.loads(json.dumps(metrics.report(result, weights)))
    assert again["auroc"] == pytest.approx(said["auroc"], abs=1e-4)  # parts are shipped with fifteen binary places
    assert again["per_digit"].keys() == said["per_digit"].keys()
    assert again["threshold"] == pytest.approx(said["threshold"], rel=1e-4)
    distinct = len(np.unique(found.test.parts["residual"]))
    assert distinct > 0.8 * len(found.test)  # scores that differ, but for rounding: nothing collapsed
    if len(found.normal) == 1:
        assert result.auroc > 0.85
        n = result.n_normal
        assert result.false_alarm_rate < 0.05 + 4 * (0.05 * 0.95 / n) ** 0.5 + 0.03  # 5 % promised, n images counted


@pytest.mark.parametrize("name", NAMES)
def test_it_stands_in_the_readme_with_its_weights(name):
    readme = (ROOT / "checkpoints" / "README.md").read_text()
    (line,) = [row for row in readme.splitlines() if row.startswith(f"| {name} |")]
    assert f"{service.run_info(name).report['auroc']:.4f}" in line
    assert ("shipped without" in line) == (name in BARE)


@pytest.mark.parametrize("name", NAMES)
def test_its_checksums_are_those_of_its_files(name):
    folder = ROOT / "checkpoints" / name
    there = {f for f in run_directory.CHECKED if (folder / f).exists()}
    noted = files.checksums(folder)
    assert set(noted) == there
    assert noted == {f: hashlib.sha256((folder / f).read_bytes()).hexdigest() for f in there}


def test_only_nets_that_would_outweigh_the_shelf_stay_at_home():
    assert set(BARE) == {"egbad-article", "anogan-article"}
    for name in BARE:
        assert service.reconstructions(name) is not None


@pytest.mark.parametrize("name", release.WITH_HISTORY)
def test_its_history_ends_with_what_it_says_itself(name):
    kept, scores = history.read(ROOT / "checkpoints" / name), service.scores(name)
    assert kept.is_finished.tolist() == [False] * (len(kept.epoch) - 1) + [True]
    assert kept.drawn.shape == (len(kept.epoch), 10, 28, 28)
    assert kept.places.shape == (len(kept.epoch), len(kept.row), 2)
    for part, values in kept.parts.items():
        own = [
            s.parts[part][kept.row[rows]] for s, rows in ((scores.val, kept.held_out), (scores.test, ~kept.held_out))
        ]
        np.testing.assert_allclose(values[-1], np.concatenate(own), rtol=1e-6)


def test_a_run_is_shipped_small_and_says_what_its_smaller_weights_say(runs_dir):
    run = put_finished(runs_dir)
    target = release.ship(run, "again", light=True)
    assert not (target / "state.pt").exists()
    assert run_directory.read_reconstructions(target) is None
    assert run_directory.read_scores(target).test.z.shape == (10_000, 0)
    rows = np.arange(0, 10_000, 250)
    made = service.rescore("again", rows)
    for part in PARTS:
        np.testing.assert_allclose(made[part], run_directory.read_scores(target).test.parts[part][rows], rtol=1e-4)
    assert abs(service.run_info("again").report["auroc"] - service.run_info(run.name).report["auroc"]) < 5e-4
    small = {str(t.dtype) for t in checkpoint.load_tensors(target).values() if t.ndim > 1}
    assert small == {"torch.float16", "torch.int8"}
    assert "| again |" in (run_directory.shelf() / "README.md").read_text()
    assert service.run_info("again").shipped


def test_where_half_precision_would_change_the_auroc_the_weights_stay_whole(runs_dir, monkeypatch):
    run = put_finished(runs_dir)
    report = run_directory.read_json(run / "report.json")
    run_directory.write_json(run / "report.json", report | {"auroc": report["auroc"] - 0.01})
    target = release.ship(run, "whole", light=True)
    assert run_directory.read_json(target / "report.json")["auroc"] == pytest.approx(report["auroc"], abs=1e-4)
    assert (target / "weights.safetensors").read_bytes() == (run / "weights.safetensors").read_bytes()


def test_a_log_is_thinned_to_its_epochs_and_some_of_its_steps(runs_dir):
    run = put_finished(runs_dir)
    settings = run_directory.read_json(run / "config.json")
    # What it is scored on is not asked here.
    run_directory.write_json(run / "config.json", settings | {"test_limit": 400})
    rows = [{"step": i, "epoch": 1, "loss/generator": 1.0} for i in range(1000)]
    rows.append({"step": 1000, "epoch": 1, "val": dict.fromkeys(PARTS, 1.0)})
    run_directory.write_text(run / "metrics.jsonl", "".join(json.dumps(r) + "\n" for r in rows))
    kept = run_directory.read_metrics(release.ship(run, "thin", light=True))
    assert len(kept) == release.LINES + 1
    assert (kept[0]["step"], kept[-2]["step"], kept[-1]["step"]) == (0, 999, 1000)


def test_the_table_of_the_shelf_shows_every_difference():
    table = shelf_table([{"run": "a", "shipped": 0.95, "again": 0.9501, "difference": 0.0001}])
    assert "| a | 0.95000 | 0.95010 | +0.00010 |" in table


def test_rounding_greys_is_off_by_half_a_step_at_most():
    every = np.arange(256, dtype=np.uint8)
    error = np.abs(release.coarse(every).astype(int) - every)
    assert error.max() <= release.GREYS / 2 + 1  # one more at 255, where the scale ends
    assert release.coarse(every)[0] == 0
