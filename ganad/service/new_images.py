"""Images from outside: prepared as digits, judged, and the search for one shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ganad.config import (
    FALSE_ALARMS,
    check_weights,
)
from ganad.data import digits_on_page as on_page
from ganad.data import preparation, preprocess
from ganad.errors import DataError
from ganad.evaluation import metrics, thresholds
from ganad.scoring import attribution
from ganad.service.nets import method
from ganad.service.results import scores
from ganad.service.runs import run_info
from ganad.system import limits, paths


@dataclass(frozen=True)
class ImageScore:
    """What a run says of one new image."""

    score: float
    percentile: float  # share of held-out normal images that score lower, 0 to 100
    verdict: str  # "normal" or "anomalous"
    threshold: float  # infinite where there are too few held-out images for the rate of false alarms
    parts: dict[str, float]
    part_percentiles: dict[str, float]
    reconstruction: np.ndarray  # (28, 28) uint8
    pixels: attribution.Pixels
    z: np.ndarray  # (nz,)
    why: str = ""  # of an infinite threshold: one sentence with what to do


def score_images(
    name: str, images: np.ndarray, weights: Sequence[float] | None = None, false_alarms: float = FALSE_ALARMS
) -> list[ImageScore]:
    """Judge new images, (N, 28, 28) uint8, against the run's held-out normals.

    Raises RunError if the run has no weights or no scores yet.
    """
    from ganad.scoring.score import score

    val = scores(name).val.parts
    usual, parts = run_info(name).weights, run_info(name).settings.parts
    w = check_weights(tuple(weights), parts) if weights is not None else usual
    val_scores = metrics.total(val, w)
    threshold = thresholds.threshold_for(val_scores, false_alarms)
    why = thresholds.no_threshold(len(val_scores), false_alarms) if threshold == math.inf else ""
    net = method(name)
    scored = score(net, images, pixels=True)
    parts = scored.parts
    total = metrics.total(parts, w)
    percentiles = {p: metrics.percentile(parts[p], val[p]) for p in parts}
    return [
        ImageScore(
            score=float(total[i]),
            percentile=float(metrics.percentile(total[i], val_scores)),
            verdict="anomalous" if total[i] > threshold else "normal",
            threshold=threshold,
            parts={p: float(parts[p][i]) for p in parts},
            part_percentiles={p: float(percentiles[p][i]) for p in parts},
            reconstruction=scored.reconstruction[i],
            pixels=attribution.Pixels(scored.pixels[i], float(scored.outside[i]), net.settings.image_size, exact=True),
            z=scored.z[i],
            why=why,
        )
        for i in range(len(images))
    ]


@dataclass(frozen=True)
class Search:
    """AnoGAN's search for one image, step by step. T steps, the start among them; K of them as pictures."""

    score: np.ndarray  # (T,) of the best z so far; never rises
    paths: np.ndarray  # (T, R) where each path is; one that has stopped keeps its last
    shown: np.ndarray  # (K,) which steps have a picture
    frames: np.ndarray  # (K, 28, 28) uint8: G(z) of the best z so far
    typicality: float  # what it adds to the last score, which the search does not ask for; 0 where the run has none
    density: float  # what the density of features adds to it, likewise
    transforms: float  # what the transform error adds to it, likewise
    copied: float  # what the density of the features of the discriminator's copy adds to it, likewise
    first_layer: float  # what the density of what the first layer of that copy sees adds to it, likewise
    turned: float  # by how many degrees the image is turned in the look that counts for all of them but typicality; 0: as it is


def search(name: str, image: np.ndarray, frames: int = 24) -> Search | None:
    """How an AnoGAN finds its z for one (28, 28) uint8 image; None for a method that does not search."""
    net = method(name)
    if not hasattr(net, "search"):
        return None
    import torch

    from ganad.models.looks import further_looks, turns
    from ganad.scoring.score import to_input, to_picture

    x = to_input(image[None], net.settings.image_size, next(net.parameters()).device)
    looks = list(net.search(x))
    # Most happens at first, so the pictures stand close there.
    shown = np.unique(np.round(np.geomspace(1, len(looks), min(frames, len(looks)))).astype(int)) - 1
    drawn = to_picture(net.picture(torch.cat([looks[i].z for i in shown])))
    with torch.no_grad():
        f = net.discriminate(x)
        _, residual, _, _ = net.compare(x, f, looks[-1].z)
        nothing = torch.zeros_like(residual)
        typicality = float(net.with_typicality(nothing, residual, x)[0])
        angles, seen = (0.0, *turns(net.settings.further_looks)), (x, *further_looks(x, net.settings.further_looks))
        added = [
            {name: float(term[0]) for name, term in net.of_image(look, net.discriminate(look)).items()} for look in seen
        ]
    turned, least = min(zip(angles, added, strict=True), key=lambda look: sum(look[1].values()))
    weights = dict(zip(net.settings.parts, net.settings.weights, strict=True))
    return Search(
        score=np.array([float(look.score[0]) for look in looks]),
        paths=np.stack([look.paths[0].double().cpu().numpy() for look in looks]),
        shown=shown,
        frames=drawn,
        typicality=weights["latent"] * typicality,
        density=weights["discrimination"] * least.get("w_feature_density", 0.0),
        transforms=weights["discrimination"] * least.get("w_transform", 0.0),
        copied=weights["discrimination"] * least.get("w_transform_density", 0.0),
        first_layer=weights["discrimination"] * least.get("w_first_layer_density", 0.0),
        turned=turned,
    )


def prepare_file(path: Path, raw: bool = False, run: str | None = None) -> preprocess.Prepared:
    """An image file as what the run was trained on, without a run as a digit. Raises DataError naming the file."""
    path = paths.typed(path)
    content = paths.contents(path, limits.PICTURE_BYTES, "picture")
    return prepare_bytes(content, path.name, raw, run_info(run).preparation if run else "digit")


def digits_on_page(content: bytes, name: str) -> on_page.Page:
    """The digits in the bytes of a photo of a page. Raises DataError naming the file."""
    grey = preprocess.read_image(content, name)
    try:
        return on_page.find_digits(grey)
    except DataError as error:
        raise DataError(f"{name}: {error}") from None


def digits_on_page_file(path: Path) -> on_page.Page:
    """The same of an image file."""
    path = paths.typed(path)
    return digits_on_page(paths.contents(path, limits.PICTURE_BYTES, "picture"), path.name)


def prepare_bytes(
    content: bytes, name: str, raw: bool = False, kind: str = "digit", *, invert: bool | None = None, centre: bool = True, thicken: bool = True
) -> preprocess.Prepared:  # fmt: skip
    """The bytes of an image file in 28x28. Raises DataError naming the file.

    kind: a run's `preparation`. raw: the image is 28x28 already, and nothing is done to it. invert, centre, thicken: of a digit, as
    of `preprocess.prepare`.
    """
    grey = preprocess.read_image(content, name)
    try:
        if raw:
            return preprocess.as_given(grey)
        if kind == "digit":
            return preprocess.prepare(grey, invert=invert, centre=centre, thicken=thicken)
        return preparation.prepared(grey, kind)
    except DataError as error:
        raise DataError(f"{name}: {error}") from None
