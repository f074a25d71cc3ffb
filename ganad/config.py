"""The settings of a run: default, bounds and help of each are said once, here.

The command line, the form on the Train page, `config.json` and the checks all read these models. Nothing here
imports torch or numpy, so that a page can show a form at once.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from ganad.errors import ConfigError

PARTS = ("residual", "discrimination", "latent")
"""The three parts of a score, in the order in which weights are written everywhere."""

METHOD_NAMES = {"ganomaly": "GANomaly", "egbad": "EGBAD", "anogan": "AnoGAN"}
"""Methods that can be trained, and how their papers spell them. The first is the default."""

VAL_SHARE = 0.1
"""Share of the normal training images that is held out, for thresholds and percentiles."""

FALSE_ALARMS = 0.05
"""Default operating point: at most this share of held-out normal images is called anomalous."""


class _Settings(BaseModel):
    """What every method asks for. Saved word for word as a run's `config.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    looks: ClassVar[int] = 60
    """At most about so many epochs leave a picture, held-out parts and a state to resume from."""
    glance: ClassVar[int] = 500
    """Held-out images whose parts are taken after such an epoch."""

    preset: str = Field("tuned", description="the named set of settings that the others start from")
    normal: tuple[int, ...] = Field(description="the digits that are normal; every other digit is an anomaly")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="fixes the held-out images, the first weights and the order")
    name: str = Field("", max_length=80, description="a name of your own for the run")
    data: str | None = Field(None, description="a path to your own images; empty means the embedded MNIST")
    limit: int | None = Field(None, ge=20, description="use only the first so many normal training images")
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
    average: float = Field(0.0, ge=0, lt=1, description="scores use weights averaged with this decay; 0 means the last")
    augment: float = Field(0.0, ge=0, le=4, description="training images are shifted by up to so many pixels")
    precision: Literal["auto", "float32", "bf16"] = Field(
        "auto", description="number format of the layers; auto takes the faster of the two on this machine"
    )
    weights: tuple[float, float, float] = Field(description="weights of residual, discrimination and latent part")

    @field_validator("normal", "test_digits")
    @classmethod
    def _digits(cls, value: tuple[int, ...] | None) -> tuple[int, ...] | None:
        if value is None:
            return None
        if not value:
            raise ValueError("name at least one digit")
        if bad := [d for d in value if not 0 <= d <= 9]:
            raise ValueError(f"digits lie in 0..9, got {bad[0]}")
        return tuple(sorted(set(value)))

    @field_validator("weights")
    @classmethod
    def _weights(cls, value: tuple[float, float, float]) -> tuple[float, float, float]:
        return check_weights(value)

    @model_validator(mode="after")
    def _something_is_left(self) -> _Settings:
        if len(self.normal) == 10:
            raise ValueError("all ten digits are normal, so nothing is left to be an anomaly: leave one out")
        if self.test_digits is not None and set(self.test_digits) <= set(self.normal):
            raise ValueError(f"test digits {list(self.test_digits)} are all normal: add one that is not")
        return self


class GanomalySettings(_Settings):
    """GANomaly: encoder, decoder, encoder."""

    method: Literal["ganomaly"] = Field("ganomaly", description="encoder, decoder, second encoder; scored in one pass")
    w_adv: float = Field(1.0, ge=0, description="weight of the adversarial loss: features of x against those of x̂")
    w_con: float = Field(50.0, ge=0, description="weight of the contextual loss: pixels of x against those of x̂")
    w_enc: float = Field(1.0, ge=0, description="weight of the encoder loss: z against ẑ")
    sphere: bool = Field(False, description="codes z and ẑ are scaled to one length, an addition to the paper")
    weights: tuple[float, float, float] = Field(
        (0.0, 0.0, 1.0), description=_Settings.model_fields["weights"].description
    )

    @model_validator(mode="after")
    def _size(self) -> GanomalySettings:
        if self.image_size == 28:
            raise ValueError("image_size of ganomaly must be 32 or 64 (its nets halve the side until 4), got 28")
        return self


