"""The Python door, with scikit-learn's conventions."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from ganad import Detector, load_mnist
from ganad.config import PARTS
from ganad.detector import as_images
from ganad.errors import DataError

SMALL = {"filters": 8, "latent": 16, "ema_decay": 0.0, "precision": "float32"}


@pytest.fixture(scope="module")
def digits():
    (x, y), _ = load_mnist()
    return x[y == 1][:400], x[y == 0][:100]


@pytest.fixture(scope="module")
def fitted(digits):
    return Detector(epochs=20, settings=SMALL, verbose=False).fit(digits[0])


def test_it_learns_ones_and_finds_zeros_strange(fitted, digits):
    ones, zeros = fitted.anomaly_score(digits[0][-40:]), fitted.anomaly_score(digits[1])
    assert np.median(zeros) > 2 * np.median(ones)
    assert (fitted.predict(digits[1]) == -1).mean() > 0.8


def test_the_signs_are_those_of_scikit_learn(fitted, digits):
    x = digits[1][:20]
    np.testing.assert_array_equal(fitted.score_samples(x), -fitted.anomaly_score(x))
    np.testing.assert_allclose(fitted.decision_function(x), fitted.threshold_ - fitted.anomaly_score(x))
    np.testing.assert_array_equal(fitted.predict(x), np.where(fitted.decision_function(x) < 0, -1, 1))


def test_parts_are_a_frame_and_add_up_to_the_score(fitted, digits):
    parts = fitted.score_parts(digits[1][:7])
    assert isinstance(parts, pd.DataFrame)
    assert tuple(parts.columns) == PARTS
    weighted = parts.to_numpy() @ np.array(fitted.settings_.weights)
    np.testing.assert_allclose(weighted, fitted.anomaly_score(digits[1][:7]))


def test_reconstructions_have_the_shape_of_images(fitted, digits):
    made = fitted.reconstruct(digits[0][:3])
    assert (made.shape, made.dtype) == ((3, 28, 28), np.uint8)


def test_a_saved_detector_says_the_same(fitted, digits, tmp_path):
    again = Detector.load(fitted.save(tmp_path / "ones"))
    np.testing.assert_allclose(again.anomaly_score(digits[1]), fitted.anomaly_score(digits[1]), rtol=1e-5)
    assert again.threshold_ == fitted.threshold_


def test_it_can_be_cloned_and_is_not_fitted_before_fit(digits):
    with pytest.raises(NotFittedError):
        clone(Detector(seed=3)).anomaly_score(digits[0])
    assert clone(Detector(seed=3)).get_params()["seed"] == 3


def test_every_accepted_kind_of_image_means_the_same():
    x = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)
    for kind in (x, x.reshape(5, 784), x / 255.0, (x / 255.0).astype(np.float32), x.astype(np.int64), x.tolist()):
        np.testing.assert_array_equal(as_images(kind), x)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (np.zeros((3, 28, 27)), r"\(3, 28, 27\)"),
        (np.zeros((3, 783)), r"\(3, 783\)"),
        (np.full((2, 28, 28), 2.0), "divide by 255"),
        (np.full((2, 28, 28), np.nan), "not finite"),
        (np.full((2, 28, 28), 300), "0..255"),
        (np.full((2, 28, 28), "a"), "numbers"),
    ],
)
def test_any_other_kind_is_refused_with_what_was_seen(bad, said):
    with pytest.raises(DataError, match=said):
        as_images(bad)


def test_too_few_images_are_refused():
    with pytest.raises(DataError, match="too few"):
        Detector().fit(np.zeros((5, 28, 28), dtype=np.uint8))


def labelled(digits):
    """Images of both kinds with scikit-learn's labels for outliers: +1 normal, -1 not."""
    ones, zeros = digits[0][:200], digits[1][:20]
    return np.concatenate([ones, zeros]), np.r_[np.ones(200), -np.ones(20)].astype(int)


def test_cross_validation_scores_it_as_any_outlier_detector(digits):
    x, y = labelled(digits)
    detector = Detector(epochs=3, settings=SMALL, verbose=False)
    folds = list(StratifiedKFold(2, shuffle=True, random_state=0).split(x, y))
    found = cross_val_score(detector, x, y, scoring="roc_auc", cv=folds)
    by_hand = [
        roc_auc_score(y[test] == -1, clone(detector).fit(x[train]).anomaly_score(x[test])) for train, test in folds
    ]
    assert found == pytest.approx(by_hand)


def test_it_ends_a_pipeline_and_its_settings_can_be_searched(digits):
    x, y = labelled(digits)
    made = Pipeline([("unit", FunctionTransformer(lambda images: images / 255.0)), ("gan", Detector(verbose=False))])
    made.set_params(gan__epochs=2, gan__settings=SMALL)
    said = made.fit(x[:200]).predict(x)
    assert set(np.unique(said)) <= {-1, 1}
    np.testing.assert_allclose(made.score_samples(x[:5]), made[-1].score_samples(x[:5]))
    tried = GridSearchCV(made, {"gan__epochs": [1, 2]}, scoring="roc_auc", cv=StratifiedKFold(2), refit=False).fit(x, y)
    assert len(tried.cv_results_["mean_test_score"]) == 2
    assert np.isfinite(tried.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize("method", ["egbad", "anogan"])
def test_every_method_fits_and_scores(method, digits):
    settings = {"filters": 4, "latent": 6, "precision": "float32"}
    if method == "anogan":
        settings |= {"search_steps": 3, "search_candidates": 8, "sample": 100}
    made = Detector(method, epochs=1, settings=settings, verbose=False).fit(digits[0][:120])
    scores = made.anomaly_score(digits[1][:5])
    assert scores.shape == (5,)
    assert np.isfinite(scores).all()
    assert made.reconstruct(digits[1][:2]).shape == (2, 28, 28)
