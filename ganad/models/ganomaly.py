"""GANomaly: encoder, decoder, second encoder, and a discriminator on images.

Paper   Akcay, Atapour-Abarghouei, Breckon 2018, arXiv:1805.06725; code samet-akcay/ganomaly.
Shapes  x, x̂ (B, 1, S, S) in [-1, 1], S = 32 or 64 · z, ẑ (B, nz) · logits (B,), high = "real".
Differs from the released code in what docs/methods/ganomaly.md lists.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ganad.config import GanomalySettings
from ganad.models.augment import augmented
from ganad.models.base import Method, Parts, no_op
from ganad.models.layers import init_dcgan
from ganad.models.losses import at_least_float32, bce_fake, bce_real, l1, l2, mean_square, sum_abs
from ganad.models.ops.fast_conv import Conv, Deconv
from ganad.models.scoring_program import ScoringProgram, Step


def down(size: int, filters: int) -> tuple[nn.Sequential, int]:
    """(B, 1, S, S) -> (B, c, 4, 4): halve the side and double the maps until the side is 4."""
    layers: list[nn.Module] = [
        Conv(1, filters, kernel_size=4, stride=2, padding=1, bias=False),  # (B, 1, S, S) -> (B, filters, S/2, S/2)
        nn.LeakyReLU(0.2, inplace=True),
    ]
    c, side = filters, size // 2
    while side > 4:
        layers += [
            Conv(c, 2 * c, kernel_size=4, stride=2, padding=1, bias=False),  # -> (B, 2c, side/2, side/2)
            nn.BatchNorm2d(2 * c),
            nn.LeakyReLU(0.2, inplace=True),
        ]
        c, side = 2 * c, side // 2
    return nn.Sequential(*layers), c


class Encoder(nn.Module):
    """x (B, 1, S, S) -> z (B, nz)."""

    def __init__(self, size: int, filters: int, latent: int):
        super().__init__()
        self.pyramid, c = down(size, filters)
        self.last = Conv(c, latent, kernel_size=4, bias=False)  # (B, c, 4, 4) -> (B, nz, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.pyramid(x)).flatten(1)


class Decoder(nn.Module):
    """z (B, nz) -> x̂ (B, 1, S, S)."""

    def __init__(self, size: int, filters: int, latent: int):
        super().__init__()
        c = filters * size // 8
        layers: list[nn.Module] = [
            Deconv(latent, c, kernel_size=4, bias=False),  # (B, nz, 1, 1) -> (B, c, 4, 4)
            nn.BatchNorm2d(c),
            nn.ReLU(inplace=True),
        ]
        side = 4
        while side < size // 2:
            layers += [
                Deconv(c, c // 2, kernel_size=4, stride=2, padding=1, bias=False),  # -> (B, c/2, 2 side, 2 side)
                nn.BatchNorm2d(c // 2),
                nn.ReLU(inplace=True),
            ]
            c, side = c // 2, 2 * side
        layers += [Deconv(c, 1, kernel_size=4, stride=2, padding=1, bias=False), nn.Tanh()]  # -> (B, 1, S, S)
        self.net = nn.Sequential(*layers)

    def forward(self, z: Tensor) -> Tensor:
        return self.net(z[:, :, None, None])


def l2_normalize(z: Tensor) -> Tensor:
    """Codes (B, nz) scaled to length √nz, so that a mean square is 1, whatever the encoder made of the amount of ink."""
    return nn.functional.normalize(at_least_float32(z), dim=1) * z.shape[1] ** 0.5


class Generator(nn.Module):
    """x -> x̂, z, ẑ: encode, decode, encode again. normalize_latent: both codes are scaled to one length."""

    def __init__(self, size: int, filters: int, latent: int, *, normalize_latent: bool = False):
        super().__init__()
        self.normalize_latent = normalize_latent
        self.encoder1 = Encoder(size, filters, latent)
        self.decoder = Decoder(size, filters, latent)
        self.encoder2 = Encoder(size, filters, latent)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.redraw(self.encoder1(x))

    def redraw(self, code: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """x̂, z, ẑ from what the first encoder gave, which is not yet scaled."""
        scaled = l2_normalize if self.normalize_latent else lambda z: z
        z = scaled(code)
        x_hat = self.decoder(z)
        return x_hat, z, scaled(self.encoder2(x_hat))


class Discriminator(nn.Module):
    """x -> logit (B,) and the features f(x) (B, c, 4, 4) below it."""

    def __init__(self, size: int, filters: int):
        super().__init__()
        self.pyramid, c = down(size, filters)
        self.last = Conv(c, 1, kernel_size=4, bias=False)  # (B, c, 4, 4) -> (B, 1, 1, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.pyramid(x)
        return self.last(features).flatten(), features


class Ganomaly(Method):
    """The game of GANomaly and its score."""

    settings: GanomalySettings

    def __init__(self, settings: GanomalySettings):
        s = settings
        nets = {
            "generator": Generator(s.image_size, s.filters, s.latent, normalize_latent=s.normalize_latent),
            "discriminator": Discriminator(s.image_size, s.filters),
        }
        for net in nets.values():
            init_dcgan(net)
        super().__init__(settings, nets)

    def step(self, x: Tensor, rng: torch.Generator) -> dict[str, Tensor]:
        """D looks once at x and once at x̂; both players' losses are made from those two looks."""
        s = self.settings
        x = augmented(x, s, rng)
        x_hat, z, z_hat = self.nets["generator"](x)
        logit_real, features_real = self.nets["discriminator"](x)
        logit_fake, features_fake = self.nets["discriminator"](x_hat)
        adversarial = l2(features_real.detach(), features_fake)
        contextual = l1(x, x_hat)
        encoder = l2(z, z_hat)
        loss_g = s.w_adv * adversarial + s.w_con * contextual + s.w_enc * encoder
        loss_d = 0.5 * (bce_real(logit_real) + bce_fake(logit_fake))
        self.update(loss_g, "generator", again=True)
        self.update(loss_d, "discriminator")
        self.update_ema()
        losses = {
            "loss/generator": loss_g,
            "loss/discriminator": loss_d,
            "generator/adversarial": adversarial,
            "generator/contextual": contextual,
            "generator/encoder": encoder,
        }
        return {name: value.detach() for name, value in losses.items()}

    def codes(self, x: Tensor) -> Tensor:
        """(B, nz): z as the encoder gives it, before codes are scaled to one length."""
        return self.scoring_net("generator").encoder1(x)

    def image_layers(self) -> nn.Sequential:
        """Those of D below its features."""
        return nn.Sequential(self.scoring_net("discriminator").pyramid, nn.Flatten())

    def one_look(self, x: Tensor, on_progress: Callable[[], None] = no_op) -> Parts:
        """residual: sum |x - x̂| · discrimination: mean (f(x) - f(x̂))² · latent: mean (z - ẑ)², `latent_part` and the transform error."""
        generator = self.scoring_net("generator")
        code = generator.encoder1(x)
        x_hat, z, z_hat = generator.redraw(code)
        discriminator = self.scoring_net("discriminator")
        return Parts(
            residual=sum_abs(x, x_hat),
            discrimination=mean_square(discriminator(x)[1], discriminator(x_hat)[1]),
            latent=self.with_transform_error(self.latent_part(mean_square(z, z_hat), code, x, x_hat), x),
            reconstruction=x_hat.float(),
            z=z.float(),
        )

    def drawing_program(self) -> ScoringProgram:
        decoder = nn.Sequential(
            nn.Unflatten(1, (self.settings.latent, 1, 1)), self.scoring_net("generator").decoder.net
        )
        draw = Step("reconstruction", "net", ("scaled" if self.settings.normalize_latent else "z",), "decoder")
        scale = (Step("scaled", "normalize", ("z",)),) * self.settings.normalize_latent
        return ScoringProgram({"decoder": decoder}, (*scale, draw))

    def scoring_program(self) -> ScoringProgram:
        generator, discriminator = self.scoring_net("generator"), self.scoring_net("discriminator")
        z, z_hat = ("code", "code_hat")
        scaled: tuple[Step, ...] = ()
        if self.settings.normalize_latent:
            z, z_hat = ("z", "z_hat")
            scaled = (Step("z", "normalize", ("code",)), Step("z_hat", "normalize", ("code_hat",)))
        return ScoringProgram(
            nets={
                "encoder1": nn.Sequential(generator.encoder1.pyramid, generator.encoder1.last, nn.Flatten()),
                "decoder": nn.Sequential(nn.Unflatten(1, (self.settings.latent, 1, 1)), generator.decoder.net),
                "encoder2": nn.Sequential(generator.encoder2.pyramid, generator.encoder2.last, nn.Flatten()),
                "features": discriminator.pyramid,
            },
            steps=(
                Step("code", "net", ("x",), "encoder1"),
                *scaled[:1],
                Step("reconstruction", "net", (z,), "decoder"),
                Step("code_hat", "net", ("reconstruction",), "encoder2"),
                *scaled[1:],
                Step("f", "net", ("x",), "features"),
                Step("f_hat", "net", ("reconstruction",), "features"),
                Step("residual", "sum_abs", ("x", "reconstruction")),
                Step("discrimination", "mean_square", ("f", "f_hat")),
                Step("distance", "mean_square", (z, z_hat)),
                Step("rare", "latent_part", ("distance", "code", "x", "reconstruction")),
                Step("latent", "add_transform_error", ("rare", "x")),
            ),
        )
