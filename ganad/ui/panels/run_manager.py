"""Manage runs: name, note, zip, trash. All of it can be undone until the trash is emptied."""

from __future__ import annotations

import streamlit as st

from ganad import service
from ganad.errors import GanadError
from ganad.runs import archive, run_directory
from ganad.service import RunInfo
from ganad.ui.messages import guard, notices
from ganad.ui.messages.escape import html, markdown, plain
from ganad.ui.panels import shared_server
from ganad.ui.state import cache, picked_run
from ganad.ui.state.session import held, memory, set_widget
from ganad.wording import plural

_LARGEST_MB = archive.MOST_BYTES // 1_000_000


def keep(run: RunInfo | None) -> None:
    """What can be done with the picked run, and what brings others in or back."""
    st.subheader(
        "Manage this run", help="For the run that is picked in the sidebar. What is in the trash can come back."
    )
    if run is not None and run.note:
        st.html(f'<div style="white-space: pre-wrap; opacity: .8; max-width: 62rem">{html(run.note)}</div>')
    bring_back(run)
    damaged()


def damaged() -> None:
    """Runs that are here and cannot be read, each with what is wrong and what can be done."""
    if not (damaged_runs := service.damaged_runs()):
        return
    with st.container(border=True, key="damaged_runs"):
        st.markdown(":red[:material/heart_broken:] **Runs that cannot be read**")
        for name, reason in damaged_runs:
            notices.caption(markdown("**{}**: {}", name, reason))
        st.caption(
            "Nothing of them was changed. Mend the file that is named, bring it back from a copy, or move the run's folder "
            "away; all other runs go on."
        )


def bring_back(run: RunInfo | None = None) -> None:
    """Undo, import and trash: what there is to do even when no run is left."""
    if shared_server.readonly(
        "This server is read-only: runs are downloaded here, and neither named, moved to the trash nor imported."
    ):
        if run is not None:
            _download(run)
        return
    _undo()
    with st.container(horizontal=True, vertical_alignment="center", key="keep"):
        if run is not None:
            _of_one(run)
        _clean_up()
        _import_popover()
        _trash()


def _of_one(run: RunInfo) -> None:
    own = (
        "" if not run.shipped else "It is shipped with the project. Download and import it to have a copy of your own."
    )
    st.html(f"<b>{html(run.short)}</b>", width="content")
    with st.popover("Name and note", icon=":material/edit:", disabled=run.shipped, help=own or None, key="describe"):
        with st.form(f"describe_{run.name}", border=False):
            name = st.text_input("Name", run.settings.name, max_chars=80, placeholder="none: named after its settings")
            note = st.text_area(
                "Note",
                run.note,
                max_chars=run_directory.NOTE_LENGTH,
                height=140,
                placeholder="what you tried, and what came of it",
            )
            if st.form_submit_button("Save", type="primary", key="save_description"):
                _describe(run.name, name, note)
    _download(run)
    st.button(
        "Move to trash", icon=":material/delete:", key="throw_away", on_click=guard.callback(_move_to_trash), args=(run.name,),
        disabled=run.shipped or run.at_work, help=own or ("Stop it first." if run.at_work else "Into the trash, whole."),
    )  # fmt: skip


def _download(run: RunInfo) -> None:
    st.download_button(
        "Download", lambda: service.export_zip(run.name), f"{run.name}.zip", "application/zip", key="download_zip",
        on_click="ignore", icon=":material/folder_zip:", disabled=run.at_work,
        help="It is still at work." if run.at_work else "The run as a zip, to keep it elsewhere or send it to somebody.",
    )  # fmt: skip


def _describe(name: str, own: str, note: str) -> None:
    try:
        service.rename(name, own)
        service.write_note(name, note)
    except GanadError as error:
        notices.error(error)
        return
    st.rerun()


# --- the trash ---------------------------------------------------------------------------------------------------------


def _undo() -> None:
    """For as long as the page is open, the runs that were moved to the trash last are one click from coming back."""
    in_trash = service.trashed()
    if not (names := [name for name in memory().trashed if name in in_trash]):
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="undo_bar"):
        one = len(names) == 1
        what = f"<b>{html(names[0])}</b> lies" if one else f"<b>{len(names)} runs</b> lie"
        st.html(f"{what} in the trash.", width="content")
        st.button(
            "Undo", icon=":material/undo:", key="undo", on_click=guard.callback(_restore), args=tuple(names),
            type="primary",
        )  # fmt: skip


