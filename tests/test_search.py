"""A search: what is tried next follows from study.json and from what came of earlier trials, and a trial that others beat ends itself."""

import json
import math
from dataclasses import replace

import pytest

from ganad.config import resolve
from ganad.errors import ConfigError, GanadError
from ganad.runs import run_directory, trials
from ganad.studies import local_engine, objective, search, store, summary, sweep
from ganad.studies.plan import parse
from ganad.studies.space import space
from ganad.training import early_stopping, worker
from tests.test_cli import ganad
from tests.test_studies import SMALL, plan, quiet

SPACE = {"w_enc": "0.1:10:log", "latent": "4:16"}


def searched(**asked):
    return plan(**({"search": SPACE, "trials": 6} | asked))


@pytest.fixture
def pretended(monkeypatch):
    """Runs end at once, with an objective that has its one top at w_enc 1 and latent 16; the list says the order."""
    done, ends = [], {}

    def run_all(study, more, progress):
        waiting = more()
        while waiting:
            planned = waiting.pop(ends.get("which", 0) % len(waiting))
            run = planned.run or run_directory.create(planned.settings)
            store.mark(run, study, planned.key)
            store.mark_trial(run, planned.trial)
            state = ends.get(len(done), "finished")
            if state == store.EARLY:
                run_directory.write_text(run / "metrics.jsonl", '{"step": 1, "epoch": 1, "objective": 0.25}\n')
                run_directory.write_json(run / trials.NOTE, {"epoch": 1, "objective": 0.25})
                state = "stopped"
            run_directory.write_status(run, replace(run_directory.read_status(run), state=state))
            done.append(planned.key)
            yield planned.key, run
            waiting += more()

    def value(name):
        s = run_directory.settings(run_directory.find(name))
        return 0.9 - abs(math.log10(s.w_enc)) / 4 - (16 - s.latent) / 100 + s.seed / 1000

    monkeypatch.setattr(local_engine, "run_all", run_all)
    monkeypatch.setattr(sweep, "objective", value)
    return done, ends


def tried(study):
    return [tuple(values.values()) for values in store.trials(study)]


@pytest.mark.parametrize(
    ("text", "ends"), [("4:16", ("4", "16")), (" 8, 4,8 ", ("8", "4")), ("1e1:2e1", ("10", "20")), ("1:100:log", ("1", "100"))]
)  # fmt: skip
def test_a_space_is_a_range_or_a_few_values(text, ends):
    assert space("ganomaly", "latent", text).ends == ends


@pytest.mark.parametrize(
    ("setting", "text", "words"),
    [
        ("latent", "16:4", "LOW below HIGH"),
        ("latent", "4:16:lin", "LOW:HIGH or LOW:HIGH:log"),
        ("latent", "4.5:16", "latent is a whole number"),
        ("latent", "16", "LOW:HIGH, LOW:HIGH:log or VALUE,VALUE"),
        ("lr", "0:1:log", "begins above 0"),
        ("lr", "nan:1", "LOW below HIGH"),
        ("lr", "a:b", "A range of lr"),
        ("precision", "1:2", "precision is no number"),
        ("dropout", "0:1", "GANomaly has no setting 'dropout'"),
    ],
)
def test_a_space_that_is_none_says_why(setting, text, words):
    with pytest.raises(ConfigError, match=words):
        space("ganomaly", setting, text)


def test_a_number_is_written_with_four_digits_and_never_leaves_its_range():
    lr = space("ganomaly", "lr", "0.00012345:0.00098765")
    assert lr.text(0.00045678912) == "0.0004568"
    assert [float(t) for t in lr.ends] == [0.00012345, 0.00098765], "rounded they would lie outside"


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"trials": 0}, "wants the number of its trials"),
        ({"grid": {"filters": ["4", "8"]}}, "a grid or a search, not both"),
        ({"methods": ["ganomaly", "egbad"]}, "a search is of one method"),
        ({"search": {}, "trials": 3}, "name what to search"),
        ({"methods": ["anogan"], "search": {"latent": "4:8"}, "stop_early": "median"}, "AnoGAN takes minutes to score"),
        ({"search": {"seed": "1:3"}}, "'seed' is no setting that a study can vary"),
    ],
)
def test_a_search_that_does_not_fit_says_what_is_wrong(asked, words):
    with pytest.raises(ConfigError, match=words):
        searched(**asked)


def test_an_end_of_a_range_that_no_run_can_have_is_an_error_before_anything_is_trained(runs_dir):
    with pytest.raises(ConfigError, match="latent"):
        store.create(searched(search={"latent": "0:16"}))
    with pytest.raises(ConfigError, match="at most 2,000 runs"):
        store.create(searched(trials=1001, seeds=[0, 1]))
    assert not store.listing()


def test_a_search_that_is_done_again_tries_the_same_and_another_seed_something_else(runs_dir, pretended):
    first, again, other = (store.create(searched(trials=12, search_seed=s)) for s in (0, 0, 1))
    for study in (first, again, other):
        sweep.go_on(study, quiet, quiet)
    assert len(set(tried(first))) == 12
    assert tried(first) == tried(again)
    assert set(tried(first)).isdisjoint(tried(other))


