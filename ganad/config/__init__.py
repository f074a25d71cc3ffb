"""The settings of a run: default, bounds and help of each are said once, here.

The command line, the form on the Train page, `config.json` and the checks all read these models. Nothing here
imports torch or numpy, so that a page can show a form at once. A new method is a module beside these and a name in `KNOWN`.
"""

from __future__ import annotations

import shlex
from typing import Annotated, Any, Union

from pydantic import Field, TypeAdapter, ValidationError

from ganad.config.anogan import AnoganSettings
from ganad.config.common import (
    CLASS_NAME,
    CLASS_NAME_IN_WORDS,
    FALSE_ALARMS,
    GROUPS,
    MOST_CLASSES,
    VAL_SHARE,
    check_weights,
)
from ganad.config.common import CommonSettings as Settings
from ganad.config.egbad import EgbadSettings
from ganad.config.fanogan import FanoganSettings
from ganad.config.ganomaly import GanomalySettings
from ganad.config.parent import Parent
from ganad.config.parts import KNOWN_PARTS, PARTS, Weights, parts_in
from ganad.errors import ConfigError

KNOWN = (GanomalySettings, EgbadSettings, AnoganSettings, FanoganSettings)
"""Every method, by its settings. The first is the default."""

SETTINGS_OF: dict[str, type[Settings]] = {known.model_fields["method"].default: known for known in KNOWN}
METHOD_NAMES = {method: known.title for method, known in SETTINGS_OF.items()}
"""Methods that can be trained, and how their papers spell them."""
PRESETS = {method: known.presets for method, known in SETTINGS_OF.items()}
"""method -> preset -> what it changes."""

_ADAPTER: TypeAdapter[Settings] = TypeAdapter(Annotated[Union[KNOWN], Field(discriminator="method")])  # noqa: UP007

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
    if asked.get("parent") is not None:
        raise ConfigError("parent is written by `branch`: no run can be begun with one")
    of_today = SETTINGS_OF[method].old_names
    values = PRESETS[method][preset] | {of_today.get(k, k): v for k, v in asked.items() if v is not None}
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


_FLAGS = {"epochs": "--epochs", "limit": "--limit", "name": "--name", "data": "--data", "class_names": "--class-names"}


def command(settings: Settings) -> str:
    """The command line that repeats a run: the preset, and whatever was set otherwise. What was changed on the way is not in it (`replay`)."""
    words = ["python", "-m", "ganad", "train", "--method", settings.method]
    base = resolve(settings.method, settings.preset, normal=settings.normal)
    for digit in settings.normal:
        words += ["--normal", str(digit)]
    words += ["--preset", settings.preset, "--seed", str(settings.seed)]
    for key in type(settings).model_fields:
        value = getattr(settings, key)
        if key in ("method", "normal", "preset", "seed", "parent") or value == getattr(base, key):
            continue
        text = ",".join(map(str, value)) if isinstance(value, tuple) else str("none" if value is None else value)
        words += [_FLAGS[key], text] if key in _FLAGS and value is not None else ["--set", f"{key}={text}"]
    return shlex.join(words)


def from_text(key: str, text: str) -> Any:
    """The value of `--set key=text`: lists are written 7,8 and "not set" is written none."""
    if text.lower() == "none":
        return UNSET
    if key in ("weights", "test_digits", "contamination_digits", "normal", "class_names"):
        return tuple(text.split(","))
    return text


def preset_table(method: str) -> str:
    """Markdown: each setting that a preset sets or that the method alone has, and its value in each preset."""
    kind = SETTINGS_OF[method]
    presets = [resolve(method, name, normal=kind.presets[name].get("normal", (8,))) for name in kind.presets]
    common = {"preset", "normal", "method", *(name for name in Settings.model_fields if name not in ("weights",))}
    rows = [name for name in kind.model_fields if name not in common or any(name in p for p in kind.presets.values())]
    lines = [["setting", *(f"`{name}`" for name in kind.presets)]]
    lines += [[f"`{name}`", *(_cell(getattr(s, name)) for s in presets)] for name in rows if name != "normal"]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(value: Any) -> str:
    if isinstance(value, tuple):
        return " / ".join(v if isinstance(v, str) else f"{v:g}" for v in value)
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


__all__ = [
    "CLASS_NAME",
    "CLASS_NAME_IN_WORDS",
    "FALSE_ALARMS",
    "GROUPS",
    "KNOWN",
    "KNOWN_PARTS",
    "METHOD_NAMES",
    "MOST_CLASSES",
    "PARTS",
    "PRESETS",
    "SETTINGS_OF",
    "UNSET",
    "VAL_SHARE",
    "AnoganSettings",
    "EgbadSettings",
    "FanoganSettings",
    "GanomalySettings",
    "Parent",
    "Settings",
    "Weights",
    "check_weights",
    "command",
    "from_text",
    "parse",
    "parts_in",
    "preset_table",
    "resolve",
]
