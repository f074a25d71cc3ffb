"""The race on Methods: who runs, and that its sentence says what was measured."""

import numpy as np
import pytest

from ganad import service
from ganad.service import Lane
from ganad.ui.panels import race


def test_the_lanes_draw_what_the_runs_would_and_the_search_ends_where_it_ends():
    image = service.test_images("anogan-n8")[0]
    search, one_pass = service.race(["anogan-n8", "ganomaly-n8"], image)
    assert (search.method, one_pass.method) == ("AnoGAN", "GANomaly")
    assert (one_pass.steps, one_pass.looks) == (0, 3)
    assert len(one_pass.seconds) == len(one_pass.frames) == 1
    assert np.array_equal(one_pass.frames[0], service.reconstruct("ganomaly-n8", image[None])[0])
    assert len(search.seconds) == len(search.frames) > 2
    assert (np.diff(search.seconds) > 0).all()
    found = service.search("anogan-n8", image)
    assert search.steps == len(found.score) - 1
    assert np.array_equal(search.frames[-1], found.frames[-1])


def lane(method, seconds, steps=0):
    return Lane("", method, steps, 1, np.array(seconds), np.zeros((len(seconds), 28, 28), np.uint8))


def test_the_sentence_holds_every_time_and_the_ratio_to_the_slowest():
    words = race.in_words([lane("AnoGAN", [0.1, 0.3], 100), lane("EGBAD", [0.003]), lane("GANomaly", [0.004])])
    assert "AnoGAN takes 300 ms (100 steps)" in words
    assert "EGBAD 3 ms, 100 times as fast" in words
    assert "GANomaly 4 ms, 75 times as fast" in words


@pytest.mark.parametrize("picked", ["egbad-n3", "anogan-n3"])
def test_the_task_of_the_picked_run_is_raced_on_with_its_own_net(picked):
    runners = race.runners_of(service.run_info(picked))
    assert runners[0].method == "anogan"
    assert {r.settings.normal for r in runners} == {(3,)}
    assert picked in {r.name for r in runners}


def test_a_task_that_only_one_method_has_nets_for_gives_way_to_another(monkeypatch):
    there, gone = service.has_nets, {f"{m}-all-but-8" for m in ("ganomaly", "egbad", "fanogan")}
    monkeypatch.setattr(service, "has_nets", lambda name: name not in gone and there(name))
    runners = race.runners_of(service.run_info("anogan-all-but-8"))
    assert len(runners) > 1
    assert "anogan-all-but-8" not in {r.name for r in runners}


def test_nobody_races_alone(runs_dir):
    assert race.runners_of(None) == []
