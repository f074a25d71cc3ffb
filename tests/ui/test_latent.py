"""What the browser says of the latent map, and which runs have one."""

from dataclasses import replace

import numpy as np
import pytest

from ganad import service
from ganad.ui import cache, selection
from ganad.ui.components import latent_map
from ganad.ui.mix import Mix
from ganad.ui.selection import Selection

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
    mix = Mix(run.weights, 1.0, "", True, "by hand")
    everything = selection.rows(run, mix, Selection())
    lassoed = selection.rows(run, mix, replace(Selection(), lasso=((0, 0), (1, 0), (1, 1))))
    assert np.array_equal(lassoed, everything)
    assert cache.has_codes(run) == (name == "egbad-article")
