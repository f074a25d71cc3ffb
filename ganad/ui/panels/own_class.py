"""Your own class: images of one symbol, drawn one after another or brought as files, and one button that trains on them."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import streamlit as st

from ganad import service
from ganad.data.own_class import LEAST, MOST, parts
from ganad.data.sources import PICTURE_TYPES
from ganad.errors import GanadError
from ganad.ui.components.digit_pad import added, collecting_pad
from ganad.ui.components.tiles import clicked, tiles
from ganad.ui.messages import guard, notices
from ganad.ui.messages.escape import markdown
from ganad.ui.panels import shared_server
from ganad.ui.state import address, picked_run
from ganad.ui.state.session import held, memory, set_widget
from ganad.wording import plural

GOOD = 30
"""Images that are asked for; with fewer it goes too, with more uncertainty."""
NAME = "my sign"
_WHAT = ("Classes of a data set", "Your own class")
_PAD, _TILES = "own_pad", "own_tiles"
_MOST_FILES_MB = 10


def is_chosen() -> bool:
    """Ask whether a run is to learn classes of a data set or a class of one's own; True for the latter."""
    if shared_server.readonly():
        return False
    by_link = address.opened_own_class()
    if by_link:
        set_widget("train_what", _WHAT[1])
    what = st.segmented_control(
        "What is normal", _WHAT, default=None if by_link else _WHAT[0], key="train_what", required=True, persist_state="session",
        label_visibility="collapsed", wrap=True,
    )  # fmt: skip
    return what == _WHAT[1]


def collect() -> None:
    """The whole panel. A fragment: a drawing that is added redraws this and not the rest of the page."""
    guard.fragment(_collect)()


def _collect() -> None:
    if memory().next_run:
        st.rerun()  # the button in here has made another run the picked one: that is the whole page's matter
    draft = memory().own_draft
    st.caption(
        f"Collect **{LEAST} to {MOST}** images of one symbol as you write it; {GOOD} are good. What the nets learn of it is then tried "
        "against MNIST's digits."
    )
    if held("own_name") is None:
        set_widget("own_name", NAME)
    st.text_input("What it is called", key="own_name", max_chars=40, persist_state="session")
    ways = {"Draw": _draw, "Files": _files, "A photo of many": _photo}
    way = st.segmented_control(
        "How", list(ways), default="Draw", key="own_way", required=True, label_visibility="collapsed", wrap=True
    )
    ways[way]()
    for problem in draft.problems:
        notices.warning(problem, icon=":material/broken_image:")
    _collected()
    _train_button()
    _kept()


# --- bringing images -------------------------------------------------------------------------------------------


def _draw() -> None:
    collecting_pad(key=_PAD, taken=memory().own_draft.taken, on_add=guard.callback(_take_drawings))
    st.caption("Draw one, press **Add** (or Enter on the sheet), draw the next.")


def _take_drawings() -> None:
    draft = memory().own_draft
    new = [(number, drawing) for number, drawing in added(_PAD) if number > draft.taken]
    draft.problems = []
    for number, drawing in new:
        draft.taken = number
        _take(lambda drawing=drawing: [service.original_of(drawing)])


def _files() -> None:
    _uploader("Images of one symbol each", page=False)
    st.caption("Photos and scans are fine, dark ink on light paper or the other way round.")


def _photo() -> None:
    _uploader("A photo of many symbols", page=True)
    st.caption("Write some thirty on a sheet, not touching each other: each is found and cut out.")


def _uploader(label: str, *, page: bool) -> None:
    key = f"own_files_{'page' if page else 'each'}_{memory().own_draft.batches}"
    st.file_uploader(
        label, list(PICTURE_TYPES), key=key, accept_multiple_files=not page, max_upload_size=_MOST_FILES_MB,
        on_change=guard.callback(_take_files), args=(key, page),
    )  # fmt: skip


def _take_files(key: str, page: bool) -> None:
    given = held(key) or []
    files = given if isinstance(given, list) else [given]
    draft = memory().own_draft
    draft.problems = []
    for file in files:
        _take(lambda file=file: service.originals_in(file.getvalue(), file.name, page))
    draft.batches += bool(files)


