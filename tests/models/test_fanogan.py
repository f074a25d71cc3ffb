"""f-AnoGAN: the losses of Gulrajani et al. 2017 and Schlegl et al. 2019, two phases, and the layers of the release."""

import copy

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from ganad.config import resolve
from ganad.data import sources
from ganad.models import build
from ganad.models.fanogan import gradient_penalty
from ganad.runs import run_directory
from ganad.runs.checkpoint import load_method
from ganad.scoring.score import score, to_picture
from ganad.training import run_training, worker
from ganad.ui.panels import samples

SMALL = dict(filters=4, latent=6, ema_decay=0.0, w_feature_density=0.0, w_typicality=0.0, w_residual_density=0.0)


def small(**asked):
    return build(resolve("fanogan", "tuned", normal=(8,), **(SMALL | asked)))


def images(n=6, seed=0):
    return torch.rand((n, 1, 32, 32), generator=torch.Generator().manual_seed(seed)) * 2 - 1


class Linear(nn.Module):
    """A critic whose slope is known: w times the sum of the pixels."""

    def __init__(self, w):
        super().__init__()
        self.w = nn.Parameter(torch.tensor(w))

    def forward(self, x):
        return self.w * x.flatten(1).sum(1), x


@pytest.mark.parametrize("w", [0.0, 0.5, 1.0, -2.0])
def test_the_penalty_of_a_linear_critic_is_the_square_of_its_slope_minus_one(w):
    """The slope with respect to 1,024 pixels has the length |w| · 32 everywhere; its own slope is 2 (32 |w| - 1) · 32 sign w."""
    critic = Linear(w)
    found = gradient_penalty(critic, images(), images(seed=1), torch.Generator().manual_seed(0))
    assert found.item() == pytest.approx((32 * abs(w) - 1) ** 2, rel=1e-5)
    if w:
        (slope,) = torch.autograd.grad(found, critic.w)
        assert slope.item() == pytest.approx(2 * (32 * abs(w) - 1) * 32 * np.sign(w), rel=1e-5)


def test_the_penalty_is_asked_between_the_two_pictures():
    class Seen(Linear):
        def forward(self, x):
            self.x = x.detach()
            return super().forward(x)

    critic, a, b = Seen(1.0), images(), images(seed=1)
    gradient_penalty(critic, a, b, torch.Generator().manual_seed(0))
    share = (critic.x - a) / (b - a)
    for row in share.flatten(1):
        torch.testing.assert_close(row, row[:1].expand_as(row), rtol=1e-3, atol=1e-3)
    assert 0 <= share.min() <= share.max() <= 1 + 1e-3


def test_what_the_gan_pays_is_what_its_papers_say():
    method, x = small(critic_steps=1), images()
    method.train()
    plain = copy.deepcopy(method)
    found = method.step(x, torch.Generator().manual_seed(3))
    g, d = plain.nets["generator"], plain.nets["discriminator"]
    rng = torch.Generator().manual_seed(3)
    z = torch.randn((len(x), 6), generator=rng)
    x_tilde = g(z).detach()
    t = torch.rand((len(x), 1, 1, 1), generator=rng)
    u = (x + t * (x_tilde - x)).requires_grad_()
    (slope,) = torch.autograd.grad(d(u)[0].sum(), u)
    distance = d(x)[0].mean() - d(x_tilde)[0].mean()
    penalty = ((slope.square().sum((1, 2, 3)).sqrt() - 1) ** 2).mean()
    assert found["discriminator/distance"].item() == pytest.approx(distance.item(), abs=1e-6)
    assert found["discriminator/penalty"].item() == pytest.approx(penalty.item(), rel=1e-4)
    assert found["loss/discriminator"].item() == pytest.approx((10 * penalty - distance).item(), rel=1e-4)
    after = method.nets["discriminator"](g(z))[0]  # G is asked after the critic has moved
    assert found["loss/generator"].item() == pytest.approx(-after.mean().item(), abs=1e-4)


@pytest.mark.parametrize("every", [1, 3])
def test_the_generator_moves_once_for_so_many_moves_of_the_critic(every):
    method = small(critic_steps=every)
    method.train()
    moved = []
    for k in range(6):
        before = copy.deepcopy(method.nets["generator"][1].weight)
        method.step(images(seed=k), torch.Generator().manual_seed(k))
        moved.append(not torch.equal(before, method.nets["generator"][1].weight))
    assert moved == [(k + 1) % every == 0 for k in range(6)]


def test_the_encoder_learns_alone_and_last():
    method = small(encoder_share=0.25)
    method.train()
    for share, movers in (
        (0.0, {"generator", "discriminator"}),
        (0.74, {"generator", "discriminator"}),
        (0.75, {"encoder"}),
    ):
        method.set_progress(share)
        before = copy.deepcopy({name: list(net.parameters()) for name, net in method.nets.items()})
        for k in range(5):
            method.step(images(seed=k), torch.Generator().manual_seed(k))
        moved = {
            name for name, old in before.items()
            if any(not torch.equal(a, b) for a, b in zip(old, method.nets[name].parameters(), strict=True))
        }  # fmt: skip
        assert moved == movers


