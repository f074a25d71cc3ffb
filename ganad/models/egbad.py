"""EGBAD: a BiGAN, scored by reconstruction and by the features of its own discriminator.

Paper   Zenati et al. 2018, arXiv:1802.06222; BiGAN: Donahue et al. 2017, arXiv:1605.09782.
Shapes  x, x̂ (B, 1, S, S) in [-1, 1] · z (B, nz) ~ N(0, I) · logits (B,), high = "an image and its code".
Three architectures: `paper` (28x28, the released code), `article` (64x64, the tutorial), `small` (32x32, ours).
Differs from paper and release in what docs/methods/egbad.md lists.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from ganad.config import EgbadSettings
from ganad.config.mixtures import OF_ENCODER
from ganad.models.augment import augmented
from ganad.models.base import Method, Parts, no_op
from ganad.models.dcgan import (
    SLOPES,
    article_conv_stack,
    article_generator,
    conv,
    paper_generator,
    small_conv_stack,
    small_generator,
)
from ganad.models.layers import Dropout, init_dcgan
from ganad.models.losses import at_least_float32, bce_fake, bce_real, l1, l2, mean_square, sum_abs
from ganad.models.ops.fast_conv import Conv
from ganad.models.principal_density import PrincipalDensity
from ganad.models.scoring_program import ScoringProgram, Step
from ganad.models.transforms import image_layers


class Discriminator(nn.Module):
    """(x, z) -> logit (B,) and the feature layer f (B, n).

    feature: "image" when f is the output of the image branch, "joint" when it is that of the layers on image and code.
    """

    def __init__(self, image: nn.Module, latent: nn.Module, joint: nn.Module, critic: nn.Linear, *, feature: str):
        super().__init__()
        self.image, self.latent, self.joint, self.critic = image, latent, joint, critic
        self.feature = feature

    def forward(self, x: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        of_image = self.image(x)
        of_both = self.joint(torch.cat([of_image, self.latent(z)], dim=1))
        return self.critic(of_both).flatten(), of_image if self.feature == "image" else of_both


Nets = tuple[nn.Module, nn.Module, Discriminator]


def paper(s: EgbadSettings) -> Nets:
    """E, G, D of the released code for MNIST, 28x28; widths are those of 64 filters in D."""
    f, nz, slope = s.filters, s.latent, SLOPES["paper"]
    e = nn.Sequential(
        *conv(1, f // 2, kernel=3, stride=1, slope=slope, norm=False),  # (B, 1, 28, 28) -> (B, f/2, 28, 28)
        *conv(f // 2, f, kernel=3, slope=slope, norm=True),  # -> (B, f, 14, 14)
        *conv(f, 2 * f, kernel=3, slope=slope, norm=True),  # -> (B, 2f, 7, 7)
        nn.Flatten(),  # -> (B, 98f)
        nn.Linear(2 * f * 49, nz),  # -> (B, nz)
    )
    g = paper_generator(f, nz)
    image = nn.Sequential(
        Conv(1, f, kernel_size=4, stride=2, padding=1),  # (B, 1, 28, 28) -> (B, f, 14, 14)
        nn.LeakyReLU(slope), Dropout(s.dropout),
        Conv(f, f, kernel_size=4, stride=2, padding=1),  # -> (B, f, 7, 7)
        nn.BatchNorm2d(f), nn.LeakyReLU(slope), Dropout(s.dropout),
        nn.Flatten(),  # -> (B, 49f)
    )  # fmt: skip
    latent = nn.Sequential(nn.Linear(nz, 512), nn.LeakyReLU(slope), Dropout(s.dropout))  # (B, nz) -> (B, 512)
    # (B, 49f + 512) -> (B, 1024)
    joint = nn.Sequential(nn.Linear(49 * f + 512, 1024), nn.LeakyReLU(slope), Dropout(s.dropout))
    return e, g, Discriminator(image, latent, joint, nn.Linear(1024, 1), feature="joint")


def article(s: EgbadSettings) -> Nets:
    """E, G, D of the tutorial, 64x64; the feature layer is the image branch's last."""
    f, nz = s.filters, s.latent
    e = nn.Sequential(*article_conv_stack(f), nn.Linear(8 * f, nz))  # (B, 1, 64, 64) -> (B, 8f) -> (B, nz)
    g = article_generator(f, nz)
    activate = nn.LeakyReLU(SLOPES["article"])
    # (B, nz) -> (B, 8f)
    latent = nn.Sequential(nn.Linear(nz, 8 * f), nn.BatchNorm1d(8 * f), activate, Dropout(s.dropout))
    image = nn.Sequential(*article_conv_stack(f))  # (B, 1, 64, 64) -> (B, 8f)
    return e, g, Discriminator(image, latent, nn.Identity(), nn.Linear(16 * f, 1), feature="image")