def test_with_several_at_once_it_does_not_matter_who_is_done_first(runs_dir, pretended):
    done, ends = pretended
    first, again = (store.create(searched(trials=30, at_once=3)) for _ in range(2))
    sweep.go_on(first, quiet, quiet)
    order, ends["which"] = list(done), -1  # the last of those at work ends first
    sweep.go_on(again, quiet, quiet)
    assert done[30:] != order, "or this test would say nothing"
    assert tried(first) == tried(again)


def test_a_search_comes_closer_to_the_top_than_what_is_drawn_at_random(runs_dir, pretended):
    study = store.create(searched(trials=40))
    sweep.go_on(study, quiet, quiet)
    values = [row.objective for row in summary.rows(study)]
    assert sum(values[-10:]) / 10 > sum(values[:10]) / 10 + 0.05
    assert summary.best(summary.rows(study)).objective > 0.85


def test_nothing_is_tried_twice_while_there_is_something_new_and_what_is_left_over_costs_nothing(runs_dir, pretended):
    done, _ = pretended
    study = store.create(searched(search={"latent": "4:9"}, trials=8))
    sweep.go_on(study, quiet, quiet)
    assert sorted(tried(study)[:6]) == [(str(n),) for n in range(4, 10)]
    assert len(done) == len(store.planned(study)) == 6
    assert store.to_come(study) == 0


def test_a_search_that_was_interrupted_goes_on_as_if_it_had_not_been(runs_dir, pretended):
    done, _ = pretended
    whole, broken = store.create(searched()), store.create(searched())
    sweep.go_on(whole, quiet, quiet)

    def interrupt(run_key, run):
        if len(done) == 6 + 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep.go_on(broken, quiet, interrupt)
    assert [r.state for r in store.planned(broken)] == ["finished"] * 4
    assert store.to_come(broken) == 2
    sweep.go_on(broken, quiet, quiet)
    assert tried(broken) == tried(whole)
    assert len(done) == 12, "what was finished is not done again"
    sweep.go_on(broken, quiet, quiet)
    assert len(done) == 12
    assert store.to_come(broken) == 0


def test_a_trial_is_judged_by_the_mean_over_its_classes_and_seeds_and_trains_them_one_after_the_other(
    runs_dir, pretended
):
    study = store.create(searched(seeds=[0, 1], trials=3))
    sweep.go_on(study, quiet, quiet)
    rows = summary.rows(study)
    assert [r.seed for r in rows] == [0, 1] * 3
    best = summary.best_trial(rows)
    means = [(rows[i].objective + rows[i + 1].objective) / 2 for i in (0, 2, 4)]
    assert best.objective == pytest.approx(max(means))
    assert best.values == rows[2 * means.index(max(means))].values


def test_of_a_trial_that_was_stopped_early_the_other_runs_are_left_out_and_the_search_learns_of_it(runs_dir, pretended):
    done, ends = pretended
    ends[0] = store.EARLY
    study = store.create(searched(seeds=[0, 1], trials=2, stop_early="median"))
    ended = []
    sweep.go_on(study, quiet, lambda run_key, run: ended.append(run.name))
    assert [r.state for r in store.planned(study)] == ["stopped early", "finished", "finished"]
    assert len(done) == 3
    assert summary.counts(summary.rows(study)) == {"stopped early": 1, "finished": 2}
    sweep.go_on(study, quiet, quiet)
    assert len(done) == 3, "it is over, and is not gone on with"
    second = store.planned(study)[1]
    assert json.loads((second.run / trials.TRIAL).read_text()) == {
        "stop_early": "median",
        "others": [{"curve": {"1": 0.25}, "finished": False}],
    }


def test_a_run_that_failed_costs_its_trial_and_not_the_search(runs_dir, pretended):
    done, ends = pretended
    ends[1] = "failed"
    study = store.create(searched(trials=3))
    sweep.go_on(study, quiet, quiet)
    assert [r.state for r in store.planned(study)] == ["finished", "failed", "finished"]
    sweep.go_on(study, quiet, quiet)
    assert [r.state for r in store.planned(study)] == ["finished"] * 3
    assert len(done) == 4


def test_the_median_ends_what_never_was_as_good_as_half_of_four_finished_trials():
    others = [({1: v, 2: v, 3: v}, True) for v in (0.6, 0.7, 0.8, 0.9)]  # median 0.75
    ends = lambda own, rest=others: early_stopping.behind("median", own, rest, epochs=4)  # noqa: E731
    assert ends({1: 0.74})
    assert not ends({1: 0.76})
    assert not ends({1: 0.76, 2: 0.70}), "its best so far counts"
    assert not ends({1: 0.1}, others[:3]), "three say nothing yet"
    assert not ends({1: 0.1}, [*others[:3], ({1: 0.9}, False)]), "and one that was ended itself is none of them"
    assert not early_stopping.behind("median", {1: 0.1}, others, epochs=8), "within the first quarter nobody is ended"
    assert not early_stopping.behind("none", {1: 0.1}, others, epochs=4)


