"""Studies on the pages: several runs by one click, and what a study says on Compare."""

import json

import pytest

from ganad.config import resolve
from ganad.studies import process, store
from ganad.studies.plan import key, parse
from ganad.ui.panels import several_runs
from tests.conftest import as_read, put_finished
from tests.test_pages import opened, words


@pytest.fixture
def study(runs_dir):
    """A study of two classes and two settings, one run of it finished."""
    plan = parse({"methods": ["ganomaly"], "normal": [[8], [3]], "grid": {"latent": ["100", "50"]}})
    made = store.create(plan)
    run = put_finished(runs_dir)
    settings = next(s for s in plan.runs() if s.normal == (8,) and s.latent == 100)
    (run / "config.json").write_text(json.dumps(settings.model_dump(mode="json")))
    store.mark(run, made, key(settings))
    store.keep_objective(made, run, 0.9123)
    return made


def test_compare_offers_no_study_where_there_is_none(runs_dir):
    put_finished(runs_dir)
    at = opened("pages/5_Compare.py")
    assert not [box for box in at.selectbox if box.label == "Study"]


def test_a_study_shows_how_far_it_is_and_its_best_run_beside_the_test_figure(study):
    at = opened("pages/5_Compare.py")
    box = next(box for box in at.selectbox if box.label == "Study")
    box.select(study.name).run()
    said = as_read(words(at))
    assert "1 finished" in said
    assert "3 planned" in said
    assert "0.9123" in said
    assert "had no part in the choice" in said
    assert [b.label for b in at.button if b.key == "study_go_on"] == ["Go on"]


def test_going_on_starts_a_process_for_the_study(study, monkeypatch):
    begun = []
    monkeypatch.setattr(process, "go_on", begun.append)
    at = opened("pages/5_Compare.py")
    next(box for box in at.selectbox if box.label == "Study").select(study.name).run()
    next(b for b in at.button if b.key == "study_go_on").click().run()
    assert [folder.name for folder in begun] == [study.name]


@pytest.mark.parametrize(
    ("toggles", "runs"),
    [
        ((), 1),
        (("several_each",), 10),
        (("several_seeds",), 3),
        (("several_each", "several_seeds", "several_methods"), 120),
    ],
)
def test_several_runs_are_those_that_the_switches_ask_for(toggles, runs, monkeypatch):
    monkeypatch.setattr(several_runs, "held", lambda name: name in toggles)
    made = several_runs.plan_of(resolve("ganomaly", "tuned", normal=(8,), seed=4, epochs=3)).runs()
    assert len(made) == runs
    assert {s.epochs for s in made} == {3}
    assert min(s.seed for s in made) == 4


def test_what_the_form_asks_otherwise_is_asked_of_every_run(monkeypatch):
    monkeypatch.setattr(several_runs, "held", lambda name: name == "several_each")
    asked = resolve("egbad", "tuned", normal=(1, 2), latent=20, weights=(1.0, 0.0, 2.0), contamination=0.1)
    made = several_runs.plan_of(asked).runs()
    assert len(made) == 10
    assert {(s.latent, s.weights, s.contamination) for s in made} == {(20, (1.0, 0.0, 2.0), 0.1)}
