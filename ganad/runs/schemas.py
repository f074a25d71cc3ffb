"""What the JSON files of a run hold. They are checked against these models whenever they are read.

A run may be damaged, or come from somebody else: whatever is behind these models has the right shape and finite numbers.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.dataclasses import dataclass

from ganad.config import CLASS_NAME, MOST_CLASSES
from ganad.errors import RunError

State = Literal["queued", "running", "finished", "stopped", "failed"]

_EXACT = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False)
_OPEN = ConfigDict(strict=True, extra="allow", allow_inf_nan=False)


@dataclass(frozen=True, config=_EXACT)
class Status:
    """How a run stands, as its process last said. Times are seconds since 1970."""

    state: State = "queued"
    since: float = 0.0
    """When it was put into the queue."""
    beat: float = 0.0
    """When this was written."""
    pid: int | None = None
    process_started: float | None = None
    doing: str = ""
    epoch: int = Field(0, ge=0)
    epochs: int = Field(0, ge=0)
    step: int = Field(0, ge=0)
    total: int = Field(0, ge=0)
    seconds: float = Field(0.0, ge=0)
    rate: float | None = None
    error: str | None = None
    answering: bool = True
    """False for a process that lives and has said nothing for too long. Found when the status is read, never written."""


Share = Field(ge=0, le=1)


class PartArea(BaseModel):
    """How well one part alone tells normal from anomalous."""

    model_config = _OPEN
    auroc: float = Share


class DigitReport(BaseModel):
    """How one digit fares at the threshold."""

    model_config = _OPEN
    auroc: float = Share
    normal: bool
    n: int = Field(ge=0)
    flagged: float = Share


class Report(BaseModel):
    """`report.json`: metrics at the default weights."""

    model_config = _OPEN
    auroc: float = Share
    average_precision: float = Share
    prevalence: float = Share
    eer: float = Share
    threshold: float | None
    hit_rate: float = Share
    false_alarm_rate: float = Share
    weights: dict[str, float]
    parts: dict[str, PartArea]
    per_digit: dict[str, DigitReport]
    n_normal: int = Field(ge=0)
    n_anomalous: int = Field(ge=0)
    warnings: list[str] = []


class OriginalsMeta(BaseModel):
    """How many originals the normal images of each part are variants of."""

    model_config = _OPEN
    train: int = Field(ge=1)
    val: int = Field(ge=1)
    test: int = Field(ge=1)


class DataMeta(BaseModel):
    """Which images a run used."""

    model_config = _OPEN
    source: str = ""
    fingerprint: str = ""
    classes: list[Annotated[str, Field(pattern=f"^{CLASS_NAME.pattern}$")]] = Field([], max_length=MOST_CLASSES)
    preparation: Literal["digit", "picture"] = "digit"
    train: int = 0
    val: int = 0
    test: int = 0
    looked_at: int = Field(0, ge=0)
    """Training images that were compared with other classes (`data.foreign`)."""
    foreign: list[Annotated[int, Field(ge=0)]] = []
    """Of these the foreign ones, by their position in the training file."""
    originals: OriginalsMeta | None = None


class Meta(BaseModel):
    """`meta.json`: what a run was made with."""

    model_config = _OPEN
    command: str = ""
    created: str = ""
    versions: dict[str, str] = {}
    device: str = ""
    threads: int | None = None
    precision: str = ""
    parameters: dict[str, int] = {}
    data: DataMeta | None = None
    commit: str | None = None


class PartMeans(BaseModel):
    """Mean of each part over held-out normals; a method may have more parts than these."""

    model_config = _OPEN
    __pydantic_extra__: dict[str, float]
    residual: float
    discrimination: float
    latent: float


class MetricsRow(BaseModel):
    """A line of `metrics.jsonl`: a logged step with its losses by name, or an epoch with held-out parts under `val`, those of training images under `train`."""

    model_config = _OPEN
    __pydantic_extra__: dict[str, float]
    step: int = Field(ge=0)
    epoch: int = Field(ge=0)
    val: PartMeans | None = None
    train: PartMeans | None = None


_Model = TypeVar("_Model", bound=BaseModel)


def status(saved: Any) -> Status:
    """A status from the JSON of status.json. Raises RunError naming the first key that is wrong."""
    try:
        if "state" not in _object(saved, "status.json"):
            raise RunError("status.json is damaged: it says no state.")
        return Status(**saved)
    except ValidationError as error:
        raise RunError(f"status.json is damaged: {first_fault(error)}.") from None


def checked(model: type[_Model], saved: Any, name: str) -> dict[str, Any]:
    """The JSON of a file as it was read, once it fits its model. Raises RunError naming the first key that is wrong."""
    try:
        model.model_validate(_object(saved, name))
    except ValidationError as error:
        raise RunError(f"{name} is damaged: {first_fault(error)}.") from None
    return saved


def is_metrics_row(saved: Any) -> bool:
    """True for what a line of metrics.jsonl may hold."""
    try:
        MetricsRow.model_validate(saved)
    except ValidationError:
        return False
    return isinstance(saved, dict)


def first_fault(error: ValidationError) -> str:
    """The first fault in a few words: "epoch: Input should be a valid integer, got '3'"."""
    fault = error.errors()[0]
    where = ".".join(map(str, fault["loc"]))
    seen = "" if fault["type"] == "missing" else f", got {str(fault.get('input'))[:60]!r}"
    return f"{where}: {fault['msg']}{seen}"


def _object(saved: Any, name: str) -> dict[str, Any]:
    if not isinstance(saved, dict):
        raise RunError(f"{name} is damaged: a JSON object is wanted, got {str(saved)[:60]!r}.")
    return saved
