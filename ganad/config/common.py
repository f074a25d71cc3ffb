"""What the settings of every method have in common: default, bounds and help of each are said once, here.

Nothing here imports torch or numpy, so that a page can show a form at once.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, ClassVar, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from ganad.config.curves import Curve
from ganad.config.mixtures import DIRECTIONS, MOST_OTHERS, OF_COPY, OF_ENCODER
from ganad.config.parent import Parent
from ganad.config.parts import PARTS, Weights
from ganad.errors import ConfigError

VAL_SHARE = 0.1
"""Share of the normal training images that is held out, for thresholds and percentiles."""

FALSE_ALARMS = 0.05
"""Default operating point: at most this share of held-out normal images is called anomalous."""


MOST_CLASSES = 100
"""Classes of a data set, at most."""
CLASS_NAME = re.compile(r"[^\W_](?:[\w /()+-]{0,38}[\w)+])?")
"""What a class may be called: nothing that a page could take for markup."""
CLASS_NAME_IN_WORDS = (
    "the name of a class has 1 to 40 letters, digits, spaces or - _ / ( ) + and begins with a letter or digit"
)


GROUPS = ("Data", "Networks", "Optimiser", "Losses", "Score")
"""Settings in a form, in this order."""


HANDWRITING = dict(augment=0.5, augment_turn=10.0, augment_scale=0.1, augment_stroke=0.6, augment_share=0.5)
"""How training images are varied in presets that shall know a user's hand too: every other one, moderately."""
HANDWRITING_FOR_TRANSFORMS = HANDWRITING | {"augment_share": 0.0}
"""The same in presets whose nets see no image varied: only what the transform error is learned from is (docs/choices/transforms.md says why)."""