SIZES = {"paper": 28, "article": 64, "small": 32}
"""architecture of EGBAD and AnoGAN -> side of its images."""


class EgbadSettings(_Settings):
    """EGBAD: a BiGAN, scored in one pass."""

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
    w_code: float = Field(
        0.0, ge=0, description="weight of (E(x) - E(G(E(x))))², an addition to the paper; 0 turns it off"
    )
    sigma: float = Field(
        0.0,
        ge=0,
        description="how many times the paper's other discriminator loss, -log D(x, E(x)), is added to the discrimination "
        "part; training does not depend on it",
    )
    weights: tuple[float, float, float] = Field(
        (0.9, 0.1, 0.0), description=_Settings.model_fields["weights"].description
    )

    @model_validator(mode="after")
    def _size(self) -> EgbadSettings:
        size = SIZES[self.architecture]
        if self.image_size != size:
            raise ValueError(f"architecture {self.architecture} needs image_size {size}, got {self.image_size}")
        return self


class AnoganSettings(_Settings):
    """AnoGAN: a DCGAN, and a search for z per image. The search is slow, so a training stops to look less often."""

    looks: ClassVar[int] = 12
    glance: ClassVar[int] = 30

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
    search_bank: int = Field(
        0, ge=0, le=4096, description="start from the nearest of so many drawn pictures, an addition; 0 starts anywhere"
    )
    search_patience: int = Field(
        0, ge=0, description="a search ends when its score fell by less than a thousandth in so many steps; 0 never"
    )
    weights: tuple[float, float, float] = Field(
        (0.9, 0.1, 0.0),
        description="weights of residual, discrimination and latent part; the search goes down this sum",
    )

    @model_validator(mode="after")
    def _fits(self) -> AnoganSettings:
        size = SIZES[self.architecture]
        if self.image_size != size:
            raise ValueError(f"architecture {self.architecture} needs image_size {size}, got {self.image_size}")
        if 0 < self.search_bank < self.search_restarts:
            raise ValueError(
                f"search_bank must be 0 or at least search_restarts ({self.search_restarts}), got {self.search_bank}"
            )
        return self


Settings = GanomalySettings | EgbadSettings | AnoganSettings
"""What is asked of a run, whatever its method."""

_ADAPTER: TypeAdapter[Settings] = TypeAdapter(Annotated[Settings, Field(discriminator="method")])
SETTINGS_OF = {"ganomaly": GanomalySettings, "egbad": EgbadSettings, "anogan": AnoganSettings}

PRESETS: dict[str, dict[str, dict[str, Any]]] = {
    "ganomaly": {
        "tuned": dict(epochs=20, filters=16, lr=1e-3, w_enc=50.0, sphere=True, average=0.99),
        "paper": dict(epochs=15, filters=64, latent=100, batch_size=64, lr=2e-4),
    },
    "egbad": {
        "tuned": dict(
            epochs=8, filters=16, latent=32, batch_size=32, lr=2e-3, lr_d=4e-4, average=0.99, w_cycle=10.0, w_cycle_z=1.0,
            w_code=10.0, sigma=75.0, weights=(0.0, 1.0, 1000.0),
        ),
        "paper": dict(
            architecture="paper", image_size=28, latent=200, filters=64, lr=1e-5, batch_size=100, epochs=100,
            average=0.999, dropout=0.5,
        ),
        "article": dict(
            architecture="article", image_size=64, latent=20, filters=64, lr=1e-4, lr_d=2.5e-5, batch_size=64,
            epochs=320, normal=(7, 8), limit=400, test_digits=(2, 7, 8), test_limit=600,
        ),
    },
    "anogan": {
        "tuned": dict(
            epochs=40, filters=16, latent=32, batch_size=64, lr=1e-3, lr_d=2e-4, average=0.99, sample=2000,
            search_steps=100, search_lr=0.1, search_bank=512, search_patience=20, weights=(0.2, 0.8, 10.0),
        ),
        "paper": dict(
            architecture="paper", image_size=28, latent=200, filters=64, lr=1e-5, batch_size=100, epochs=100,
            average=0.999, sample=2000,
        ),
        "article": dict(
            architecture="article", image_size=64, latent=20, filters=64, lr=1e-4, lr_d=2.5e-5, batch_size=64,
            epochs=80, normal=(7, 8), limit=400, test_digits=(2, 7, 8), test_limit=600, search_steps=100, search_lr=0.1,
        ),
    },
}  # fmt: skip
"""method -> preset -> what it changes. Each preset has its section in docs/methods/."""


