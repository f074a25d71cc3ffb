"""The loop: it learns, it repeats itself, and it says when a loss runs away."""

import copy
import itertools

import numpy as np
import pytest
import torch

from ganad.config import resolve
from ganad.errors import GanadError
from ganad.models import build
from ganad.models.base import Method
from ganad.models.ops import fast_conv
from ganad.runs.checkpoint import load_state, save_state
from ganad.training.length import steps_per_epoch
from ganad.training.loop import check_finite, train

TINY = {
    "ganomaly": dict(filters=4, latent=8, batch_size=16),
    "egbad": dict(filters=4, latent=8, batch_size=16),
}


def tiny(method, **asked):
    return resolve(method, "tuned", normal=(8,), epochs=2, precision="float32", **TINY[method], **asked)


def images(n=48):
    return np.random.default_rng(0).integers(0, 256, (n, 28, 28), dtype=np.uint8)


def steps(method, settings, start=0, precision="float32"):
    return train(
        method, images(), epochs=settings.epochs, batch_size=settings.batch_size, seed=settings.seed,
        size=settings.image_size, start=start, precision=precision,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("n", "batch", "expected"), [(64, 64, 1), (95, 64, 1), (96, 64, 2), (5, 64, 1), (6400, 64, 100)]
)
def test_a_last_batch_of_at_least_half_the_size_counts(n, batch, expected):
    assert steps_per_epoch(n, batch) == expected


@pytest.mark.parametrize("name", TINY)
def test_every_step_is_numbered_and_epochs_end_where_the_images_do(name):
    s = tiny(name)
    said = list(steps(build(s), s))
    assert [x.number for x in said] == [1, 2, 3, 4, 5, 6]
    assert [x.epoch for x in said] == [1, 1, 1, 2, 2, 2]
    assert [x.ends_epoch for x in said] == [False, False, True] * 2
    assert {"loss/discriminator", "loss/generator"} <= said[0].scalars.keys()


@pytest.mark.parametrize("name", TINY)
def test_equal_seeds_give_equal_runs_and_unequal_ones_do_not(name):
    s = tiny(name)
    first, second = ([x.scalars for x in steps(build(s), s)] for _ in range(2))
    other = tiny(name, seed=1)
    assert first == second
    assert first[0] != next(iter(steps(build(other), other))).scalars


@pytest.mark.parametrize("name", TINY)
def test_a_resumed_run_goes_on_with_the_numbers_of_an_uninterrupted_one(name):
    s = tiny(name, ema_decay=0.9)
    whole = build(s)
    expected = [x.scalars for x in steps(whole, s)]
    first = build(s)
    for _ in itertools.islice(steps(first, s), 4):  # in the middle of the second epoch
        pass
    second = build(s)
    second.load_training_state(first.training_state())
    assert [x.scalars for x in steps(second, s, start=4)] == expected[4:]
    for a, b in zip(whole.scoring_state().values(), second.scoring_state().values(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


@pytest.mark.parametrize("name", TINY)
def test_a_state_that_was_saved_in_another_layout_of_memory_goes_on_with_the_same_numbers_up_to_rounding(
    name, monkeypatch
):
    """What Adam remembers of each weight stays with that weight."""
    s = tiny(name)
    with monkeypatch.context() as patch:
        patch.setattr(Method, "lay_channels_last", lambda self: None)
        first = build(s)
        for _ in itertools.islice(steps(first, s), 4):
            pass
        saved = copy.deepcopy(first.training_state())
        expected = [x.scalars for x in steps(first, s, start=4)]
    second = build(s)
    second.load_training_state(saved)
    for a, b in zip(expected, [x.scalars for x in steps(second, s, start=4)], strict=True):
        assert a == pytest.approx(b, rel=1e-3)


@pytest.mark.parametrize("name", TINY)
def test_a_resumed_run_goes_on_with_the_same_numbers_in_bf16_too(name, tmp_path, monkeypatch):
    monkeypatch.setattr(fast_conv, "MANY_WEIGHTS", 100)
    s = tiny(name, ema_decay=0.9)

    def made():
        return build(s).to(memory_format=torch.channels_last)

    whole, first, second = made(), made(), made()
    expected = [x.scalars for x in steps(whole, s, precision="bf16")]
    for _ in itertools.islice(steps(first, s, precision="bf16"), 4):
        pass
    save_state(tmp_path, first, step=4, seconds=1.0, precision="bf16")
    second.load_training_state(load_state(tmp_path, torch.device("cpu"))["method"])
    assert [x.scalars for x in steps(second, s, start=4, precision="bf16")] == expected[4:]
    for a, b in zip(whole.state_dict().values(), second.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_nothing_outside_is_seeded():
    s = tiny("egbad")
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    for _ in steps(build(s), s):
        pass
    torch.testing.assert_close(torch.rand(3), expected, rtol=0, atol=0)


def test_a_loss_that_is_no_longer_finite_stops_the_run_with_its_name_and_step():
    with pytest.raises(GanadError, match="loss/generator stopped being finite at step 7"):
        check_finite({"loss/generator": float("nan"), "loss/discriminator": 1.0}, 7)
