"""GANomaly against its paper: shapes, parameter counts, a step against a plain slow one, parts against their definition."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from ganad.bench.reference import PlainGanomaly
from ganad.config import resolve
from ganad.models import build


def tiny(**asked):
    return build(resolve("ganomaly", "paper", normal=(8,), **(dict(filters=4, latent=6, lr=1e-3) | asked)))


def images(n=8, size=32, seed=0):
    return torch.rand((n, 1, size, size), generator=torch.Generator().manual_seed(seed)) * 2 - 1


def outputs(net, kind, *given):
    """(maps, side) of the output of every layer of a kind, in order."""
    seen = []
    hooks = [
        m.register_forward_hook(lambda _, __, out: seen.append((out.shape[1], out.shape[-1])))
        for m in net.modules()
        if isinstance(m, kind)
    ]
    net.eval()(*given)
    for hook in hooks:
        hook.remove()
    return seen


def test_the_nets_of_the_paper_have_the_shapes_of_the_release():
    method = build(resolve("ganomaly", "paper", normal=(8,)))
    g, d = method.networks()["generator"], method.networks()["discriminator"]
    x = images(2)
    assert outputs(g.encoder1, nn.Conv2d, x) == [(64, 16), (128, 8), (256, 4), (100, 1)]
    assert outputs(g.encoder2, nn.Conv2d, x) == [(64, 16), (128, 8), (256, 4), (100, 1)]
    assert outputs(g.decoder, nn.ConvTranspose2d, torch.zeros(2, 100)) == [(256, 4), (128, 8), (64, 16), (1, 32)]
    assert outputs(d, nn.Conv2d, x) == [(64, 16), (128, 8), (256, 4), (1, 1)]
    x_hat, z, z_hat = g(x)
    assert (x_hat.shape, z.shape, z_hat.shape) == (x.shape, (2, 100), (2, 100))
    assert d(x)[0].shape == (2,)
    assert d(x)[1].shape == (2, 256, 4, 4)


def test_the_nets_of_the_paper_have_as_many_numbers_as_their_layers_say():
    method = build(resolve("ganomaly", "paper", normal=(8,)))
    pyramid = 16 * (1 * 64 + 64 * 128 + 128 * 256) + 2 * (128 + 256)  # no bias; batch norm from the second on
    encoder = pyramid + 16 * 256 * 100
    decoder = 16 * (100 * 256 + 256 * 128 + 128 * 64 + 64 * 1) + 2 * (256 + 128 + 64)
    counts = {name: sum(p.numel() for p in net.parameters()) for name, net in method.networks().items()}
    assert counts == {"generator": 2 * encoder + decoder, "discriminator": pyramid + 16 * 256}
    assert counts == {"generator": 3_200_384, "discriminator": 661_248}


def test_an_image_of_64_takes_one_more_halving():
    method = tiny(image_size=64)
    g = method.networks()["generator"]
    x = images(2, 64)
    assert outputs(g.encoder1, nn.Conv2d, x) == [(4, 32), (8, 16), (16, 8), (32, 4), (6, 1)]
    assert outputs(g.decoder, nn.ConvTranspose2d, torch.zeros(2, 6)) == [(32, 4), (16, 8), (8, 16), (4, 32), (1, 64)]
    assert method.eval().parts(x).reconstruction.shape == (2, 1, 64, 64)


def test_leaky_slopes_and_the_last_layers_are_those_of_the_release():
    g = tiny().networks()["generator"]
    assert {m.negative_slope for m in g.modules() if isinstance(m, nn.LeakyReLU)} == {0.2}
    assert isinstance(g.decoder.net[-1], nn.Tanh)
    assert not any(p for name, p in g.named_modules() if isinstance(p, nn.BatchNorm2d) and name.endswith("pyramid.1"))


def plain_losses(g, d, x, w_adv, w_con, w_enc):
    """What the paper says, with a look of D for each use and probabilities instead of logits."""
    z = g.encoder1(x)
    x_hat = g.decoder(z)
    z_hat = g.encoder2(x_hat)
    adversarial = ((d(x)[1] - d(x_hat)[1]) ** 2).mean()
    contextual = (x - x_hat).abs().mean()
    encoder = ((z - z_hat) ** 2).mean()
    loss_g = w_adv * adversarial + w_con * contextual + w_enc * encoder
    p_real, p_fake = torch.sigmoid(d(x)[0]), torch.sigmoid(d(x_hat.detach())[0])
    loss_d = (
        F.binary_cross_entropy(p_real, torch.ones(len(x))) + F.binary_cross_entropy(p_fake, torch.zeros(len(x)))
    ) / 2
    return loss_g, loss_d, adversarial, contextual, encoder


@pytest.mark.parametrize("weights", [(1.0, 50.0, 1.0), (3.0, 0.0, 0.0), (0.0, 0.0, 2.0)])
def test_a_step_is_that_of_the_plain_slow_version(weights):
    method = tiny(**dict(zip(("w_adv", "w_con", "w_enc"), weights, strict=True)))
    plain = copy.deepcopy(method)
    g, d = plain.nets["generator"], plain.nets["discriminator"]
    x = images()
    said = method.step(x, torch.Generator())
    losses = plain_losses(g, d, x, *weights)
    for p, grad in zip(
        g.parameters(), torch.autograd.grad(losses[0], list(g.parameters()), allow_unused=True), strict=True
    ):
        p.grad = torch.zeros_like(p) if grad is None else grad
    losses[1].backward(inputs=list(d.parameters()))
    names = [
        "loss/generator",
        "loss/discriminator",
        "generator/adversarial",
        "generator/contextual",
        "generator/encoder",
    ]
    assert [said[n].item() for n in names] == pytest.approx([v.item() for v in losses], rel=1e-4)
    moved = 0.0
    before = dict(plain.nets.named_parameters())
    for name, p in method.nets.named_parameters():
        q = before[name]
        torch.testing.assert_close(p.grad, q.grad, rtol=1e-3, atol=1e-5 * float(q.grad.abs().max()) + 1e-9, msg=name)
        # Adam's first step, from the gradient that was found: m / (sqrt(v) + eps) with both corrected for their start.
        expected = q.detach() - 1e-3 * p.grad / (p.grad.abs() + 1e-8)
        torch.testing.assert_close(p.detach(), expected, rtol=1e-4, atol=1e-6, msg=name)
        moved = max(moved, float((p - q).detach().abs().max()))
    assert moved == pytest.approx(1e-3, rel=0.01)


def test_a_step_finds_the_gradients_of_the_released_code():
    """Which runs D four times, goes back through all of it and throws away what is not a player's own."""
    method = tiny(latent=8)
    plain = PlainGanomaly(32, filters=4, latent=8, lr=1e-3)
    for p, q in zip(plain.parameters(), method.nets.parameters(), strict=True):
        p.data.copy_(q.data)
    for k in range(2):  # the second from weights that both have moved
        x = images(seed=k)
        expected, said = plain.step(x), method.step(x, torch.Generator())
        assert {name: value.item() for name, value in said.items()} == pytest.approx(expected, rel=1e-3 if k else 1e-5)
        for (name, p), q in zip(method.nets.named_parameters(), plain.parameters(), strict=True):
            most = float(q.grad.abs().max())
            torch.testing.assert_close(p.grad, q.grad, rtol=1e-3, atol=(1e-2 if k else 1e-5) * most, msg=name)


