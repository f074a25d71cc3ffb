"""The Python door: fit on normal images, then score any others.

Follows PyOD in what a score means (`anomaly_score`: higher is more anomalous) and scikit-learn's outlier detectors in
everything else (`score_samples` is its negative, `predict` says -1 for anomalous and +1 for normal).
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import track
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils.validation import check_is_fitted

from ganad.config import FALSE_ALARMS, VAL_SHARE, resolve
from ganad.errors import DataError, RunError, file_errors
from ganad.evaluation import metrics, thresholds
from ganad.models import build
from ganad.runs import checkpoint, run_directory
from ganad.scoring import score
from ganad.system import files
from ganad.training import throughput
from ganad.training.length import steps_per_epoch
from ganad.training.loop import train


class Detector(OutlierMixin, BaseEstimator):
    """A GAN that learns what is normal and scores what is not.

    method: a key of `ganad.config.METHOD_NAMES`, such as "ganomaly". preset: "tuned", "paper" (or "article"). seed: fixes everything random.
    epochs: None means the preset's. settings: further settings of the method, such as {"lr": 1e-4}.
    contamination: share of normal images that `predict` may call anomalous; with n held-out ones it cannot be less than
    1 / (n + 1). verbose: show a progress bar, and threshold_note_ where there is one.

    After `fit`: method_ (the trained nets), val_parts_ (parts of the held-out normals), threshold_, offset_, and
    threshold_note_: empty, or why there are too few held-out images for `contamination` and what that means.
    """

    def __init__(
        self,
        method: str = "ganomaly",
        preset: str = "tuned",
        seed: int = 0,
        epochs: int | None = None,
        settings: dict[str, Any] | None = None,
        contamination: float = FALSE_ALARMS,
        verbose: bool = True,
    ):
        self.method = method
        self.preset = preset
        self.seed = seed
        self.epochs = epochs
        self.settings = settings
        self.contamination = contamination
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None) -> Detector:
        """Learn from normal images, (N, 28, 28) uint8, or floats in [0, 1], or (N, 784). y is ignored.

        A tenth is held out for the threshold. Raises DataError for images of any other kind, ConfigError for settings.
        """
        images = as_images(X)
        if len(images) < 20:
            raise DataError(f"{len(images)} images are too few to learn from and to hold some out: give at least 20.")
        # The digits are not known here, and do not matter: only the images passed in are learned from.
        asked = {"normal": (0,), **(self.settings or {})}
        s = resolve(self.method, self.preset, seed=self.seed, epochs=self.epochs, **asked)
        order = np.random.default_rng(s.seed).permutation(len(images))
        held_out = max(10, round(VAL_SHARE * len(images)))
        val, normal = images[np.sort(order[:held_out])], images[np.sort(order[held_out:])]
        precision = throughput.number_format(s)
        method = build(s).to(checkpoint.pick_device())
        total = s.epochs * steps_per_epoch(len(normal), s.batch_size)
        steps = train(
            method,
            normal,
            epochs=s.epochs,
            batch_size=s.batch_size,
            seed=s.seed,
            size=s.image_size,
            precision=precision,
        )
        for _ in _bar(steps, total, f"{self.method} learns", self.verbose):
            pass
        score.fit_statistics(method, normal)
        self._finish(method.eval().requires_grad_(False), _parts(method, val[: s.sample]))
        if self.verbose and self.threshold_note_:
            print(self.threshold_note_, file=sys.stderr)
        self.settings_ = s
        return self

    def _finish(self, method: Any, val_parts: dict[str, np.ndarray]) -> None:
        self.method_ = method
        self.val_parts_ = val_parts
        self.val_scores_ = metrics.total(val_parts, method.settings.weights)
        self.threshold_ = thresholds.threshold_for(self.val_scores_, self.contamination)
        self.threshold_note_ = ""
        if self.threshold_ == math.inf:
            # No threshold keeps the promise. scikit-learn wants decisions that are finite: the largest score is the line.
            n = len(self.val_scores_)
            self.threshold_ = float(self.val_scores_.max())
            self.threshold_note_ = (
                f"{n:,} held-out normal images are too few for a threshold with at most {100 * self.contamination:.3g} % false alarms: "
                f"the largest of their scores is taken instead, above which up to {100 / (n + 1):.3g} % (1 in {n + 1:,}) of new "
                "normal images lie. Fit on more images, of which a tenth is held out, or raise contamination."
            )
        self.offset_ = -self.threshold_
        self.n_features_in_ = 784

    def score_parts(self, X: Any) -> pd.DataFrame:
        """One row an image: residual, discrimination, latent; raw, each higher when more anomalous."""
        check_is_fitted(self, "method_")
        return pd.DataFrame(_parts(self.method_, as_images(X)))

    def anomaly_score(self, X: Any) -> np.ndarray:
        """(N,) the weighted sum of the parts; higher is more anomalous."""
        parts = self.score_parts(X)
        return metrics.total({p: parts[p].to_numpy() for p in parts}, self.method_.settings.weights)

    def percentile(self, X: Any) -> np.ndarray:
        """(N,) share of the held-out normal images that score lower, 0 to 100."""
        return metrics.percentile(self.anomaly_score(X), self.val_scores_)

    def score_samples(self, X: Any) -> np.ndarray:
        """(N,) the negative score, as scikit-learn wants it: lower is more anomalous."""
        return -self.anomaly_score(X)

    def decision_function(self, X: Any) -> np.ndarray:
        """(N,) score_samples - offset_: negative means anomalous."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> np.ndarray:
        """(N,) int: -1 anomalous, +1 normal."""
        return np.where(self.decision_function(X) < 0, -1, 1)

    def reconstruct(self, X: Any) -> np.ndarray:
        """(N, 28, 28) uint8: what the nets redraw."""
        check_is_fitted(self, "method_")
        return score.score(self.method_, as_images(X)).reconstruction

    def save(self, folder: str | Path) -> Path:
        """Write the detector in the run format (config.json, weights.safetensors, held-out parts)."""
        check_is_fitted(self, "method_")
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        checkpoint.save_weights(folder, self.method_)
        with run_directory.replaced_with_checksum(folder / "scores.npz") as file:
            np.savez_compressed(file, **{f"val_{p}": values for p, values in self.val_parts_.items()})
        plain = {k: v for k, v in self.get_params().items() if k != "verbose"}
        run_directory.write_json(folder / "detector.json", plain)
        run_directory.write_json(folder / "config.json", self.settings_.model_dump(mode="json"))
        return folder

    @classmethod
    def load(cls, folder: str | Path) -> Detector:
        """A saved detector, or a finished run. Raises RunError if there is none."""
        folder = Path(folder)
        settings = run_directory.settings(folder)
        plain = run_directory.read_json(folder / "detector.json") or {
            "method": settings.method, "preset": settings.preset, "seed": settings.seed, "epochs": settings.epochs,
        }  # fmt: skip
        detector = cls(**plain)
        content = files.read_verified(folder / "scores.npz")
        if content is None:
            raise RunError(f"{folder} holds no held-out scores: is it a finished run?")
        what = f"scores.npz of {folder.name} cannot be read"
        with file_errors(what, "Save the detector again.", RunError):
            arrays = run_directory.read_arrays(content, what, "Save the detector again.")
            val = {p: arrays[f"val_{p}"] for p in settings.parts}
            if not all(v.dtype.kind == "f" and np.isfinite(v).all() for v in val.values()):
                raise ValueError("held-out parts that are not finite")
        detector._finish(checkpoint.load_method(folder), val)
        detector.settings_ = settings
        return detector


