"""The settings of GANomaly, and its presets."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from ganad.config.common import HANDWRITING, CommonSettings
from ganad.config.curves import HALF, LN_2, Curve
from ganad.config.looks import LOOKS_LABEL, LookTurn
from ganad.config.parts import Weights
from ganad.config.statistics import (
    LATENT_LABELS,
    TRANSFORM_LABEL,
    Density,
    ResidualDensity,
    TransformErrorInLatent,
    Typicality,
)

_STATISTICS = dict(w_density=2.0, w_typicality=2.0)


class GanomalySettings(CommonSettings):
    """GANomaly: encoder, decoder, encoder."""

    title: ClassVar[str] = "GANomaly"
    old_names: ClassVar[dict[str, str]] = CommonSettings.old_names | {"sphere": "normalize_latent"}
    transform_error_in: ClassVar[str] = "latent"
    steerable: ClassVar[tuple[str, ...]] = (*CommonSettings.steerable, "w_adv", "w_con", "w_enc")
    labels: ClassVar[dict[str, tuple[str, str]]] = CommonSettings.labels | {
        "w_adv": ("Losses", "Weight of the adversarial loss"),
        "w_con": ("Losses", "Weight of the contextual loss"),
        "w_enc": ("Losses", "Weight of the encoder loss"),
        "normalize_latent": ("Networks", "Codes of one length"),
        **LATENT_LABELS,
        **TRANSFORM_LABEL,
        **LOOKS_LABEL,
    }
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "tuned": dict(
            epochs=12, filters=16, lr=1e-3, w_enc=10.0, normalize_latent=True, ema_decay=0.99, w_transform=2.0, look_turn=5.0, **_STATISTICS,
            **HANDWRITING,
        ),
        "many": dict(
            epochs=4, filters=16, latent=32, lr=1e-3, w_enc=50.0, normalize_latent=True, ema_decay=0.99, **_STATISTICS,
        ),
        "paper": dict(epochs=15, filters=64, latent=100, batch_size=64, lr=2e-4),
    }  # fmt: skip

    curves: ClassVar[dict[str, Curve]] = {
        "loss/discriminator": Curve(
            "the mean cross-entropy of calling x real and x̂ fake: at ln 2 it cannot tell them apart, near 0 it tells them apart every time",
            LN_2, HALF,
        ),
        "loss/generator": Curve("the weighted sum of its three terms; only the adversarial one depends on the discriminator"),
        "generator/adversarial": Curve("squared distance of what the discriminator sees in x and in x̂: 0 means that it sees the same"),
        "generator/contextual": Curve("mean absolute difference of x and its reconstruction x̂"),
        "generator/encoder": Curve("mean squared distance of the code of x and the code of x̂"),
    }  # fmt: skip

    method: Literal["ganomaly"] = Field("ganomaly", description="encoder, decoder, second encoder; scored in one pass")
    w_adv: float = Field(1.0, ge=0, description="weight of the adversarial loss: features of x against those of x̂")
    w_con: float = Field(50.0, ge=0, description="weight of the contextual loss: pixels of x against those of x̂")
    w_enc: float = Field(1.0, ge=0, description="weight of the encoder loss: z against ẑ")
    normalize_latent: bool = Field(
        False, description="codes z and ẑ are scaled to one length, an addition to the paper"
    )
    w_density: Density = 0.0
    w_typicality: Typicality = 0.0
    w_residual_density: ResidualDensity = 0.0
    w_transform: TransformErrorInLatent = 0.0
    look_turn: LookTurn = 0.0
    weights: Weights = Field((0.0, 0.0, 1.0), description=CommonSettings.model_fields["weights"].description)

    @model_validator(mode="after")
    def _size(self) -> GanomalySettings:
        if self.image_size == 28:
            raise ValueError("image_size of ganomaly must be 32 or 64 (its nets halve the side until 4), got 28")
        return self
