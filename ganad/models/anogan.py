"""AnoGAN: a DCGAN, and for every image a search for the z whose picture comes nearest.

Paper   Schlegl et al. 2017, arXiv:1703.05921. The nets of `paper`: the AnoGAN in the released code of EGBAD.
Shapes  x, x̂ = G(z*) (B, 1, S, S) in [-1, 1] · z (B, nz) ~ N(0, I) · logits (B,), high = "real".
The search goes down the score: w_r sum |x - G(z)| + w_d sum |f(x) - f(G(z))| + w_l mean z². Additions come on top at its end:
with `w_typicality` the latent part has how unusual the residual is for so much ink; with `w_feature_density` the discrimination part has
how unlikely f(x) is, whatever z is, with `w_transform_density` how unlikely what the copy of D sees that tells transformed images apart,
with `w_first_layer_density` how unlikely what the first layer of that copy sees.
Differs from paper and release in what docs/methods/anogan.md lists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ganad.config import AnoganSettings
from ganad.config.mixtures import OF_COPY
from ganad.models.augment import augmented
from ganad.models.base import Method, Parts, no_op
from ganad.models.dcgan import GENERATORS, SLOPES, article_conv_stack, small_conv_stack
from ganad.models.first_layer import REGIONS, averages
from ganad.models.layers import init_dcgan
from ganad.models.looks import further_looks
from ganad.models.losses import bce_fake, bce_real, sum_abs
from ganad.models.ops.fast_conv import Conv
from ganad.models.principal_density import PrincipalDensity
from ganad.models.transforms import image_layers
from ganad.models.typicality import log_ink


class Discriminator(nn.Module):
    """x -> logit (B,) and the feature layer f (B, n) below it."""

    def __init__(self, features: list[nn.Module], n: int):
        super().__init__()
        self.features, self.critic = nn.Sequential(*features), nn.Linear(n, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        f = self.features(x)
        return self.critic(f).flatten(), f


def paper(f: int) -> Discriminator:
    """The released D for MNIST, 28x28: two convolutions and a layer of 1024, whose output is f."""
    slope = SLOPES["paper"]
    return Discriminator(
        [
            Conv(1, f, kernel_size=4, stride=2, padding=1), nn.LeakyReLU(slope),  # (B, 1, 28, 28) -> (B, f, 14, 14)
            Conv(f, f, kernel_size=4, stride=2, padding=1), nn.BatchNorm2d(f), nn.LeakyReLU(slope),  # -> (B, f, 7, 7)
            nn.Flatten(),  # -> (B, 49f)
            nn.Linear(49 * f, 1024), nn.BatchNorm1d(1024), nn.LeakyReLU(slope),  # -> (B, 1024)
        ],
        1024,
    )  # fmt: skip


def article(f: int) -> Discriminator:
    """The tutorial's D, 64x64: the image branch that EGBAD's has too; f is its last layer."""
    return Discriminator(article_conv_stack(f), 8 * f)  # (B, 1, 64, 64) -> (B, 8f)


def small(f: int) -> Discriminator:
    """D of our own, 32x32: three halvings and a layer of 512, whose output is f."""
    # (B, 1, 32, 32) -> (B, 4f, 4, 4) -> (B, 64f) -> (B, 512)
    return Discriminator(
        [*small_conv_stack(f), nn.Flatten(), nn.Linear(64 * f, 512), nn.LeakyReLU(SLOPES["small"])], 512
    )


DISCRIMINATORS: dict[str, Callable[[int], Discriminator]] = {"paper": paper, "article": article, "small": small}


class SearchStep(NamedTuple):
    """A search after some steps: for each of B images the best z so far, and how each of its R paths stands."""

    step: int
    z: Tensor  # (B, nz)
    score: Tensor  # (B,) at that z; never rises
    paths: Tensor  # (B, R) the score where each path is now; one that has stopped keeps its last
    going: int  # paths that have not stopped


class Anogan(Method):
    """The game of a DCGAN, and a score by search."""

    settings: AnoganSettings

    def __init__(self, settings: AnoganSettings):
        s = settings
        nets = {
            "generator": GENERATORS[s.architecture](s.filters, s.latent),
            "discriminator": DISCRIMINATORS[s.architecture](s.filters),
        }
        for net in nets.values():
            init_dcgan(net)
        super().__init__(settings, nets)
        if s.fits_feature_density:
            self.features = PrincipalDensity(nets["discriminator"].critic.in_features)
        if s.fits_transform_density:
            self.transform_features = PrincipalDensity(self.transforms.guess.in_features, OF_COPY)
        if s.fits_first_layer_density:
            self.first_layer = PrincipalDensity(REGIONS * s.filters)

    def step(self, x: Tensor, rng: torch.Generator) -> dict[str, Tensor]:
        """First D, which should call x real and G(z) fake; then G, which wants the opposite. G(z) is made once."""
        s, g, d = self.settings, self.nets["generator"], self.nets["discriminator"]
        x = augmented(x, s, rng)
        x_tilde = g(torch.randn((len(x), s.latent), generator=rng, device=x.device))
        loss_d = bce_real(d(x)[0]) + bce_fake(d(x_tilde.detach())[0])
        self.update(loss_d, "discriminator")
        loss_g = bce_real(d(x_tilde)[0])
        self.update(loss_g, "generator")
        self.update_ema()
        return {"loss/discriminator": loss_d.detach(), "loss/generator": loss_g.detach()}

    def one_look(self, x: Tensor, on_progress: Callable[[], None] = no_op) -> Parts:
        """residual: sum |x - G(z*)| · discrimination: sum |f(x) - f(G(z*))|, and `discrimination_part` · latent: mean z*², and `with_typicality`."""
        found, f = self._searched(x, on_progress)
        with torch.no_grad():
            return found._replace(discrimination=self.discrimination_part(found.discrimination, x, f))

    def all_looks(self, x: Tensor, on_progress: Callable[[], None] = no_op) -> Parts:
        """As `Method.all_looks`, but z is searched for x as it is alone, which takes long: looks differ by what `of_image` says of them."""
        found, f = self._searched(x, on_progress)
        with torch.no_grad():
            discrimination = [self.discrimination_part(found.discrimination, x, f)]
            for look in further_looks(x, self.settings.further_looks):
                discrimination.append(self.discrimination_part(found.discrimination, look, self.discriminate(look)))
        for_each = Parts(*(torch.cat([values] * len(discrimination)) for values in found[:-1]))
        return for_each._replace(discrimination=torch.cat(discrimination))

    def _searched(self, x: Tensor, on_progress: Callable[[], None]) -> tuple[Parts, Tensor]:
        """What the search leaves of x (B, 1, S, S), with typicality and without what `of_image` adds; and f(x) (B, n)."""
        z = None
        for look in self.search(x):
            z = look.z
            on_progress()
        with torch.no_grad():
            f = self.discriminate(x)
            picture, residual, discrimination, latent = self.compare(x, f, z)
            latent = self.with_typicality(latent, residual, x)
        return Parts(residual, discrimination, latent, reconstruction=picture.float(), z=z.float()), f

    def with_typicality(self, latent: Tensor, residual: Tensor, x: Tensor) -> Tensor:
        """The latent part (B,) from mean z² (B,): with `w_typicality` plus how unusual the residual (B,) is for the ink of x (B, 1, S, S)."""
        return latent if self.typicality is None else latent + self.typicality(_of_residual(residual, x))

    def of_image(self, x: Tensor, f: Tensor | None) -> dict[str, Tensor]:
        """As `Method.of_image`; with `w_transform_density` how unlikely what the copy of D sees in x is, with `w_first_layer_density` what its first layer sees."""
        terms = super().of_image(x, f)
        if self.transform_features is not None:
            terms["w_transform_density"] = self.transform_features(self.transforms.see(x))
        if self.first_layer is not None:
            terms["w_first_layer_density"] = self.first_layer(averages(self.transforms.see, x))
        return terms

    @torch.no_grad()
    def fit_statistics(
        self,
        fitted: Callable[[], Iterable[Tensor]],
        others: Callable[[], Iterable[Tensor]],
        on_progress: Callable[[], None] = no_op,
        *,
        varied: Callable[[], Iterable[Tensor]] | None = None,
        steps: int = 0,
    ) -> None:
        """What residuals of normal images are like for their ink, and what the discriminator sees in normal images.

        For the units of both the z of each of the `others` is searched; their features choose the number of Gaussians that are
        fitted to the features of the `fitted`, which need no search. varied, steps: as in `Method.fit_statistics`. What the copy of D and its
        first layer see is fitted to images of which every other one is varied, so that a digit that is written askew is not rare for that.
        """
        if not self.settings.fits_statistics:
            return
        folded = self.without_statistics()
        statistics, seen, discrimination, latent = [], [], [], []
        for x in others():
            parts = folded.one_look(x, on_progress)
            statistics.append(_of_residual(parts.residual, x).double().cpu().numpy())
            seen.append(folded.discriminate(x).float().cpu().numpy())
            discrimination.append(parts.discrimination.double().cpu().numpy())
            latent.append(parts.latent.double().cpu().numpy())
        if self.typicality is not None:
            usual = self.settings.w_typicality * float(np.concatenate(latent).std())
            self.typicality.fit(np.concatenate(statistics), usual)
        spread = float(np.concatenate(discrimination).std())
        self._fit_transforms(varied or fitted, others, spread, steps, on_progress)
        for density, see, weight in (
            (self.transform_features, lambda x: self.transforms.see(x), self.settings.w_transform_density),
            (self.first_layer, lambda x: averages(self.transforms.see, x), self.settings.w_first_layer_density),
        ):
            if density is not None:
                halves = (torch.cat([x[::2], y[1::2]]) for x, y in zip(fitted(), (varied or fitted)(), strict=True))
                density.fit(
                    _seen(see, halves, on_progress), _seen(see, others(), on_progress), weight * spread,
                    seed=self.settings.seed, on_progress=on_progress,
                )  # fmt: skip
        if self.features is not None:
            self.features.fit(
                _seen(folded.discriminate, fitted(), on_progress), np.concatenate(seen), self.settings.w_feature_density * spread,
                seed=self.settings.seed, on_progress=on_progress,
            )  # fmt: skip

    def search(self, x: Tensor) -> Iterator[SearchStep]:
        """Adam on z alone, for each image of x (B, 1, S, S) by itself; the nets are only looked through.

        Yields the start and then every step. The starts are the same for every image, or the nearest of the same drawn
        pictures (`search_candidates`), so an image's search does not depend on the images beside it. A path stops when its
        best score has not fallen by a thousandth within `search_patience` steps.
        """
        s = self.settings
        f = self.discriminate(x)
        z = self._starts(x, f)
        b, paths, nz = z.shape
        owner = torch.arange(b, device=x.device).repeat_interleave(paths)
        z = z.reshape(-1, nz)
        mean, square = torch.zeros_like(z), torch.zeros_like(z)
        now = torch.full((len(z),), torch.inf, device=x.device, dtype=x.dtype)
        best, best_z, mark, since = now.clone(), z.clone(), now.clone(), torch.zeros_like(owner)
        going = torch.arange(len(z), device=x.device)
        for step in range(s.search_steps + 1):
            here = z[going].requires_grad_()
            with torch.enable_grad():
                of = owner[going]
                _, *parts = self.compare(x[of], f[of], here)
                score = self._total(*parts)
                (slope,) = torch.autograd.grad(score.sum(), here)
            score = score.detach()
            now[going] = score
            nearer = going[score < best[going]]
            best[nearer], best_z[nearer] = now[nearer], z[nearer]
            fell = score < 0.999 * mark[going]
            since[going] = torch.where(fell, step, since[going])
            mark[going] = torch.where(fell, score, mark[going])
            lead = best.view(b, paths).argmin(1) + torch.arange(b, device=x.device) * paths
            yield SearchStep(step, best_z[lead], best[lead], now.view(b, paths).clone(), len(going))
            if s.search_patience:
                stay = step - since[going] < s.search_patience
                going, slope = going[stay], slope[stay]
            if not len(going):
                return
            # Adam as in Kingma and Ba 2015, written out because paths leave it one by one.
            mean[going] = 0.9 * mean[going] + 0.1 * slope
            square[going] = 0.999 * square[going] + 0.001 * slope.square()
            t = step + 1
            move = (mean[going] / (1 - 0.9**t)) / ((square[going] / (1 - 0.999**t)).sqrt() + 1e-8)
            z[going] -= search_lr(s, step) * move

    def picture(self, z: Tensor) -> Tensor:
        """z (B, nz) -> G(z) (B, 1, S, S)."""
        with torch.no_grad():
            return self.scoring_net("generator")(z).float()

    def discriminate(self, x: Tensor) -> Tensor:
        """f(x) (B, n): what the discriminator sees in x (B, 1, S, S)."""
        with torch.no_grad():
            return self.scoring_net("discriminator")(x)[1]

    def image_layers(self) -> nn.Sequential:
        """Those of D before its last layer of features."""
        return image_layers(self.scoring_net("discriminator").features)

    def compare(self, x: Tensor, f: Tensor, z: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """G(z) and the three parts of its distance from x (B, 1, S, S), whose features are f (B, n); z (B, nz)."""
        picture = self.scoring_net("generator")(z)
        features = self.scoring_net("discriminator")(picture)[1]
        return picture, sum_abs(x, picture), sum_abs(f, features), z.square().mean(1)

    def _total(self, residual: Tensor, discrimination: Tensor, latent: Tensor) -> Tensor:
        """The score with the weights of the settings. A part of weight 0 is left out, so no gradient of it is computed."""
        weighted = zip(self.settings.weights, (residual, discrimination, latent), strict=True)
        return sum(w * part for w, part in weighted if w)

    @torch.no_grad()
    def _starts(self, x: Tensor, f: Tensor) -> Tensor:
        """(B, R, nz): the same draws for every image, or the R of them whose pictures score lowest against it."""
        s = self.settings
        rng = torch.Generator().manual_seed(0)  # of the search, not of the run: a score is the same in every process
        n = max(s.search_candidates, s.search_restarts)
        # One after the other, so that the first ones are the same whatever n is.
        drawn = torch.stack([torch.randn(s.latent, generator=rng) for _ in range(n)]).to(x)
        if not s.search_candidates:
            return drawn.expand(len(x), -1, -1).clone()
        picture = self.scoring_net("generator")(drawn)
        features = self.scoring_net("discriminator")(picture)[1]
        away = self._total(
            torch.cdist(x.flatten(1), picture.flatten(1), p=1),
            torch.cdist(f, features, p=1),
            drawn.square().mean(1).expand(len(x), -1),
        )
        return drawn[away.topk(s.search_restarts, dim=1, largest=False).indices]


def _seen(see: Callable[[Tensor], Tensor], batches: Iterable[Tensor], on_progress: Callable[[], None]) -> np.ndarray:
    """(N, n) what a net sees in all images, from batches (B, 1, S, S). see: -> (B, n)."""
    rows = []
    for x in batches:
        rows.append(see(x).float().cpu().numpy())
        on_progress()
    return np.concatenate(rows)


def _of_residual(residual: Tensor, x: Tensor) -> Tensor:
    """(B, 2): the logarithms of a residual (B,) and of the ink of its image x (B, 1, S, S)."""
    return torch.stack([residual.float().clamp(min=1e-4).log(), log_ink(x)], dim=1)


def search_lr(s: AnoganSettings, step: int) -> float:
    """The release's schedule, stretched to the number of steps: 1, then 1/10 after 40 %, then 1/20 after 60 %."""
    share = step / s.search_steps
    return s.search_lr * (1.0 if share < 0.4 else 0.1 if share < 0.6 else 0.05)
