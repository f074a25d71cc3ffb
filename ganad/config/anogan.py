"""The settings of AnoGAN, and its presets."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from ganad.config.common import HANDWRITING_FOR_TRANSFORMS, CommonSettings
from ganad.config.curves import CANNOT_TELL, HALF, LN_2, Curve
from ganad.config.egbad import SIZES
from ganad.config.looks import LOOKS_LABEL, LookTurn
from ganad.config.parts import Weights
from ganad.config.statistics import (
    COPY_LABEL,
    FEATURE_LABEL,
    FIRST_LAYER_LABEL,
    TRANSFORM_LABEL,
    FeatureDensity,
    FirstLayerDensity,
    TransformDensity,
    TransformError,
)

_TUNED = dict(
    filters=16, latent=32, batch_size=64, lr=1e-3, lr_d=2e-4, ema_decay=0.99, sample=2000, search_steps=100, search_lr=0.1,
    search_candidates=512, search_patience=20, weights=(0.2, 0.8, 10.0),
)  # fmt: skip


class AnoganSettings(CommonSettings):
    """AnoGAN: a DCGAN, and a search for z per image. The search is slow, so a training stops to look less often."""

    title: ClassVar[str] = "AnoGAN"
    old_names: ClassVar[dict[str, str]] = CommonSettings.old_names | {"search_bank": "search_candidates"}
    reference_anomalies: ClassVar[int] = 180
    scores_by_search: ClassVar[bool] = True
    curves: ClassVar[dict[str, Curve]] = {
        "loss/discriminator": Curve(
            "the cross-entropies of calling x real and G(z) fake, added up: at 2 ln 2 it cannot tell them apart, near 0 it does every time",
            2 * LN_2, CANNOT_TELL,
        ),
        "loss/generator": Curve("the cross-entropy of having G(z) called real: above ln 2 the discriminator is ahead", LN_2, HALF),
    }  # fmt: skip
    most_statistics: ClassVar[int] = 300
    max_checkpoints: ClassVar[int] = 12
    val_images_per_check: ClassVar[int] = 30
    labels: ClassVar[dict[str, tuple[str, str]]] = CommonSettings.labels | {
        "architecture": ("Networks", "Architecture"),
        "search_steps": ("Score", "Steps of the search"),
        "search_lr": ("Score", "Learning rate of the search"),
        "search_restarts": ("Score", "Starts of the search"),
        "search_candidates": ("Score", "Candidates for the starts"),
        "search_patience": ("Score", "Patience of the search"),
        "w_typicality": ("Score", "Weight of the typicality"),
        **FEATURE_LABEL,
        **TRANSFORM_LABEL,
        **COPY_LABEL,
        **FIRST_LAYER_LABEL,
        **LOOKS_LABEL,
    }
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "tuned": dict(
            epochs=40, w_typicality=8.0, w_transform=4.0, w_transform_density=2.0, w_first_layer_density=6.0, look_turn=5.0, **_TUNED,
            **HANDWRITING_FOR_TRANSFORMS,
        ),
        "many": dict(
            epochs=5, w_feature_density=2.0, w_transform=1.0, w_transform_density=2.0, w_first_layer_density=2.0, look_turn=5.0, **_TUNED,
            **HANDWRITING_FOR_TRANSFORMS,
        ),
        "paper": dict(
            architecture="paper", image_size=28, latent=200, filters=64, lr=1e-5, batch_size=100, epochs=100,
            ema_decay=0.999, sample=2000,
        ),
        "article": dict(
            architecture="article", image_size=64, latent=20, filters=64, lr=1e-4, lr_d=2.5e-5, batch_size=64,
            epochs=80, normal=(7, 8), limit=400, test_digits=(2, 7, 8), test_limit=600, search_steps=100, search_lr=0.1,
        ),
    }  # fmt: skip

    method: Literal["anogan"] = Field("anogan", description="a DCGAN; each image is scored by a search for its z")
    architecture: Literal["paper", "article", "small"] = Field(
        "small",
        description="layers: of the released code (28x28), of the tutorial (64x64), or our small ones (32x32)",
    )
    search_steps: int = Field(500, ge=1, le=10_000, description="steps of the search for an image's z")
    search_lr: float = Field(
        0.01, gt=0, le=1, description="the search's first step size; a tenth after 40 % of the steps, a 20th after 60 %"
    )
    search_restarts: int = Field(1, ge=1, le=64, description="places that the search starts from; the best end counts")
    search_candidates: int = Field(
        0, ge=0, le=4096, description="start from the nearest of so many drawn pictures, an addition; 0 starts anywhere"
    )
    search_patience: int = Field(
        0, ge=0, description="a search ends when its score fell by less than a thousandth in so many steps; 0 never"
    )
    w_typicality: float = Field(
        0.0,
        ge=0,
        description="how much it counts in the latent part how unusual the residual is for so much ink, in either direction, in standard "
        "deviations against one of mean z²; an addition to the paper, 0 turns it off",
    )
    w_feature_density: FeatureDensity = 0.0
    w_transform: TransformError = 0.0
    w_transform_density: TransformDensity = 0.0
    w_first_layer_density: FirstLayerDensity = 0.0
    look_turn: LookTurn = 0.0
    weights: Weights = Field(
        (0.9, 0.1, 0.0),
        description="weights of residual, discrimination and latent part; the search goes down this sum",
    )

    @model_validator(mode="after")
    def _fits(self) -> AnoganSettings:
        size = SIZES[self.architecture]
        if self.image_size != size:
            raise ValueError(f"architecture {self.architecture} needs image_size {size}, got {self.image_size}")
        if 0 < self.search_candidates < self.search_restarts:
            raise ValueError(
                f"search_candidates must be 0 or at least search_restarts ({self.search_restarts}), got {self.search_candidates}"
            )
        return self
