"""What every method promises, whichever it is: seeds, averaging, states, half precision."""

import copy

import pytest
import torch

from ganad.config import PRESETS, UNSET, resolve
from ganad.models import METHODS, build

SMALL = dict(filters=4, latent=6)


def small(name, **asked):
    return build(resolve(name, "tuned", normal=(8,), **(SMALL | asked)))


def images(method, n=6, seed=0):
    size = method.settings.image_size
    return torch.rand((n, 1, size, size), generator=torch.Generator().manual_seed(seed)) * 2 - 1


def tensors(method):
    return dict(method.nets.state_dict())


def test_every_method_with_presets_is_one_that_can_be_built():
    assert METHODS.keys() == PRESETS.keys()


@pytest.mark.parametrize("name", METHODS)
def test_equal_seeds_give_equal_first_weights_and_unequal_ones_do_not(name):
    first, same, other = (tensors(small(name, seed=s)) for s in (0, 0, 1))
    assert all(torch.equal(first[k], same[k]) for k in first)
    weights = [k for k in first if k.endswith("weight")]
    assert not any(torch.equal(first[k], other[k]) for k in weights)


@pytest.mark.parametrize("name", METHODS)
def test_a_seed_of_its_own_overrules_that_of_the_settings(name):
    s = resolve(name, "tuned", normal=(8,), **SMALL)
    first, second = tensors(build(s, seed=7)), tensors(small(name, seed=7))
    assert all(torch.equal(first[k], second[k]) for k in first)


@pytest.mark.parametrize("name", METHODS)
def test_drawing_first_weights_leaves_the_global_generator_alone(name):
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    small(name)
    torch.testing.assert_close(torch.rand(2), expected, rtol=0, atol=0)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize(("lr_d", "expected"), [(3e-5, 3e-5), (None, 7e-4)])
def test_each_player_has_an_adam_of_its_own_set_as_asked(name, lr_d, expected):
    method = small(name, lr=7e-4, lr_d=lr_d if lr_d is not None else UNSET, beta1=0.3)
    for player, optimiser in method.optimisers().items():
        (group,) = optimiser.param_groups
        own = expected if player == "discriminator" else getattr(method.settings, f"lr_{player}", None) or 7e-4
        assert (group["lr"], group["betas"]) == (own, (0.3, method.settings.beta2))
        assert {id(p) for p in group["params"]} == {id(p) for p in method.networks()[player].parameters()}


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("average", [0.0, 0.9])
def test_scores_come_from_the_averaged_weights_where_there_are_any(name, average):
    method = small(name, ema_decay=average).eval()
    x = images(method)
    before = method.parts(x)
    with torch.no_grad():
        for p in method.nets.parameters():
            p.add_(0.1)
    after = method.parts(x)
    assert torch.equal(before.latent, after.latent) == (average > 0)
    assert torch.equal(before.reconstruction, after.reconstruction) == (average > 0)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("average", [0.0, 0.9])
def test_what_scoring_needs_fits_another_instance_and_holds_no_more(name, average):
    method, other = small(name, ema_decay=average), small(name, ema_decay=average, seed=1)
    method.step(images(method), torch.Generator().manual_seed(0))
    state = method.scoring_state()
    statistics = {
        k
        for k in method.state_dict()
        if k.startswith(
            (
                "density.",
                "typicality.",
                "residuals.",
                "features.",
                "encoded.",
                "transforms.",
                "transform_features.",
                "first_layer.",
            )
        )
    }
    assert state.keys() == tensors(method).keys() | statistics
    other.load_scoring_state({k: v.clone() for k, v in state.items()})
    x = images(method)
    ours, theirs = method.eval().parts(x), other.eval().parts(x)
    torch.testing.assert_close(ours.by_name, theirs.by_name, rtol=0, atol=0)
    torch.testing.assert_close((ours.reconstruction, ours.z), (theirs.reconstruction, theirs.z), rtol=0, atol=0)


@pytest.mark.parametrize("name", METHODS)
def test_half_precision_changes_the_layers_and_neither_losses_nor_parts(name):
    method = small(
        name, lr=1e-6, lr_d=1e-6
    )  # Adam's first moves are of size lr, whatever the gradient: keep them out of it
    x = images(method)
    twin = copy.deepcopy(method)
    exact = method.step(x, torch.Generator().manual_seed(0))
    with torch.autocast("cpu", torch.bfloat16):
        rough = twin.step(x, torch.Generator().manual_seed(0))
        parts = twin.eval().parts(x)
    assert {v.dtype for v in rough.values()} == {torch.float32}
    assert {v.dtype for v in (*parts.by_name.values(), parts.reconstruction, parts.z)} == {torch.float32}
    assert exact.keys() == rough.keys()
    for k in exact:
        assert rough[k].item() == pytest.approx(exact[k].item(), rel=0.05, abs=0.01), k


@pytest.mark.parametrize("name", METHODS)
def test_a_step_says_what_each_player_pays_and_keeps_no_graph(name):
    method, said = small(name), {}
    for share in method.phases():
        method.set_progress(share)
        said |= method.step(images(method), torch.Generator().manual_seed(0))
    assert {f"loss/{player}" for player in method.networks()} <= said.keys()
    assert all(v.dim() == 0 and not v.requires_grad for v in said.values())


@pytest.mark.parametrize("name", METHODS)
def test_a_step_repeats_itself_with_its_generator_and_leaves_the_global_one_alone(name):
    asked = dict(augment=1.0) | (dict(dropout=0.5) if name == "egbad" else {})
    one = small(name, **asked)
    two = copy.deepcopy(one)
    x = images(one)
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    first, second = (m.step(x, torch.Generator().manual_seed(5)) for m in (one, two))
    assert first == second
    torch.testing.assert_close(torch.rand(2), expected, rtol=0, atol=0)