def small(s: EgbadSettings) -> Nets:
    """E, G, D of our own, 32x32: three halvings, one joint layer."""
    f, nz, slope = s.filters, s.latent, SLOPES["small"]
    # (B, 1, 32, 32) -> (B, 4f, 4, 4) -> (B, nz, 1, 1) -> (B, nz)
    e = nn.Sequential(*small_conv_stack(f), Conv(4 * f, nz, kernel_size=4), nn.Flatten())
    g = small_generator(f, nz)
    # (B, 1, 32, 32) -> (B, 4f, 4, 4) -> (B, 64f)
    image = nn.Sequential(*small_conv_stack(f), nn.Flatten(), Dropout(s.dropout))
    latent = nn.Sequential(nn.Linear(nz, 8 * f), nn.LeakyReLU(slope), Dropout(s.dropout))  # (B, nz) -> (B, 8f)
    # (B, 64f + 8f) -> (B, 16f)
    joint = nn.Sequential(nn.Linear(64 * f + 8 * f, 16 * f), nn.LeakyReLU(slope), Dropout(s.dropout))
    return e, g, Discriminator(image, latent, joint, nn.Linear(16 * f, 1), feature="joint")


MAPS_BELOW_CODE = {"paper": (2, 7), "article": (8, 1), "small": (4, 4)}
"""architecture -> how many times as many maps as filters lie below the code of its encoder, and their side."""


