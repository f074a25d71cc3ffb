"""The settings of f-AnoGAN, and its presets."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from ganad.config.common import HANDWRITING_FOR_TRANSFORMS, CommonSettings
from ganad.config.curves import Curve
from ganad.config.looks import LOOKS_LABEL, LookTurn
from ganad.config.parts import Weights
from ganad.config.statistics import (
    FEATURE_LABEL,
    LATENT_LABELS,
    TRANSFORM_LABEL,
    Density,
    FeatureDensity,
    ResidualDensity,
    TransformError,
    Typicality,
)

_TUNED = dict(
    encoder_share=0.33, filters=16, latent=16, batch_size=64, lr=1e-3, beta1=0.0, beta2=0.9, ema_decay=0.99, lr_encoder=1e-3,
    w_typicality=2.0, weights=(1.0, 1.0, 1.0),
)  # fmt: skip


class FanoganSettings(CommonSettings):
    """f-AnoGAN: a Wasserstein GAN, then an encoder; scored in one pass."""

    title: ClassVar[str] = "f-AnoGAN"
    residual_power: ClassVar[int] = 2
    steerable: ClassVar[tuple[str, ...]] = (*CommonSettings.steerable, "lr_encoder", "w_penalty", "w_features")
    labels: ClassVar[dict[str, tuple[str, str]]] = CommonSettings.labels | {
        "architecture": ("Networks", "Architecture"),
        "encoder_share": ("Optimiser", "Share of the steps for the encoder"),
        "critic_steps": ("Optimiser", "Steps of the critic for each of the generator"),
        "w_penalty": ("Losses", "Weight of the gradient penalty"),
        "w_features": ("Losses", "Weight of the features"),
        "lr_encoder": ("Optimiser", "Learning rate of the encoder"),
        "encoder_optimizer": ("Optimiser", "Optimiser of the encoder"),
        **FEATURE_LABEL,
        **TRANSFORM_LABEL,
        **LOOKS_LABEL,
        **LATENT_LABELS,
    }
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "tuned": dict(
            epochs=45, w_feature_density=32.0, w_residual_density=4.0, w_transform=24.0, look_turn=5.0, **_TUNED, **HANDWRITING_FOR_TRANSFORMS,
        ),
        "many": dict(epochs=5, w_feature_density=16.0, w_residual_density=2.0, w_density=4.0, **_TUNED),
        "paper": dict(
            architecture="paper", image_size=64, latent=128, filters=64, lr=1e-4, beta1=0.0, beta2=0.9, batch_size=64,
            epochs=950, encoder_share=0.63, lr_encoder=5e-5, encoder_optimizer="rmsprop",
        ),
    }  # fmt: skip

    curves: ClassVar[dict[str, Curve]] = {
        "loss/discriminator": Curve("the critic's penalty less the distance below: the more negative, the better it tells drawn images from real ones"),
        "loss/generator": Curve("minus the critic's mean on drawn images; a critic has no zero, so only its changes mean something"),
        "loss/encoder": Curve("the two distances below, weighed: how far reconstructions are from their images"),
        "discriminator/distance": Curve(
            "the critic's mean on real images less its mean on drawn ones, about their Wasserstein distance: at 0 it cannot tell them apart", 0.0, "0"
        ),
        "discriminator/penalty": Curve("mean (slope of the critic - 1)² between real and drawn images: at 0 its slope is 1, as it should be"),
        "encoder/pixels": Curve("mean squared difference of x and its reconstruction G(E(x))"),
        "encoder/features": Curve("mean squared difference of what the critic sees in x and in its reconstruction"),
    }  # fmt: skip

    method: Literal["fanogan"] = Field(
        "fanogan", description="a Wasserstein GAN, then an encoder for it; scored in one pass"
    )
    architecture: Literal["paper", "small"] = Field(
        "small", description="layers: residual blocks of the released code (64x64), or our small ones (32x32)"
    )
    encoder_share: float = Field(
        0.33,
        gt=0,
        lt=1,
        description="the last so large a share of the steps trains the encoder, those before train the GAN",
    )
    critic_steps: int = Field(5, ge=1, le=20, description="updates of the critic for each one of the generator")
    w_penalty: float = Field(10.0, ge=0, description="weight of the gradient penalty in the critic's loss")
    w_features: float = Field(1.0, ge=0, description="weight of the distance of features in the encoder's loss")
    lr_encoder: float | None = Field(None, gt=0, le=0.1, description="the encoder's step size; empty means the same")
    encoder_optimizer: Literal["adam", "rmsprop"] = Field("adam", description="what trains the encoder")
    w_feature_density: FeatureDensity = 0.0
    w_transform: TransformError = 0.0
    look_turn: LookTurn = 0.0
    w_density: Density = 0.0
    w_typicality: Typicality = 0.0
    w_residual_density: ResidualDensity = 0.0
    weights: Weights = Field((1.0, 1.0, 0.0), description=CommonSettings.model_fields["weights"].description)

    @property
    def epochs_without_reconstructions(self) -> int:
        """The epochs of the GAN."""
        return math.floor((1 - self.encoder_share) * self.epochs + 1e-9)

    @model_validator(mode="after")
    def _fits(self) -> FanoganSettings:
        size = {"paper": 64, "small": 32}[self.architecture]
        if self.image_size != size:
            raise ValueError(f"architecture {self.architecture} needs image_size {size}, got {self.image_size}")
        return self
