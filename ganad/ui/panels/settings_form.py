"""The form of a method's settings, made from the settings themselves: labels, bounds and help are not said twice."""

from __future__ import annotations

import math
import types
from typing import Any, Literal, get_args, get_origin

import streamlit as st
from pydantic.fields import FieldInfo

from ganad.config import GROUPS, PRESETS, SETTINGS_OF, UNSET, Settings, from_text, resolve
from ganad.errors import ConfigError
from ganad.ui.state.session import held, holding

ASKED_ELSEWHERE = {"method", "preset", "normal", "epochs", "seed", "data", "parent", "leave_out_foreign"}


def draw_advanced(method: str, preset: str) -> None:
    """A widget for each setting that is not asked for elsewhere. What they hold is read by `read`."""
    base, labels = defaults(method, preset), SETTINGS_OF[method].labels
    for group in GROUPS:
        own = {name: field for name, field in _fields(method).items() if labels[name][0] == group}
        if own:
            st.caption(f"**{group}**")
            columns = st.columns(2)
            for i, (name, field) in enumerate(own.items()):
                with columns[i % 2]:
                    _draw(labels[name][1], name, field, getattr(base, name), _key(method, preset, name))


def read(normal: tuple[int, ...], data: str | None) -> Settings | None:
    """The settings that the widgets of the Train page hold now; None while no digit is normal.

    Called when the page is drawn and again when Start is pressed: a value that was typed a moment before the click is in the
    session by then, and in no argument that was bound earlier. Raises ConfigError for settings that do not fit.

    normal  the normal digits
    data    the path of own images, None for MNIST
    """
    if not normal:
        return None
    method, preset = chosen()
    base = resolve(method, preset, normal=normal)
    changed, values = {}, holding([_key(method, preset, name) for name in _fields(method)])
    for name, field in _fields(method).items():
        if (key := _key(method, preset, name)) in values:
            value = _value(name, field, getattr(base, name), values[key])
            if value != getattr(base, name):
                changed[name] = UNSET if value is None else value
    epochs = held(epochs_key(method, preset), base.epochs)
    seed = held("seed", base.seed)
    for name, value in (("epochs", epochs), ("seed", seed)):
        if value is None:
            raise ConfigError(f"{name}: type a whole number, the field is empty")
    return resolve(method, preset, normal=normal, epochs=epochs, seed=seed, data=data, **changed)


def chosen() -> tuple[str, str]:
    """Method and preset that are picked, the usual ones before anything is."""
    method = held("method") or next(iter(PRESETS))
    return method, held(f"preset_{method}") or "tuned"


def defaults(method: str, preset: str) -> Settings:
    """What a preset begins with, whatever digits are normal."""
    return resolve(method, preset, normal=(0,))


def epochs_key(method: str, preset: str) -> str:
    """Where the number of epochs lives in the session: each preset has its own."""
    return f"epochs_{method}_{preset}"


def _fields(method: str) -> dict[str, FieldInfo]:
    return {k: f for k, f in SETTINGS_OF[method].model_fields.items() if k not in ASKED_ELSEWHERE}


def _key(method: str, preset: str, name: str) -> str:
    return f"set_{method}_{preset}_{name}"


def _kind(field: FieldInfo) -> tuple[Any, bool]:
    """The type of a setting, and whether it may be left empty."""
    kind = field.annotation
    if get_origin(kind) in (types.UnionType,):
        return next(a for a in get_args(kind) if a is not type(None)), True
    return kind, False


def number(settings: Settings, name: str, value: float | None, key: str) -> None:
    """A number input for one setting that is a number; an empty one is None, where the setting may be empty.

    settings: of which method, for label and help. value: what it begins with.
    """
    field = type(settings).model_fields[name]
    step = _step(value if value is not None else getattr(settings, "lr", 0.0))
    help_ = f"{field.description} (`{name}`)"
    st.number_input(
        settings.labels[name][1], value=value if value is None else float(value), format="%g", step=step, help=help_, key=key,
        placeholder="the same",
    )  # fmt: skip


def _draw(label: str, name: str, field: FieldInfo, value: Any, key: str) -> None:
    """One widget for one setting.

    Numbers have no bounds here: a browser keeps a number that is out of bounds to itself, and the old one would be trained.
    """
    help_ = f"{field.description} (`{name}`)"
    kind, optional = _kind(field)
    if get_origin(kind) is Literal:
        st.selectbox(label, get_args(kind), index=get_args(kind).index(value), help=help_, key=key)
    elif kind is bool:
        st.toggle(label, value, help=help_, key=key)
    elif kind is int:
        st.number_input(label, value=value, step=1, help=help_, key=key, placeholder="all")
    elif kind is float and not optional:
        st.number_input(label, value=value, format="%g", step=_step(value), help=help_, key=key)
    else:
        st.text_input(label, _text(value), help=help_, key=key)


def _value(name: str, field: FieldInfo, base: Any, raw: Any) -> Any:
    """What a widget holds, in the setting's own type."""
    kind, optional = _kind(field)
    if kind in (int, float) and not isinstance(raw, str):
        if raw is None and not optional:
            raise ConfigError(f"{name}: type a number, the field is empty")
        return raw
    if get_origin(kind) is Literal or kind is bool:
        return raw
    text = (raw or "").strip()
    if text == _text(base):
        return base
    if not text:
        return None if optional else base if kind is not str else ""
    return text if kind is str else from_text(name, text)


def bounds(field: FieldInfo) -> tuple[Any, Any]:
    """Least and greatest allowed value of a setting, None where there is no such bound."""
    low = next((m.ge for m in field.metadata if hasattr(m, "ge")), None)
    high = next((m.le for m in field.metadata if hasattr(m, "le")), None)
    return low, high


def _step(value: float) -> float:
    return 10.0 ** math.floor(math.log10(value)) if value else 0.1


def _text(value: Any) -> str:
    if value is None:
        return ""
    return ", ".join(f"{v:g}" for v in value) if isinstance(value, tuple) else f"{value}"
