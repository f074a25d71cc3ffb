"""The losses against values from paper and pencil, and the differences that scores are made of."""

from math import log

import numpy as np
import pytest
import torch

from ganad.models.losses import bce_fake, bce_real, l1, l2, mean_square, sum_abs

LOGITS = torch.linspace(-8, 8, 33)


def test_a_discriminator_that_cannot_tell_costs_ln_two_either_way():
    assert bce_real(torch.zeros(8)).item() == pytest.approx(log(2))
    assert bce_fake(torch.zeros(8)).item() == pytest.approx(log(2))


def test_a_sure_and_right_discriminator_costs_nothing_and_a_wrong_one_its_margin():
    sure = torch.full((8,), 200.0)
    assert (bce_real(sure).item(), bce_fake(-sure).item()) == (pytest.approx(0, abs=1e-6), pytest.approx(0, abs=1e-6))
    # log(sigmoid(-200)) would be log(0) in float32.
    assert (bce_real(-sure).item(), bce_fake(sure).item()) == (pytest.approx(200), pytest.approx(200))


def test_the_losses_are_the_binary_cross_entropy_of_the_sigmoid():
    p = torch.sigmoid(LOGITS.double())
    assert bce_real(LOGITS).item() == pytest.approx(-torch.log(p).mean().item(), rel=1e-6)
    assert bce_fake(LOGITS).item() == pytest.approx(-torch.log(1 - p).mean().item(), rel=1e-6)


def test_the_slope_is_how_far_the_probability_is_from_the_answer():
    for loss, answer in ((bce_real, 1.0), (bce_fake, 0.0)):
        logits = LOGITS.clone().requires_grad_()
        loss(logits).backward()
        torch.testing.assert_close(logits.grad, (torch.sigmoid(LOGITS) - answer) / len(LOGITS))


def test_distances_are_means_over_everything():
    a, b = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[1.0, 0.0], [0.0, 8.0]])
    assert l1(a, b).item() == pytest.approx((0 + 2 + 3 + 4) / 4)
    assert l2(a, b).item() == pytest.approx((0 + 4 + 9 + 16) / 4)


def test_parts_are_made_image_by_image():
    a = torch.zeros(2, 1, 2, 2)
    b = torch.tensor([[[[1.0, -1.0], [2.0, 0.0]]], [[[0.0, 0.0], [0.0, -3.0]]]])
    assert sum_abs(a, b).tolist() == [4.0, 3.0]
    assert mean_square(a, b).tolist() == [6 / 4, 9 / 4]


@pytest.mark.parametrize("difference", [l1, l2, sum_abs, mean_square])
def test_differences_of_half_precision_are_taken_in_single_precision(difference):
    a, b = torch.full((1, 1), 512.0, dtype=torch.bfloat16), torch.ones((1, 1), dtype=torch.bfloat16)
    assert (a - b).item() == 512  # what bfloat16 makes of 511
    found = difference(a, b)
    assert found.dtype == torch.float32
    assert found.item() in (511.0, 511.0**2)


@pytest.mark.parametrize("loss", [bce_real, bce_fake])
def test_losses_of_half_precision_are_in_single_precision(loss):
    logits = torch.full((3,), 0.01, dtype=torch.bfloat16)
    assert loss(logits).dtype == torch.float32
    assert loss(logits).item() == pytest.approx(loss(logits.float()).item(), rel=1e-7)


@pytest.mark.parametrize(("loss", "right"), [(bce_real, 1e4), (bce_fake, -1e4)])
def test_no_logit_is_too_large(loss, right):
    for logit, value, slope in ((right, 0.0, 0.0), (-right, 1e4, -np.sign(right))):
        given = torch.tensor([logit], requires_grad=True)
        said = loss(given)
        said.backward()
        assert (said.item(), given.grad.item()) == (value, slope)


def test_differences_are_those_of_numpy():
    a, b = np.random.default_rng(0).normal(size=(2, 5, 3, 4, 4)).astype(np.float32)
    axes = (1, 2, 3)
    for found, expected in (
        (l1, np.abs(a - b).mean()),
        (l2, ((a - b) ** 2).mean()),
        (sum_abs, np.abs(a - b).sum(axes)),
        (mean_square, ((a - b) ** 2).mean(axes)),
    ):
        np.testing.assert_allclose(found(torch.from_numpy(a), torch.from_numpy(b)), expected, rtol=1e-5)
