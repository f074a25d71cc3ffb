"""Columns that stack on narrow screens."""

from __future__ import annotations

import streamlit as st


def side_by_side(key: str, widths: list[float]) -> list:
    """Columns that stand side by side on a wide page and under each other on a narrow one."""
    with st.container(key=f"split_{key}"):
        return st.columns(widths, gap="large")


def cells(key: str, n: int) -> list:
    """n cells in a row; two in a row where the page is narrow."""
    with st.container(key=f"cells_{key}"):
        return st.columns(n)
