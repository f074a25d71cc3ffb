"""EGBAD against its paper: shapes, parameter counts, a step against a plain slow one, parts against their definition."""

import copy
from itertools import pairwise
from math import log

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from ganad.config import resolve
from ganad.models import build
from tests.models.test_ganomaly import assert_ends_alike, outputs

SIZE = {"paper": 28, "article": 64, "small": 32}
PLAIN = dict(
    w_cycle=0.0, w_cycle_z=0.0, w_latent=0.0, ema_decay=0.0, dropout=0.0, lr=1e-3, lr_d=5e-4, augment_share=0.0
)


def tiny(architecture="small", **asked):
    fixed = dict(architecture=architecture, image_size=SIZE[architecture], filters=4, latent=6)
    return build(resolve("egbad", "tuned", normal=(8,), **(fixed | PLAIN | asked)))


def images(method, n=8, seed=0):
    size = method.settings.image_size
    return torch.rand((n, 1, size, size), generator=torch.Generator().manual_seed(seed)) * 2 - 1


def preset(name):
    return build(resolve("egbad", name, normal=(8,)))


def conv(i, o, k=4):
    return k * k * i * o + o


def linear(i, o):
    return i * o + o


def test_the_nets_of_the_paper_have_the_shapes_of_the_release():
    nets = preset("paper").networks()
    e, g, d = nets["encoder"], nets["generator"], nets["discriminator"]
    x, z = torch.zeros(2, 1, 28, 28), torch.zeros(2, 200)
    assert outputs(e, nn.Conv2d, x) == [(32, 28), (64, 14), (128, 7)]
    assert outputs(g, nn.ConvTranspose2d, z) == [(64, 14), (1, 28)]
    assert outputs(d, nn.Conv2d, x, z) == [(64, 14), (64, 7)]
    assert [m.in_features for m in d.modules() if isinstance(m, nn.Linear)] == [200, 3136 + 512, 1024]
    assert (e(x).shape, g(z).shape, d(x, z)[0].shape) == ((2, 200), (2, 1, 28, 28), (2,))
    assert d(x, z)[1].shape == (2, 1024)
    assert {m.negative_slope for n in (e, d) for m in n.modules() if isinstance(m, nn.LeakyReLU)} == {0.1}


def test_the_nets_of_the_paper_have_as_many_numbers_as_their_layers_say():
    expected = {
        "encoder": conv(1, 32, 3) + conv(32, 64, 3) + 2 * 64 + conv(64, 128, 3) + 2 * 128 + linear(128 * 49, 200),
        "generator": linear(200, 1024)
        + 2 * 1024
        + linear(1024, 6272)
        + 2 * 6272
        + conv(128, 64)
        + 2 * 64
        + conv(64, 1),
        "discriminator": conv(1, 64)
        + conv(64, 64)
        + 2 * 64
        + linear(200, 512)
        + linear(3136 + 512, 1024)
        + linear(1024, 1),
    }
    counts = {name: sum(p.numel() for p in net.parameters()) for name, net in preset("paper").networks().items()}
    assert counts == expected
    assert counts == {"encoder": 1_347_656, "generator": 6_781_505, "discriminator": 3_907_329}


def test_the_nets_of_the_article_have_the_shapes_of_the_tutorial():
    nets = preset("article").networks()
    e, g, d = nets["encoder"], nets["generator"], nets["discriminator"]
    x, z = torch.zeros(2, 1, 64, 64), torch.zeros(2, 20)
    assert outputs(e, nn.Conv2d, x) == [(64, 32), (128, 16), (256, 8), (512, 4), (512, 1)]
    assert outputs(g, nn.ConvTranspose2d, z) == [(512, 4), (256, 8), (128, 16), (64, 32), (1, 64)]
    assert outputs(d, nn.Conv2d, x, z) == [(64, 32), (128, 16), (256, 8), (512, 4), (512, 1)]
    assert (e(x).shape, g(z).shape, d(x, z)[0].shape) == ((2, 20), (2, 1, 64, 64), (2,))
    assert d(x, z)[1].shape == (2, 512)


def test_the_nets_of_the_article_have_as_many_numbers_as_their_layers_say():
    pyramid = (
        conv(1, 64) + conv(64, 128) + conv(128, 256) + conv(256, 512) + 2 * (64 + 128 + 256 + 512) + conv(512, 512)
    )
    up = conv(20, 512) + conv(512, 256) + conv(256, 128) + conv(128, 64) + 2 * (512 + 256 + 128 + 64) + conv(64, 1)
    expected = {
        "encoder": pyramid + linear(512, 20),
        "generator": up,
        "discriminator": pyramid + linear(20, 512) + 2 * 512 + linear(1024, 1),
    }
    counts = {name: sum(p.numel() for p in net.parameters()) for name, net in preset("article").networks().items()}
    assert counts == expected
    assert counts == {"encoder": 6_961_492, "generator": 2_920_257, "discriminator": 6_964_033}


