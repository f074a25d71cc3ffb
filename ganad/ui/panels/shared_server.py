"""What the pages of a server that others reach leave out, and how a page asks for own images."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ganad import service
from ganad.errors import GanadError
from ganad.runs import uploads
from ganad.system import access
from ganad.ui.messages import guard, notices
from ganad.ui.state.session import held, memory


def begin() -> None:
    """Tell the policy how this server is reached. Every page does so first."""
    access.serve(st.get_option("server.address"), st.get_option("server.allowedHosts"))


def readonly(what: str = "") -> bool:
    """True where nothing may be changed; what: a sentence about what is missing here, shown in its place."""
    if access.readonly() and what:
        st.caption(f":material/lock: {what}")
    return access.readonly()


def own_images() -> str | None:
    """Ask for own images, by a path or as an upload, as this server allows; a path that may be read, or None."""
    path = None
    if access.paths_are_free() or access.data_folder() is not None:
        path = _typed()
    key = "own_images"
    files = st.file_uploader(
        "Or upload them" if access.paths_are_free() else "Upload", list(uploads.TYPES),
        key=key, accept_multiple_files=True, on_change=guard.callback(_upload), args=(key,),
        max_upload_size=max(1, (access.quota("GANAD_MAX_UPLOAD_BYTES") or 10**9) // 10**6),
        help="An .npz; or a train and a test CSV; or a zip of those two, of the four MNIST files, or of a folder of pictures for each class.",
    )  # fmt: skip
    if (wrong := memory().upload_error) is not None:
        notices.error(wrong, icon=":material/folder_off:")
    if memory().upload and not files:  # the uploader forgets its files when another page was open
        st.button("Back to MNIST", key="forget_upload", on_click=guard.callback(_forget))
    return path or memory().upload


def own_images_now() -> str | None:
    """The path that the widgets of `own_images` ask for at this moment, or None for MNIST; for callbacks.

    Raises GanadError for one that this server does not read.
    """
    typed = (held("data_path") or "").strip()
    if typed and (access.paths_are_free() or access.data_folder() is not None):
        return service.data_path(typed)
    return memory().upload


def _typed() -> str | None:
    folder = None if access.paths_are_free() else access.data_folder()
    typed = st.text_input(
        "Path on this machine" if folder is None else "Path in the folder of images of this server",
        key="data_path", persist_state="session", placeholder="empty: MNIST",
        help="A folder of IDX files, a CSV pair as in Kaggle's MNIST, an .npz, or a folder with one subfolder a class.",
    ).strip()  # fmt: skip
    try:
        return service.data_path(typed) if typed else None
    except GanadError as error:
        notices.error(error, icon=":material/folder_off:")
        return None


def _forget() -> None:
    memory().upload = memory().upload_error = None


def _upload(key: str) -> None:
    files: list[Any] = held(key) or []
    m = memory()
    m.upload = m.upload_error = None
    names = [file.name.lower() for file in files]
    if not files or (len(names) == 1 and names[0].endswith(".csv")):
        return  # taken away again, or the first of two
    try:
        m.upload = service.upload([(file.name, file) for file in files])
    except GanadError as error:
        m.upload_error = str(error)