def test_the_encoder_loss_pulls_the_first_encoder_both_ways():
    """z is not detached: the first encoder feels L_enc as the maker of z, and through the picture that it is made from."""
    method = tiny(w_adv=0.0, w_con=0.0, w_enc=1.0)
    g = copy.deepcopy(method.nets["generator"])
    x = images()
    method.step(x, torch.Generator())
    _, z, z_hat = g(x)
    kept = torch.autograd.grad(((z - z_hat) ** 2).mean(), g.encoder1.last.weight, retain_graph=True)[0]
    detached = torch.autograd.grad(((z.detach() - z_hat) ** 2).mean(), g.encoder1.last.weight)[0]
    found = method.nets["generator"].encoder1.last.weight.grad
    torch.testing.assert_close(found, kept, rtol=1e-3, atol=1e-7)
    assert (found - detached).abs().max() > 0.1 * kept.abs().max()


@pytest.mark.parametrize("name", ["generator", "discriminator"])
def test_a_players_step_moves_that_player_alone(name):
    method = tiny()
    before = {k: v.clone() for k, v in method.nets.named_parameters()}
    for other, optimiser in method.optimisers().items():
        if other != name:
            optimiser.param_groups[0]["lr"] = 0.0
    method.step(images(), torch.Generator())
    for k, v in method.nets.named_parameters():
        assert torch.equal(v, before[k]) == (not k.startswith(name)), k


def test_the_discriminator_looks_once_at_each_side():
    """The statistics of its batch norm are those of one look at x and one at x̂: 0.9 · (0.9 · 0 + 0.1 · m) + 0.1 · m̂."""
    method = tiny()
    d = copy.deepcopy(method.nets["discriminator"])
    x = images()
    x_hat = copy.deepcopy(method.nets["generator"])(x)[0]
    norm = next(m for m in d.modules() if isinstance(m, nn.BatchNorm2d))
    means = []
    norm.register_forward_pre_hook(lambda _, given: means.append(given[0].mean((0, 2, 3))))
    d(x), d(x_hat)
    method.step(x, torch.Generator())
    found = next(m for m in method.nets["discriminator"].modules() if isinstance(m, nn.BatchNorm2d))
    assert found.num_batches_tracked == 2
    torch.testing.assert_close(found.running_mean, 0.9 * 0.1 * means[0] + 0.1 * means[1], rtol=1e-4, atol=1e-6)


