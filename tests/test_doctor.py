"""The doctor finds what is wrong with a training, by numbers that can be checked, and nothing where nothing is."""

import json
import math

import numpy as np
import pytest

from ganad import service
from ganad.bench import doctor as bench
from ganad.config import resolve
from ganad.data import foreign, sources
from ganad.diagnosis.doctor import RULES, diagnose
from ganad.diagnosis.finding import Evidence
from ganad.runs import commands, run_directory
from ganad.training import jobs, worker
from tests.conftest import put_failed, put_running
from tests.test_cli import ganad
from tests.test_pages import opened

LN2 = math.log(2)


def steps(*losses, start=1):
    """Rows of logged steps with these losses of the discriminator."""
    return [{"step": start + i, "epoch": 1, "loss/discriminator": float(v)} for i, v in enumerate(losses)]


def looks(val, train=None, spread=0.8):
    """Rows of epochs with these residuals of held-out and training images."""
    train = val if train is None else train
    return [
        {"step": 100 * (i + 1), "epoch": i + 1, "val": {"residual": float(v)}, "train": {"residual": float(t)}, "spread": spread}
        for i, (v, t) in enumerate(zip(val, train, strict=True))
    ]  # fmt: skip


def found(rows, method="ganomaly", usual=1000, done=1000, **asked):
    told = {k: asked.pop(k) for k in ("ended", "error", "looked_at", "foreign", "short_in_words") if k in asked}
    settings = resolve(method, "tuned", normal=(8,), **asked)
    return {f.name: f for f in diagnose(Evidence(settings, rows, steps=done, usual_steps=usual, **told))}


def test_a_discriminator_that_guesses_has_not_won_and_one_that_pays_a_200th_of_that_has():
    assert not found(steps(*[LN2] * 40))
    won = found(steps(*[LN2] * 10, *[LN2 / 200] * 30))["discriminator has won"]
    assert won.evidence["share"] == pytest.approx(1 / 200)
    assert won.change == {"lr_d": resolve("ganomaly", "tuned", normal=(8,)).lr / 10}
    assert won.curve.since == 31, "the last quarter of forty steps"


def test_learning_rates_of_ones_own_go_back_to_those_of_the_preset():
    usual = resolve("anogan", "tuned", normal=(8,))
    won = found(steps(*[1e-4] * 40), "anogan", lr=1e-5, lr_d=5e-3)["discriminator has won"]
    assert won.change == {"lr": usual.lr, "lr_d": usual.lr_d}


def test_where_a_smaller_rate_was_tried_already_a_still_smaller_one_is_and_not_the_one_that_it_replaced():
    won = found(steps(*[1e-4] * 40), lr_d=1e-4)["discriminator has won"]
    assert won.change == {"lr_d": pytest.approx(1e-5)}
    back = found(steps(*[1e-4] * 40), lr_d=0.1)["discriminator has won"]
    assert back.change == {"lr_d": None}, "a larger one than the preset's goes back to it"
    assert back.change_in_words == "lr_d as lr"


def test_a_low_loss_of_a_few_steps_or_of_a_critic_says_nothing():
    assert not found(steps(*[1e-6] * 8))
    assert not found(steps(*[1e-6] * 40), "fanogan")


def test_a_loss_runs_away_from_fifteen_times_the_loss_of_guessing_on():
    assert "loss running away" not in found(steps(*[2 * LN2] * 39, 14 * 2 * LN2), "egbad")
    away = found(steps(*[2 * LN2] * 39, 16 * 2 * LN2), "egbad", lr=0.1)["loss running away"]
    assert away.evidence["times guessing"] == pytest.approx(16)
    assert away.curve.since == 40
    assert away.change["lr"] < 0.1


def test_a_run_that_failed_because_a_loss_was_no_number_is_found_whatever_was_logged():
    error = "loss/generator stopped being finite at step 3."
    away = found(steps(LN2), ended=False, error=error)["loss running away"]
    assert away.change["precision"] == "float32"
    assert not found(steps(LN2), ended=False, error="The disk is full.")


def test_reconstructions_that_do_not_vary_are_a_collapse_unless_they_are_about_to_come():
    assert "collapse" in found(looks([900] * 6, spread=0.01))
    assert "collapse" not in found(looks([900] * 6, spread=0.3))
    assert "collapse" not in found(looks(np.geomspace(900, 300, 6), spread=0.01)), "it is learning"
    assert "collapse" not in found(looks([900] * 2, spread=0.01), ended=False), "untrained nets draw all the same"


