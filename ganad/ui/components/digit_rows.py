"""A row a digit: the share of its test images that is called anomalous, and its AUROC; a click picks the digit."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from ganad.ui import colours

_FILE = Path(__file__)
_ROWS = st.components.v2.component(
    "ganad_digit_rows",
    html=_FILE.with_suffix(".html").read_text(encoding="utf-8"),
    css=_FILE.with_suffix(".css").read_text(encoding="utf-8"),
    js=_FILE.with_suffix(".js").read_text(encoding="utf-8"),
)


def digit_rows(
    rows: Sequence[Mapping[str, Any]], *, key: str, picked: Collection[int], on_pick: Callable[[], None]
) -> None:
    """Show the rows.

    rows      digit, normal (bool), n (images), auroc (None where there is nothing to compare with), flagged in [0, 1]
    picked    the digits that are chosen
    on_pick   called on a click; `st.session_state[key]["pick"]` is the digit
    """
    _ROWS(
        key=key,
        data={"rows": [_plain(row, picked) for row in sorted(rows, key=lambda row: row["digit"])]},
        on_pick_change=on_pick,
        height="content",
    )


def _plain(row: Mapping[str, Any], picked: Collection[int]) -> dict[str, Any]:
    area = "" if row["auroc"] is None else f"{row['auroc']:.3f}"
    return {
        "digit": int(row["digit"]),
        "share": float(row["flagged"]),
        "area": "normal" if row["normal"] else area,
        "colour": (colours.NORMAL if row["normal"] else colours.ANOMALOUS).both,
        "picked": row["digit"] in picked,
        "said": f"digit {row['digit']}: {row['flagged']:.1%} of {row['n']:,} called anomalous"
        + (", a normal digit" if row["normal"] else f", AUROC {area}" if area else ""),
    }
