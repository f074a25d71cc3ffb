"""Averaged weights: a weighted mean of the weights after each step, from the first step on; old states go on as they began."""

import copy
import io
import math

import numpy as np
import pytest
import torch

from ganad.config import resolve
from ganad.models import METHODS
from ganad.models.base import Method
from tests.models.test_methods import images, small, tensors


def trained(name, steps, **asked):
    """A method after some steps, and its nets' tensors after each of them."""
    method, past = small(name, **asked), []
    method.train()
    for k in range(steps):
        go_on(method, k)
        past.append(copy.deepcopy(tensors(method)))
    return method, past


def go_on(method, k):
    method.step(images(method, seed=k), torch.Generator().manual_seed(k))


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("steps", [1, 4])
def test_an_average_is_the_weighted_mean_of_the_weights_after_each_step(name, steps):
    """Σ aᵗ⁻ⁱ wᵢ / Σ aᵗ⁻ⁱ over the steps i = 1 to t, for weights and for batch norm's statistics alike; w₀ has no part."""
    method, past = trained(name, steps, average=0.9)
    shares = [0.9 ** (steps - i) for i in range(1, steps + 1)]
    for k, found in method.averaged.state_dict().items():
        if found.is_floating_point():
            mean = sum(s * p[k].double() for s, p in zip(shares, past, strict=True)) / sum(shares)
            torch.testing.assert_close(found.double(), mean, rtol=1e-5, atol=1e-7, msg=k)
        else:
            assert torch.equal(found, past[-1][k]), k


def test_after_one_step_the_average_is_what_was_learned():
    method, past = trained("ganomaly", 1, average=0.999)
    for k, found in method.averaged.state_dict().items():
        torch.testing.assert_close(found, past[0][k], rtol=1e-6, atol=1e-7, msg=k)


class One(Method):
    """A single number that is given its values, so that averages over long runs have a closed form."""

    def __init__(self, average):
        super().__init__(resolve("ganomaly", "tuned", normal=(8,), average=average), {"net": torch.nn.Linear(1, 1)})
        self.put(7.0)
        self.averaged.load_state_dict(self.nets.state_dict())

    @torch.no_grad()
    def put(self, value):
        for p in self.nets.parameters():
            p.fill_(value)

    def average(self, values):
        for value in values:
            self.put(value)
            self.follow()
        return float(next(iter(self.averaged.parameters())))


@pytest.mark.parametrize("steps", [1_352, 1_680, 3_360])  # tuned runs on one digit: EGBAD's, GANomaly's, AnoGAN's
def test_over_a_tuned_run_nothing_is_left_of_the_correction(steps):
    """Without it the average is aᵗ w₀ + (1 - aᵗ) m, with it the mean m alone: they differ by aᵗ (w₀ - m), a millionth here."""
    values = [math.cos(k / 100) for k in range(steps)]
    shares = 0.99 ** np.arange(steps)[::-1]
    mean = float(shares @ values / shares.sum())
    plain = One(0.99)
    plain.averaged_steps = None
    left = 0.99**steps
    assert left < 1.3e-6
    assert One(0.99).average(values) == pytest.approx(mean, abs=1e-5)
    assert plain.average(values) == pytest.approx(left * 7 + (1 - left) * mean, abs=1e-5)


def test_a_short_run_is_rid_of_its_first_weights():
    """Of 63 steps the untrained weights were 53 % before; now they are nothing."""
    plain = One(0.99)
    plain.averaged_steps = None
    assert plain.average([0.0] * 63) == pytest.approx(7 * 0.99**63, rel=1e-4)
    assert One(0.99).average([0.0] * 63) == 0


def saved(method):
    """The training state as a file gives it back."""
    file = io.BytesIO()
    torch.save(method.training_state(), file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("begun_before", [False, True])
def test_a_resumed_run_averages_as_it_began(name, begun_before):
    """Bit by bit as if it had never been interrupted, also from a state that knows nothing of a count, and twice over."""
    whole = small(name, average=0.9).train()
    if begun_before:
        whole.averaged_steps = None
    first = copy.deepcopy(whole)
    for k in range(6):
        go_on(whole, k)
    for begin in (0, 2, 4):
        for k in range(begin, begin + 2):
            go_on(first, k)
        state = saved(first)
        assert state["averaged_steps"] == (None if begun_before else begin + 2)
        if begun_before and begin == 0:
            del state["averaged_steps"]
        first = small(name, average=0.9, seed=1).train()
        first.load_training_state(state)
    for k, found in first.state_dict().items():
        assert torch.equal(found, whole.state_dict()[k]), k


def test_a_state_from_before_goes_on_with_the_plain_formula():
    """After two more steps: a² · w₀ + a (1 - a) · w₁ + (1 - a) · w₂, whatever the average held."""
    method = small("egbad", average=0.9).train()
    state = saved(method)
    del state["averaged_steps"]
    method.load_training_state(state)
    before = copy.deepcopy(method.averaged.state_dict())
    past = []
    for k in range(2):
        go_on(method, k)
        past.append(copy.deepcopy(tensors(method)))
    for k, found in method.averaged.state_dict().items():
        if found.is_floating_point():
            expected = 0.81 * before[k] + 0.09 * past[0][k] + 0.1 * past[1][k]
            torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-7, msg=k)
