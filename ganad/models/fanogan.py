"""f-AnoGAN: first a Wasserstein GAN, then an encoder that leads each image to the z whose picture comes nearest.

Paper   Schlegl et al. 2019, Medical Image Analysis 54:30-44, doi 10.1016/j.media.2019.01.010; the GAN: Gulrajani et al. 2017,
        arXiv:1704.00028. The nets of `paper`: the released code, github.com/tSchlegl/f-AnoGAN.
Shapes  x, x̂ = G(E(x)) (B, 1, S, S) in [-1, 1] · z (B, nz) ~ N(0, I) · values (B,), high = "real" · f (B, n) the critic's features.
Differs from paper and release in what docs/methods/fanogan.md lists.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ganad.config import FanoganSettings
from ganad.models.augment import augmented
from ganad.models.base import Method, Parts, no_op
from ganad.models.dcgan import SLOPES, conv, small_conv_stack, small_generator
from ganad.models.layers import init_dcgan
from ganad.models.losses import at_least_float32, l2, mean_square
from ganad.models.ops.fast_conv import Conv
from ganad.models.principal_density import PrincipalDensity
from ganad.models.scoring_program import ScoringProgram, Step
from ganad.models.transforms import image_layers


class Critic(nn.Module):
    """x -> value (B,) and the features f (B, n) below it. No batch norm: the penalty asks of each image by itself."""

    def __init__(self, features: list[nn.Module], n: int):
        super().__init__()
        self.features, self.critic = nn.Sequential(*features), nn.Linear(n, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        f = self.features(x)
        return self.critic(f).flatten(), f


class Residual(nn.Module):
    """Norm, ReLU, 3x3 convolution, twice, beside a 1x1 convolution; the side doubled ("up") or halved ("down")."""

    def __init__(self, i: int, o: int, side: int, way: str, norm: Callable[[int, int], nn.Module]):
        super().__init__()
        up, middle = way == "up", o if way == "up" else i
        after = side * 2 if up else side
        wider = [nn.Upsample(scale_factor=2)] if up else []
        halved = [] if up else [nn.AvgPool2d(2)]
        self.shortcut = nn.Sequential(*wider, *halved, Conv(i, o, kernel_size=1))
        self.body = nn.Sequential(
            norm(i, side), nn.ReLU(), *wider, Conv(i, middle, kernel_size=3, padding=1, bias=False),
            norm(middle, after), nn.ReLU(), Conv(middle, o, kernel_size=3, padding=1), *halved,
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut(x) + self.body(x)


def _batch_norm(channels: int, side: int) -> nn.Module:
    return nn.BatchNorm2d(channels)


def _layer_norm(channels: int, side: int) -> nn.Module:
    return nn.LayerNorm([channels, side, side])


def _halvings(f: int, norm: Callable[[int, int], nn.Module]) -> list[nn.Module]:
    """(B, 1, 64, 64) -> (B, 128 f): a convolution and four residual blocks."""
    widths = (f, 2 * f, 4 * f, 8 * f, 8 * f)
    blocks = [
        Residual(i, o, side, "down", norm) for i, o, side in zip(widths[:-1], widths[1:], (64, 32, 16, 8), strict=True)
    ]
    return [Conv(1, f, kernel_size=3, padding=1), *blocks, nn.Flatten()]


Nets = tuple[nn.Module, nn.Module, Critic]


def paper(s: FanoganSettings) -> Nets:
    """E, G and the critic of the release, 64x64: residual blocks."""
    f, nz = s.filters, s.latent
    widths = (8 * f, 8 * f, 4 * f, 2 * f, f)
    blocks = [
        Residual(i, o, side, "up", _batch_norm)
        for i, o, side in zip(widths[:-1], widths[1:], (4, 8, 16, 32), strict=True)
    ]
    g = nn.Sequential(
        nn.Linear(nz, 128 * f), nn.Unflatten(1, (8 * f, 4, 4)), *blocks, nn.BatchNorm2d(f), nn.ReLU(),
        Conv(f, 1, kernel_size=3, padding=1), nn.Tanh(),
    )  # fmt: skip
    e = nn.Sequential(*_halvings(f, _batch_norm), nn.Linear(128 * f, nz))
    return e, g, Critic(_halvings(f, _layer_norm), 128 * f)


def small(s: FanoganSettings) -> Nets:
    """E, G and the critic of our own, 32x32: three halvings, and a layer of 512 whose output is f."""
    f, nz, slope = s.filters, s.latent, SLOPES["small"]
    e = nn.Sequential(*small_conv_stack(f), Conv(4 * f, nz, kernel_size=4), nn.Flatten())
    halvings = [
        *conv(1, f, slope=slope, norm=False), *conv(f, 2 * f, slope=slope, norm=False), *conv(2 * f, 4 * f, slope=slope, norm=False),
    ]  # fmt: skip
    d = Critic([*halvings, nn.Flatten(), nn.Linear(64 * f, 512), nn.LeakyReLU(slope)], 512)
    return e, small_generator(f, nz), d


ARCHITECTURES: dict[str, Callable[[FanoganSettings], Nets]] = {"paper": paper, "small": small}


class Fanogan(Method):
    """First a Wasserstein GAN, then its encoder, while the GAN stands still."""

    settings: FanoganSettings

    def __init__(self, settings: FanoganSettings):
        e, g, d = ARCHITECTURES[settings.architecture](settings)
        nets = {"encoder": e, "generator": g, "discriminator": d}
        if settings.architecture == "small":
            for net in nets.values():
                init_dcgan(net)
        super().__init__(settings, nets)
        if settings.fits_feature_density:
            self.features = PrincipalDensity(d.critic.in_features)
        self.trains_encoder = False
        self.critic_updates = 0
        self.encoder_began = False
        self._loss_g = torch.tensor(0.0)

    def learning_rate(self, name: str) -> float:
        return self.settings.lr_encoder or self.settings.lr if name == "encoder" else super().learning_rate(name)

    def optimisers(self) -> dict[str, torch.optim.Optimizer]:
        """Adam for critic and generator, and for the encoder what its settings say."""
        optimisers = super().optimisers()
        if self.settings.encoder_optimizer == "rmsprop" and isinstance(optimisers["encoder"], torch.optim.Adam):
            # TensorFlow's defaults, which the release has.
            optimisers["encoder"] = torch.optim.RMSprop(
                self.nets["encoder"].parameters(), lr=self.learning_rate("encoder"), alpha=0.9, eps=1e-10
            )
        return optimisers

    def phases(self) -> tuple[float, ...]:
        """The GAN, then the encoder."""
        return (0.0, 1 - self.settings.encoder_share)

    def set_progress(self, share: float) -> None:
        self.trains_encoder = share >= self.phases()[1]

    @torch.no_grad()
    def generated(self, n: int) -> Tensor | None:
        """G(z), until the encoder is trained."""
        if self.trains_encoder:
            return None
        generator = self.scoring_net("generator")
        z = torch.randn((n, self.settings.latent), generator=torch.Generator().manual_seed(0))
        return generator(z.to(next(generator.parameters()).device))

    def step(self, x: Tensor, rng: torch.Generator) -> dict[str, Tensor]:
        """One update of the critic and every few of them one of G; in the second phase one of E."""
        x = augmented(x, self.settings, rng)
        return self._encoder_step(x) if self.trains_encoder else self._gan_step(x, rng)

    def _gan_step(self, x: Tensor, rng: torch.Generator) -> dict[str, Tensor]:
        """Critic: mean D(G(z)) - mean D(x) + w_penalty times the gradient penalty. G: -mean D(G(z))."""
        s, g, d = self.settings, self.nets["generator"], self.nets["discriminator"]
        z = torch.randn((len(x), s.latent), generator=rng, device=x.device)
        with torch.no_grad():
            x_tilde = g(z)
        distance = at_least_float32(d(x)[0]).mean() - at_least_float32(d(x_tilde)[0]).mean()
        penalty = gradient_penalty(d, x, x_tilde, rng)
        loss_d = s.w_penalty * penalty - distance
        self.update(loss_d, "discriminator")
        self.critic_updates += 1
        logged = {
            "loss/discriminator": loss_d.detach(),
            "discriminator/distance": distance.detach(),
            "discriminator/penalty": penalty.detach(),
        }
        if self.critic_updates % s.critic_steps == 0:
            loss_g = -at_least_float32(d(g(z))[0]).mean()
            self.update(loss_g, "generator")
            self._loss_g = loss_g.detach()
        self.update_ema("generator", "discriminator")
        return logged | {"loss/generator": self._loss_g}

    def _encoder_step(self, x: Tensor) -> dict[str, Tensor]:
        """izi_f: mean (x - x̂)² + w_features · mean (f(x) - f(x̂))², by the averaged G and critic where there are averages."""
        e, g, d = self.nets["encoder"], self.scoring_net("generator").eval(), self.scoring_net("discriminator").eval()
        if not self.encoder_began:
            self.encoder_began, self.averaged_steps = True, 0  # the averages of the encoder begin here
        x_hat = g(e(x))
        pixels, features = l2(x, x_hat), l2(d(x)[1].detach(), d(x_hat)[1])
        loss = pixels + self.settings.w_features * features
        self.update(loss, "encoder")
        self.update_ema("encoder")
        return {"loss/encoder": loss.detach(), "encoder/pixels": pixels.detach(), "encoder/features": features.detach()}

    def codes(self, x: Tensor) -> Tensor:
        """(B, nz): E(x)."""
        return self.scoring_net("encoder")(x)

    def discriminate(self, x: Tensor) -> Tensor:
        """(B, n): the critic's features f(x)."""
        return self.scoring_net("discriminator")(x)[1]

    def image_layers(self) -> nn.Sequential:
        """Those of the critic before its last layer of features."""
        return image_layers(self.scoring_net("discriminator").features)

    def one_look(self, x: Tensor, on_progress: Callable[[], None] = no_op) -> Parts:
        """residual: mean (x - x̂)² · discrimination: mean (f(x) - f(x̂))², and `discrimination_part` · latent: mean (E(x) - E(x̂))², and `latent_part`."""
        e, g, d = (self.scoring_net(name) for name in ("encoder", "generator", "discriminator"))
        z = e(x)
        x_hat, f = g(z), d(x)[1]
        return Parts(
            residual=mean_square(x, x_hat),
            discrimination=self.discrimination_part(mean_square(f, d(x_hat)[1]), x, f),
            latent=self.latent_part(mean_square(z, e(x_hat)), z, x, x_hat),
            reconstruction=x_hat.float(),
            z=z.float(),
        )

    def scoring_program(self) -> ScoringProgram:
        return ScoringProgram(
            nets={
                "encoder": self.scoring_net("encoder"),
                "generator": self.scoring_net("generator"),
                "features": self.scoring_net("discriminator").features,
            },
            steps=(
                Step("z", "net", ("x",), "encoder"),
                Step("reconstruction", "net", ("z",), "generator"),
                Step("z_hat", "net", ("reconstruction",), "encoder"),
                Step("f", "net", ("x",), "features"),
                Step("f_hat", "net", ("reconstruction",), "features"),
                Step("residual", "mean_square", ("x", "reconstruction")),
                Step("distance_f", "mean_square", ("f", "f_hat")),
                Step("discrimination", "discrimination_part", ("distance_f", "x", "f")),
                Step("distance", "mean_square", ("z", "z_hat")),
                Step("latent", "latent_part", ("distance", "z", "x", "reconstruction")),
            ),
        )

    def training_state(self) -> dict:
        return super().training_state() | {
            "critic_updates": self.critic_updates,
            "encoder_began": self.encoder_began,
        }

    def load_training_state(self, state: dict) -> None:
        super().load_training_state(state)
        self.critic_updates, self.encoder_began = state["critic_updates"], state["encoder_began"]


def gradient_penalty(critic: nn.Module, x: Tensor, x_tilde: Tensor, rng: torch.Generator) -> Tensor:
    """Mean (|∇D(u)| - 1)² over points u drawn on the lines from x to x̃, one for each pair; in float32."""
    with torch.autocast(x.device.type, enabled=False):
        t = torch.rand((len(x), 1, 1, 1), generator=rng, device=x.device)
        u = (x.float() + t * (x_tilde.float() - x.float())).requires_grad_().clone()
        (slope,) = torch.autograd.grad(critic(u)[0].sum(), u, create_graph=True)
        return (slope.flatten(1).norm(dim=1) - 1).square().mean()