@pytest.mark.parametrize("w_features", [0.0, 2.0])
def test_what_the_encoder_pays_is_the_distance_of_pixels_and_of_features(w_features):
    method, x = small(w_features=w_features), images()
    method.train()
    method.set_progress(0.9)
    plain = copy.deepcopy(method)
    found = method.step(x, torch.Generator().manual_seed(0))
    e, g, d = (plain.nets[name] for name in ("encoder", "generator", "discriminator"))
    x_hat = g.eval()(e(x))
    pixels, features = ((a - b).square().mean() for a, b in ((x, x_hat), (d(x)[1], d(x_hat)[1])))
    assert found["loss/encoder"].item() == pytest.approx((pixels + w_features * features).item(), rel=1e-5)


def test_the_parts_are_those_of_the_release():
    method, x = small().eval(), images()
    found = method.one_look(x)
    e, g, d = (method.nets[name] for name in ("encoder", "generator", "discriminator"))
    for i in range(len(x)):
        one = x[i : i + 1]
        x_hat = g(e(one))
        expected = [
            (a - b).square().mean().item() for a, b in ((one, x_hat), (d(one)[1], d(x_hat)[1]), (e(one), e(x_hat)))
        ]
        assert [p[i].item() for p in found[:3]] == pytest.approx(expected, rel=1e-4)


def test_the_nets_of_the_paper_have_the_layers_of_the_release():
    """Parameters, counted by hand for `filters` f = 64 and z of 128: linear layers, and of each block two 3x3 convolutions (the
    first without bias), a 1x1 convolution and two norms."""

    def block(i, o, middle, norms):
        return 9 * i * middle + 9 * middle * o + o + i * o + o + norms

    f, nz = 64, 128
    widths = (f, 2 * f, 4 * f, 8 * f, 8 * f)
    down = [(i, o, side) for i, o, side in zip(widths[:-1], widths[1:], (64, 32, 16, 8), strict=True)]
    up = [(8 * f, 8 * f), (8 * f, 4 * f), (4 * f, 2 * f), (2 * f, f)]
    expected = {
        "encoder": 9 * f + f + sum(block(i, o, i, 4 * i) for i, o, _ in down) + 128 * f * nz + nz,
        "generator": nz * 128 * f + 128 * f + sum(block(i, o, o, 2 * i + 2 * o) for i, o in up) + 2 * f + 9 * f + 1,
        "discriminator": 9 * f + f + sum(block(i, o, i, 4 * i * s * s) for i, o, s in down) + 128 * f + 1,
    }
    method = build(resolve("fanogan", "paper", normal=(8,)))
    assert {name: sum(p.numel() for p in net.parameters()) for name, net in method.nets.items()} == expected
    assert not [m for m in method.nets["discriminator"].modules() if isinstance(m, nn.BatchNorm2d)]
    encoder = method.optimisers()["encoder"]
    assert isinstance(encoder, torch.optim.RMSprop)
    assert encoder.param_groups[0]["lr"] == 5e-5


def test_the_nets_of_the_paper_draw_and_read_images_of_64():
    method = build(resolve("fanogan", "paper", normal=(8,), filters=4)).eval()
    found = method.parts(torch.rand((2, 1, 64, 64)) * 2 - 1)
    assert found.reconstruction.shape == (2, 1, 64, 64)
    assert found.z.shape == (2, 128)


@pytest.mark.parametrize("share", [0.33, 0.5, 0.7])
def test_the_film_shows_generated_images_until_the_epoch_in_which_the_encoder_begins(share, runs_dir):
    settings = resolve(
        "fanogan", "tuned", normal=(8,), epochs=4, encoder_share=share, limit=200, test_limit=200, precision="float32",
        filters=4, latent=6,
    )  # fmt: skip
    run = run_directory.create(settings)
    assert worker.work(run) == "finished"
    probe = len(run_training.probe_images(sources.split(sources.load(None), settings)))
    until = settings.epochs_without_reconstructions
    assert until == int(4 * (1 - share))
    sheets = {e: np.asarray(Image.open(p))[28:] for e, p in run_directory.samples(run).items()}
    assert len(sheets) == 5
    untrained = to_picture(build(settings).eval().generated(probe))
    assert untrained.shape == (probe, 28, 28)
    method = load_method(run)
    assert method.generated(probe) is not None  # as loaded, it stands before its first step
    method.set_progress(0.999)
    assert method.generated(probe) is None
    reconstructed = np.concatenate(
        list(
            score(
                method, np.stack(np.split(np.asarray(Image.open(run_directory.samples(run)[4]))[:28], probe, axis=1))
            ).reconstruction
        ),
        axis=1,
    )
    assert np.abs(sheets[4].astype(int) - reconstructed).max() <= 1
    html = samples.film_html(run_directory.samples(run), generated_until=until)
    assert html.count("generated images G(z)") == until + 1
    assert html.count("their reconstructions") == 4 - until


def test_generated_images_come_from_the_same_z_each_time():
    method = small().eval()
    assert torch.equal(method.generated(3), method.generated(3))
    assert all(
        build(resolve(name, "tuned", normal=(8,))).generated(3) is None for name in ("ganomaly", "egbad", "anogan")
    )
