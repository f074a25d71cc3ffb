"""Where images lie in the latent space: a map to lasso on, and the held-out normals nearest to an image."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st

from ganad import service
from ganad.errors import GanadError
from ganad.evaluation import filters, neighbours, projection
from ganad.service import RunInfo
from ganad.ui.components import latent_map as component
from ganad.ui.messages import guard, notices
from ganad.ui.state import cache, current, map_layouts
from ganad.ui.state.scored_view import ScoredView
from ganad.ui.state.selection import MAPS
from ganad.ui.state.session import held, memory, set_widget
from ganad.ui.theme import pictures

NEIGHBOURS = 5
_MEANWHILE = f"{MAPS[0]} is shown until it is there"


def map_of(view: ScoredView) -> None:
    """The map of the codes: point at an image to see it, click to inspect it, draw round some to see them alone."""
    run, chosen = view.run, view.selection
    if not ready(run, "map"):
        return
    kinds = projection.kinds()
    if len(kinds) > 1:
        set_widget("map_kind", chosen.map)
        st.segmented_control(
            "Projection", kinds, key="map_kind", required=True, label_visibility="collapsed",
            on_change=guard.callback(lambda: current.select(run, map=held("map_kind"), lasso=())), wrap=True,
        )  # fmt: skip
    with st.skeleton(height=480):
        first = guard.or_none(cache.latent_map, run.name, MAPS[0])
    if first is None:
        return
    places, drawn = (first if chosen.map == MAPS[0] else waited_for(run, chosen.map)), chosen.map
    if places is None:  # until it is there, the map that is
        places, drawn = first, MAPS[0]
    lasso = chosen.lasso if drawn == chosen.map else ()
    sheet = f"{run.name}-{cache.version(run.name)}"
    component.latent_map(
        places.val, places.test, key="latent_map", version=f"{sheet}-{drawn}", sheet=(sheet, cache.packed(run.name)["images"]),
        digit=view.scores.test.digit, names=run.classes if run.has_names else (), called=view.called,
        name=f"map of the latent space: {len(places.val):,} held-out normals and {len(places.test):,} test images",
        marked=view.picked, lasso=lasso or None,
        inside=int(filters.inside_polygon(places.test, lasso).sum()) if lasso else 0,
        on_lasso=guard.callback(lambda: current.select(run, lasso=component.drawn("latent_map") or (), map=drawn, image=None)),
        on_pick=guard.callback(lambda: _picked(run, drawn)),
    )  # fmt: skip
    if places.share is not None:
        st.caption(
            f"The two directions in which the codes of held-out normals vary most: {places.share:.0%} of their variance. What "
            "lies together here may lie apart in the others."
        )
    else:
        st.caption(
            "Neighbours in the latent space are neighbours here; how far apart groups lie says little. Held-out normals and test "
            "images were laid out together."
        )


def lasso_waits(view: ScoredView) -> None:
    """For where no map is drawn: a word while the one that a link's lasso lies on is still being computed."""
    chosen = view.selection
    if chosen.lasso and chosen.map != MAPS[0] and cache.has_codes(view.run):
        waited_for(view.run, chosen.map, "until then the lasso leaves all images")


def waited_for(run: RunInfo, kind: str, meanwhile: str = _MEANWHILE) -> projection.Projection | None:
    """A map that takes long, or a word that it is being computed or why it could not be; the page follows when it is there.

    meanwhile: what is seen until then.
    """
    try:
        places = cache.latent_map(run.name, kind)
    except GanadError as error:
        notices.warning(error)
        st.button(
            "Try again", icon=":material/refresh:", key=f"again_{kind}", on_click=guard.callback(map_layouts.again),
            args=(run.name, cache.version(run.name), kind),
        )  # fmt: skip
        return None
    if places is None:
        guard.fragment(_waiting, run_every=1.0)(run, kind, meanwhile)
    return places


def _waiting(run: RunInfo, kind: str, meanwhile: str) -> None:
    """Polled until the map is there, or has failed."""
    try:
        there = cache.latent_map(run.name, kind) is not None
    except GanadError:
        there = True  # to be told by the page
    if there:
        st.rerun()
    st.caption(f":material/hourglass_top: {kind} is being computed, which takes a minute or so; {meanwhile}.")


def _picked(run: RunInfo, drawn: str) -> None:
    """A point was clicked: its image is the picked one, and a lasso that it lies outside of is taken away."""
    view, row = current.view(run), component.picked("latent_map")
    places = view.map(drawn)
    if row is None or places is None or row >= len(places.test):
        return
    lasso = view.selection.lasso if drawn == view.selection.map else ()
    inside = lasso and filters.inside_polygon(places.test[[row]], lasso)[0]
    memory().picks += 1
    current.select(run, image=view.index(row), lasso=lasso if inside else ())


def nearest(run: RunInfo, z_of: Callable[[np.ndarray], np.ndarray]) -> None:
    """The held-out normals whose codes are nearest to that of an image.

    z_of   gives the image's code (nz,), and is handed the codes of all test images (m, nz)
    """
    if not ready(run, "nearest"):
        return
    with st.skeleton(height=110):
        codes = guard.or_none(cache.codes, run.name)
    if codes is None:
        return
    val, test = codes
    rows, away = neighbours.nearest(z_of(test), val, NEIGHBOURS)
    shown = service.held_out_images(run.name, rows)
    st.html(
        pictures.figure_html(
            [
                (
                    pictures.png(image, 3),
                    f"{far:.3g} away",
                    f"held-out normal image, {far:.3g} away in the latent space",
                )
                for image, far in zip(shown, away, strict=True)
            ],
            size_px=84,
        )
    )
    own = _own_distances(run.name, cache.version(run.name))
    st.caption(
        f"Farther from its nearest than **{100 * float((own < away[0]).mean()):.1f} %** of held-out normals are from theirs; as a "
        f"rule they have it {float(np.median(own)):.3g} away. Euclidean, in {val.shape[1]} dimensions."
    )


@cache.kept()
def _own_distances(name: str, version: int) -> np.ndarray:
    """Distance of each held-out normal to the nearest other one, (n,)."""
    return neighbours.distances_to_nearest(cache.codes(name)[0])


def ready(run: RunInfo, key: str) -> bool:
    """Codes are at hand or soon found; where they take a search for each image, somebody has to ask for them."""
    if cache.has_codes(run):
        return True
    st.caption("AnoGAN has no encoder: a code is found by a search, for all images of this run in a minute or two.")
    if st.button("Find the codes", icon=":material/travel_explore:", key=f"find_codes_{key}"):
        memory().searched_codes.add(run.name)
        return True
    return False
