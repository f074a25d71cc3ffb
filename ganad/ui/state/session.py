"""The one place that reads and writes Streamlit's session: what widgets hold, and what a session remembers beside them."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from ganad.config import Weights
from ganad.ui.state.own_draft import OwnDraft


@dataclass
class LinkedChoice:
    """A choice that the URL names, beside run and view. Written by `ganad.ui.state.address` alone."""

    value: str | None = None
    """What is chosen; None before any choice."""
    heard: str | None = None
    """What the URL asked for last, which was heard."""
    written: set[str] = field(default_factory=set)
    """What this session has put into the URL itself."""


@dataclass
class Memory:
    """What a session remembers beside what its widgets hold. One for each browser tab, as long as that is open.

    The view: written by `ganad.ui.state.current` and `ganad.ui.state.address` alone.
    """

    rules: dict[str, Any] = field(default_factory=dict)
    """run -> the decision rule in force, where it is not the run's own."""
    advised: dict[str, Weights] = field(default_factory=dict)
    """run -> weights that were chosen on training images."""
    standardised: bool = False
    """Scores are shown in standard deviations of held-out normals."""
    selection: tuple[str, Any] | None = None
    """A run and the selection that was made for it; other runs take over what means the same there."""
    url: Any = None
    """What the address bar said when it was last read or written."""
    menu_url: dict[str, str] = field(default_factory=dict)
    """What the links of the menu said when they were last drawn."""
    page: str = ""
    """Title of the page that was drawn last."""
    read_on: str = ""
    """Title of the page on which the address bar was read last."""
    run: str | None = None
    """The run that was shown last."""
    next_run: str | None = None
    """The run to show from the next script run on."""

    # Pages.
    training_seen: bool = False
    """A run was at work when the sidebar was drawn last."""
    start_refused: tuple[Any, str] | None = None
    """The settings that Start was pressed with, and why no run began."""
    stop_requested: str | None = None
    """The run that was asked to stop."""
    normal: list[int] = field(default_factory=lambda: [8])
    """The normal digits of the next run."""
    upload: str | None = None
    """Path of the images that were uploaded."""
    upload_error: str | None = None
    import_error: str | None = None
    imports: int = 0
    """How many runs were imported: each time the uploader is a new one, hence empty."""
    cleanings: int = 0
    """How often several runs were moved to the trash: each time the popover is a new one, hence closed."""
    trashed: list[str] = field(default_factory=list)
    """What was moved to the trash last, for its undo."""
    measuring: bool = False
    """Compare measures how long the ticked runs take for an image."""
    matrix_cell: tuple[int, int] | None = None
    """Normal and anomalous digit of the cell that was clicked."""
    searched_codes: set[str] = field(default_factory=set)
    """Runs whose codes somebody asked to search for."""
    picks: int = 0
    """How often an image was picked, so that the page scrolls to it."""
    weights_reset: bool = False
    """The sliders were reset by the click that this script run answers."""
    mix_heard: float = 0.0
    """When the last report of the live mixer was made, in ms of the browser's clock."""
    decided_since_mixer: bool = False
    """A widget has decided weights or threshold since the live mixer was last drawn: what it reports late is older than that."""
    weights_refused: bool = False
    """All weights were moved to 0, which no score can have."""
    judged_by_server: set[str] = field(default_factory=set)
    """Runs, with their versions, whose nets turned out not to be for a browser."""
    game_number: int = 1
    """Which twenty images Beat the detector asks about."""
    games: dict[tuple[str, int], list[bool]] = field(default_factory=dict)
    """run and number of a game -> the answers so far."""
    game_link: str | None = None
    """The game that the last link asked for, as it stood there."""
    own_draft: OwnDraft = field(default_factory=OwnDraft)
    """The images of a class of one's own that are being collected."""
    own_link: str | None = None
    """What the last link said of one's own class, as it stood there."""
    choices: dict[str, LinkedChoice] = field(default_factory=dict)
    """Name in a URL -> what was chosen under it: the study that Compare shows, the views of Methods and of Score."""
    lesson: Any = None
    """The lesson that this session is in."""
    lesson_link: dict[str, str] | None = None
    """Lesson and step that the URL asked for last, as they stood there."""
    explained: tuple[str, str] | None = None
    """The drawing or picture of one's own that was explained last, and its verdict."""
    drawing: tuple[bytes, str] | None = None
    """The drawing or picture of one's own that was judged last: its 28x28 bytes, and how it was prepared (`data.preparation.KINDS`)."""
    drawing_scores: dict[str, dict[int, Any]] = field(default_factory=dict)
    """run -> epoch -> what its nets said of that drawing then."""
    of_component: dict[Hashable, Any] = field(default_factory=dict)
    """What our components remember, each under names that begin with its key."""


def memory() -> Memory:
    """This session's memory, to be read and changed in place."""
    if "_memory" not in st.session_state:
        st.session_state["_memory"] = Memory()
    return st.session_state["_memory"]


def held(key: str, default: Any = None) -> Any:
    """What a widget or a component holds at this moment, in a callback also before the page is drawn with it."""
    return st.session_state.get(key, default)


def holding(keys: list[str]) -> dict[str, Any]:
    """What those of these widgets hold that have been drawn or set."""
    return {key: st.session_state[key] for key in keys if key in st.session_state}


def set_widget(key: str, value: Any) -> None:
    """Let a widget hold a value: before it is drawn in a script run, or in a callback."""
    st.session_state[key] = value


def sent(key: str, name: str) -> Any:
    """What a component of ours sent last under a name; None where it sent nothing."""
    return (st.session_state.get(key) or {}).get(name)


def marked(key: str, kind: str = "points") -> list[dict[str, Any]]:
    """What is selected on a chart: its points, or with kind "box" the boxes drawn on it."""
    return ((st.session_state.get(key) or {}).get("selection") or {}).get(kind) or []
