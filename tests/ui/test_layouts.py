"""Maps that take long: computed once, elsewhere, while the page stays; whatever comes of it is told."""

import threading

import numpy as np
import pytest

from ganad.errors import GanadError
from ganad.evaluation import projection
from ganad.ui.state import map_layouts
from tests.conftest import put_finished
from tests.test_pages import opened, words

VAL, TEST = np.random.default_rng(0).normal(size=(2, 40, 6)).astype(np.float32)


@pytest.fixture
def held(monkeypatch):
    """A computation that ends when the test says so; `asked` counts how often it was begun."""

    class Held:
        go, asked, fails = threading.Event(), [], False

        def __call__(self, kind, val, test):
            self.asked.append(kind)
            assert self.go.wait(120)
            if self.fails:
                raise GanadError("UMAP could not be computed: out of patience.")
            # Upside down, so that it cannot be taken for PCA.
            made = projection.project(val, test, "PCA")
            return projection.Projection(-made.val, -made.test, None)

        def end(self):
            """Let it go, and wait until everybody can have the answer."""
            self.go.set()
            for found in list(map_layouts._layouts.values()):
                found.exception(timeout=120)

    made = Held()
    monkeypatch.setattr(map_layouts, "compute", made)
    monkeypatch.setattr(map_layouts, "_layouts", type(map_layouts._layouts)())
    yield made
    made.end()


def test_a_layout_is_computed_once_for_all_who_ask(held):
    assert [map_layouts.layout("a", 1, "UMAP", VAL, TEST) for _ in range(3)] == [None] * 3
    held.end()
    first, second = (map_layouts.layout("a", 1, "UMAP", VAL, TEST) for _ in range(2))
    assert first is second
    assert first.test.shape == (40, 2)
    assert held.asked == ["UMAP"]


def test_one_layout_is_computed_at_a_time(held):
    map_layouts.layout("a", 1, "UMAP", VAL, TEST)
    map_layouts.layout("b", 1, "UMAP", VAL, TEST)
    map_layouts.layout("a", 2, "UMAP", VAL, TEST)
    assert len(held.asked) <= 1
    held.end()
    assert len(held.asked) == 3


def test_a_failure_is_told_to_everybody_until_somebody_tries_again(held):
    held.fails = True
    assert map_layouts.layout("a", 1, "UMAP", VAL, TEST) is None
    held.end()
    for _ in range(2):
        with pytest.raises(GanadError, match="out of patience"):
            map_layouts.layout("a", 1, "UMAP", VAL, TEST)
    held.fails = False
    map_layouts.again("a", 1, "UMAP")
    map_layouts.layout("a", 1, "UMAP", VAL, TEST)
    held.end()
    assert map_layouts.layout("a", 1, "UMAP", VAL, TEST) is not None


def test_no_more_than_a_few_layouts_are_kept(held):
    held.go.set()
    for n in range(map_layouts.MOST + 4):
        map_layouts.layout("a", n, "UMAP", VAL, TEST)
        held.end()
    assert len(map_layouts._layouts) == map_layouts.MOST


def test_the_process_answers_as_the_function_does_and_says_what_was_wrong():
    made, here = map_layouts.compute("PCA", VAL, TEST), projection.project(VAL, TEST)
    assert np.array_equal(made.test, here.test)
    assert made.share == here.share
    with pytest.raises(GanadError, match=r"ended with code 1 \(ValueError: 't-SNE' is no projection"):
        map_layouts.compute("t-SNE", VAL, TEST)


def test_browse_shows_pca_with_a_word_until_umap_is_there(runs_dir, held):
    run = put_finished(runs_dir)
    at = opened("pages/2_Browse.py", run=run.name)
    at.toggle(key="map").set_value(True).run()
    at.segmented_control(key="map_kind").set_value("UMAP").run()
    assert not at.exception
    assert "UMAP is being computed" in words(at)
    assert "PCA is shown until it is there" in words(at)
    assert "The two directions in which the codes" in words(at), "the map on screen is that of PCA"
    assert at.segmented_control(key="map_kind").value == "UMAP"
    held.end()
    at.run()
    assert not at.exception
    assert "is being computed" not in words(at)
    assert "how far apart groups lie says little" in words(at), "the map on screen is UMAP's"
    assert held.asked == ["UMAP"]


def test_a_umap_that_fails_is_told_beside_pca_and_can_be_tried_again(runs_dir, held):
    run = put_finished(runs_dir)
    held.fails = True
    at = opened("pages/2_Browse.py", run=run.name, map="umap")
    at.toggle(key="map").set_value(True).run()
    held.end()
    at.run()
    assert not at.exception
    assert "out of patience" in at.warning[0].value
    assert "The two directions in which the codes" in words(at)
    held.fails = False
    at.button(key="again_UMAP").click().run()
    held.end()
    at.run()
    assert not at.warning
    assert "how far apart groups lie says little" in words(at)


@pytest.mark.parametrize("page", ["pages/2_Browse.py", "pages/3_Evaluate.py"])
def test_a_link_with_a_lasso_on_umap_opens_at_once_and_leaves_its_images_when_that_is_there(runs_dir, held, page):
    run = put_finished(runs_dir)
    at = opened(page, run=run.name, map="umap", lasso="-1000,0~0,1000~0,-1000")
    assert not at.toast
    assert "UMAP is being computed" in words(at)
    assert "the lasso leaves all images" in words(at)
    assert "10,000 of 10,000" in words(at)
    held.end()
    at.run()
    assert not at.exception
    assert "is being computed" not in words(at)
    assert "10,000 of 10,000" not in words(at)
