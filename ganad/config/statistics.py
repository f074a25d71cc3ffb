"""Settings of what is fitted to normal images once a training is over, as far as methods share them.

What they mean: `ganad.models.density`, `typicality`, `residual_density`, `principal_density` and `transforms`. Each is an addition to the method's paper.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Density = Annotated[
    float,
    Field(
        ge=0,
        description="how much the density of codes counts in the latent part, in standard deviations against one of the distance; an "
        "addition to the paper, 0 turns it off",
    ),
]
Typicality = Annotated[
    float,
    Field(
        ge=0,
        description="the same of how unusual that density is for so much ink, in either direction; an addition to the paper, 0 turns it off",
    ),
]
ResidualDensity = Annotated[
    float,
    Field(
        ge=0,
        description="the same of how unlikely what the reconstruction leaves over is; an addition to the paper, 0 turns it off",
    ),
]
FeatureDensity = Annotated[
    float,
    Field(
        ge=0,
        description="how much it counts in the discrimination part how unlikely the discriminator's features of the image are among those of "
        "normal ones, in standard deviations against one of the rest of that part; an addition to the paper, 0 turns it off",
    ),
]
EncoderDensity = Annotated[
    float,
    Field(
        ge=0,
        description="the same of how unlikely what the encoder sees in the image, in the layer below the code, is; an addition to the paper, "
        "0 turns it off",
    ),
]
_TURNED = (
    "how much it counts in the {} part how wrong a copy of the discriminator is about how the image was turned, scaled and sheared, in "
    "standard deviations against one of {}; an addition to the paper, 0 turns it off"
)
TransformError = Annotated[float, Field(ge=0, description=_TURNED.format("discrimination", "the rest of that part"))]
TransformErrorInLatent = Annotated[
    float, Field(ge=0, description=_TURNED.format("latent", "the distance of codes there"))
]
TransformDensity = Annotated[
    float,
    Field(
        ge=0,
        description="how much it counts in the discrimination part how unlikely what that copy of the discriminator sees in the image is among "
        "normal ones, half of them varied, in standard deviations against one of the rest of that part; an addition to the paper, 0 turns it off",
    ),
]
FirstLayerDensity = Annotated[
    float,
    Field(
        ge=0,
        description="the same of how unlikely what the first layer of that copy sees is, averaged over the quarters and the ninths of the image; "
        "an addition to the paper, 0 turns it off",
    ),
]
LATENT_LABELS = {
    "w_density": ("Score", "Weight of the density of codes"),
    "w_typicality": ("Score", "Weight of the typicality"),
    "w_residual_density": ("Score", "Weight of the density of residuals"),
}
TRANSFORM_LABEL = {"w_transform": ("Score", "Weight of the transform error")}
COPY_LABEL = {"w_transform_density": ("Score", "Weight of the density of the copy's features")}
FIRST_LAYER_LABEL = {"w_first_layer_density": ("Score", "Weight of the density of the copy's first layer")}
ENCODER_LABEL = {"w_encoder_density": ("Score", "Weight of the density of the encoder's features")}
FEATURE_LABEL = {"w_feature_density": ("Score", "Weight of the density of features")}
