"""The table of a term's weights: each figure is that of a run that really has this weight, and no test image is read."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from ganad.bench import terms as b
from ganad.config import resolve
from ganad.data import sources
from ganad.errors import ConfigError, RunError
from ganad.evaluation import metrics
from ganad.models.transforms import TransformError
from ganad.runs import checkpoint, run_directory
from ganad.scoring.score import score, to_input
from ganad.training import worker
from tests.conftest import SHIPPED

FANOGANS = ["fanogan-all-but-8", *(f"fanogan-n{d}" for d in range(10))]


def trained(method="egbad", **asked):
    few = dict(normal=(3,), filters=4, latent=4, limit=300, test_limit=200, epochs=1, precision="float32")
    run = run_directory.create(resolve(method, "tuned", **(few | asked)))
    worker.work(run)
    return run


@pytest.mark.parametrize(
    ("method", "setting"), [("egbad", "w_residual_density"), ("fanogan", "w_feature_density"), ("egbad", "w_transform")]
)
def test_a_run_weighed_anew_scores_as_one_that_was_trained_with_that_weight(runs_dir, method, setting):
    # What learns for many steps magnifies rounding, which differs in a training; and without some steps its spread is that of rounding.
    # From nets that have hardly moved, rounding of 1e-7 carries to about two hundredths; from others to seventeen.
    learns = setting == "w_transform"
    asked, rtol = (dict(epochs=4, lr=1e-5, lr_d=1e-5), 0.05) if learns else ({}, 1e-4)
    with_it, without = (trained(method, **asked, **{setting: weight}) for weight in (2.0, 0.0))
    split = sources.split(sources.load(None), run_directory.settings(with_it))
    images = split.val.images
    expected = {2.0: score(checkpoint.load_method(with_it), images).parts}
    expected[0.0] = score(checkpoint.load_method(without), images).parts
    for run in (with_it, without):
        for weight, parts in expected.items():
            found = score(b.weighed(run, setting, weight, split.train.images), images).parts
            for part in parts:
                np.testing.assert_allclose(found[part], parts[part], rtol=rtol, err_msg=f"{run.name} {weight} {part}")


def test_a_term_that_a_run_lacks_is_fitted_and_its_other_terms_stay_as_they_are(runs_dir):
    run = trained(w_transform=0.0)
    kept = checkpoint.load_method(run)
    kept.density.unit.mul_(3)  # as fitted elsewhere, with other numbers
    checkpoint.save_weights(run, kept)
    images = sources.load(None).train.images[:300]
    found, own = (score(method, images).parts for method in (b.weighed(run, "w_transform", 1.0, images), kept))
    np.testing.assert_allclose(found["latent"], own["latent"], rtol=1e-6)
    assert (found["discrimination"] > own["discrimination"]).all()


def test_a_term_that_asks_the_transforms_of_a_run_does_not_learn_them_anew(runs_dir, monkeypatch):
    run = trained("anogan", search_steps=3, w_transform_density=0.0)
    monkeypatch.setattr(TransformError, "fit", lambda *_, **__: pytest.fail("they are learned already"))
    images = sources.load(None).train.images[:300]
    found, own = (
        score(method, images).parts
        for method in (b.weighed(run, "w_transform_density", 1.0, images), checkpoint.load_method(run))
    )
    np.testing.assert_allclose(found["latent"], own["latent"], rtol=1e-6)
    assert (found["discrimination"] >= own["discrimination"]).all()
    assert (found["discrimination"] > own["discrimination"]).mean() > 0.9


def test_a_term_that_nothing_is_fitted_for_is_the_cross_entropy_of_the_discriminator_so_many_times():
    run, images = SHIPPED["egbad"], sources.load(None).train.images[:20]
    method = checkpoint.load_method(run)
    with torch.no_grad():
        x = to_input(images, 32)
        logit, _ = method.scoring_net("discriminator")(x, method.codes(x))
    expected = np.logaddexp(0, -logit.double().numpy())  # -log D(x, E(x))
    once, thrice = (
        b.parts_by_look(b.weighed(run, "w_bce", w, images), images)["discrimination"][0] for w in (1.0, 3.0)
    )
    np.testing.assert_allclose(thrice - once, 2 * expected, rtol=1e-3, atol=1e-4)


def test_of_several_looks_the_lowest_counts_with_every_weight(runs_dir):
    run = trained(look_turn=10.0, w_transform=0.0)
    split, whole = sources.split(sources.load(None), run_directory.settings(run)), sources.load(None)
    settings = run_directory.settings(run)
    (row,) = b.compare([run.name], "w_residual_density", [0.0, 2.0, 5.0], lambda _: None, held_out=30, each=10)
    others = whole.train.images[sources.reference_rows(whole, settings, 10)]
    normal = split.val.images[:30]
    for weight, found in row.auroc.items():
        method = b.weighed(run, "w_residual_density", weight, split.train.images)
        total = metrics.total(score(method, np.concatenate([normal, others])).parts, settings.weights)
        assert found == pytest.approx(metrics.area(total[: len(normal)], total[len(normal) :]), abs=1e-4), weight
    (looks,) = b.compare([run.name], "look_turn", [0.0, 10.0], lambda _: None, held_out=30, each=10)
    assert looks.auroc[10.0] == pytest.approx(row.auroc[2.0], abs=1e-4)
    assert looks.auroc[0.0] != looks.auroc[10.0]
    assert looks.alone is None
    assert b.table([looks], "look_turn").splitlines()[0] == "| `look_turn` | 0 | **10** |"


def test_a_row_is_the_area_between_held_out_normals_and_training_images_of_every_other_class(monkeypatch):
    whole = sources.load(None)
    blank = replace(whole, test=whole.test._replace(images=np.zeros_like(whole.test.images)))
    monkeypatch.setattr(sources, "load", lambda *_: blank)  # no test image is looked at
    (row,) = b.compare(["egbad-n8"], "w_residual_density", [0.0, 2.0, 3.0], lambda _: None, held_out=100, each=10)
    run = SHIPPED["egbad"]
    settings, dataset = run_directory.settings(run), whole
    assert row.own == settings.w_residual_density
    assert (row.normal, row.others) == (100, 90)
    normal = sources.split(dataset, settings).val.images[:100]
    rng, others = np.random.default_rng(0), []
    for digit in (0, 1, 2, 3, 4, 5, 6, 7, 9):
        others.append(dataset.train.images[rng.permutation(np.flatnonzero(dataset.train.digit == digit))[:10]])
    parts = score(checkpoint.load_method(run), np.concatenate([normal, *others])).parts
    total = metrics.total(parts, settings.weights)
    assert row.auroc[row.own] == pytest.approx(metrics.area(total[:100], total[100:]), abs=1e-4)


def test_another_term_counts_meanwhile_what_is_asked_for(runs_dir):
    run = trained(w_transform=0.0)
    settings, split = run_directory.settings(run), sources.split(sources.load(None), run_directory.settings(run))
    whole = sources.load(None)
    images = np.concatenate([split.val.images[:30], whole.train.images[sources.reference_rows(whole, settings, 10)]])
    asked = dict(held_out=30, each=10)
    (row,) = b.compare([run.name], "w_density", [0.0, 3.0], lambda _: None, also={"w_residual_density": 5.0}, **asked)
    for weight, found in row.auroc.items():
        method = b.weighed(run, "w_density", weight, split.train.images)
        method.residuals.mixture.unit.mul_(5.0 / settings.w_residual_density)
        total = metrics.total(score(method, images).parts, settings.weights)
        assert found == pytest.approx(metrics.area(total[:30], total[30:]), abs=1e-4), weight
    (alone,) = b.compare([run.name], "w_density", [0.0, 3.0], lambda _: None, **asked)
    assert row.auroc != alone.auroc
    with pytest.raises(RunError, match="no w_transform, which is fitted after a training"):
        b.compare([run.name], "w_density", [0.0], lambda _: None, also={"w_transform": 1.0}, **asked)
    with pytest.raises(ConfigError, match="got 'w_adv'"):
        b.compare([run.name], "w_density", [0.0], lambda _: None, also={"w_adv": 1.0}, **asked)
    with pytest.raises(RunError, match="whose score has no w_feature_density"):
        b.compare([run.name], "w_density", [0.0], lambda _: None, also={"w_feature_density": 1.0}, **asked)
    with pytest.raises(ConfigError, match="it cannot count 3 meanwhile"):
        b.compare([run.name], "w_density", [0.0], lambda _: None, also={"w_density": 3.0}, **asked)


def test_the_shipped_runs_are_those_in_which_the_term_counts():
    assert b.runs_with("w_residual_density") == [f"egbad-n{d}" for d in range(10)] + FANOGANS
    assert b.runs_with("w_feature_density") == ["anogan-all-but-8", *FANOGANS]


def test_what_cannot_be_weighed_is_named_with_what_can():
    with pytest.raises(ConfigError, match=r"w_density, w_typicality.*got 'w_adv'"):
        b.compare(["ganomaly-n8"], "w_adv", [0.0], lambda _: None)
    with pytest.raises(RunError, match="ganomaly-n8 is a run of GANomaly, whose score has no w_bce"):
        b.compare(["ganomaly-n8"], "w_bce", [0.0], lambda _: None)
    with pytest.raises(RunError, match="name finished runs"):
        b.compare([], "w_bce", [0.0], lambda _: None)


def test_the_table_marks_the_weight_that_all_runs_have_and_ends_with_the_mean():
    rows = [b.Row(f"run{i}", 2.0, {0.0: 0.9, 2.0: 0.8 + i / 10}, 0.7, 5, 5) for i in range(2)]
    lines = b.table(rows, "w_bce").splitlines()
    assert lines[0] == "| `w_bce` | 0 | **2** | alone |"
    assert lines[-1] == "| mean | 0.9000 | **0.8500** | 0.7000 |"
    assert len(b.table(rows[:1], "w_bce").splitlines()) == 3