def test_successive_halving_lets_one_of_three_go_on_at_the_first_third_and_ninth_epoch():
    others = [({1: v}, False) for v in (0.5, 0.6, 0.7, 0.8, 0.9)]
    ends = lambda own: early_stopping.behind("asha", own, others, epochs=9)  # noqa: E731
    assert not ends({1: 0.85}), "second of six"
    assert ends({1: 0.75}), "third of six"
    assert not ends({1: 0.85, 2: 0.1}), "nobody is looked at in the second epoch"


def test_a_judged_run_has_the_weights_of_any_other_and_its_last_value_is_the_objective(runs_dir):
    unfitted = {
        "epochs": "2",
        "w_density": "0",
        "w_typicality": "0",
        "w_transform": "0",
    }  # what is fitted at the end alone is not in the curve
    settings = resolve("ganomaly", "tuned", normal=(3,), **(SMALL | unfitted))
    plain, judged = run_directory.create(settings), run_directory.create(settings)
    store.mark_trial(judged, {"stop_early": "median", "others": []})
    assert [worker.work(plain), worker.work(judged)] == ["finished", "finished"]
    assert (plain / "weights.safetensors").read_bytes() == (judged / "weights.safetensors").read_bytes()
    assert trials.curve(plain) == {}
    curve = trials.curve(judged)
    assert list(curve) == [1, 2]
    assert curve[2] == pytest.approx(objective.objective(judged.name), abs=1e-6)


def test_a_run_that_others_beat_ends_itself_keeps_what_it_had_and_goes_on_only_by_hand(runs_dir):
    run = run_directory.create(resolve("ganomaly", "tuned", normal=(3,), **(SMALL | {"epochs": "4"})))
    better = {"curve": {str(e): 0.999 for e in range(1, 5)}, "finished": True}
    store.mark_trial(run, {"stop_early": "median", "others": [better] * 4})
    assert worker.work(run) == "stopped"
    assert json.loads((run / trials.NOTE).read_text())["epoch"] == 1
    assert "stopped early after epoch 1" in (run / "log.txt").read_text()
    assert (run / "state.pt").exists()
    assert list(trials.curve(run)) == [1]
    assert worker.work(run) == "finished"
    assert list(trials.curve(run)) == [1, 2, 3, 4]


def test_a_damaged_trial_is_an_error_in_words(runs_dir):
    run = run_directory.create(resolve("ganomaly", "tuned", normal=(3,), **SMALL))
    (run / trials.TRIAL).write_text('{"stop_early": "median", "others": [3]}')
    assert worker.work(run) == "failed"
    assert "trial.json of 0001-ganomaly-n3-s0 is damaged" in run_directory.read_status(run).error
    study = store.create(searched())
    (study / "trials.json").write_text('[{"latent": 3}]')
    with pytest.raises(GanadError, match=r"trials\.json of 0001-ganomaly-w-enc-latent is damaged"):
        store.planned(study)


def test_without_optuna_one_sentence_says_how_to_get_it_and_a_grid_works_all_the_same(
    runs_dir, monkeypatch, pretended, capsys
):
    monkeypatch.setattr(search, "available", lambda: False)
    study = store.create(searched())
    with pytest.raises(
        GanadError, match=r"^Optuna is not installed here: python -m pip install -r requirements-search\.txt$"
    ):
        sweep.go_on(study, quiet, quiet)
    sweep.go_on(store.create(plan(grid={"latent": ["4", "8"]})), quiet, quiet)
    assert len(pretended[0]) == 2
    told = ganad("sweep", "--normal", "3", "--search", "latent=4:8")
    assert (told.returncode, told.stderr.count("\n")) == (1, 1)
    assert "requirements-search.txt" in told.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--trials", "3"], "--trials is of a search"),
        (["--search", "latent"], "--search wants KEY="),
        (["--search", "latent=4:8", "--stop-early", "soon"], "--stop-early is median, asha or none"),
        (["--search", "latent=8:4"], "LOW below HIGH"),
    ],
)
def test_the_command_says_what_it_wants_of_a_search(runs_dir, words, said):
    told = ganad("sweep", "--normal", "3", *words)
    assert told.returncode == 2
    assert said in told.stderr


def test_a_search_by_the_command_names_its_best_settings_by_the_mean_over_its_seeds(runs_dir, pretended):
    words = ["--search", "w_enc=0.1:10:log", "--search", "latent=4,8,16", "--trials", "5", "--stop-early", "asha"]
    told = ganad("sweep", "--normal", "3", "--seeds", "0-1", *words)
    assert told.returncode == 0
    (study,) = store.listing()
    made = parse(json.loads((study / "study.json").read_text()))
    assert (made.search, made.trials, made.stop_early, made.at_once) == (
        {"w_enc": "0.1:10:log", "latent": "4,8,16"},
        5,
        "asha",
        1,
    )
    best = summary.best_trial(summary.rows(study))
    said = f"best settings, mean of 2 runs: w_enc {best.values['w_enc']}, latent {best.values['latent']}, {best.objective:.4f}"
    assert said in told.stderr
    assert told.stdout.strip() == str(study)