def test_our_small_nets_halve_three_times():
    nets = tiny("small", filters=8).networks()
    x, z = torch.zeros(2, 1, 32, 32), torch.zeros(2, 6)
    assert outputs(nets["encoder"], nn.Conv2d, x) == [(8, 16), (16, 8), (32, 4), (6, 1)]
    assert outputs(nets["generator"], nn.ConvTranspose2d, z) == [(32, 4), (16, 8), (8, 16), (1, 32)]
    assert nets["discriminator"](x, z)[1].shape == (2, 16 * 8)


@pytest.mark.parametrize("architecture", SIZE)
def test_the_feature_layer_is_the_images_own_in_the_article_and_the_joint_one_elsewhere(architecture):
    method = tiny(architecture).eval()
    d, x = method.nets["discriminator"], images(method, 2)
    seen_by_image_alone = torch.equal(d(x, torch.zeros(2, 6))[1], d(x, torch.ones(2, 6))[1])
    assert seen_by_image_alone == (architecture == "article")


def cross_entropy(logits, answer):
    return F.binary_cross_entropy(torch.sigmoid(logits), torch.full_like(logits, answer))


def plain_step(e, g, d, x, z, lr, lr_d, **w):
    """The release's two halves, each with looks of its own, each player with a loss of its own. Returns the losses and the gradients."""
    loss_d = cross_entropy(d(x, e(x))[0], 1.0) + cross_entropy(d(g(z), z)[0], 0.0)
    grads = {"discriminator": torch.autograd.grad(loss_d, list(d.parameters()))}
    with torch.no_grad():
        for p, grad in zip(d.parameters(), grads["discriminator"], strict=True):
            p -= lr_d * grad / (grad.abs() + 1e-8)  # Adam's first step
    loss_g = cross_entropy(d(g(z), z)[0], 1.0)
    loss_e = cross_entropy(d(x, e(x))[0], 0.0)
    more = w["w_cycle"] * (x - g(e(x))).abs().mean() + w["w_cycle_z"] * ((z - e(g(z))) ** 2).mean()
    more = more + w["w_latent"] * ((e(x) - e(g(e(x)))) ** 2).mean()
    grads["generator"] = torch.autograd.grad(loss_g + more, list(g.parameters()), retain_graph=True)
    grads["encoder"] = torch.autograd.grad(loss_e + more, list(e.parameters()))
    return {"loss/discriminator": loss_d, "loss/generator": loss_g, "loss/encoder": loss_e}, grads


@pytest.mark.parametrize(
    ("architecture", "w"),
    [(a, dict(w_cycle=0.0, w_cycle_z=0.0, w_latent=0.0)) for a in SIZE]
    + [("small", dict(w_cycle=10.0, w_cycle_z=2.0, w_latent=5.0))],
)
def test_a_step_is_that_of_the_plain_slow_version(architecture, w):
    method = tiny(architecture, **w)
    e, g, d = (copy.deepcopy(method.nets[n]) for n in ("encoder", "generator", "discriminator"))
    x = images(method)
    z = torch.randn((len(x), 6), generator=torch.Generator().manual_seed(4))
    losses, grads = plain_step(e, g, d, x, z, lr=1e-3, lr_d=5e-4, **w)
    before = {k: v.detach().clone() for k, v in method.nets.named_parameters()}
    said = method.step(x, torch.Generator().manual_seed(4))
    for name, loss in losses.items():
        assert said[name].item() == pytest.approx(loss.item(), rel=1e-3), name
    for player, expected in grads.items():
        lr = 5e-4 if player == "discriminator" else 1e-3
        largest = max(float(q.abs().max()) for q in expected)
        for (name, p), q in zip(method.nets[player].named_parameters(), expected, strict=True):
            torch.testing.assert_close(p.grad, q, rtol=2e-2, atol=2e-4 * largest, msg=f"{player}.{name}")
            moved = before[f"{player}.{name}"] - lr * p.grad / (p.grad.abs() + 1e-8)
            torch.testing.assert_close(p.detach(), moved, rtol=1e-4, atol=1e-6, msg=f"{player}.{name}")


@pytest.mark.parametrize("name", ["encoder", "generator", "discriminator"])
def test_a_players_step_moves_that_player_alone(name):
    method = tiny(w_cycle=10.0, w_cycle_z=1.0)
    before = {k: v.clone() for k, v in method.nets.named_parameters()}
    for other, optimiser in method.optimisers().items():
        if other != name:
            optimiser.param_groups[0]["lr"] = 0.0
    method.step(images(method), torch.Generator().manual_seed(0))
    for player in method.nets:
        moved = [not torch.equal(v, before[f"{player}.{k}"]) for k, v in method.nets[player].named_parameters()]
        assert any(moved) == (player == name), player


