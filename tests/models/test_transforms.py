"""The transform error: against its definition, in each method that has it."""

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import affine_transform
from scipy.special import log_softmax

from ganad.config import resolve
from ganad.config.transforms import ASKED, BATCH, MAPS, MOST_STEPS, steps
from ganad.data import sources
from ganad.models import augment, build, transforms
from ganad.scoring.score import fit_statistics, score, to_input
from tests.models.saved import saved_and_loaded

METHODS = {"egbad": "discrimination", "anogan": "discrimination", "fanogan": "discrimination", "ganomaly": "latent"}
"""Method -> the part that it adds the transform error to."""
ALONE = dict(
    w_typicality=0.0, w_feature_density=0.0, w_density=0.0, w_residual_density=0.0, w_encoder_density=0.0, w_transform_density=0.0, look_turn=0.0, augment_share=0.0, filters=4, latent=6, ema_decay=0.0,
)  # fmt: skip
SEARCH = dict(search_steps=3, search_candidates=0, search_patience=0, weights=(0.9, 0.1, 0.0))


def small(method, **asked):
    values = ALONE | (SEARCH if method == "anogan" else {}) | asked
    known = resolve(method, "tuned", normal=(8,)).model_dump().keys()
    return build(resolve(method, "tuned", normal=(8,), **{k: v for k, v in values.items() if k in known})).eval()


def digits(n, seed=1):
    """Training images of an 8."""
    train = sources.load(None).train
    return train.images[train.digit == 8][100 * seed :][:n]


def by_scipy(image, turn, scale, shear):
    """An image (S, S) turned, scaled and sheared about its middle, 0 outside."""
    cos, sin = np.cos(np.radians(turn)) / scale, np.sin(np.radians(turn)) / scale
    from_row_and_column = np.array([[cos, sin], [shear - sin, cos]])
    middle = (len(image) - 1) / 2
    return affine_transform(
        image, from_row_and_column, middle - from_row_and_column @ (middle, middle), order=1, mode="grid-constant"
    )


def test_an_image_is_turned_scaled_and_sheared_as_scipy_does_it():
    images = sources.load(None).train.images[:27]
    x = to_input(images, 32)
    ours = transforms.transformed(x, torch.arange(27))[:, 0].numpy() + 1
    expected = [by_scipy(image, *how) for image, how in zip(x[:, 0].numpy() + 1, MAPS, strict=True)]
    np.testing.assert_allclose(ours, expected, atol=1e-4)


def test_one_of_the_maps_changes_nothing_and_is_asked_for():
    still = MAPS.index((0.0, 1.0, 0.0))
    x = to_input(digits(3), 32)
    np.testing.assert_allclose(transforms.transformed(x, torch.full((3,), still)), x, atol=1e-5)
    assert still in ASKED


def test_the_three_that_a_score_asks_for_have_each_turn_scale_and_shear_once():
    for values in zip(*(MAPS[i] for i in ASKED), strict=True):
        assert len(set(values)) == 3


@pytest.mark.parametrize("name", METHODS)
def test_it_is_the_log_of_the_mean_cross_entropy_of_three_guesses_in_units_of_the_distance(name):
    plain, with_error, train = small(name), small(name, w_transform=3.0, epochs=30), digits(80)
    with_error.load_scoring_state(plain.scoring_state() | with_error.transforms.state_dict(prefix="transforms."))
    fit_statistics(with_error, train)
    found, without = score(with_error, train).parts, score(plain, train).parts
    joined = METHODS[name]
    for part in {"residual", "discrimination", "latent"} - {joined}:
        np.testing.assert_allclose(found[part], without[part], rtol=1e-5)
    net = with_error.transforms
    wrong = np.zeros(80)
    for which in ASKED:
        copies = np.stack([by_scipy(image, *MAPS[which]) for image in to_input(train, 32)[:, 0].numpy() + 1]) - 1
        with torch.no_grad():
            logits = net.guess(net.see(torch.from_numpy(copies)[:, None].float())).numpy()
        wrong -= log_softmax(logits, axis=1)[:, which] / 3
    surprise = np.log1p(wrong / 0.01)
    others = np.random.default_rng(0).permutation(80)[:16]  # a fifth of them, drawn by the seed, for the units
    expected = 3.0 * without[joined][others].std() / surprise[others].std(ddof=1) * surprise
    np.testing.assert_allclose(found[joined] - without[joined], expected, rtol=1e-2)


