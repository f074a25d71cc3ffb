"""A method and images -> parts and reconstructions, each image by itself."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate, pad

from ganad.config import Settings, transforms
from ganad.config.mixtures import MOST_CODES, others_of
from ganad.errors import GanadError
from ganad.models import Method
from ganad.models.augment import all_varied, augmented
from ganad.models.base import no_op
from ganad.scoring.attribution import amounts, to_picture_pixels

FOLDED_FROM = 128
"""With so many images folding saves more time than it takes; with a search already with one."""


@dataclass(frozen=True)
class ScoredBatch:
    """A method's result for N images. Parts are raw, float64, higher = more anomalous."""

    parts: dict[str, np.ndarray]  # part -> (N,), in the order of PARTS
    z: np.ndarray  # (N, nz) float32
    reconstruction: np.ndarray  # (N, 28, 28) uint8
    pixels: np.ndarray | None = None  # (N, 28, 28) float32: what each pixel adds to the residual, if wanted
    outside: np.ndarray | None = None  # (N,): what the border beyond the picture adds


def to_input(images: np.ndarray, size: int, device: torch.device | str = "cpu") -> Tensor:
    """(N, 28, 28) uint8 -> (N, 1, size, size) float32 in [-1, 1]; 32 by padding with background, 64 bilinear."""
    x = torch.from_numpy(np.ascontiguousarray(images)).to(device)[:, None].float() / 127.5 - 1
    if size == 28:
        return x
    if size == 32:
        return pad(x, (2, 2, 2, 2), value=-1.0)
    return interpolate(x, size=(size, size), mode="bilinear", align_corners=False)


def to_picture(x: Tensor) -> np.ndarray:
    """(N, 1, S, S) in [-1, 1] -> (N, 28, 28) uint8, to be shown: the reverse of to_input."""
    size = x.shape[-1]
    if size == 32:
        x = x[:, :, 2:-2, 2:-2]
    elif size != 28:
        x = interpolate(x, size=(28, 28), mode="area")
    return ((x[:, 0].clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).cpu().numpy()


def fit_statistics(
    method: Method, train: np.ndarray, on_progress: Callable[[], None] = no_op, batch_size: int = 500
) -> None:
    """After the last step: fit what normal codes are like to the training images (N, 28, 28) uint8, in a method that asks for it.

    Images are varied as in the training; where the transforms are learned, as `all_varied` has it. Held-out images have no part in it, so
    the threshold's promise about new normal images holds as before.
    """
    settings, device = method.settings, next(method.parameters()).device
    rng, another = (torch.Generator(device=device).manual_seed(settings.seed) for _ in range(2))

    def batches(images: np.ndarray, varied: Settings = settings, rng: torch.Generator = rng) -> Iterator[Tensor]:
        for at in range(0, len(images), batch_size):
            x = to_input(images[at : at + batch_size], settings.image_size, device)
            yield augmented(x, varied, rng)

    order, others = (
        np.random.default_rng(settings.seed).permutation(len(train)),
        others_of(len(train), settings.most_statistics),
    )
    first = train[np.sort(order[others : others + MOST_CODES])]
    method.fit_statistics(
        lambda: batches(first), lambda: batches(train[np.sort(order[:others])]), on_progress,
        varied=lambda: batches(first, all_varied(settings), another),
        steps=transforms.steps(len(train), settings.epochs, settings.batch_size),
    )  # fmt: skip


@torch.no_grad()
def score(
    method: Method,
    images: np.ndarray,
    *,
    batch_size: int = 200,
    on_batch: Callable[[int], None] | None = None,
    pixels: bool = False,
) -> ScoredBatch:
    """Parts and reconstructions of (N, 28, 28) uint8 images.

    The method is put into eval() and nothing in it changes. on_batch is called with the number of images that are done, after
    each batch and between the steps of a search; an error that it raises ends the scoring. pixels: fill `pixels` and `outside`.
    Raises GanadError if a part of an image is not finite: such an image is neither normal nor anomalous.
    """
    method.eval()
    folded = method.folded() if len(images) >= FOLDED_FROM or method.settings.scores_by_search else method
    device = next(method.parameters()).device
    columns: dict[str, list[np.ndarray]] = defaultdict(list)
    by_part: dict[str, list[np.ndarray]] = defaultdict(list)
    for at in range(0, len(images) or 1, batch_size):
        on_progress = no_op if on_batch is None else functools.partial(on_batch, at)
        x = to_input(images[at : at + batch_size], method.settings.image_size, device)
        parts = folded.parts(x, on_progress)
        for part, values in parts.by_name.items():
            by_part[part].append(values.double().cpu().numpy())
        columns["z"].append(parts.z.cpu().numpy())
        columns["reconstruction"].append(to_picture(parts.reconstruction))
        if pixels:
            inside, outside = to_picture_pixels(
                amounts((x - parts.reconstruction)[:, 0].cpu().numpy(), method.settings.residual_power)
            )
            columns["pixels"].append(inside.astype(np.float32))
            columns["outside"].append(outside)
        if on_batch is not None:
            on_batch(min(at + batch_size, len(images)))
    scored = ScoredBatch(
        parts={part: np.concatenate(values) for part, values in by_part.items()},
        **{name: np.concatenate(values) for name, values in columns.items()},
    )
    for part, values in scored.parts.items():
        if bad := int((~np.isfinite(values)).sum()):
            raise GanadError(
                f"The nets give no finite {part} part for {bad:,} of {len(images):,} images, so these have no score and no "
                "verdict: the weights are damaged, or the training ran away. Train again, with a smaller lr if it ran away."
            )
    return scored