def test_the_discriminator_pays_two_ln_two_when_it_cannot_tell_and_the_others_one():
    method = tiny(lr_d=1e-9)
    critic = method.nets["discriminator"].critic
    with torch.no_grad():
        critic.weight.zero_(), critic.bias.zero_()
    said = method.step(images(method), torch.Generator().manual_seed(0))
    assert said["loss/discriminator"].item() == pytest.approx(2 * log(2))
    assert said["loss/generator"].item() == pytest.approx(log(2), rel=1e-5)
    assert said["loss/encoder"].item() == pytest.approx(log(2), rel=1e-5)


def test_the_players_pull_in_opposite_directions():
    """Against a discriminator that stands still, G and E make its loss grow; against a still G and E it makes it fall."""
    x = images(tiny())

    def final(still):
        method = tiny()
        for name, optimiser in method.optimisers().items():
            if name in still:
                optimiser.param_groups[0]["lr"] = 0.0
        first = method.step(x, torch.Generator().manual_seed(0))["loss/discriminator"].item()
        for _ in range(10):
            last = method.step(x, torch.Generator().manual_seed(0))["loss/discriminator"].item()
        return last - first

    assert final({"discriminator"}) > 1e-4
    assert final({"encoder", "generator"}) < -1e-4


def test_dropout_works_in_the_discriminator_when_training_and_never_when_scoring():
    method = tiny(dropout=0.5)
    x = images(method)
    same, other = (copy.deepcopy(method) for _ in range(2))
    first = method.step(x, torch.Generator().manual_seed(0))
    assert first == same.step(x, torch.Generator().manual_seed(0))
    none = tiny(dropout=0.0)
    assert first["loss/discriminator"] != none.step(x, torch.Generator().manual_seed(0))["loss/discriminator"]
    other.step(x, torch.Generator().manual_seed(0))
    one, two = other.eval().parts(x), other.eval().parts(x)
    assert torch.equal(one.discrimination, two.discrimination)