@pytest.mark.parametrize("name", METHODS)
def test_it_is_saved_with_the_weights_and_scores_the_same(name, tmp_path):
    method = small(name, w_transform=2.0)
    fit_statistics(method, digits(40))
    again = saved_and_loaded(method, tmp_path)
    assert again.transforms.is_fitted
    asked = digits(4, seed=3)
    for part, values in score(method, asked).parts.items():
        np.testing.assert_array_equal(values, score(again, asked).parts[part])


@pytest.fixture(scope="module")
def ones():
    """An image network that has learned on real ones, and held-out ones."""
    train = sources.load(None).train
    images = train.images[train.digit == 1]
    method = small("egbad", filters=8, w_transform=1.0)
    fitted = to_input(images[:2000], 32)
    method.transforms.fit(method.image_layers(), lambda: fitted.split(500), steps=300, seed=0)
    return method.transforms, images[2000:2200], train


def test_what_it_has_learned_it_knows_of_new_normal_images_and_not_of_others(ones):
    net, new, train = ones
    others = train.images[train.digit == 7][:200]
    with torch.no_grad():
        normal, strange = (net.surprise(to_input(images, 32)).numpy() for images in (new, others))
    knows_nothing = math.log1p(math.log(len(MAPS)) / transforms.SURE)
    assert normal.mean() < strange.mean()
    assert normal.mean() < 0.8 * knows_nothing
    assert (normal[:, None] < strange).mean() > 0.9  # the AUROC


def test_the_same_seed_learns_the_same_and_an_error_on_the_way_ends_it():
    images = [to_input(digits(200, seed=k), 32) for k in (0, 1)]
    layers, size = small("egbad").image_layers(), 32
    a, b, c = (transforms.TransformError(layers, size) for _ in range(3))
    for net, seed in ((a, 0), (b, 0), (c, 1)):
        net.fit(layers, lambda: images, 30, seed=seed)
    same = lambda x, y: all(torch.equal(p, q) for p, q in zip(x.state_dict().values(), y.state_dict().values()))  # noqa: E731, B905
    assert same(a, b)
    assert not same(a, c)

    def stopped():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        a.fit(layers, lambda: images, 30, on_progress=stopped)


def test_before_anything_is_fitted_the_score_is_the_plain_one():
    plain, with_error = small("egbad"), small("egbad", w_transform=2.0)
    with_error.load_scoring_state(plain.scoring_state() | with_error.transforms.state_dict(prefix="transforms."))
    for part, values in score(plain, digits(5)).parts.items():
        np.testing.assert_array_equal(score(with_error, digits(5)).parts[part], values)


def test_it_is_learned_in_as_many_steps_as_the_nets_had_and_no_more_than_1400():
    assert steps(5400, 9, 32) == steps(54_000, 5, 64) == MOST_STEPS
    assert steps(5400, 8, 32) == 1350
    assert steps(200, 2, BATCH) == 12
    assert steps(10, 1, 64) == 1


@pytest.mark.parametrize("varied_in_training", [0.5, 0.0])
def test_the_transforms_are_learned_from_images_that_are_all_varied_and_turned_further_than_in_the_training(
    varied_in_training, monkeypatch
):
    """Where half of the training images are varied, half of those that the densities are fitted to are as they are; where none are, all."""
    method = small("ganomaly", w_density=2.0, augment_share=varied_in_training)
    train, given, turned = digits(400), {}, []
    monkeypatch.setattr(
        type(method),
        "fit_statistics",
        lambda self, fitted, *_, varied, **__: given.update(fitted=fitted, varied=varied),
    )
    fit_statistics(method, train)
    moved = augment._moved
    monkeypatch.setattr(
        augment, "_moved", lambda x, shift, degrees, *more: turned.append(degrees) or moved(x, shift, degrees, *more)
    )
    as_they_are = set(map(bytes, to_input(train, 32).numpy()))
    share = {
        name: np.mean([bytes(x) in as_they_are for batch in batches() for x in batch.numpy()])
        for name, batches in given.items()
    }
    assert share["fitted"] == pytest.approx(1 - varied_in_training, abs=0.1 if varied_in_training else 0)
    assert share["varied"] == 0
    assert turned[-1] == 1.5 * method.settings.augment_turn
    assert turned[:-1] == ([method.settings.augment_turn] if varied_in_training else [])