def test_epochs_before_there_is_an_encoder_are_no_collapse():
    early = resolve("fanogan", "tuned", normal=(8,)).epochs_without_reconstructions
    assert early >= 3
    assert "collapse" not in found(looks([900] * early, spread=0.0), "fanogan", ended=False)


def test_the_change_against_a_collapse_is_the_reconstruction_loss_where_it_was_turned_down():
    assert found(looks([900] * 6, spread=0.01), w_con=0.0)["collapse"].change == {"w_con": 50.0}
    assert found(looks([900] * 6, spread=0.01), "egbad", w_cycle=0.0)["collapse"].change == {"w_cycle": 10.0}


def test_few_steps_and_a_curve_that_falls_are_too_short_and_a_flat_one_is_not():
    short = found(looks(np.linspace(900, 600, 8)), done=100, epochs=8)["still improving"]
    assert short.change == {"epochs": 80}, "as many steps as the preset: ten times as many"
    assert short.evidence["share of the usual steps"] == pytest.approx(0.1)
    assert not found(looks([60] * 8), done=100)
    assert not found(looks(np.linspace(62, 60, 8)))
    assert "still improving" in found(looks([900, 800]), done=100), "two epochs show no rest"
    assert "still improving" not in found(looks([900, 800]), done=100, ended=False)


def test_a_short_training_is_told_by_how_much_and_what_its_curve_did():
    told = dict(done=100, epochs=8, short_in_words="Ten times too short.")
    assert found(looks(np.linspace(900, 600, 8)), **told)["still improving"].meaning == (
        "Ten times too short. The residual of held-out normals still fell by 16% in its last third."
    )
    assert "whether its curve" in found(looks([900, 800]), **told)["still improving"].meaning


def test_a_long_training_is_too_short_too_while_its_curve_falls_fast():
    assert "still improving" in found(looks(1000 * 0.8 ** np.arange(20)))
    assert "still improving" not in found(looks(1000 * 0.97 ** np.arange(20)))


def test_held_out_residuals_far_above_those_of_training_images_are_overfitting():
    over = found(looks([80, 60, 60, 60], [80, 55, 40, 30]), limit=100)["overfitting"]
    assert over.evidence["ratio"] == pytest.approx(2)
    assert over.curve.since == 3, "the first epoch from which on the ratio stays above 1.4"
    assert over.change == {"limit": None}
    assert not found(looks([60] * 4, [50] * 4))


def test_too_many_foreign_images_are_a_contamination_and_are_left_out_by_the_change():
    bad = found([], looked_at=200, foreign=tuple(range(10)))["contamination"]
    assert bad.evidence["share"] == pytest.approx(0.05)
    assert bad.change == {"leave_out_foreign": True}
    assert bad.images == tuple(range(10))
    assert not found([], looked_at=200, foreign=tuple(range(8)))
    assert not found([], looked_at=20, foreign=tuple(range(20))), "too few were looked at"


def test_an_image_is_foreign_when_all_five_nearest_are_of_other_classes():
    """Pictures of one grey each: the nearest are those of the nearest grey."""

    def grey(*levels):
        return np.repeat(np.array(levels, np.uint8), 784).reshape(-1, 28, 28)

    normal, others = grey(10, 12, 14, 16, 18, 20), grey(200, 202, 204, 206, 208)
    judged = foreign.are_foreign(grey(11, 205, 100), normal, others)
    assert judged.tolist() == [False, True, False]
    assert foreign.are_foreign(grey(10), normal, others).tolist() == [False]
    own = foreign.are_foreign(grey(207), np.concatenate([normal, grey(207)]), others)
    assert own.tolist() == [True], "an image is no neighbour of itself"


@pytest.mark.parametrize("digit", [4, 8])
def test_planted_digits_are_foreign_and_the_digits_that_belong_there_are_not(digit):
    data = sources.load(None)
    asked = dict(normal=(digit,), limit=300, test_limit=200)
    clean = sources.split(data, resolve("ganomaly", "tuned", **asked))
    looked_at, strange = foreign.check(data.train, clean, (digit,))
    assert len(strange) / looked_at < 0.045
    dirty = sources.split(data, resolve("ganomaly", "tuned", contamination=0.15, **asked))
    looked_at, strange = foreign.check(data.train, dirty, (digit,))
    assert len(strange) / looked_at > 0.09
    assert (data.train.digit[strange] != digit).mean() > 0.8, "what is shown as evidence is of other digits"