@pytest.mark.parametrize("architecture", SIZE)
@torch.no_grad()
def test_the_parts_are_what_the_page_says(architecture):
    method = tiny(architecture).eval()
    x = images(method, 3)
    parts = method.one_look(x)
    e, g, d = (method.nets[n] for n in ("encoder", "generator", "discriminator"))
    for i in range(len(x)):
        one = x[i : i + 1]
        z = e(one)
        x_hat = g(z)
        f, f_hat = d(one, z)[1].numpy(), d(x_hat, z)[1].numpy()
        doubt = method.settings.w_bce * np.log1p(np.exp(-d(one, z)[0].item()))
        assert parts.residual[i].item() == pytest.approx(np.abs(one.numpy() - x_hat.numpy()).sum(), rel=1e-5)
        assert parts.discrimination[i].item() == pytest.approx(np.abs(f - f_hat).sum() + doubt, rel=1e-4)
        assert parts.latent[i].item() == pytest.approx(((z - e(x_hat)) ** 2).mean().item(), rel=1e-3)
        torch.testing.assert_close(parts.reconstruction[i : i + 1], x_hat, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(parts.z[i : i + 1], z, rtol=1e-4, atol=1e-6)


def idle(net):
    """Names of the biases that batch norm takes out again: their slope is rounding, and Adam makes whole steps of it."""
    modules = list(net.named_modules())
    return {
        f"{name}.bias"
        for (name, _), (_, after) in pairwise(modules)
        if isinstance(after, nn.BatchNorm1d | nn.BatchNorm2d)
    }


UNSEEN = {"12.bias", "14.bias"}
"""Of the article's encoder: they move all codes of a batch alike, which the batch norm on codes takes out."""


def test_sigma_adds_the_papers_other_discriminator_loss_to_the_discrimination_and_changes_no_step():
    without, with_it = (build(resolve("egbad", "tuned", normal=(8,), w_bce=s)).eval() for s in (0.0, 3.0))
    with_it.load_state_dict(without.state_dict())
    x = torch.rand(4, 1, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.no_grad():
        a, b = without.one_look(x), with_it.one_look(x)
        logit = without.scoring_net("discriminator")(x, without.scoring_net("encoder")(x))[0]
    called_real = torch.sigmoid(logit.double())
    assert torch.allclose((b.discrimination - a.discrimination).double(), -3 * torch.log(called_real), atol=1e-4)
    assert torch.equal(a.residual, b.residual)
    assert torch.equal(a.latent, b.latent)
    losses = [m.train().step(x, torch.Generator().manual_seed(1)) for m in (without, with_it)]
    assert all(torch.equal(losses[0][name], losses[1][name]) for name in losses[0])


@torch.no_grad()
@pytest.mark.parametrize("architecture", SIZE)
def test_in_the_article_the_training_discriminator_sees_neither_shift_nor_scale_of_a_batch_of_codes(architecture):
    """Its latent branch is a linear layer and batch norm, so E(x) and z may differ in both, and nobody pays."""
    method = tiny(architecture, latent=20)
    d, x = method.nets["discriminator"].train(), images(method)
    for layer in d.latent.modules():
        if isinstance(layer, nn.Linear):
            layer.weight.mul_(50)  # so that batch norm's epsilon is nothing beside the variance
    z = torch.randn((len(x), 20), generator=torch.Generator().manual_seed(0))
    logits = d(x, z)[0]
    moved = max((d(x, other)[0] - logits).abs().max().item() for other in (z + 5, 3 * z))
    assert (moved < 1e-3 * logits.std().item()) == (architecture == "article")


@pytest.mark.parametrize("architecture", SIZE)
@pytest.mark.parametrize(
    "w", [dict(w_cycle=0.0, w_cycle_z=0.0, w_latent=0.0), dict(w_cycle=10.0, w_cycle_z=2.0, w_latent=5.0)]
)
def test_three_steps_end_where_the_plain_slow_version_ends(architecture, w):
    """The textbook: a pass for each use, detach, gradients set to zero, backward, Adam; D, then G and E at once."""
    method = tiny(architecture, **w)
    plain = copy.deepcopy(method)
    e, g, d = (plain.nets[n] for n in ("encoder", "generator", "discriminator"))
    opt_e, opt_g, opt_d = (
        torch.optim.Adam(net.parameters(), lr=lr, betas=(0.5, 0.999)) for net, lr in ((e, 1e-3), (g, 1e-3), (d, 5e-4))
    )
    method.train(), plain.train()
    for k in range(3):
        x = images(method, seed=k)
        said = method.step(x, torch.Generator().manual_seed(k))
        z = torch.randn((len(x), 6), generator=torch.Generator().manual_seed(k))
        opt_d.zero_grad()
        loss_d = cross_entropy(d(x, e(x).detach())[0], 1.0) + cross_entropy(d(g(z).detach(), z)[0], 0.0)
        loss_d.backward()
        opt_d.step()
        loss_g, loss_e = cross_entropy(d(g(z), z)[0], 1.0), cross_entropy(d(x, e(x))[0], 0.0)
        ours = w["w_cycle"] * (x - g(e(x))).abs().mean() + w["w_cycle_z"] * ((z - e(g(z))) ** 2).mean()
        ours = ours + w["w_latent"] * ((e(x) - e(g(e(x)))) ** 2).mean()
        opt_g.zero_grad(), opt_e.zero_grad()
        (loss_g + loss_e + ours).backward()
        opt_g.step(), opt_e.step()
        for name, loss in (("discriminator", loss_d), ("generator", loss_g), ("encoder", loss_e)):
            assert said[f"loss/{name}"].item() == pytest.approx(loss.item(), rel=1e-3), (k, name)
    for player, net in plain.nets.items():
        passive = idle(net)
        if architecture == "article" and player == "encoder" and not w["w_cycle"]:
            passive |= UNSEEN
        expected = dict(net.named_parameters())
        for name, p in method.nets[player].named_parameters():
            if name not in passive:
                assert_ends_alike(p, expected[name], f"{player}.{name}")


def test_dropout_is_drawn_from_the_generator_of_the_step():
    x = images(tiny())

    def paid(seed, dropout):
        method = tiny(dropout=dropout)
        rng = torch.Generator().manual_seed(seed)
        return method.step(x, rng)["loss/discriminator"].item(), rng.get_state()

    (one, state), (again, _), (other, _), (none, short) = paid(0, 0.5), paid(0, 0.5), paid(1, 0.5), paid(0, 0.0)
    assert one == again
    assert one != other
    assert one != none
    assert not torch.equal(state, short)  # the units were drawn from the very generator that z came from


def test_scoring_between_steps_drops_nothing_and_draws_nothing():
    method = tiny(dropout=0.5)
    x, rng = images(method), torch.Generator().manual_seed(0)
    method.train().step(x, rng)
    state = rng.get_state()
    first = method.eval().parts(x)
    for layer in method._dropouts:
        layer.share = 0.0
    assert torch.equal(first.discrimination, method.parts(x).discrimination)
    assert torch.equal(rng.get_state(), state)


@pytest.mark.parametrize("name", ["paper", "article"])
def test_the_first_weights_of_the_presets_are_those_of_the_release(name):
    for net in preset(name).networks().values():
        for m in net.modules():
            if isinstance(m, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
                # Of n draws, the standard deviation is off by 1 / sqrt(2 n) of itself; four times that is rare.
                assert m.weight.std().item() == pytest.approx(0.02, rel=4 / (2 * m.weight.numel()) ** 0.5)
                assert not m.bias.any()