def as_images(X: Any) -> np.ndarray:
    """(N, 28, 28) uint8 from any of the accepted kinds. Raises DataError saying what was seen."""
    array = np.asarray(X)
    if array.ndim == 2 and array.shape[1] == 784:
        array = array.reshape(-1, 28, 28)
    if array.ndim != 3 or array.shape[1:] != (28, 28):
        raise DataError(f"images must be (N, 28, 28) or (N, 784), got an array of shape {array.shape}")
    if array.dtype == np.uint8:
        return array
    if array.dtype == bool:
        return array.astype(np.uint8) * 255
    if not np.issubdtype(array.dtype, np.number) or np.issubdtype(array.dtype, np.complexfloating):
        raise DataError(f"images must be numbers, got an array of {array.dtype}")
    if array.size and not np.isfinite(array).all():
        raise DataError("images hold values that are not finite: replace NaN and infinity first")
    low, high = (float(array.min()), float(array.max())) if array.size else (0.0, 0.0)
    if np.issubdtype(array.dtype, np.integer):
        if low < 0 or high > 255:
            raise DataError(f"integer images must lie in 0..255, got {low:.0f}..{high:.0f}")
        return array.astype(np.uint8)
    if low < 0 or high > 1:
        raise DataError(f"float images must lie in [0, 1], got [{low:.3g}, {high:.3g}]: divide by 255?")
    return np.round(array * 255).astype(np.uint8)


def _parts(method: Any, images: np.ndarray) -> dict[str, np.ndarray]:
    return score.score(method, images).parts


def _bar(steps: Any, total: int, text: str, verbose: bool) -> Any:
    """The steps themselves, with a progress bar on stderr beside them."""
    if not verbose:
        return steps

    return track(steps, description=text, total=total, console=Console(stderr=True), transient=True)