def test_a_run_that_leaves_foreign_images_out_learns_from_few_of_them():
    data = sources.load(None)
    asked = dict(normal=(8,), limit=300, test_limit=200, contamination=0.15)
    dirty = sources.split(data, resolve("ganomaly", "tuned", **asked))
    mended = sources.split(data, resolve("ganomaly", "tuned", leave_out_foreign=True, **asked))
    for before, after in ((dirty.train, mended.train), (dirty.val, mended.val)):
        assert set(after.index) < set(before.index)
    assert (mended.train.digit != 8).sum() < 0.4 * (dirty.train.digit != 8).sum()
    assert (mended.train.digit == 8).sum() > 0.95 * (dirty.train.digit == 8).sum()
    assert np.array_equal(mended.test.index, dirty.test.index)


@pytest.fixture
def contaminated(runs_dir):
    """A tiny training with 15 % of other digits among its normals."""
    quick = {"limit": 300, "w_density": 0.0, "w_typicality": 0.0}
    run = run_directory.create(bench.planted("contamination", 0).model_copy(update=quick))
    assert worker.work(run) == "finished"
    return run


def test_a_real_run_with_planted_digits_is_found_and_mended_by_the_run_that_is_begun(contaminated, monkeypatch):
    rows = [row for row in run_directory.read_metrics(contaminated) if "val" in row]
    assert all(row["train"]["residual"] > 0 and 0 <= row["spread"] < 2 for row in rows)
    assert service.not_looked_at(contaminated.name) == []
    findings = {f.name: f for f in service.diagnose(contaminated.name)}
    assert {"contamination", "still improving"} == set(findings)
    begun = []
    monkeypatch.setattr(jobs, "start", lambda settings: begun.append(settings) or contaminated)
    service.start_changed(contaminated.name, findings["contamination"])
    asked = run_directory.settings(contaminated)
    assert begun == [asked.model_copy(update={"leave_out_foreign": True})], "all else stays as it was"
    done = ganad("doctor", contaminated.name, "--json")
    assert done.returncode == 0, done.stderr
    assert {f["name"] for f in json.loads(done.stdout)} == set(findings)
    page = opened("pages/1_Train.py", run=contaminated.name)
    assert "Train again: without these images" in [b.label for b in page.button]


def test_at_most_one_shipped_run_has_a_finding_in_what_it_kept():
    said = {
        run.name: [f.name for f in service.diagnose(str(run))] for run in run_directory.listing(run_directory.shelf())
    }
    assert len(said) > 30
    assert {name: names for name, names in said.items() if names} in ({}, {"anogan-article": ["discriminator has won"]})


def test_every_finding_has_a_planted_fault_that_it_is_validated_on():
    assert bench.FAULTS.keys() == RULES.keys()


def test_a_run_whose_loss_was_no_number_says_so_on_train_and_offers_shorter_steps(runs_dir):
    page = opened("pages/1_Train.py", run=put_failed(runs_dir).name)
    assert any(b.label.startswith("Train again: lr ") for b in page.button)


def test_a_discriminator_that_wins_is_seen_while_the_run_trains(runs_dir):
    run = put_running(runs_dir)
    run_directory.write_text(run / "metrics.jsonl", "".join(json.dumps(row) + "\n" for row in steps(*[1e-5] * 40)))
    assert [f.name for f in service.diagnose(run.name)] == ["discriminator has won"]
    assert any("The discriminator has won" in m.value for m in opened("pages/1_Train.py", run=run.name).markdown)


def test_a_steered_rate_is_what_the_proposed_one_is_smaller_than(runs_dir):
    run = put_running(runs_dir)
    run_directory.write_text(run / "metrics.jsonl", "".join(json.dumps(row) + "\n" for row in steps(*[1e-5] * 40)))
    commands.write(run, [commands.Command(epoch=2, set={"lr_d": 1e-5})])
    (finding,) = service.diagnose(run.name)
    assert finding.change == {"lr_d": pytest.approx(1e-6)}
