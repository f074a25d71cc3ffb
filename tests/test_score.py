"""Scoring: an image's parts depend on that image alone, and nothing in the method changes."""

import numpy as np
import pytest
import torch

from ganad.config import resolve
from ganad.errors import Stopped
from ganad.models import METHODS, build
from ganad.runs.checkpoint import load_method, save_weights
from ganad.scoring.score import score, to_input, to_picture

COLUMNS = ("residual", "discrimination", "latent", "z", "reconstruction")


def column_of(scored, name):
    return scored.parts[name] if name in scored.parts else getattr(scored, name)


def trained(name, steps=2, **asked):
    """A small method after a few steps, so that its batch norms hold statistics of their own."""
    few = dict(filters=4, latent=6)
    if name == "anogan":
        few["search_steps"] = 20  # the search takes most of the time
    method = build(resolve(name, "tuned", normal=(8,), **(few | asked)))
    x = to_input(digits(12), method.settings.image_size)
    for k in range(steps):
        method.step(x, torch.Generator().manual_seed(k))
    return method


def digits(n, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, 28, 28), dtype=np.uint8)


@pytest.mark.parametrize("size", [28, 32, 64])
def test_black_is_minus_one_and_white_one(size):
    for grey, value in ((0, -1.0), (255, 1.0)):
        x = to_input(np.full((2, 28, 28), grey, np.uint8), size)
        assert (x.shape, x.dtype) == ((2, 1, size, size), torch.float32)
        margin = 2 if size == 32 else 0
        inside = x[:, :, margin : size - margin, margin : size - margin]
        assert inside.min().item() == inside.max().item() == pytest.approx(value)


def test_an_image_of_32_is_padded_with_background():
    images = digits(3)
    x = to_input(images, 32)
    np.testing.assert_allclose(x[:, 0, 2:-2, 2:-2], images / 127.5 - 1, atol=1e-6)
    outside = torch.ones(32, 32, dtype=torch.bool)
    outside[2:-2, 2:-2] = False
    assert (x[:, 0, outside] == -1).all()


def test_an_image_of_64_is_interpolated_between_pixel_centres():
    """Centre of output pixel i lies at (i + 1/2) · 28/64 - 1/2 in the input: a ramp stays a ramp, cut off at its ends."""
    images = np.broadcast_to(np.arange(28, dtype=np.uint8) * 9, (1, 28, 28))
    centres = np.clip((np.arange(64) + 0.5) * 28 / 64 - 0.5, 0, 27)
    np.testing.assert_allclose(to_input(images, 64)[0, 0], np.tile(centres * 9 / 127.5 - 1, (64, 1)), atol=1e-5)


@pytest.mark.parametrize("size", [28, 32])
def test_a_picture_is_the_very_image_again(size):
    images = digits(4)
    np.testing.assert_array_equal(to_picture(to_input(images, size)), images)


def test_a_picture_of_64_keeps_the_mean_grey_and_every_shape():
    images = np.zeros((1, 28, 28), np.uint8)
    images[0, 8:20, 10:18] = 240
    seen = to_picture(to_input(images, 64))
    assert (seen.shape, seen.dtype) == ((1, 28, 28), np.uint8)
    assert seen.mean() == pytest.approx(images.mean(), rel=0.01)
    assert np.abs(seen.astype(int) - images).mean() < 5


def test_values_beyond_the_range_are_cut_off_in_a_picture():
    x = torch.tensor([-3.0, -1.0, 0.0, 1.0, 3.0]).repeat(28, 6)[:, :28].view(1, 1, 28, 28)
    assert to_picture(x)[0, 0, :5].tolist() == [0, 0, 128, 255, 255]


@pytest.mark.parametrize("name", METHODS)
def test_a_score_depends_on_its_image_alone(name):
    method, images = trained(name), digits(11, seed=1)
    whole = score(method, images)
    order = np.random.default_rng(2).permutation(11)
    others = {
        "in batches of 3": score(method, images, batch_size=3),
        "one by one": score(method, images, batch_size=1),
        "after one hundred others": score(method, np.concatenate([digits(100, seed=3), images])),
    }
    shuffled = score(method, images[order])
    for column in COLUMNS:
        expected = column_of(whole, column).astype(float)
        close = dict(rtol=1e-4, atol=1.0 if column == "reconstruction" else 1e-6)  # one grey level of rounding
        for how, other in others.items():
            np.testing.assert_allclose(column_of(other, column)[-11:], expected, **close, err_msg=f"{column} {how}")
        np.testing.assert_allclose(column_of(shuffled, column), expected[order], **close, err_msg=column)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("average", [0.0, 0.9])