UNSET: Any = object()
"""Asks for an empty value where None would mean "not asked"."""


def resolve(method: str, preset: str = "tuned", **asked: Any) -> Settings:
    """The settings of a run: the method's defaults, then the preset's, then whatever was asked for.

    Values of None mean "not asked"; UNSET means "asked for nothing", as in an empty limit. Raises ConfigError in the
    words of the settings.
    """
    if method not in PRESETS:
        raise ConfigError(f"method must be one of {', '.join(PRESETS)}, got {method!r}")
    if preset not in PRESETS[method]:
        raise ConfigError(f"preset of {method} must be one of {', '.join(PRESETS[method])}, got {preset!r}")
    values = PRESETS[method][preset] | {k: v for k, v in asked.items() if v is not None}
    if "normal" not in values:
        raise ConfigError(f"preset {preset} of {method} fixes no normal digits: name at least one")
    values = {k: None if v is UNSET else v for k, v in values.items()}
    return parse({"method": method, "preset": preset} | values)


def parse(saved: dict[str, Any]) -> Settings:
    """Settings from a saved dict, as in `config.json`. Raises ConfigError, one sentence for each fault."""
    try:
        return _ADAPTER.validate_python(saved)
    except ValidationError as error:
        raise ConfigError("; ".join(_sentence(e) for e in error.errors())) from None


def _sentence(e: dict[str, Any]) -> str:
    where = ".".join(str(p) for p in e["loc"] if p not in SETTINGS_OF)
    if e["type"] == "extra_forbidden":
        return f"there is no setting {where!r}"
    text = e["msg"].removeprefix("Value error, ")
    seen = "" if e["type"] == "value_error" else f", got {e.get('input')!r}"
    return f"{where}: {text}{seen}" if where else text


def check_weights(value: tuple[float, float, float]) -> tuple[float, float, float]:
    """The weights of residual, discrimination and latent part: three finite numbers >= 0, not all 0."""
    if len(value) != 3 or not all(0 <= w < float("inf") for w in value) or not any(value):
        raise ConfigError(f"weights are three numbers of 0 or more, one of them above 0, got {value}")
    return tuple(float(w) for w in value)


_FLAGS = {"epochs": "--epochs", "limit": "--limit", "name": "--name", "data": "--data"}


def command(settings: Settings) -> str:
    """The command line that repeats a run: the preset, and whatever was set otherwise."""
    import shlex

    words = ["python", "-m", "ganad", "train", "--method", settings.method]
    base = resolve(settings.method, settings.preset, normal=settings.normal)
    for digit in settings.normal:
        words += ["--normal", str(digit)]
    words += ["--preset", settings.preset, "--seed", str(settings.seed)]
    for key in type(settings).model_fields:
        value = getattr(settings, key)
        if key in ("method", "normal", "preset", "seed") or value == getattr(base, key):
            continue
        text = ",".join(map(str, value)) if isinstance(value, tuple) else str("none" if value is None else value)
        words += [_FLAGS[key], text] if key in _FLAGS and value is not None else ["--set", f"{key}={text}"]
    return shlex.join(words)


def from_text(key: str, text: str) -> Any:
    """The value of `--set key=text`: lists are written 7,8 and "not set" is written none."""
    if text.lower() == "none":
        return UNSET
    if key in ("weights", "test_digits", "normal"):
        return tuple(text.split(","))
    return text
