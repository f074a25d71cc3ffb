"""What do these words mean? The glossary, one click away on the pages that judge."""

from __future__ import annotations

import streamlit as st

from ganad import glossary


def words(*names: str) -> None:
    """A popover with the meaning of some terms, or of all of them."""
    with st.popover("What do these words mean?", icon=":material/menu_book:", type="tertiary"):
        chosen = [t for t in glossary.TERMS if not names or t.name in names]
        st.markdown("\n".join(f"- **{t.name}**: {t.meaning}" + (f" ({t.range})" if t.range else "") for t in chosen))
