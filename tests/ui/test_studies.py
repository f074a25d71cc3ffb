"""Studies on the pages: several runs by one click, and what a study says on Compare."""

import base64
import json
from dataclasses import replace

import numpy as np
import pytest

from ganad import service
from ganad.config import resolve
from ganad.runs import run_directory, trials
from ganad.studies import process, store
from ganad.studies.plan import key, parse
from ganad.ui.panels import several_runs
from ganad.ui.panels import study as panel
from ganad.ui.views import compare_runs
from tests.conftest import as_read, put_finished
from tests.test_pages import opened, words
from tests.ui.test_comparing import put_like


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


def test_a_click_on_a_cell_leads_to_its_runs_and_never_to_those_of_another(study, monkeypatch):
    for cell, named in (([0, 0], True), ([0, 1], False)):
        monkeypatch.setattr(
            panel, "marked", lambda key, cell=cell: [{"customdata": cell}] if key == "study_matrix" else []
        )
        at = opened("pages/5_Compare.py")
        next(box for box in at.selectbox if box.label == "Study").select(study.name).run()
        said = [x.proto.label for x in at.get("page_link")]
        assert any("objective 0.9123, seed 0, latent 100" in as_read(s) for s in said) == named
    monkeypatch.setattr(panel, "marked", lambda key: [{"customdata": [7, 7]}])  # of a study that was chosen before
    assert not opened("pages/5_Compare.py").exception


def test_a_chosen_study_is_in_the_address_and_is_told_late_only_by_a_step_back(study):
    at = opened("pages/5_Compare.py")
    box = lambda: next(box for box in at.selectbox if box.label == "Study")  # noqa: E731
    box().select(study.name).run()
    assert at.query_params["study"] == study.name
    box().select(panel.NONE).run()
    assert "study" not in at.query_params
    at.query_params["study"] = study.name  # the browser, which has not heard of the last choice yet
    at.run()
    assert box().value == panel.NONE
    assert (
        next(b for b in opened("pages/5_Compare.py", study=study.name).selectbox if b.label == "Study").value
        == study.name
    )


def test_a_search_shows_how_it_went_and_what_was_stopped_early(runs_dir):
    plan = parse(
        {"methods": ["ganomaly"], "normal": [[8]], "trials": 5, "stop_early": "median",
         "search": {"lr": "1e-4:1e-2:log", "batch_size": "32,64"}}
    )  # fmt: skip
    made = store.create(plan)
    for n, (lr, batch, value) in enumerate((("0.001", "32", 0.8), ("0.002", "64", 0.9), ("0.003", "64", None)), 1):
        store.keep_trial(made, {"lr": lr, "batch_size": batch})
        run = put_finished(runs_dir, f"{n:04d}-ganomaly-n8-s0")
        (settings,) = plan.runs_of({"lr": lr, "batch_size": batch})
        run_directory.write_json(run / "config.json", settings.model_dump(mode="json"))
        store.mark(run, made, key(settings))
        if value is None:
            run_directory.write_json(run / trials.NOTE, {"epoch": 1, "objective": 0.5})
            run_directory.write_status(run, replace(run_directory.read_status(run), state="stopped"))
        else:
            store.keep_objective(made, run, value)
    at = opened("pages/5_Compare.py")
    next(box for box in at.selectbox if box.label == "Study").select(made.name).run()
    said = as_read(words(at))
    assert "2 finished, 1 stopped early, 2 to come" in said
    assert "lr 0.002" in said
    assert "objective **0.9000**" in said
    drawn = [json.loads(c.proto.spec) for c in at.get("plotly_chart")]
    went = next(d for d in drawn if any(trace.get("name") == "best so far" for trace in d["data"]))
    by_name = {trace["name"]: trace for trace in went["data"]}
    assert read(by_name["best so far"]["y"]) == [0.8, 0.9, 0.9]
    assert (read(by_name["stopped early"]["x"]), read(by_name["stopped early"]["y"])) == ([3], [0.5])


def read(values):
    """What Plotly sends of numbers: a list, or an array in base64."""
    if isinstance(values, dict):
        return np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"]).tolist()
    return list(values)


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


def test_below_a_study_its_own_runs_are_ticked_and_others_only_without_it(study, runs_dir):
    other = put_finished(runs_dir, "0002-ganomaly-n8-s1")
    at = opened("pages/5_Compare.py", run=other.name)
    drawn = lambda: {name for name in ("0001", "0002") if f"GANomaly · 8 · tuned · {name}" in words(at)}  # noqa: E731
    assert drawn() == {"0001", "0002"}
    next(box for box in at.selectbox if box.label == "Study").select(study.name).run()
    assert drawn() == {"0001"}


def test_ticks_of_a_study_are_of_one_task(runs_dir):
    for n, digit in enumerate((8, 3, 3, 8), 1):
        put_like(runs_dir, f"{n:04d}-ganomaly-n{digit}-s{n}", normal=[digit], seed=n)
    runs = {r.name: r for r in service.list_runs()}
    own = {name for name in runs if not name.startswith("0001")}

    def ticked(picked):
        shown = compare_runs.in_order(list(runs.values()), picked, own)
        return {shown[i].name[:4] for i in compare_runs.first_ticks(shown, picked, own)}

    assert ticked(runs["0001-ganomaly-n8-s1"]) == {"0004"}
    assert ticked(runs["0002-ganomaly-n3-s2"]) == {"0002", "0003"}
