"""Where images lie in the latent space: a map to lasso on, and the held-out normals nearest to an image."""

from __future__ import annotations

import numpy as np
import streamlit as st

from ganad import service
from ganad.service import RunInfo
from ganad.ui import cache, charts, page, pictures, selection, taking

DRAWN = 2500
"""Test images on the map at most: the browser is slow with more. The lasso takes all."""
NEIGHBOURS = 5


def map_of(run: RunInfo) -> None:
    """The map of the codes; a lasso leaves the images inside it."""
    if not _ready(run, "map"):
        return
    found, places = cache.scores(run.name), page.tried(cache.latent_map, run.name)
    if places is None:
        return
    rng = np.random.default_rng(0)
    some = np.sort(rng.permutation(len(places.test))[:DRAWN])
    held = np.sort(rng.permutation(len(places.val))[: DRAWN // 4])
    chosen = selection.current(run)
    st.plotly_chart(
        charts.latent_map(
            places.val[held], places.test[some], found.anomalous[some],
            [f"digit {d}, test image {i}" for d, i in zip(found.test.digit[some], found.test.index[some], strict=True)],
            lasso=chosen.lasso,
        ),
        key="latent_map", config=taking.config("latent_map", "lasso2d", "select2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"), on_select=lambda: _lassoed(run),
        selection_mode=("lasso", "box"), alt="codes of held-out normals and of test images in two dimensions",
    )  # fmt: skip
    share = "" if places.share is None else f" The two axes keep {places.share:.0%} of how the held-out normals vary."
    st.caption(
        f"Draw around images to see them alone. {len(some):,} of {len(places.test):,} are drawn, all are chosen.{share}"
    )


def _lassoed(run: RunInfo) -> None:
    """A lasso or a box was drawn on the map, or taken away."""
    said = st.session_state["latent_map"]["selection"]
    shape = (said.get("lasso") or said.get("box") or [None])[-1]
    if shape is None:
        selection.choose(run, lasso=())
        return
    x, y = list(shape["x"]), list(shape["y"])
    if len(x) == 2:  # a box is given by two of its corners
        x, y = [x[0], x[1], x[1], x[0]], [y[0], y[0], y[1], y[1]]
    every = max(1, -(-len(x) // 24))  # a link should not be longer than an address may be
    corners = tuple((float(f"{a:.4g}"), float(f"{b:.4g}")) for a, b in zip(x[::every], y[::every], strict=True))
    selection.choose(run, lasso=corners if len(corners) > 2 else (), image=None)


def nearest(run: RunInfo, row: int) -> None:
    """The held-out normals whose codes are nearest to that of a test image."""
    if not _ready(run, "nearest"):
        return
    codes = page.tried(cache.codes, run.name)
    if codes is None:
        return
    val, test = codes
    away = np.linalg.norm(val - test[row], axis=1)
    rows = np.argsort(away, kind="stable")[:NEIGHBOURS]
    shown = service.held_out_images(run.name, rows)
    st.html(
        pictures.figure_html(
            [
                (
                    pictures.png(image, 3),
                    f"{away[r]:.3g} away",
                    f"held-out normal image, {away[r]:.3g} away in the latent space",
                )
                for image, r in zip(shown, rows, strict=True)
            ],
            size_px=84,
        )
    )
    typical = float(np.median(_typical(run.name, cache.version(run.name))))
    st.caption(f"A held-out normal has its own nearest neighbour {typical:.3g} away, as a rule.")


@st.cache_data(show_spinner=False, max_entries=12)
def _typical(name: str, version: int) -> np.ndarray:
    """Distance of some held-out normals to the nearest other one."""
    val = cache.codes(name)[0]
    some = val[:200].astype(np.float64)
    squares = (some**2).sum(1)[:, None] + (val.astype(np.float64) ** 2).sum(1) - 2 * some @ val.T.astype(np.float64)
    squares[np.arange(len(some)), np.arange(len(some))] = np.inf
    return np.sqrt(np.maximum(squares.min(axis=1), 0))


def _ready(run: RunInfo, key: str) -> bool:
    """Codes are at hand or soon found; where they take a search for each image, somebody has to ask for them."""
    if run.method != "anogan" or cache.scores(run.name).test.z.shape[1] or st.session_state.get(f"codes_{run.name}"):
        return True
    st.caption("AnoGAN has no encoder: a code is found by a search, for all images of this run in a minute or two.")
    if st.button("Find the codes", icon=":material/travel_explore:", key=f"find_codes_{key}"):
        st.session_state[f"codes_{run.name}"] = True
        return True
    return False
