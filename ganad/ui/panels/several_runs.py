"""Several runs with one click: each class by itself, several seeds, every method; a study of them."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from ganad.config import METHOD_NAMES, PRESETS, Settings, resolve
from ganad.errors import GanadError
from ganad.studies import process
from ganad.studies.plan import StudyPlan, parse
from ganad.ui.messages import guard, notices
from ganad.ui.state import address, cache
from ganad.ui.state.session import held
from ganad.wording import plural

EACH = "each class by itself"
METHODS = "every method"
SEEDS = 3
_NOT_SHARED = {"method", "preset", "normal", "seed", "name"}


def offer(settings: Settings | None, now: Callable[[], Settings]) -> None:
    """A popover beside Start. settings: what the form asks for, None where it does not fit; now: reads it again at the click."""
    with st.popover("Several runs", icon=":material/dynamic_feed:", key="several"):
        st.caption(
            "A study: runs like the one in the form that differ in what is chosen here, one after the other. Compare shows them together."
        )
        st.toggle(EACH.capitalize(), key="several_each", help="A run for each class as the only normal one.")
        st.toggle(
            f"{SEEDS} seeds", key="several_seeds", help="The seed of the form and the next ones: what differs is noise."
        )
        st.toggle(
            METHODS.capitalize(),
            key="several_methods",
            help="All methods that have the form's preset; each with its own settings of it.",
        )
        if settings is not None:
            try:
                runs = len(plan_of(settings).runs())
            except GanadError as error:
                notices.error(error)
                return
            st.caption(f"**{plural(runs, 'run')}**.")
        st.button(
            "Start the study",
            type="primary",
            icon=":material/play_arrow:",
            key="start_study",
            on_click=guard.callback(_start),
            args=(now,),
        )


def _start(now: Callable[[], Settings]) -> None:
    name = process.begin(plan_of(now()))
    address.choose("study", name, write=False)
    notices.toast(f"{name} has begun. Compare shows how it fills.", icon=":material/dynamic_feed:")


def plan_of(settings: Settings) -> StudyPlan:
    """The study that the toggles ask for at this moment, of runs like `settings`."""
    methods = (
        [m for m in METHOD_NAMES if settings.preset in PRESETS[m]] if held("several_methods") else [settings.method]
    )
    counts = cache.class_counts(settings.data)
    normal = [[c] for c, n in counts.items() if n] if held("several_each") else [list(settings.normal)]
    seeds = [settings.seed + i for i in range(SEEDS if held("several_seeds") else 1)]
    default = resolve(settings.method, settings.preset, normal=settings.normal)
    shared = {}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if name in _NOT_SHARED or value == getattr(default, name):
            continue
        shared[name] = (
            "none" if value is None else ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        )
    return parse({"methods": methods, "preset": settings.preset, "normal": normal, "seeds": seeds, "settings": shared})