def test_scoring_changes_nothing_in_the_method(name, average):
    method = trained(name, ema_decay=average)
    before = {k: v.clone() for k, v in method.state_dict().items()}
    method.zero_grad()
    score(method.train(), digits(5))
    assert not any(m.training for m in method.modules())
    assert all(torch.equal(v, before[k]) for k, v in method.state_dict().items())
    assert all(p.grad is None for p in method.parameters())


@pytest.mark.parametrize("name", METHODS)
def test_columns_are_raw_and_one_row_an_image(name):
    method, images = trained(name), digits(7)
    scored = score(method, images, batch_size=4)
    parts = method.parts(to_input(images, method.settings.image_size))
    for part in ("residual", "discrimination", "latent"):
        column = column_of(scored, part)
        assert (column.shape, column.dtype) == ((7,), np.float64)
        assert (column >= 0).all()
        np.testing.assert_allclose(column, getattr(parts, part).detach().double(), rtol=1e-4)
    assert (scored.z.shape, scored.z.dtype) == ((7, 6), np.float32)
    assert (scored.reconstruction.shape, scored.reconstruction.dtype) == ((7, 28, 28), np.uint8)


def test_an_images_of_64_is_scored_too_and_drawn_at_28():
    method = trained("egbad", architecture="article", image_size=64)
    assert score(method, digits(2)).reconstruction.shape == (2, 28, 28)


def test_no_images_give_no_rows():
    scored = score(trained("ganomaly"), digits(0))
    assert scored.parts["latent"].shape == (0,)
    assert scored.z.shape == (0, 6)
    assert scored.reconstruction.shape == (0, 28, 28)


def test_whoever_listens_hears_of_every_batch_and_can_end_it():
    heard = []

    def listen(done):
        heard.append(done)
        if done >= 6:
            raise Stopped

    score(trained("ganomaly"), digits(5), batch_size=2, on_batch=heard.append)
    assert heard == [2, 4, 5]
    heard.clear()
    with pytest.raises(Stopped):
        score(trained("ganomaly"), digits(9), batch_size=3, on_batch=listen)
    assert heard == [3, 6]


@pytest.mark.parametrize("name", METHODS)
def test_neither_the_size_nor_the_company_of_a_batch_moves_a_score(name):
    method, images = trained(name), digits(20, seed=1)
    company = images.copy()
    company[1::2] = 255 - company[1::2]
    expected = score(method, images, batch_size=250)
    for other, rows in (
        (score(method, images, batch_size=7), slice(None)),
        (score(method, images[::-1], batch_size=7), slice(None, None, -1)),
        (score(method, company, batch_size=250), slice(0, None, 2)),
    ):
        for part in COLUMNS[:3]:
            found, wanted = column_of(other, part)[rows], column_of(expected, part)
            if len(found) < len(wanted):
                wanted = wanted[::2]
            np.testing.assert_allclose(found, wanted, rtol=1e-4, err_msg=part)


@pytest.mark.parametrize("name", METHODS)
def test_images_that_differ_get_scores_that_differ(name):
    scored = score(trained(name, steps=40), digits(9))
    for part in COLUMNS[:3]:
        assert len(np.unique(column_of(scored, part))) == 9, part


@pytest.mark.parametrize("size", [28, 32, 64])
def test_what_the_nets_see_lies_between_minus_one_and_one(size):
    x = to_input(digits(6), size)
    assert -1 <= x.min() < -0.9
    assert 0.9 < x.max() <= 1


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("average", [0.0, 0.9])
def test_saved_weights_score_the_same(name, average, tmp_path):
    method = trained(name, ema_decay=average)
    (tmp_path / "config.json").write_text(method.settings.model_dump_json(), encoding="utf-8")
    save_weights(tmp_path, method)
    again = load_method(tmp_path, torch.device("cpu"))
    assert not again.training
    assert not any(p.requires_grad for p in again.parameters())
    before, after = score(method, digits(5)), score(again, digits(5))
    for column in COLUMNS:
        np.testing.assert_array_equal(column_of(before, column), column_of(after, column))
