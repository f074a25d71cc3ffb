"""How unlikely what a discriminator or an encoder sees in an image is: against its definition, in each method that has it."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import mahalanobis
from sklearn.decomposition import PCA

from ganad.config import resolve
from ganad.models import build
from ganad.scoring.score import fit_statistics, score, to_input
from tests.models.saved import saved_and_loaded

ALONE = dict(look_turn=0.0, w_typicality=0.0, w_transform=0.0, augment=0.0, filters=4, latent=6, ema_decay=0.0)
OF_METHOD = {
    "anogan": dict(
        w_feature_density=0.0,
        w_transform_density=0.0,
        w_first_layer_density=0.0,
        search_steps=3,
        search_candidates=0,
        search_patience=0,
        weights=(0.9, 0.1, 0.0),
    ),
    "fanogan": dict(w_feature_density=0.0, w_residual_density=0.0),
    "egbad": dict(augment_share=0.0, w_encoder_density=0.0, w_density=0.0, w_residual_density=0.0),
}
SETTING = {"anogan": "w_feature_density", "fanogan": "w_feature_density", "egbad": "w_encoder_density"}
MODULE = {"w_feature_density": "features", "w_encoder_density": "encoded"}
PART = {"w_feature_density": "discrimination", "w_encoder_density": "latent"}
DIRECTIONS = {"w_feature_density": 32, "w_encoder_density": 64}


def small(method, **asked):
    return build(resolve(method, "tuned", normal=(8,), **(ALONE | OF_METHOD[method] | asked))).eval()


def digits(n, seed=1):
    return np.random.default_rng(seed).integers(0, 256, (n, 28, 28), dtype=np.uint8)


def seen(method, x):
    """What the discriminator sees in images, or the encoder: its maps of 4x4 places, averaged over 2x2."""
    with torch.no_grad():
        if method.settings.method != "egbad":
            return method.discriminate(x).double().numpy()
        maps = x
        for layer in method.nets["encoder"]:
            maps = layer(maps)
            if maps.shape[1] == 4 * method.settings.filters and isinstance(layer, torch.nn.LeakyReLU):
                break
        quarters = [maps[:, :, i : i + 2, j : j + 2].mean(dim=(2, 3)) for i in (0, 2) for j in (0, 2)]
        return torch.stack(quarters, dim=2).flatten(1).double().numpy()


@pytest.mark.parametrize("name", SETTING)
def test_it_is_the_distance_of_mahalanobis_of_the_features_along_their_widest_directions(name):
    setting = SETTING[name]
    part, directions = PART[setting], DIRECTIONS[setting]
    plain, dense, train = small(name), small(name, **{setting: 3.0}), digits(300)
    dense.load_scoring_state(plain.scoring_state() | _state(dense))
    fit_statistics(plain, train)  # nothing happens
    fit_statistics(dense, train)
    found, without = score(dense, train).parts, score(plain, train).parts
    for other in {"residual", "discrimination", "latent"} - {part}:
        np.testing.assert_allclose(found[other], without[other], rtol=1e-5)
    order = np.random.default_rng(0).permutation(300)  # a fifth of them, drawn by the seed, for the units
    others, learned = order[:60], np.sort(order[60:])
    f = seen(dense, to_input(train, 32))
    places = f @ PCA(directions, svd_solver="full").fit(f[learned]).components_.T
    # So few images have one Gaussian, whose variances are a little wider, so that none is 0.
    covariance = np.cov(places[learned].T, bias=True) + 3e-3 * places[learned].var(axis=0).mean() * np.eye(directions)
    precision, middle = np.linalg.inv(covariance), places[learned].mean(axis=0)
    surprise = np.array([mahalanobis(row, middle, precision) ** 2 / 2 for row in places])
    expected = np.maximum(surprise - surprise[others].min(), 0)
    expected *= 3.0 * without[part][others].std() / surprise[others].std()
    np.testing.assert_allclose(found[part] - without[part], expected, rtol=2e-2, atol=2e-2 * expected.std())


def _state(method):
    module = MODULE[SETTING[method.settings.method]]
    return method.get_submodule(module).state_dict(prefix=f"{module}.")


@pytest.mark.parametrize("name", SETTING)
def test_it_is_saved_with_the_weights_and_scores_the_same(name, tmp_path):
    setting = SETTING[name]
    method = small(name, **{setting: 2.0})
    fit_statistics(method, digits(40))
    again = saved_and_loaded(method, tmp_path)
    assert again.get_submodule(MODULE[setting]).mixture.unit > 0
    asked, part = digits(4, seed=3), PART[setting]
    np.testing.assert_array_equal(score(method, asked).parts[part], score(again, asked).parts[part])


def test_it_stands_beside_the_statistics_of_codes_and_residuals_which_stay_as_they_are():
    """f-AnoGAN may have all of them: what is fitted to codes does not depend on whether features are asked for."""
    both, codes = (
        small("fanogan", w_density=1.0, w_typicality=1.0, w_residual_density=1.0, w_feature_density=w)
        for w in (2.0, 0.0)
    )
    codes.load_scoring_nets(both.scoring_state())
    for method in (both, codes):
        fit_statistics(method, digits(300))
    np.testing.assert_allclose(
        score(both, digits(5, seed=3)).parts["latent"], score(codes, digits(5, seed=3)).parts["latent"], rtol=1e-6
    )
