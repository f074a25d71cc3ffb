"""What pages ask for again and again, kept by name and version. Arrays are shared between sessions, so read-only.

How much is kept of all of it together: ganad.memory.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from ganad import service
from ganad.config import Weights
from ganad.evaluation import bootstrap, metrics, projection
from ganad.evaluation.scores import Scores
from ganad.scoring import attribution
from ganad.system import shared_cache
from ganad.ui.state import map_layouts
from ganad.ui.state.session import memory
from ganad.web.pad import payload as pad_payload
from ganad.web.weights_mixer import payload


def kept(words: str = "", *, briefly: bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A function whose results all sessions share; words: what is shown while it computes; briefly: as `shared_cache.remembered`."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def with_spinner(*args: Any) -> Any:
            with st.spinner(words) if words else contextlib.nullcontext():
                return function(*args)

        return shared_cache.remembered(with_spinner, briefly=briefly)

    return decorate


def list_runs() -> list[service.RunInfo]:
    """Every run. Read anew each time: it is a handful of small files, and states change."""
    return service.list_runs()


def scores(name: str) -> Scores:
    """Parts, digits and latent vectors of a finished run."""
    return _scores(name, service.version(name))


@kept("Reading scores")
def _scores(name: str, version: int) -> Scores:
    return service.scores(name)


def version(name: str) -> int:
    """Changes when a run is scored anew."""
    return service.version(name)


def packed(name: str) -> dict[str, Any]:
    """What the live mixer sends to the browser of a run; the same object until the run is scored anew."""
    return _packed(name, service.version(name))


@kept("Packing images")
def _packed(name: str, version: int) -> dict[str, Any]:
    run = service.run_info(name)
    return payload.pack(scores(name), images(name), run.classes if run.has_names else (), run.held_out_originals)


def images(name: str) -> np.ndarray:
    """(n_test, 28, 28) uint8, in the order of the scores."""
    return _images(name, service.version(name))


@kept("Reading images")
def _images(name: str, version: int) -> np.ndarray:
    return service.test_images(name)


def reconstructions(name: str) -> np.ndarray | None:
    """(n_test, 28, 28) uint8, in the order of the scores; None when only the net can make them."""
    return _reconstructions(name, service.version(name))


@kept("Reading reconstructions")
def _reconstructions(name: str, version: int) -> np.ndarray | None:
    return service.reconstructions(name)


def explanation(name: str, row: int) -> service.Explanation:
    """One test image, redrawn, and what each pixel adds: from the stored pictures, else by the net, exactly."""
    stored = reconstructions(name)
    if stored is None:
        return _explain(name, service.version(name), row)
    residual = float(scores(name).test.parts["residual"][row])
    settings = service.run_info(name).settings
    pixels = attribution.from_pictures(
        images(name)[row], stored[row], residual, settings.image_size, settings.residual_power
    )
    return service.Explanation(stored[row], pixels)


@kept("Running the model")
def _explain(name: str, version: int, row: int) -> service.Explanation:
    return service.explain(name, images(name)[row])


def reconstruction(name: str, row: int) -> np.ndarray:
    """(28, 28) uint8 of one test image: the stored one, else made by the net."""
    return explanation(name, row).reconstruction


def reconstructions_of(name: str, rows: tuple[int, ...]) -> np.ndarray:
    """(len(rows), 28, 28) uint8 of some test images: the stored ones, else made by the net, all at once."""
    stored = reconstructions(name)
    if stored is not None:
        return stored[list(rows)]
    return _reconstruct_some(name, service.version(name), rows)


@kept("Running the model")
def _reconstruct_some(name: str, version: int, rows: tuple[int, ...]) -> np.ndarray:
    return service.reconstruct(name, images(name)[list(rows)])


def codes(name: str) -> tuple[np.ndarray, np.ndarray]:
    """z of held-out normals and of test images, (n, nz) and (m, nz)."""
    return _codes(name, service.version(name))


def browser_nets(name: str) -> dict[str, str] | None:
    """The run's nets for the pad in the browser, deflated, as base64; None where the server has to judge."""
    return _browser_nets(name, service.version(name))


@kept("Packing the nets for the browser")
def _browser_nets(name: str, version: int) -> dict[str, str] | None:
    own = service.browser_nets(name)
    return own and pad_payload.nets(own.file, own.codes, own.images)


def has_codes(run: service.RunInfo) -> bool:
    """True where codes were stored or come from an encoder in seconds, or where somebody has asked to search for them."""
    stored = scores(run.name).test.z.shape[1] > 0
    return stored or not run.settings.scores_by_search or run.name in memory().searched_codes


@kept("Encoding every image")
def _codes(name: str, version: int) -> tuple[np.ndarray, np.ndarray]:
    return service.codes(name)


def reference_anomalies(name: str) -> dict[str, np.ndarray]:
    """Parts of training images of other digits: to choose weights by, instead of the test set."""
    return _rivals(name, service.version(name))


@kept("Scoring training images of other digits")
def _rivals(name: str, version: int) -> dict[str, np.ndarray]:
    return service.reference_anomalies(name)


def band(name: str, weights: Weights) -> bootstrap.Band:
    """How far AUROC and ROC would move with other test images."""
    return _band(name, service.version(name), weights)


@kept(briefly=True)
def _band(name: str, version: int, weights: Weights) -> bootstrap.Band:
    return bootstrap.band(totals(name, weights)[1], scores(name).anomalous)


def latent_map(name: str, kind: str = "PCA") -> projection.Projection | None:
    """The codes in two dimensions; kind: one of `projection.kinds()`. PCA is there at once; None while another is computed.

    Raises GanadError for a run without nets, and where the computation failed.
    """
    if kind == "PCA":
        return _pca(name, service.version(name))
    return map_layouts.layout(name, service.version(name), kind, *codes(name))


@kept("Laying out the codes")
def _pca(name: str, version: int) -> projection.Projection:
    return projection.project(*codes(name), "PCA")


def totals(name: str, weights: Weights) -> tuple[np.ndarray, np.ndarray]:
    """Scores of held-out normals and of test images under a weighting."""
    return _totals(name, service.version(name), weights)


@kept(briefly=True)
def _totals(name: str, version: int, weights: Weights) -> tuple[np.ndarray, np.ndarray]:
    stored = scores(name)
    return metrics.total(stored.val.parts, weights), metrics.total(stored.test.parts, weights)


def evaluation(name: str, weights: Weights, threshold: float) -> metrics.Evaluation:
    """Metrics under a weighting and a threshold; imports scikit-learn the first time."""
    return _evaluation(name, service.version(name), weights, threshold)


@kept(briefly=True)
def _evaluation(name: str, version: int, weights: Weights, threshold: float) -> metrics.Evaluation:
    stored = scores(name)
    return metrics.evaluate(stored.test.parts, stored.test.digit, stored.normal, weights, threshold)


@kept()
def examples(path: str | None = None) -> np.ndarray:
    """(10, 28, 28) uint8: a real digit of each kind."""
    return service.examples(path)


@kept()
def class_names(path: str | None) -> tuple[str, ...]:
    """Names of the classes 0, 1, ..."""
    return service.class_names(path)


@kept()
def class_counts(path: str | None) -> dict[int, int]:
    """digit -> number of its training images."""
    return service.class_counts(path)


@kept("Computing the baselines")
def baseline_curves(normal: tuple[int, ...], path: str | None) -> list[service.BaselineCurve]:
    """ROC curves of PCA and nearest neighbours on the whole test set."""
    return service.baseline_curves(normal, path)
