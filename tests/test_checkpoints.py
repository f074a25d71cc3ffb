"""The shipped runs: small, whole, and worth what their README says."""

import json

import numpy as np
import pytest

from ganad import evaluate, runs, service, shelf
from ganad.config import METHOD_NAMES, PARTS
from tests.conftest import ROOT, SHIPPED

NAMES = sorted(p.name for p in SHIPPED.values())


def test_there_is_one_of_each_method():
    assert {runs.settings(p).method for p in SHIPPED.values()} == set(METHOD_NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_scoring_it_again_gives_what_it_was_shipped_with(name):
    found = service.scores(name)
    rows = np.r_[0:60, 5000:5040]
    made = service.judge(name, service.test_images(name)[rows])
    for part in PARTS:
        np.testing.assert_allclose([j.parts[part] for j in made], found.test.parts[part][rows], rtol=2e-3)
    shown = np.stack([j.reconstruction for j in made]).astype(int)
    assert np.abs(shown - service.reconstructions(name)[rows]).max() <= shelf.GREYS / 2 + 1


@pytest.mark.parametrize("name", NAMES)
def test_its_report_is_what_its_scores_say_and_the_threshold_keeps_its_promise(name):
    found, said = service.scores(name), service.run_info(name).report
    result, weights = service.judge_run(name)
    assert json.loads(json.dumps(evaluate.report(result, weights))) == said
    assert result.auroc > 0.8
    assert result.false_alarm_rate < 0.08  # 5 % promised, 974 images counted
    assert len(np.unique(found.test.parts["residual"])) > 9_900  # scores that all differ: nothing collapsed


@pytest.mark.parametrize("name", NAMES)
def test_it_is_small_and_stands_in_the_readme(name):
    folder = ROOT / "checkpoints" / name
    assert sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) < 12e6
    readme = (ROOT / "checkpoints" / "README.md").read_text()
    assert f"| {name} |" in readme
    assert f"{service.run_info(name).report['auroc']:.4f}" in readme


def test_a_run_is_shipped_small_and_says_the_same(runs_dir):
    from tests.conftest import put_finished

    run = put_finished(runs_dir)
    target = shelf.ship(run, "again")
    assert not (target / "state.pt").exists()
    a, b = runs.read_scores(run), runs.read_scores(target)
    for part in PARTS:
        np.testing.assert_array_equal(a.test.parts[part], b.test.parts[part])
    assert "| again |" in (runs.shelf() / "README.md").read_text()
    assert service.run_info("again").shipped


def test_rounding_greys_is_off_by_half_a_step_at_most():
    every = np.arange(256, dtype=np.uint8)
    error = np.abs(shelf.coarse(every).astype(int) - every)
    assert error.max() <= shelf.GREYS / 2 + 1  # one more at 255, where the scale ends
    assert shelf.coarse(every)[0] == 0