@torch.no_grad()
def test_the_parts_are_what_the_page_says():
    method = tiny().eval()
    x = images(3)
    parts = method.parts(x)
    g, d = method.nets["generator"], method.nets["discriminator"]
    for i in range(len(x)):
        one = x[i : i + 1]
        z = g.encoder1(one)
        x_hat = g.decoder(z)
        z_hat = g.encoder2(x_hat)
        f, f_hat = d(one)[1].numpy(), d(x_hat)[1].numpy()
        assert parts.residual[i].item() == pytest.approx(np.abs(one.numpy() - x_hat.numpy()).sum(), rel=1e-5)
        assert parts.discrimination[i].item() == pytest.approx(((f - f_hat) ** 2).mean(), rel=1e-4)
        assert parts.latent[i].item() == pytest.approx(((z - z_hat) ** 2).mean().item(), rel=1e-4)
        torch.testing.assert_close(parts.reconstruction[i : i + 1], x_hat, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(parts.z[i : i + 1], z, rtol=1e-4, atol=1e-6)


def test_it_learns_to_redraw_a_picture_that_it_sees_again_and_again():
    method = tiny(filters=8, lr=2e-3)
    x = images(4) * 0 - 1
    x[:, :, 8:24, 12:20] = 1
    method.train()
    first = method.step(x, torch.Generator())["generator/contextual"].item()
    for _ in range(60):
        last = method.step(x, torch.Generator())["generator/contextual"].item()
    assert last < 0.3 * first


def assert_ends_alike(found, expected, name, lr=1e-3):
    """Weights after a few steps of Adam, up to rounding.

    Adam moves every weight by about lr, in the direction of its gradient: where a gradient is nothing but rounding, which differs
    from processor to processor, so is the move. Of 10,000 weights one may be such.
    """
    off = (found - expected).abs()
    assert off.max() <= 2 * lr, name
    assert (off > 1e-3 * expected.abs() + 0.05 * lr).sum() <= off.numel() / 10_000, name


def test_three_steps_end_where_the_plain_slow_version_ends():
    """The release, line by line: four looks of D, gradients set to zero, backward, Adam; first the generator, then D."""
    method = tiny(latent=8)
    plain = copy.deepcopy(method)
    g, d = plain.nets["generator"], plain.nets["discriminator"]
    adam = {name: torch.optim.Adam(net.parameters(), lr=1e-3, betas=(0.5, 0.999)) for name, net in plain.nets.items()}
    names = (
        "loss/generator",
        "loss/discriminator",
        "generator/adversarial",
        "generator/contextual",
        "generator/encoder",
    )
    method.train(), plain.train()
    for k in range(3):
        x = images(seed=k)
        said = method.step(x, torch.Generator())
        losses = plain_losses(g, d, x, 1.0, 50.0, 1.0)
        adam["generator"].zero_grad()
        losses[0].backward(retain_graph=True)
        adam["discriminator"].zero_grad()  # what the generator's loss left there is not D's
        losses[1].backward(inputs=list(d.parameters()))
        adam["generator"].step()
        adam["discriminator"].step()
        assert [said[n].item() for n in names] == pytest.approx([v.item() for v in losses], rel=1e-3), k
    expected = dict(plain.nets.named_parameters())
    for name, p in method.nets.named_parameters():
        assert_ends_alike(p, expected[name], name)


def test_generator_and_discriminator_pull_in_opposite_directions():
    """Features: D's own move changes what the generator pays; against a still D the generator brings f(x̂) to f(x)."""
    x = images()

    def change(still, loss):
        method = tiny(w_con=0.0, w_enc=0.0)
        method.optimisers()[still].param_groups[0]["lr"] = 0.0
        first = method.step(x, torch.Generator())[loss].item()
        for _ in range(15):
            last = method.step(x, torch.Generator())[loss].item()
        return last - first

    assert change("generator", "loss/discriminator") < -1e-3
    assert change("generator", "loss/generator") > 1e-6  # telling them apart drives the features apart
    assert change("discriminator", "loss/generator") < -1e-6


def test_the_first_weights_of_the_paper_are_those_of_the_release():
    for net in build(resolve("ganomaly", "paper", normal=(8,))).networks().values():
        for m in net.modules():
            if isinstance(m, nn.Conv2d | nn.ConvTranspose2d):
                assert m.bias is None
                # Of n draws, the standard deviation is off by 1 / sqrt(2 n) of itself; four times that is rare.
                assert m.weight.std().item() == pytest.approx(0.02, rel=4 / (2 * m.weight.numel()) ** 0.5)
            elif isinstance(m, nn.BatchNorm2d):
                assert m.weight.mean().item() == pytest.approx(1, abs=0.01)
                assert not m.bias.any()
