"""Trained nets, and what they make of a run's own images."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ganad.data import sources
from ganad.runs import run_directory
from ganad.scoring import attribution
from ganad.service.images import data_of, dataset
from ganad.service.results import held_out_images, scores, test_images
from ganad.service.runs import run_info
from ganad.training import throughput


def method(name: str) -> Any:
    """The trained net of a run, frozen and folded; the last few are kept, so that a second image is judged at once."""
    run = run_directory.find(name)
    path = run / "weights.safetensors"
    return _method(str(run), path.stat().st_mtime_ns if path.exists() else 0)


@functools.lru_cache(maxsize=3)
def _method(run: str, version: int) -> Any:
    from ganad.runs.checkpoint import load_method

    throughput.limit_threads()  # two threads would wait for each other while a training has the other core
    return load_method(Path(run)).folded()


def has_nets(name: str) -> bool:
    """Whether the run came with the weights of its nets, without which it judges no new image."""
    return (run_directory.find(name) / "weights.safetensors").exists()


WIDEST_IN_BROWSER = 32
"""Filters. A quick answer without torch: nets this wide multiply 25 million numbers for an image, wider ones more than a hand waits for."""


def may_run_in_browser(name: str) -> bool:
    """Whether `browser_nets` is worth asking; that may still find that the nets are not for a browser."""
    s = run_info(name).settings
    return has_nets(name) and not s.scores_by_search and s.image_size < 64 and s.filters <= WIDEST_IN_BROWSER


HELD_OUT_SENT = 300
"""Held-out normals that go to the browser with the nets: the nearest of them is shown beside a drawing."""


@dataclass(frozen=True)
class BrowserNets:
    """What a browser needs to judge a drawing by itself, and some normal images that the nets never learned from."""

    file: bytes  # see ganad.scoring.browser_nets
    codes: np.ndarray  # (n, nz) float32
    images: np.ndarray  # (n, 28, 28) uint8


def browser_nets(name: str) -> BrowserNets | None:
    """The nets of a run for the browser; None where there are none, an image is scored by a search, or they are too large for it."""
    return for_browser(name, method(name)) if may_run_in_browser(name) else None


def for_browser(name: str, net: Any) -> BrowserNets | None:
    """Nets of a run, as they are or as they were after an epoch, with the run's held-out normals as these nets see them."""
    from ganad.scoring.browser_nets import pack
    from ganad.scoring.score import score

    file = pack(net)
    if file is None:
        return None
    held_out = len(scores(name).val)
    rows = np.unique(np.linspace(0, held_out - 1, min(HELD_OUT_SENT, held_out)).astype(int))
    images = held_out_images(name, rows)
    return BrowserNets(file, score(net, images).z.astype(np.float32), images)


def browser_generator(name: str) -> bytes | None:
    """The generator of a run for the browser (`scoring.browser_nets`); None where the run has no nets, or too large ones."""
    from ganad.scoring.browser_nets import pack_generator

    return pack_generator(method(name)) if has_nets(name) else None


def reconstruct(name: str, images: np.ndarray) -> np.ndarray:
    """(N, 28, 28) uint8 -> (N, 28, 28) uint8 by the net itself."""
    from ganad.scoring.score import score

    return score(method(name), images).reconstruction


@dataclass(frozen=True)
class Explanation:
    """What the net makes of one image."""

    reconstruction: np.ndarray  # (28, 28) uint8
    pixels: attribution.Pixels


def explain(name: str, image: np.ndarray) -> Explanation:
    """One (28, 28) uint8 image through the net. Raises RunError if the run has no weights."""
    from ganad.scoring.score import score

    net = method(name)
    scored = score(net, image[None], pixels=True)
    pixels = attribution.Pixels(scored.pixels[0], float(scored.outside[0]), net.settings.image_size, exact=True)
    return Explanation(scored.reconstruction[0], pixels)


def codes(name: str) -> tuple[np.ndarray, np.ndarray]:
    """z of the held-out normals and of the test images, (n, nz) and (m, nz) float32, in the order of the run's scores.

    From scores.npz where they were kept, else from the net: seconds, for AnoGAN, which searches each, a minute or so.
    Raises RunError for a run without weights.
    """
    from ganad.scoring.score import score

    stored = scores(name)
    if stored.test.z.shape[1]:
        return stored.val.z, stored.test.z
    held_out = held_out_images(name, range(len(stored.val)))
    net = method(name).without_statistics()  # no part of the score is asked for
    return score(net, held_out).z, score(net, test_images(name)).z


def reference_anomalies(name: str) -> dict[str, np.ndarray]:
    """part -> (n,) of a fixed sample of *training* images of the digits that are not normal, as many of each.

    For whatever is chosen with anomalies and must not be chosen on the test set. The net has never seen them. Raises
    RunError for a run without weights, DataError where every class is normal.
    """
    from ganad.scoring.score import score

    images = dataset(data_of(run_directory.find(name)))
    rows = sources.reference_rows(images, run_info(name).settings)
    return score(method(name), images.train.images[rows]).parts


def rescore(name: str, rows: Sequence[int] | None = None) -> dict[str, np.ndarray]:
    """Parts of the run's test images (or of some rows of them), by the net itself instead of from scores.npz."""
    from ganad.scoring.score import score

    images = test_images(name)
    scored = score(method(name), images if rows is None else images[np.asarray(rows)])
    return scored.parts
