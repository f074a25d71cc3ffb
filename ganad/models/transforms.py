"""How wrong a copy of the discriminator is about how an image was turned, scaled and sheared.

When the training is over, a copy of the discriminator's image layers learns by which of 27 affine maps each normal training image went.
It has to know what normal images look like as they are; of an anomaly it guesses worse. Learning a transformation as a task for a
discriminator: Chen et al. 2019 (SS-GAN, arXiv:1811.11212), there quarter turns and during the training; the error of such a guess as a
score of anomalies: Golan and El-Yaniv 2018 (arXiv:1805.10917). Small maps are used here, since some digits look alike after a half turn.
"""

from __future__ import annotations

import copy
import itertools
import time
from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim.swa_utils import AveragedModel

from ganad.config.transforms import ASKED, BATCH, MAPS
from ganad.models.looks import mapped, matrix
from ganad.models.losses import at_least_float32

SURE = 0.01
"""Errors far below this many nats count alike: their logarithm would tell nothing but how sure is sure."""


class TransformError(nn.Module):
    """Images x (B, 1, S, S) in [-1, 1] -> (B,) log(1 + error / 0.01), in the units that `weigh` was given; 0 for all before that.

    The error is the mean cross-entropy, in nats, of the guesses at three maps. `see`: the image layers, (B, 1, S, S) -> (B, n);
    `guess`: (B, n) -> (B, 27) logits; `unit`: what one of the logarithm counts.
    """

    unit: Tensor
    is_kept = False
    """True where the statistics of a finished run are fitted once more: what was learned stays, so that what asks it is fitted to that."""

    def __init__(self, layers: nn.Sequential, size: int):
        """layers: the discriminator's, of which `fit` begins with a copy. size: S."""
        super().__init__()
        self.see = copy.deepcopy(layers).requires_grad_(False)
        self.guess = nn.Linear(_width(self.see, size), len(MAPS)).requires_grad_(False)
        self.register_buffer("unit", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        return self.unit * self.surprise(x)

    @property
    def is_fitted(self) -> bool:
        return bool(self.unit > 0)

    def surprise(self, x: Tensor) -> Tensor:
        """(B,) log(1 + error / 0.01)."""
        which = torch.tensor(ASKED, device=x.device).repeat(len(x))
        many = transformed(x.float().repeat_interleave(len(ASKED), dim=0), which)
        logits = at_least_float32(self.guess(self.see(many)))
        error = cross_entropy(logits, which, reduction="none").view(len(x), len(ASKED)).mean(dim=1)
        return torch.log1p(error / SURE)

    def fit(
        self,
        layers: nn.Sequential,
        batches: Callable[[], Iterable[Tensor]],
        steps: int,
        *,
        seed: int = 0,
        on_progress: Callable[[], None] = lambda: None,
    ) -> None:
        """Learn from normal images. `unit` stays 0 until `weigh`.

        layers: the trained ones to begin with. batches: gives all images (B, 1, S, S), once for each call, in batches that may be large.
        steps: updates of 32 images each. on_progress: called now and then; an error that it raises ends the fit.
        """
        device = next(self.parameters()).device
        rng = torch.Generator(device=device).manual_seed(seed)
        self.see.load_state_dict(layers.state_dict())
        nn.init.normal_(self.guess.weight, 0.0, 0.02, generator=rng)
        nn.init.zeros_(self.guess.bias)
        learner = nn.Sequential(copy.deepcopy(self.see), copy.deepcopy(self.guess)).requires_grad_(True).train()
        average = AveragedModel(learner, avg_fn=_last_steps, use_buffers=True)
        optimiser = torch.optim.Adam(learner.parameters(), lr=1e-3, betas=(0.5, 0.999))
        with torch.enable_grad():
            for step, x in enumerate(itertools.islice(_small(batches, rng), steps)):
                which = torch.randint(len(MAPS), (len(x),), generator=rng, device=device)
                loss = cross_entropy(at_least_float32(learner(transformed(x, which))), which)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                average.update_parameters(learner)
                if step % 20 == 0:
                    on_progress()
        see, guess = average.module
        self.see.load_state_dict(see.state_dict())
        self.guess.load_state_dict(guess.state_dict())

    def speed(self, size: int, varied: Callable[[Tensor], Tensor]) -> float:
        """Images a second that `fit` learns from on this machine, images of side S; measured once, on noise. From then on `forward` counts.

        varied: what is done to each batch (B, 1, S, S) before it is learned from.
        """
        x = torch.rand(20 * BATCH, 1, size, size, device=self.unit.device) * 2 - 1
        self.fit(self.see, lambda: [varied(x)], 2)  # the first steps pay for memory that the others reuse
        began = time.perf_counter()
        self.fit(self.see, lambda: [varied(x)], 20)
        seconds = time.perf_counter() - began
        self.weigh(1.0, 1.0)
        return len(x) / seconds

    def weigh(self, spread: float, unit: float) -> None:
        """spread: the standard deviation of `surprise` over normal images; unit: the one that `forward` shall have over them."""
        self.unit.fill_(unit / (spread or 1.0))


def matrices() -> Tensor:
    """(27, 2, 3): for each map where in the image, from -1 to 1 either way, a pixel of the transformed image comes from."""
    return torch.stack([matrix(*how) for how in MAPS])


def transformed(x: Tensor, which: Tensor) -> Tensor:
    """x (B, 1, S, S) in [-1, 1], each image by the map whose number stands in which (B,); bilinear, what comes in from outside is -1."""
    return mapped(x, matrices().to(x)[which])


def image_layers(layers: nn.Sequential) -> nn.Sequential:
    """The layers of a discriminator up to the one that makes a vector of its maps, that one included."""
    flat = next(i for i, layer in enumerate(layers) if isinstance(layer, nn.Flatten))
    return layers[: flat + 1]


def _width(layers: nn.Sequential, size: int) -> int:
    was = layers.training
    with torch.no_grad():
        width = layers.eval()(torch.zeros(1, 1, size, size)).shape[1]
    layers.train(was)
    return width


def _small(batches: Callable[[], Iterable[Tensor]], rng: torch.Generator) -> Iterator[Tensor]:
    """Batches of 32, again and again; one that is left over is dropped where there are others."""
    while True:
        for x in batches():
            order = torch.randperm(len(x), generator=rng, device=rng.device)
            for at in range(0, max(1, len(x) - BATCH + 1), BATCH):
                yield x[order[at : at + BATCH]]


def _last_steps(average: Tensor, now: Tensor, steps: Tensor) -> Tensor:
    """About the last tenth of the steps, and no more than a hundred, as `Method.update_ema`; batch norm's count is the present one."""
    share = torch.clamp(9 / (steps + 9.0), min=0.01)
    return average.lerp(now, share.item()) if average.is_floating_point() else now
