"""A row a digit: the share of its test images that is called anomalous, and its AUROC; a click picks the digit."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from ganad.ui.components.declare import declare_beside
from ganad.web import colours

_ROWS = declare_beside(__file__)


def digit_rows(
    rows: Sequence[Mapping[str, Any]],
    *,
    key: str,
    picked: Collection[int],
    on_pick: Callable[[], None],
    names: Callable[[int], tuple[str, str]] = lambda digit: (str(digit), f"digit {digit}"),
) -> None:
    """Show the rows.

    rows      digit, normal (bool), n (images), auroc (None where there is nothing to compare with), flagged in [0, 1]
    picked    the digits that are chosen
    on_pick   called on a click; `sent(key, "pick")` is the digit
    names     class -> its name, and how it is spoken of in a sentence
    """
    _ROWS(
        key=key,
        data={
            "rows": [
                _plain(row, picked, *names(int(row["digit"]))) for row in sorted(rows, key=lambda row: row["digit"])
            ]
        },
        on_pick_change=on_pick,
        height="content",
    )


def _plain(row: Mapping[str, Any], picked: Collection[int], name: str, spoken: str) -> dict[str, Any]:
    area = "" if row["auroc"] is None else f"{row['auroc']:.3f}"
    return {
        "digit": int(row["digit"]),
        "name": name,
        "share": float(row["flagged"]),
        "area": "normal" if row["normal"] else area,
        "colour": (colours.NORMAL if row["normal"] else colours.ANOMALOUS).both,
        "picked": row["digit"] in picked,
        "said": f"{spoken}: {row['flagged']:.1%} of {row['n']:,} called anomalous"
        + (", normal" if row["normal"] else f", AUROC {area}" if area else ""),
    }
