"""What the browser says of the latent map, and which runs have one."""

import base64

import numpy as np
import pytest
from PIL import Image

from ganad import service
from ganad.ui.components import latent_map
from ganad.ui.panels import latent_space
from ganad.ui.state import cache
from ganad.ui.state.decision_rule import DecisionRule
from ganad.ui.state.scored_view import ScoredView
from ganad.ui.state.selection import Selection
from tests.conftest import put_finished
from tests.test_pages import opened, words

SQUARE = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]


def test_a_line_from_the_browser_is_read_as_corners():
    assert latent_map.parse(SQUARE) == ((0, 0), (1, 0), (1, 1))
    assert latent_map.parse([[1 / 3, 2e5 / 3], *SQUARE])[0] == (0.3333, 66670)  # short enough for an address


@pytest.mark.parametrize(
    "sent",
    [None, 7, "line", SQUARE[:2], [*SQUARE, [1]], [*SQUARE, [1, "x"]], [*SQUARE, [1, float("nan")]], SQUARE * 1000],
)
def test_whatever_is_no_line_is_none(sent):
    assert latent_map.parse(sent) is None


@pytest.mark.parametrize("name", ["egbad-article", "anogan-n8"])
def test_a_lasso_leaves_all_where_there_is_no_map_and_starts_no_search(name, monkeypatch):
    monkeypatch.setattr(
        service, "codes", lambda n: pytest.fail("nobody asked") if n == "anogan-n8" else service.method(n)
    )
    run = service.run_info(name)
    view = ScoredView(run, service.scores(name), DecisionRule(run.weights))
    lassoed = view.selecting(Selection(lasso=((0, 0), (1, 0), (1, 1))))
    assert np.array_equal(lassoed.rows, view.rows)
    assert cache.has_codes(run) == (name == "egbad-article")


def test_each_held_out_normal_is_as_far_from_its_nearest_as_the_slow_way_says(monkeypatch):
    val = np.random.default_rng(0).normal(size=(1200, 5)).astype(np.float32)
    monkeypatch.setattr(cache, "codes", lambda name: (val, val))
    slow = [np.sort(np.linalg.norm(val - v, axis=1))[1] for v in val[495:505]]
    assert latent_space._own_distances("slow", 1)[495:505] == pytest.approx(slow, rel=1e-5)


def test_a_drawn_digit_has_nearest_normals_too(runs_dir):
    run = put_finished(runs_dir)
    drawn = np.asarray(Image.fromarray(service.examples()[8]).resize((112, 112), Image.Resampling.BICUBIC))
    at = opened("pages/4_Score.py", run=run.name)
    at.session_state["pad"] = {"pixels": base64.b64encode(drawn.tobytes()).decode()}
    at.session_state["nearest"] = True
    at.run()
    assert not at.exception
    assert words(at).count("held-out normal image, ") == 5
    assert "of held-out normals are from theirs" in words(at)
