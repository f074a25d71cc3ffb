"""Averaged weights: means of what was learned in the last steps, from the first step on; old states go on as they began."""

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
def test_at_first_an_average_is_a_weighted_mean_of_the_weights_after_each_step(name, steps):
    """Σ C(i + 7, 8) wᵢ / C(t + 8, 9) over the steps i = 1 to t, batch norm's statistics too; the first weights have no part."""
    method, past = trained(name, steps, ema_decay=0.99)
    shares = [math.comb(i + 7, 8) for i in range(1, steps + 1)]
    assert sum(shares) == math.comb(steps + 8, 9)
    for k, found in method.averaged.state_dict().items():
        if found.is_floating_point():
            mean = sum(s * p[k].double() for s, p in zip(shares, past, strict=True)) / sum(shares)
            torch.testing.assert_close(found.double(), mean, rtol=1e-5, atol=1e-6, msg=k)
        else:
            assert torch.equal(found, past[-1][k]), k


def test_after_one_step_the_average_is_what_was_learned():
    method, past = trained("ganomaly", 1, ema_decay=0.999)
    for k, found in method.averaged.state_dict().items():
        torch.testing.assert_close(found, past[0][k], rtol=1e-6, atol=1e-7, msg=k)


class One(Method):
    """A single number that is given its values, so that averages over long runs have a closed form."""

    def __init__(self, average):
        super().__init__(
            resolve("ganomaly", "tuned", normal=(8,), ema_decay=average, w_transform=0.0),
            {"net": torch.nn.Linear(1, 1)},
        )
        self.put(7.0)
        self.averaged.load_state_dict(self.nets.state_dict())

    @torch.no_grad()
    def put(self, value):
        for p in self.nets.parameters():
            p.fill_(value)

    def average(self, values):
        for value in values:
            self.put(value)
            self.update_ema()
        return float(next(iter(self.averaged.parameters())))


def warmed(average, steps):
    """(steps,) the weight of each step in the mean, in closed form: C(i + 7, 8) while the window grows, then aᵗ⁻ⁱ on top."""
    grows = min(steps, math.ceil(9 / (1 - average)) - 8)  # from here on 9 / (t + 8) is below 1 - a
    shares = np.array([math.comb(i + 7, 8) / math.comb(grows + 8, 9) for i in range(1, grows + 1)])
    left = average ** (steps - grows)
    return np.r_[shares * left, (1 - average) * average ** np.arange(steps - grows)[::-1]]


@pytest.mark.parametrize("steps", [1, 2, 63, 891, 892, 893, 1_352, 1_680, 3_360])
def test_an_average_is_what_its_closed_form_says_at_any_length(steps):
    values = [math.cos(k / 100) for k in range(steps)]
    shares = warmed(0.99, steps)
    assert shares.sum() == pytest.approx(1)
    assert One(0.99).average(values) == pytest.approx(float(shares @ values), abs=1e-5)


@pytest.mark.parametrize(("steps", "apart"), [(1_352, 0.0100), (1_680, 0.0004), (3_360, 1e-10)])
def test_of_a_tuned_run_little_depends_on_how_its_average_began(steps, apart):
    """EGBAD, GANomaly, AnoGAN on one digit: the shares of step after step differ from those without a warm-up by so much in all."""
    without = 0.01 * 0.99 ** np.arange(steps)[::-1]
    without[0] += 0.99**steps  # the untrained weights count as the first step's here
    assert np.abs(warmed(0.99, steps) - without).sum() / 2 < apart


def test_a_short_run_is_rid_of_its_first_weights_and_looks_back_a_tenth_of_its_steps():
    """Of 63 steps the untrained weights were 53 % without a warm-up; now they are nothing."""
    plain = One(0.99)
    plain.averaged_steps = None
    assert plain.average([0.0] * 63) == pytest.approx(7 * 0.99**63, rel=1e-4)
    assert One(0.99).average([0.0] * 63) == 0
    back = 63 - One(0.99).average([float(i) for i in range(1, 64)])
    assert back == pytest.approx((63 - 1) / 10, rel=1e-4)


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
    whole = small(name, ema_decay=0.9).train()
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
        first = small(name, ema_decay=0.9, seed=1).train()
        first.load_training_state(state)
    for k, found in first.state_dict().items():
        assert torch.equal(found, whole.state_dict()[k]), k


def test_a_state_from_before_goes_on_with_the_plain_formula():
    """After two more steps: a² · w₀ + a (1 - a) · w₁ + (1 - a) · w₂, whatever the average held."""
    method = small("egbad", ema_decay=0.9).train()
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