def _take(images) -> None:
    """Put what a call returns to the others; what cannot be used, and what is too much, is said."""
    draft = memory().own_draft
    try:
        for image in images():
            if len(draft.images) >= MOST:
                draft.problems = [f"{MOST} images are there, and no more are taken."]
                return
            draft.add(image)
    except GanadError as error:
        draft.problems.append(str(error))


# --- what is there ---------------------------------------------------------------------------------------------


def _collected() -> None:
    draft = memory().own_draft
    n = len(draft.images)
    lacking = f"{LEAST - n} more are needed" if n < LEAST else "enough to train" if n < GOOD else "good"
    st.progress(min(1.0, n / GOOD), text=f"**{plural(n, 'image')}** of {GOOD}: {lacking}.")
    if n:
        numbers = list(draft.images)
        tiles(
            np.stack(list(draft.images.values())), key=_TILES, labels=[f"Remove image {i + 1}" for i in range(n)],
            version=f"{numbers}", badges=["×"] * n, size=56, name="Collected images: click one to remove it", ids=numbers,
            on_pick=guard.callback(_remove),
        )  # fmt: skip
        st.caption("Until they are trained on they are in this tab alone: closing or reloading it loses them.")
    with st.container(horizontal=True):
        if draft.removed is not None:
            st.button("Put it back", icon=":material/undo:", type="tertiary", key="own_undo", on_click=draft.put_back)
        if n:
            st.button(
                "Remove all", icon=":material/delete_sweep:", type="tertiary", key="own_clear", on_click=draft.clear
            )


def _remove() -> None:
    if (number := clicked(_TILES)) is not None:
        memory().own_draft.remove(number)


def _train_button() -> None:
    draft = memory().own_draft
    n = len(draft.images)
    st.button(
        "Train on these", type="primary", icon=":material/play_arrow:", key="own_train", on_click=guard.callback(_train),
        disabled=n < LEAST, help=f"From {LEAST} images on." if n < LEAST else None,
    )  # fmt: skip
    if n >= LEAST:
        train, held_out, test = parts(n)
        st.caption(
            f":material/timer: About a minute. {train} of them train, varied as a hand varies; {held_out} are held out for the threshold; "
            f"{test} test, beside digits of MNIST. No image and none of its variants is in two of these parts."
        )


def _train() -> None:
    draft = memory().own_draft
    with st.spinner("Preparing the images"):
        try:
            run, copies = service.train_own_class(list(draft.images.values()), held("own_name") or NAME)
        except GanadError as error:
            draft.problems = [f"Nothing was started: {error}"]
            return
    draft.problems = [f"{plural(copies, 'image')} left out: a copy of another one."] if copies else []
    picked_run.pick(run)


# --- what was collected before ---------------------------------------------------------------------------------


def _kept() -> None:
    classes = service.own_classes_kept()
    if not classes:
        return
    with st.popover("Collected before", icon=":material/inventory_2:", type="tertiary", key="own_kept"):
        st.caption("Images that were trained on. One that no run is left of goes by itself after a day.")
        for own in classes:
            folder = own.path.parent.name
            day = datetime.fromtimestamp(own.kept).strftime("%d %b, %H:%M")
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(markdown("**{}** · {} · {}", own.name, plural(own.originals, "image"), day))
                st.button("Open", key=f"own_open_{folder}", on_click=guard.callback(_open), args=(folder,))
                st.button(
                    "Delete", key=f"own_delete_{folder}", on_click=guard.callback(service.delete_own_class), args=(folder,),
                    disabled=bool(own.runs), help=f"{own.runs[0]} was trained on it: remove that first, and empty the trash." if own.runs else None,
                )  # fmt: skip


def _open(folder: str) -> None:
    name, originals = service.originals_kept(folder)
    draft = memory().own_draft
    draft.clear()
    for image in originals:
        draft.add(image)
    set_widget("own_name", name)