class CommonSettings(BaseModel):
    """What every method asks for. Saved word for word as a run's `config.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: ClassVar[str]
    """How the paper spells the method."""
    parts: ClassVar[tuple[str, ...]] = PARTS[:3]
    """The parts of its score."""
    presets: ClassVar[dict[str, dict[str, Any]]]
    """preset -> what it sets otherwise. Each has its section in docs/methods/; `tuned` and `paper` are always there."""
    labels: ClassVar[dict[str, tuple[str, str]]] = {
        "name": ("Data", "Name of the run"),
        "class_names": ("Data", "Names of the classes, class 0 first"),
        "limit": ("Data", "Training images at most"),
        "contamination": ("Data", "Share of other digits among the normals"),
        "contamination_digits": ("Data", "Which other digits"),
        "test_digits": ("Data", "Test digits"),
        "test_limit": ("Data", "Test images at most"),
        "augment": ("Data", "Shift of training images, in pixels"),
        "augment_turn": ("Data", "Turn of training images, in degrees"),
        "augment_scale": ("Data", "Change of size of training images"),
        "augment_stroke": ("Data", "Change of strokes of training images"),
        "augment_share": ("Data", "Share of training images that are varied"),
        "image_size": ("Networks", "Side of the image, in pixels"),
        "latent": ("Networks", "Size of the latent vector"),
        "filters": ("Networks", "Filters"),
        "batch_size": ("Optimiser", "Batch size"),
        "lr": ("Optimiser", "Learning rate"),
        "lr_d": ("Optimiser", "Learning rate of the discriminator"),
        "beta1": ("Optimiser", "Adam's β₁"),
        "beta2": ("Optimiser", "Adam's β₂"),
        "precision": ("Optimiser", "Number format"),
        "ema_decay": ("Score", "Decay of the averaged weights"),
        "sample": ("Score", "Scored test images at most"),
        "weights": ("Score", "Weights of the parts"),
    }
    """setting -> the group it stands in, one of `GROUPS`, and what a form calls it."""
    old_names: ClassVar[dict[str, str]] = {"average": "ema_decay"}
    """What settings were called in earlier versions -> what they are called now; both are read."""
    max_checkpoints: ClassVar[int] = 60
    """About how many of the epochs, at most, save a sample picture, the parts of held-out images and a state to resume from."""
    val_images_per_check: ClassVar[int] = 500
    """Held-out images whose parts are taken after such an epoch."""
    reference_anomalies: ClassVar[int] = 900
    """Training images of other digits that are scored to choose weights by."""
    scores_by_search: ClassVar[bool] = False
    """True where z is searched for each image, which takes a hundred times as long as one pass."""
    most_statistics: ClassVar[int] = MOST_OTHERS
    """Training images, at most a fifth, by which density and typicality get their units."""
    curves: ClassVar[dict[str, Curve]] = {}
    """What `step` logs, by its name: the losses, `loss/<player>`, and the terms that they are made of, `<player>/<term>`."""
    residual_power: ClassVar[int] = 1
    """1: the residual part is a sum of |x - x̂| over pixels; 2: a mean of (x - x̂)²."""
    transform_error_in: ClassVar[str] = "discrimination"
    """The part that `w_transform` adds to, in a method that has it."""
    steerable: ClassVar[tuple[str, ...]] = ("lr", "lr_d")
    """Settings that may change from one epoch to the next while a run trains: learning rates and weights of losses. All are numbers."""
    branchable: ClassVar[tuple[str, ...]] = (
        "augment",
        "augment_turn",
        "augment_scale",
        "augment_stroke",
        "augment_share",
    )
    """What a branch may have otherwise besides: how its training images are varied. Numbers too."""

    preset: str = Field("tuned", description="the named set of settings that the others start from")
    normal: tuple[int, ...] = Field(description="the digits that are normal; every other digit is an anomaly")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="fixes the held-out images, the first weights and the order")
    name: str = Field("", max_length=80, description="a name of your own for the run")
    parent: Parent | None = Field(
        None, description="the run that this one branched off from, and after which epoch; `branch` writes it"
    )
    data: str | None = Field(None, description="a path to your own images; empty means the embedded MNIST")
    class_names: tuple[str, ...] | None = Field(
        None,
        max_length=MOST_CLASSES,
        description="names of the classes of own data, class 0 first; empty means those that the data bring",
    )
    limit: int | None = Field(None, ge=20, description="use only the first so many normal training images")
    contamination: float = Field(
        0.0,
        ge=0,
        le=0.5,
        description="share of images of other digits that are put among the normal training and held-out images, as if nobody had noticed",
    )
    contamination_digits: tuple[int, ...] | None = Field(
        None, description="which digits these are; empty means all that are not normal"
    )
    leave_out_foreign: bool = Field(
        False,
        description="normal training and held-out images whose nearest neighbours are all of other classes are left out",
    )
    test_digits: tuple[int, ...] | None = Field(None, description="test on these digits alone; empty means on all")
    test_limit: int | None = Field(None, ge=10, description="use only the first so many test images")
    sample: int | None = Field(
        None,
        ge=100,
        description="score at most so many test images, evenly spread over each digit, and at most so many held out",
    )

    epochs: int = Field(ge=1, le=10_000, description="passes over the training images")
    batch_size: int = Field(64, ge=2, le=1024, description="images in one step")
    image_size: Literal[28, 32, 64] = Field(32, description="side of the image that the nets see, in pixels")
    latent: int = Field(100, ge=2, le=1024, description="numbers in the latent vector z")
    filters: int = Field(64, ge=4, le=256, description="feature maps of the widest layer; more is slower")
    lr: float = Field(2e-4, gt=0, le=0.1, description="Adam's step size for generator and encoder")
    lr_d: float | None = Field(None, gt=0, le=0.1, description="the discriminator's; empty means the same")
    beta1: float = Field(0.5, ge=0, lt=1, description="Adam's first decay rate")
    beta2: float = Field(0.999, ge=0, lt=1, description="Adam's second decay rate")
    ema_decay: float = Field(
        0.0, ge=0, lt=1, description="scores use weights averaged with this decay; 0 means the last"
    )
    augment: float = Field(0.0, ge=0, le=4, description="training images are shifted by up to so many pixels")
    augment_turn: float = Field(0.0, ge=0, le=45, description="... turned by up to so many degrees")
    augment_scale: float = Field(0.0, ge=0, le=0.5, description="... made larger or smaller by up to this share")
    augment_stroke: float = Field(
        0.0,
        ge=0,
        le=1,
        description="... drawn with wider or thinner strokes, up to this share of one pixel either side",
    )
    augment_share: float = Field(
        1.0,
        ge=0,
        le=1,
        description="share of the training images that is varied so, drawn anew in each step; what the transform error is learned from is "
        "all varied so, and turned half as far again",
    )
    precision: Literal["auto", "float32", "bf16"] = Field(
        "auto", description="number format of the layers; auto takes the faster of the two on this machine"
    )
    weights: Weights = Field(description="weights of residual, discrimination and latent part")

    @property
    def latent_statistics(self) -> tuple[float, float, float]:
        """What density of codes, typicality and density of residuals count in the latent part, against 1 of the rest of it; 0 in methods without."""
        return tuple(getattr(self, name, 0.0) for name in ("w_density", "w_typicality", "w_residual_density"))

    @property
    def fits_density(self) -> bool:
        """True where a mixture is fitted to codes after the training: for their density, or for how usual that is."""
        return hasattr(self, "w_density") and any(self.latent_statistics)

    @property
    def fits_residual_density(self) -> bool:
        """True where a mixture is fitted to residuals as well."""
        return self.latent_statistics[2] > 0

    @property
    def fits_feature_density(self) -> bool:
        """True where a mixture is fitted to what the discriminator sees in images."""
        return getattr(self, "w_feature_density", 0.0) > 0

    @property
    def fits_encoder_density(self) -> bool:
        """True where a mixture is fitted to what the encoder sees in images below the code."""
        return getattr(self, "w_encoder_density", 0.0) > 0

    @property
    def fits_transform_error(self) -> bool:
        """True where a copy of the discriminator learns how images are turned, scaled and sheared."""
        return getattr(self, "w_transform", 0.0) > 0 or self.fits_transform_density or self.fits_first_layer_density

    @property
    def fits_transform_density(self) -> bool:
        """True where a mixture is fitted to what that copy sees in images."""
        return getattr(self, "w_transform_density", 0.0) > 0

    @property
    def fits_first_layer_density(self) -> bool:
        """True where a mixture is fitted to what the first layer of that copy sees in images."""
        return getattr(self, "w_first_layer_density", 0.0) > 0

    @property
    def further_looks(self) -> float:
        """By how many degrees an image is turned to either side to be looked at again; 0: it is looked at once, as in methods without the setting."""
        return getattr(self, "look_turn", 0.0)

    @property
    def mixtures(self) -> tuple[int, ...]:
        """How many numbers each mixture of Gaussians describes that is fitted: to codes, residuals, the discriminator's features, the encoder's, its copy's, those of the copy's first layer."""
        asked = (
            self.fits_density, self.fits_residual_density, self.fits_feature_density, self.fits_encoder_density, self.fits_transform_density,
            self.fits_first_layer_density,
        )  # fmt: skip
        sizes = (getattr(self, "latent", 0), DIRECTIONS, DIRECTIONS, OF_ENCODER, OF_COPY, DIRECTIONS)
        return tuple(size for size, is_fitted in zip(sizes, asked, strict=True) if is_fitted)

    @property
    def fits_statistics(self) -> bool:
        """True where anything is fitted to normal images after the training."""
        return any(self.latent_statistics) or bool(self.mixtures) or self.fits_transform_error

    @property
    def epochs_without_reconstructions(self) -> int:
        """How many epochs pass before the method can reconstruct an image."""
        return 0

    @property
    def epochs_between_looks(self) -> int:
        """From one epoch after which the nets are looked at to the next, so that there are `max_checkpoints` at most."""
        return -(-self.epochs // self.max_checkpoints)

    @property
    def looked_at(self) -> list[int]:
        """The epochs after which the nets are looked at: the last is always among them."""
        return sorted({*range(self.epochs_between_looks, self.epochs + 1, self.epochs_between_looks), self.epochs})

    @model_serializer(mode="wrap")
    def _without_no_parent(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A run that is no branch says nothing of a parent: its config.json is that of before there were branches."""
        values = dump(self)
        if values.get("parent") is None:
            values.pop("parent", None)
        return values

    @model_validator(mode="before")
    @classmethod
    def _names_of_before(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        renamed = {cls.old_names.get(name, name): value for name, value in values.items()}
        if len(renamed) < len(values):
            raise ValueError("a setting is given twice, under its old name and its new one")
        return renamed

    @field_validator("class_names")
    @classmethod
    def _names(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        names = tuple(name.strip() for name in value or ())
        if bad := [n for n in names if not CLASS_NAME.fullmatch(n)]:
            raise ValueError(f"{CLASS_NAME_IN_WORDS}, got {bad[0][:60]!r}")
        if len({n.casefold() for n in names}) < len(names):
            raise ValueError("two classes have one name")
        return names or None

    @field_validator("normal", "test_digits", "contamination_digits")
    @classmethod
    def _digits(cls, value: tuple[int, ...] | None) -> tuple[int, ...] | None:
        if value is None:
            return None
        if not value:
            raise ValueError("name at least one digit")
        if bad := [d for d in value if not 0 <= d < MOST_CLASSES]:
            raise ValueError(f"digits lie in 0..9, classes of own data in 0..{MOST_CLASSES - 1}, got {bad[0]}")
        return tuple(sorted(set(value)))

    @field_validator("weights")
    @classmethod
    def _weights(cls, value: Weights) -> Weights:
        return check_weights(value, cls.parts)

    @model_validator(mode="after")
    def _something_is_left(self) -> CommonSettings:
        asked = (*self.normal, *(self.test_digits or ()), *(self.contamination_digits or ()))
        if self.data is None and max(asked) > 9:
            raise ValueError(f"digits lie in 0..9, got {max(asked)}")
        if self.data is None and len(self.normal) == 10:
            raise ValueError("all ten digits are normal, so nothing is left to be an anomaly: leave one out")
        if self.test_digits is not None and set(self.test_digits) <= set(self.normal):
            raise ValueError(f"test digits {list(self.test_digits)} are all normal: add one that is not")
        return self


def check_weights(value: Weights, parts: Collection[str] = PARTS[:3]) -> Weights:
    """The weights of a score's parts: a finite number >= 0 for each, not all 0."""
    if len(value) != len(parts) or not all(0 <= w < float("inf") for w in value) or not any(value):
        count = {3: "three", 4: "four"}.get(len(parts), len(parts))
        raise ConfigError(f"weights are {count} numbers of 0 or more, one of them above 0, got {value}")
    return tuple(float(w) for w in value)
