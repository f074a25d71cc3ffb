"""The settings of EGBAD, and its presets."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from ganad.config.common import HANDWRITING, CommonSettings
from ganad.config.curves import CANNOT_TELL, HALF, LN_2, Curve
from ganad.config.looks import LOOKS_LABEL, LookTurn
from ganad.config.parts import Weights
from ganad.config.statistics import (
    ENCODER_LABEL,
    LATENT_LABELS,
    TRANSFORM_LABEL,
    Density,
    EncoderDensity,
    ResidualDensity,
    TransformError,
    Typicality,
)

SIZES = {"paper": 28, "article": 64, "small": 32}
"""architecture -> side of its images."""

_TUNED = dict(
    filters=16, latent=32, batch_size=32, lr=2e-3, lr_d=4e-4, ema_decay=0.99, w_cycle=10.0, w_cycle_z=1.0, w_latent=10.0,
    w_bce=75.0, w_density=2.0, w_typicality=2.0, weights=(0.0, 1.0, 1000.0),
)  # fmt: skip


class EgbadSettings(CommonSettings):
    """EGBAD: a BiGAN, scored in one pass."""

    title: ClassVar[str] = "EGBAD"
    old_names: ClassVar[dict[str, str]] = CommonSettings.old_names | {"sigma": "w_bce", "w_code": "w_latent"}
    steerable: ClassVar[tuple[str, ...]] = (*CommonSettings.steerable, "w_cycle", "w_cycle_z", "w_latent")
    labels: ClassVar[dict[str, tuple[str, str]]] = CommonSettings.labels | {
        "architecture": ("Networks", "Architecture"),
        "dropout": ("Networks", "Dropout in the discriminator"),
        "w_cycle": ("Losses", "Weight of the image cycle"),
        "w_cycle_z": ("Losses", "Weight of the latent cycle"),
        "w_latent": ("Losses", "Weight of the latent distance"),
        **LATENT_LABELS,
        **ENCODER_LABEL,
        "w_bce": ("Score", "Weight of the discriminator's cross-entropy"),
        **TRANSFORM_LABEL,
        **LOOKS_LABEL,
    }
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "tuned": dict(epochs=8, w_residual_density=2.0, w_encoder_density=2.0, w_transform=2.0, look_turn=5.0, **_TUNED, **HANDWRITING),
        "many": dict(epochs=4, **_TUNED),
        "paper": dict(
            architecture="paper", image_size=28, latent=200, filters=64, lr=1e-5, batch_size=100, epochs=100,
            ema_decay=0.999, dropout=0.5,
        ),
        "article": dict(
            architecture="article", image_size=64, latent=20, filters=64, lr=1e-4, lr_d=2.5e-5, batch_size=64,
            epochs=320, normal=(7, 8), limit=400, test_digits=(2, 7, 8), test_limit=600,
        ),
    }  # fmt: skip

    curves: ClassVar[dict[str, Curve]] = {
        "loss/discriminator": Curve(
            "the cross-entropies of calling (x, E(x)) real and (G(z), z) fake, added up: at 2 ln 2 it cannot tell them apart, near 0 it does every time",
            2 * LN_2, CANNOT_TELL,
        ),
        "loss/generator": Curve("the cross-entropy of having (G(z), z) called real: above ln 2 the discriminator is ahead", LN_2, HALF),
        "loss/encoder": Curve("the cross-entropy of having (x, E(x)) called fake: above ln 2 the discriminator is ahead", LN_2, HALF),
        "generator/cycle": Curve("mean absolute difference of x and its reconstruction G(E(x))"),
        "encoder/cycle": Curve("mean squared distance of z and E(G(z))"),
        "encoder/code": Curve("mean squared distance of the code of x and the code of its reconstruction"),
    }  # fmt: skip

    method: Literal["egbad"] = Field("egbad", description="a BiGAN: encoder and generator against one discriminator")
    architecture: Literal["paper", "article", "small"] = Field(
        "small",
        description="layers: of the released code (28x28), of the tutorial (64x64), or our small ones (32x32)",
    )
    dropout: float = Field(
        0.0, ge=0, lt=1, description="share of the discriminator's units that is dropped (paper: 0.5)"
    )
    w_cycle: float = Field(0.0, ge=0, description="weight of |x - G(E(x))|, an addition to the paper; 0 turns it off")
    w_cycle_z: float = Field(
        0.0, ge=0, description="weight of (z - E(G(z)))², an addition to the paper; 0 turns it off"
    )
    w_latent: float = Field(
        0.0, ge=0, description="weight of (E(x) - E(G(E(x))))², an addition to the paper; 0 turns it off"
    )
    w_bce: float = Field(
        0.0,
        ge=0,
        description="how many times the paper's other discriminator loss, -log D(x, E(x)), is added to the discrimination "
        "part; training does not depend on it",
    )
    w_transform: TransformError = 0.0
    look_turn: LookTurn = 0.0
    w_density: Density = 0.0
    w_typicality: Typicality = 0.0
    w_residual_density: ResidualDensity = 0.0
    w_encoder_density: EncoderDensity = 0.0
    weights: Weights = Field((0.9, 0.1, 0.0), description=CommonSettings.model_fields["weights"].description)

    @model_validator(mode="after")
    def _size(self) -> EgbadSettings:
        size = SIZES[self.architecture]
        if self.image_size != size:
            raise ValueError(f"architecture {self.architecture} needs image_size {size}, got {self.image_size}")
        return self
