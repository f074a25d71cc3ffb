"""The form of a method's settings, made from the settings themselves: labels, bounds and help are not said twice."""

from __future__ import annotations

import math
import types
from typing import Any, Literal, get_args, get_origin

import streamlit as st
from pydantic.fields import FieldInfo

from ganad.config import SETTINGS_OF, UNSET, from_text, resolve

ASKED_ELSEWHERE = {"method", "preset", "normal", "epochs", "seed", "data"}


def advanced(method: str, preset: str, normal: tuple[int, ...]) -> dict[str, Any]:
    """Draw a widget a setting and return those that differ from the preset."""
    base = resolve(method, preset, normal=normal)
    changed: dict[str, Any] = {}
    fields = {k: f for k, f in SETTINGS_OF[method].model_fields.items() if k not in ASKED_ELSEWHERE}
    columns = st.columns(2)
    for i, (name, field) in enumerate(fields.items()):
        with columns[i % 2]:
            value = _ask(name, field, getattr(base, name), key=f"set_{method}_{preset}_{name}")
        if value != getattr(base, name):
            changed[name] = UNSET if value is None else value
    return changed


def _ask(name: str, field: FieldInfo, value: Any, key: str) -> Any:
    """One widget for one setting; its current value, in the setting's own type."""
    label, help_ = name.replace("_", " "), field.description
    kind, optional = field.annotation, False
    if get_origin(kind) in (types.UnionType,):
        kind, optional = next(a for a in get_args(kind) if a is not type(None)), True
    if get_origin(kind) is Literal:
        return st.selectbox(label, get_args(kind), index=get_args(kind).index(value), help=help_, key=key)
    if kind is bool:
        return st.toggle(label, value, help=help_, key=key)
    low, high = (None if b is None else kind(b) for b in bounds(field)) if kind in (int, float) else (None, None)
    if kind is int:
        return st.number_input(label, low, high, value, step=1, help=help_, key=key, placeholder="all")
    if kind is float and not optional:
        return st.number_input(label, low, high, value, format="%g", step=_step(value), help=help_, key=key)
    text = st.text_input(label, _text(value), help=help_, key=key).strip()
    if text == _text(value):
        return value
    if not text:
        return None if optional else value if kind is not str else ""
    if kind is str:
        return text
    return from_text(name, text)


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
