"""The probe digits and what the nets made of them, epoch under epoch: the training as a film strip."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ganad.errors import RunError
from ganad.runs import run_directory
from ganad.ui.messages.escape import html
from ganad.ui.theme.pictures import data_uri, png

_STYLE = """<style>
.film {display: grid; grid-template-columns: max-content 1fr; gap: 2px .7rem; align-items: center;}
.film span {font-size: .78rem; opacity: .7; text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap;}
.film img {width: 100%; image-rendering: pixelated; display: block; border-radius: 3px; background: #0b0e14;}
.film .given {padding-bottom: 5px;}
</style>"""


def chosen(epochs: list[int], rows: int) -> list[int]:
    """At most `rows` of the epochs, the first and the last among them, denser at the start, where most happens."""
    if len(epochs) <= rows:
        return epochs
    places = np.unique(np.round(np.geomspace(1, len(epochs), rows)).astype(int)) - 1
    return [epochs[i] for i in places]


def film_html(samples: dict[int, Path], rows: int = 7, *, generated_until: int = -1) -> str:
    """One line of given digits, then a line of reconstructions an epoch. Empty when there is no picture yet.

    generated_until: pictures up to this epoch show generated images instead, since the method has no encoder by then
    """
    lines = []
    damaged = []
    for epoch in chosen(list(samples), rows):
        try:
            given, reconstructions = _rows(samples[epoch])
        except RunError as error:
            damaged.append(str(error))
            continue
        if not lines:
            lines.append(("given", given, "given test images, the normal ones first", "given"))
        label = "untrained" if epoch == 0 else f"epoch {epoch}"
        what = "generated images G(z)" if epoch <= generated_until else "their reconstructions"
        lines.append((f"G(z), {label}" if epoch <= generated_until else label, reconstructions, f"{what}, {label}", ""))
    cells = "".join(
        f'<span class="{kind}">{label}</span><img class="{kind}" src="{data_uri(png(row, 2))}" alt="{alt}">'
        for label, row, alt, kind in lines
    )
    notes = "".join(f'<div role="alert">{html(words)}</div>' for words in damaged)
    return f'{_STYLE}<div class="film">{cells}</div>{notes}' if lines else notes


def _rows(path: Path) -> tuple[np.ndarray, np.ndarray]:
    picture = run_directory.read_sample(path)
    half = len(picture) // 2
    return picture[:half], picture[half:]
