"""The address of a view: what is chosen stands in the URL, so that a link, a reload and the back button bring it back.

Session state is what counts while a session lasts; the URL is its copy. It is read only where it says something that this
session did not put there itself: a link that was opened, or a step back. Otherwise a rerun would undo what was just chosen.
"""

from __future__ import annotations

import streamlit as st

from ganad.service import RunInfo
from ganad.ui import mix, selection

NAMES = (*mix.NAMES, *selection.NAMES)


def arrive(run: RunInfo) -> None:
    """Take over what the URL asks for, if that is news, and write what is in force. Once a script run, before any view."""
    said = {name: st.query_params[name] for name in NAMES if name in st.query_params}
    if said and said != st.session_state.get("_said"):
        odd = [*mix.take(run, said), *selection.take(run, said)]
        if odd:
            st.toast(f"The link says {' and '.join(odd)}: that was left out.", icon=":material/link_off:")
    write(run)


def write(run: RunInfo) -> None:
    """Bring the URL up to date; what is as usual is left out."""
    now = mix.words(run) | selection.words(run)
    for name in NAMES:
        if name in now:
            if st.query_params.get(name) != now[name]:
                st.query_params[name] = now[name]
        elif name in st.query_params:
            del st.query_params[name]
    st.session_state["_said"] = now