def split_at_code(encoder: nn.Sequential, architecture: str) -> tuple[nn.Sequential, nn.Sequential, nn.Sequential]:
    """An encoder in two, at its last layer, and what averages the maps below that one over their quarters.

    `small`: (B, 1, 32, 32) -> maps (B, 4f, 4, 4); maps -> code (B, nz); maps -> (B, 16f). Of 7x7 places the last row and column are left out.
    """
    _, side = MAPS_BELOW_CODE[architecture]
    return encoder[:-2], encoder[-2:], nn.Sequential(nn.AvgPool2d(max(1, side // 2)), nn.Flatten())


ARCHITECTURES: dict[str, Callable[[EgbadSettings], Nets]] = {"paper": paper, "article": article, "small": small}


class Egbad(Method):
    """The game of EGBAD and its score."""

    settings: EgbadSettings

    def __init__(self, settings: EgbadSettings):
        e, g, d = ARCHITECTURES[settings.architecture](settings)
        nets = {"encoder": e, "generator": g, "discriminator": d}
        for net in nets.values():
            init_dcgan(net)
        super().__init__(settings, nets)
        if settings.fits_encoder_density:
            maps, side = MAPS_BELOW_CODE[settings.architecture]
            self.encoded = PrincipalDensity(maps * settings.filters * min(side, 2) ** 2, OF_ENCODER)
        self._dropouts = [m for m in d.modules() if isinstance(m, Dropout)]

    def step(self, x: Tensor, rng: torch.Generator) -> dict[str, Tensor]:
        """First D, which should call (x, E(x)) real and (G(z), z) fake; then G and E, which want the opposite.

        E(x) and G(z) are made once, since D's move changes neither.
        """
        s = self.settings
        e, g, d = (self.nets[name] for name in ("encoder", "generator", "discriminator"))
        for layer in self._dropouts:
            layer.rng = rng
        x = augmented(x, s, rng)
        z = torch.randn((len(x), s.latent), generator=rng, device=x.device)
        z_hat, x_tilde = e(x), g(z)
        loss_d = bce_real(d(x, z_hat.detach())[0]) + bce_fake(d(x_tilde.detach(), z)[0])
        self.update(loss_d, "discriminator")
        # Neither the loss of G reaches E nor that of E reaches G, so one way back through their sum serves both.
        loss_g, loss_e = bce_real(d(x_tilde, z)[0]), bce_fake(d(x, z_hat)[0])
        both = loss_g + loss_e
        losses = {"loss/discriminator": loss_d, "loss/generator": loss_g, "loss/encoder": loss_e}
        x_hat = g(z_hat) if s.w_cycle or s.w_latent else None
        if s.w_cycle:
            losses["generator/cycle"] = cycle = l1(x, x_hat)
            both = both + s.w_cycle * cycle
        if s.w_cycle_z:
            losses["encoder/cycle"] = cycle_z = l2(z, e(x_tilde))
            both = both + s.w_cycle_z * cycle_z
        if s.w_latent:
            losses["encoder/code"] = code = l2(z_hat, e(x_hat))
            both = both + s.w_latent * code
        self.update(both, "generator", "encoder")
        self.update_ema()
        return {name: value.detach() for name, value in losses.items()}

    def codes(self, x: Tensor) -> Tensor:
        """(B, nz): E(x)."""
        return self.scoring_net("encoder")(x)

    def below_code(self, x: Tensor) -> Tensor:
        """(B, n): the maps of E below the code, averaged over their quarters; n = 16f with `small`, 8f with the others."""
        maps, _, averaged = split_at_code(self.scoring_net("encoder"), self.settings.architecture)
        return averaged(maps(x))

    def image_layers(self) -> nn.Sequential:
        """Those of D that see no code."""
        return image_layers(self.scoring_net("discriminator").image)

    def one_look(self, x: Tensor, on_progress: Callable[[], None] = no_op) -> Parts:
        """residual: sum |x - x̂| · discrimination: sum |f(x, E(x)) - f(x̂, E(x))| · latent: mean (E(x) - E(x̂))².

        `discrimination_part` and `latent_part` may add to theirs. With `w_bce`, so many times -log D(x, E(x)), the paper's other discriminator loss, is added to the discrimination.
        """
        e, g, d = (self.scoring_net(name) for name in ("encoder", "generator", "discriminator"))
        maps, code, averaged = split_at_code(e, self.settings.architecture)
        seen = maps(x)
        z = code(seen)
        x_hat = g(z)
        logit, features = d(x, z)
        discrimination = sum_abs(features, d(x_hat, z)[1])
        if self.settings.w_bce:
            discrimination = discrimination + self.settings.w_bce * softplus(-at_least_float32(logit))
        distance = mean_square(z, e(x_hat))
        below = None if self.encoded is None else averaged(seen)
        return Parts(
            residual=sum_abs(x, x_hat),
            discrimination=self.discrimination_part(discrimination, x),
            latent=self.latent_part(distance, z, x, x_hat, below),
            reconstruction=x_hat.float(),
            z=z.float(),
        )

    def scoring_program(self) -> ScoringProgram:
        d = self.scoring_net("discriminator")
        maps, code, averaged = split_at_code(self.scoring_net("encoder"), self.settings.architecture)
        nets = {"maps": maps, "code": code, "generator": self.scoring_net("generator")}
        below = ()
        if self.encoded is not None:
            nets["averaged"], below = averaged, (Step("below", "net", ("seen",), "averaged"),)
        nets |= {"image": d.image, "of_code": d.latent, "joint": d.joint, "critic": d.critic}
        features = ("image", "image_hat") if d.feature == "image" else ("joint", "joint_hat")
        return ScoringProgram(
            nets=nets,
            steps=(
                Step("seen", "net", ("x",), "maps"),
                *below,
                Step("z", "net", ("seen",), "code"),
                Step("reconstruction", "net", ("z",), "generator"),
                Step("seen_hat", "net", ("reconstruction",), "maps"),
                Step("z_hat", "net", ("seen_hat",), "code"),
                Step("of_code", "net", ("z",), "of_code"),
                Step("image", "net", ("x",), "image"),
                Step("image_hat", "net", ("reconstruction",), "image"),
                Step("both", "concatenate", ("image", "of_code")),
                Step("both_hat", "concatenate", ("image_hat", "of_code")),
                Step("joint", "net", ("both",), "joint"),
                Step("joint_hat", "net", ("both_hat",), "joint"),
                Step("logit", "net", ("joint",), "critic"),
                Step("residual", "sum_abs", ("x", "reconstruction")),
                Step("distance_f", "sum_abs", features),
                Step("doubted", "add_softplus_of_negative", ("distance_f", "logit"), weight=self.settings.w_bce),
                Step("discrimination", "discrimination_part", ("doubted", "x")),
                Step("distance", "mean_square", ("z", "z_hat")),
                Step(
                    "latent", "latent_part", ("distance", "z", "x", "reconstruction", *(step.output for step in below))
                ),
            ),
        )
