"""AnoGAN's search for one image, as a film that plays, a strip that stands still, and a curve."""

from __future__ import annotations

import hashlib

import numpy as np
import streamlit as st

from ganad import service, wording
from ganad.service import RunInfo
from ganad.ui import charts
from ganad.ui.messages import guard
from ganad.ui.panels import export
from ganad.ui.theme import layout, pictures

STRIP = 8
"""Stills of the strip."""


def searches(run: RunInfo) -> bool:
    """True where a score is found by a search, so that there is something to film."""
    return run.settings.scores_by_search


def film(run: RunInfo, image: np.ndarray, key: str) -> None:
    """Show how the z of one (28, 28) uint8 image was found. Draws nothing for a method that does not search."""
    if not searches(run):
        return
    with st.skeleton(height=320):
        search = guard.or_end_page(
            _search, run.name, service.version(run.name), hashlib.sha256(image.tobytes()).hexdigest(), image
        )
    steps = len(search.score) - 1
    st.subheader(
        "The search",
        help="AnoGAN has no encoder. It starts from a z whose picture is near and walks downhill on the score: "
        "only z moves, the nets stand still.",
    )
    left, right = layout.side_by_side(f"film_{key}", [1, 2])
    with left:
        st.html(_STYLE + playing(search.frames, f"G(z) over {steps} steps of the search"))
    with right:
        st.html(strip(search))
        st.plotly_chart(
            charts.descent(search.score, search.paths), key=f"descent_{key}", config=export.config("descent"),
            alt=f"the score falls from {search.score[0]:.4g} to {search.score[-1]:.4g} in {steps} steps",
        )  # fmt: skip
        end = search.score[-1]
        beside = (
            ("Typicality", search.typicality), ("The density of features", search.density), ("The transform error", search.transforms),
            ("How rare what the copy of the discriminator sees is", search.copied), ("How rare what the first layer of that copy sees is", search.first_layer),
        )  # fmt: skip
        for what, added in beside:
            if added:
                st.caption(
                    f"{what}, for which the search does not look, adds {wording.number(added)}: {wording.number(end)} + {wording.number(added)} = {wording.number(end + added)}, "
                    "at the weights of the run."
                )
                end += added
        if search.turned:
            st.caption(
                f"What discriminator and copy add is asked of the image turned by {abs(search.turned):g}° to the {'left' if search.turned > 0 else 'right'}, the most usual of three looks at it."
            )


@st.cache_data(show_spinner="Searching once more, to show it", max_entries=200)
def _search(name: str, version: int, key: str, _image: np.ndarray) -> service.Search:
    return service.search(name, _image)


_STYLE = """<style>
@keyframes ganad-film { to { background-position-x: calc(-1 * var(--film)); } }
.ganad-film { width: 168px; height: 168px; border-radius: 6px; image-rendering: pixelated; background-repeat: no-repeat; }
.ganad-film { animation: ganad-film var(--seconds) steps(var(--frames)) infinite; }
@media (prefers-reduced-motion: reduce) { .ganad-film { animation: none; background-position-x: calc(168px - var(--film)); } }
.ganad-film:hover { animation-play-state: paused; }
</style>"""
HELD = 10
"""The last picture stays for so many frames before the film begins again."""


def playing(frames: np.ndarray, alt: str, seconds: float = 4.0) -> str:
    """HTML of (K, 28, 28) uint8 pictures one after the other, over and over; whoever wants no motion sees the last."""
    frames = np.concatenate([frames, np.repeat(frames[-1:], HELD, axis=0)])
    picture = pictures.data_uri(pictures.png(np.concatenate(list(frames), axis=1), 6))
    wide = 168 * len(frames)
    return (
        f'<div class="ganad-film" role="img" aria-label="{alt}" style="--film: {wide}px; --frames: {len(frames)}; '
        f'--seconds: {seconds}s; background-image: url({picture}); background-size: {wide}px 168px"></div>'
    )


def strip(search: service.Search) -> str:
    """HTML of a few stills with their step and score."""
    places = np.unique(np.linspace(0, len(search.shown) - 1, STRIP).round().astype(int))
    return pictures.figure_html(
        [
            (
                pictures.png(search.frames[i], 3),
                f"step {search.shown[i]}" if n == 0 else f"{search.shown[i]}",
                f"G(z) at step {search.shown[i]}, score {search.score[search.shown[i]]:.4g}",
            )
            for n, i in enumerate(places)
        ],
        size_px=66,
    )
