"""The film of a search: what the service hands over, and what the page makes of it."""

import re

import numpy as np
import pytest

from ganad import service
from ganad.config import resolve
from ganad.evaluation import metrics
from ganad.models import build
from ganad.models.looks import further_looks
from ganad.scoring.score import fit_statistics, score, to_input
from ganad.service import new_images
from ganad.ui.panels import latent_search

IMAGE = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)


@pytest.fixture
def net(monkeypatch):
    settings = resolve(
        "anogan", "tuned", normal=(8,), filters=4, latent=6, search_steps=30, search_candidates=8, search_restarts=2,
        w_feature_density=1.0, w_transform=1.0, w_transform_density=1.0, w_first_layer_density=1.0, look_turn=12.0,
    )  # fmt: skip
    made = build(settings).eval().requires_grad_(False)
    monkeypatch.setattr(new_images, "method", lambda name: made)
    return made


def test_a_search_is_told_from_its_start_to_its_end(net):
    found = service.search("any", IMAGE, frames=6)
    steps = len(found.score)
    assert found.paths.shape == (steps, 2)
    assert (np.diff(found.score) <= 0).all()
    assert found.score == pytest.approx(np.minimum.accumulate(found.paths.min(axis=1)), rel=1e-5)
    assert (found.shown[0], found.shown[-1]) == (0, steps - 1)
    assert found.frames.shape == (len(found.shown), 28, 28)


def test_the_last_picture_of_the_film_is_the_reconstruction_that_is_scored(net):
    found = service.search("any", IMAGE)
    made = score(net.folded(), IMAGE[None]).reconstruction[0]
    assert np.abs(found.frames[-1].astype(int) - made).max() <= 12  # two searches, rounded differently


def test_the_end_of_the_search_and_what_is_added_to_it_make_up_the_score(net):
    without = service.search("any", IMAGE)
    assert (
        without.typicality == without.density == without.transforms == without.copied == without.first_layer == 0
    )  # nothing is fitted yet
    fit_statistics(net, np.random.default_rng(1).integers(0, 100, (60, 28, 28), dtype=np.uint8))  # darker than IMAGE
    found = service.search("any", IMAGE)
    total = metrics.total(score(net.folded(), IMAGE[None]).parts, net.settings.weights)[0]
    assert found.typicality > 0
    assert found.density > 0
    assert found.transforms > 0
    assert found.copied > 0
    assert found.first_layer > 0
    x = to_input(IMAGE[None], 32)
    looks = {0.0: x, **dict(zip((12.0, -12.0), further_looks(x, 12.0), strict=True))}
    of_look = {angle: float(sum(net.of_image(look, net.discriminate(look)).values())) for angle, look in looks.items()}
    assert found.turned == min(of_look, key=of_look.get)
    of_image = found.density + found.transforms + found.copied + found.first_layer
    assert of_image == pytest.approx(net.settings.weights[1] * min(of_look.values()), rel=1e-6)
    added = found.typicality + found.density + found.transforms + found.copied + found.first_layer
    assert found.score[-1] + added == pytest.approx(total, rel=1e-3)
    assert found.score == pytest.approx(without.score)


def test_a_method_that_does_not_search_has_no_film(monkeypatch):
    monkeypatch.setattr(new_images, "method", lambda name: build(resolve("egbad", "tuned", normal=(8,))))
    assert service.search("any", IMAGE) is None


def test_the_film_holds_its_last_picture_and_stands_still_for_whoever_wants_no_motion():
    html = latent_search.playing(np.stack([IMAGE] * 5), "a film")
    assert int(re.search(r"--frames: (\d+)", html)[1]) == 5 + latent_search.HELD
    assert 'aria-label="a film"' in html
    assert "prefers-reduced-motion" in latent_search._STYLE


def test_each_still_of_the_strip_says_its_step_and_score():
    found = service.Search(
        score=np.array([9.0, 5.0, 4.0]),
        paths=np.ones((3, 1)),
        shown=np.array([0, 2]),
        frames=np.stack([IMAGE, IMAGE]),
        typicality=0.0,
        density=0.0,
        transforms=0.0,
        copied=0.0,
        first_layer=0.0,
        turned=0.0,
    )
    html = latent_search.strip(found)
    assert "G(z) at step 0, score 9" in html
    assert "G(z) at step 2, score 4" in html