def _clean_up() -> None:
    """Several runs into the trash at once; those that ended without a result are offered first."""
    own = [r for r in cache.list_runs() if not r.shipped and not r.at_work]
    if not own:
        return
    key = f"clean_up_{memory().cleanings}"  # another key closes it
    with st.popover("Clean up", icon=":material/cleaning_services:", key=key):
        labels = {r.name: f"{r.short} · {r.state}" for r in own}
        # A choice of before may hold runs that are gone.
        set_widget("unwanted", [n for n in held("unwanted", ()) if n in labels])
        without = [r.name for r in own if r.state in ("failed", "stopped")]
        with st.container(horizontal=True):
            for label, names in (("Failed and stopped", without), ("All of mine", list(labels)), ("None", [])):
                st.button(
                    f"{label} ({len(names)})" if names else label, key=f"unwanted_{label}", type="tertiary",
                    on_click=guard.callback(_want), args=(names,), disabled=not names and label != "None",
                )  # fmt: skip
        unwanted = st.multiselect(
            "Runs to move to trash", list(labels), key="unwanted", format_func=labels.get,
            placeholder="Pick runs, or a group of them above",
        )  # fmt: skip
        n = len(unwanted)
        st.button(
            f"Move {plural(n, 'run')} to trash" if n else "Move to trash", icon=":material/delete:", type="primary",
            key="throw_away_many", disabled=not n, on_click=guard.callback(_move_selected_to_trash),
            help="Into the trash, whole: one click brings them back.",
        )  # fmt: skip


def _want(names: list[str]) -> None:
    set_widget("unwanted", names)


def _move_selected_to_trash() -> None:
    _move_to_trash(*held("unwanted", ()))
    memory().cleanings += 1


def _trash() -> None:
    names = service.trashed()
    if not names:
        return
    with st.popover(f"Trash ({len(names)})", icon=":material/delete:", key="trash"):
        st.caption("These runs are whole. A click takes one back.")
        for name in names[:20]:
            st.button(
                plain(name), icon=":material/undo:", key=f"back_{name}", on_click=guard.callback(_restore), args=(name,), help="Take it back",
                type="tertiary",
            )  # fmt: skip
        if len(names) > 20:
            st.caption(f"… and {len(names) - 20} moved there before these.")
        n = len(names)
        st.button(
            f"Remove {plural(n, 'run')} for good", icon=":material/delete_forever:", key="empty_trash",
            on_click=guard.callback(_empty_trash), help="There is no undo.",
        )  # fmt: skip
        st.caption(f"This frees {service.trash_bytes() / 1e6:.1f} MB, and there is no undo.")


def _move_to_trash(*names: str) -> None:
    """Into the trash, as many as can be; the first that cannot is told."""
    moved = []
    try:
        for name in names:
            moved.append(service.trash(name))
    except GanadError as error:
        notices.toast(error, icon=":material/error:")
    if moved:
        memory().trashed = moved
        if held(picked_run.PICKER) in names:
            picked_run.pick()


def _restore(*names: str) -> None:
    try:
        for name in names:
            picked_run.pick(service.restore(name))
    except GanadError as error:
        notices.toast(error, icon=":material/error:")


def _empty_trash() -> None:
    try:
        count = service.empty_trash()
    except GanadError as error:
        notices.toast(error, icon=":material/error:")
        return
    notices.toast(f"{plural(count, 'run')} removed for good.", icon=":material/check_circle:")


# --- runs from elsewhere -----------------------------------------------------------------------------------------------


def _import_popover() -> None:
    """Import a zip. It is checked to the last file, and gets a number of its own."""
    key = f"import_{memory().imports}"  # another key empties it
    with st.popover("Import", icon=":material/upload:", key="import"):
        st.file_uploader(
            "A run's zip", "zip", key=key, on_change=guard.callback(_import), args=(key,), max_upload_size=_LARGEST_MB,
            help="As **Download** makes it, or the zipped folder of a run.",
        )  # fmt: skip
        if (wrong := memory().import_error) is not None:
            notices.error(wrong, icon=":material/folder_off:")


def _import(key: str) -> None:
    zip_file, m = held(key), memory()
    m.import_error = None
    if zip_file is None:
        return
    try:
        name = service.import_zip(zip_file)
    except GanadError as error:
        m.import_error = str(error)
        return
    m.imports += 1
    picked_run.pick(name)
    notices.toast(f"Imported as {name}.", icon=":material/check_circle:")
