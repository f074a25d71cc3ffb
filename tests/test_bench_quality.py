"""The quality tables: what is planned, what is kept, and what their figures mean."""

import json
import statistics
from dataclasses import replace

import numpy as np
import pytest

from ganad.__main__ import app
from ganad.bench import quality as b
from ganad.config import METHOD_NAMES, resolve
from ganad.data import sources
from ganad.errors import ConfigError
from ganad.evaluation import metrics
from ganad.runs import run_directory
from ganad.scoring import baselines


def row(method="ganomaly", digit=8, seed=0, auroc=0.9, protocol="B", **said):
    job = b.Job(protocol, method, digit, seed)
    fixed = dict(run="r", average_precision=0.5, parts=(0.1, 0.2, 0.3), seconds=10.0, tested=10_000)
    return b.Row(job=job, auroc=auroc, **(fixed | said))


def fake_work(aurocs):
    """A worker that only says how it went."""

    def work(run):
        s = run_directory.settings(run)
        value = aurocs.pop(0)
        parts = {p: {"auroc": value} for p in ("residual", "discrimination", "latent")}
        said = {"auroc": value, "average_precision": 0.5, "parts": parts, "n_normal": 10, "n_anomalous": 90}
        said |= {"prevalence": 0.9, "eer": 0.1, "threshold": 1.0, "hit_rate": 0.5, "false_alarm_rate": 0.05}
        said |= {"weights": {"residual": 0.0, "discrimination": 0.0, "latent": 1.0}, "per_digit": {}}
        run_directory.write_json(run / "report.json", said)
        run_directory.write_status(run, replace(run_directory.read_status(run), state="finished", seconds=5.0 + s.seed))
        return "finished"

    return work


def test_protocol_b_calls_one_digit_normal_and_a_all_others():
    assert b.normal("B", 3) == (3,)
    assert b.normal("A", 3) == (0, 1, 2, 4, 5, 6, 7, 8, 9)


def test_without_wishes_the_plan_is_what_two_cores_can_afford():
    jobs = b.plan(METHOD_NAMES, ["B", "A"], None, None)
    one_normal, nine_normal = 30 + 30 + 10 * (len(METHOD_NAMES) - 2), 10 + 30 + 10 + 10
    assert len(jobs) == len(set(jobs)) == one_normal + nine_normal
    assert {j.method for j in jobs if j.protocol == "A"} == set(METHOD_NAMES)
    assert {(j.digit, j.seed) for j in jobs if (j.protocol, j.method) == ("B", "egbad") and j.seed} == {
        (d, s) for d in range(10) for s in (1, 2)
    }


def test_named_digits_and_seeds_are_taken_for_every_method():
    jobs = b.plan(["egbad", "anogan"], ["A"], [1, 5], [7])
    assert jobs == [b.Job("A", m, d, 7) for m in ("egbad", "anogan") for d in (1, 5)]
    assert b.plan(["anogan"], ["B"], [4], None) == [b.Job("B", "anogan", 4, 0)]
    assert [j.digit for j in b.plan(["egbad"], ["B"], None, [1])] == list(range(10))


def test_a_finished_run_is_found_again_and_an_unfinished_one_is_not(runs_dir, monkeypatch):
    monkeypatch.setattr("ganad.training.worker.work", fake_work([0.91, 0.92, 0.5]))
    jobs = [b.Job("B", "ganomaly", d, 0) for d in (2, 4)]
    first = b.quality(jobs, "tuned", print)
    assert [r.auroc for r in first] == [0.91, 0.92]
    again = b.quality(jobs, "tuned", print)  # a third training would have said 0.5
    assert [r.run for r in again] == [r.run for r in first]
    run = run_directory.find(first[0].run)
    run_directory.write_status(run, replace(run_directory.read_status(run), state="stopped"))
    assert b.quality(jobs[:1], "tuned", print)[0].auroc == 0.5
    assert b.finished(resolve("ganomaly", "tuned", normal=(2,), epochs=3)) is None


def test_a_run_that_fails_ends_the_command_with_its_reason(runs_dir, monkeypatch):
    def work(run):
        run_directory.write_status(run, replace(run_directory.read_status(run), state="failed", error="it ran away"))
        return "failed"

    monkeypatch.setattr("ganad.training.worker.work", work)
    with pytest.raises(b.RunError, match="it ran away"):
        b.quality([b.Job("B", "ganomaly", 2, 0)], "tuned", print)


def test_on_a_cluster_what_is_missing_is_trained_together_and_the_rest_is_found_again(runs_dir, monkeypatch):
    work, asked = fake_work([0.91, 0.92, 0.93]), []

    def run_all(folder, more, progress, cluster):
        todo = more()
        asked.append((len(todo), cluster))
        for planned in todo:
            run = planned.run or run_directory.create(planned.settings)
            b.store.mark(run, folder, planned.key)
            work(run)
            yield planned.key, run
        assert more() == []

    monkeypatch.setattr(b.ray_engine, "run_all", run_all)
    monkeypatch.setattr("ganad.training.worker.work", lambda run: pytest.fail("trained here"))
    cluster = b.ray_engine.Cluster("ray://there:10001", gpus=0.5)
    jobs = [b.Job("B", "ganomaly", d, 0) for d in (2, 4)]
    rows = b.quality(jobs, "tuned", print, cluster)
    assert [r.auroc for r in rows] == [0.91, 0.92]
    assert [r.auroc for r in b.quality([*jobs, b.Job("A", "ganomaly", 4, 0)], "tuned", print, cluster)] == [
        0.91,
        0.92,
        0.93,
    ]
    assert [r.auroc for r in b.quality(jobs, "tuned", print, cluster)] == [0.91, 0.92]
    assert asked == [(2, cluster), (1, cluster)], "where nothing is missing no cluster is asked"
    assert not b.store.listing(), "the tables are no study on the page"


def test_a_run_that_fails_on_the_cluster_ends_the_command_with_its_reason(runs_dir, monkeypatch):
    def run_all(folder, more, progress, cluster):
        for planned in more():
            run = run_directory.create(planned.settings)
            run_directory.write_status(
                run, replace(run_directory.read_status(run), state="failed", error="it ran away")
            )
            yield planned.key, run

    monkeypatch.setattr(b.ray_engine, "run_all", run_all)
    with pytest.raises(b.RunError, match="it ran away"):
        b.quality([b.Job("B", "ganomaly", 2, 0)], "tuned", print, b.ray_engine.Cluster())


@pytest.fixture
def cheap_baselines(monkeypatch):
    monkeypatch.setattr(
        b,
        "baseline",
        lambda p, name, digits, data=None, tested=None: [{"auroc": 0.5, "average_precision": 0.25} for _ in digits],
    )


def test_a_cell_is_mean_and_spread_over_seeds_and_the_last_one_over_whole_seeds(cheap_baselines):
    values = {0: (0.90, 0.95), 1: (0.92, 0.97), 2: (0.91, 0.93)}
    rows = [row(digit=d, seed=s, auroc=v) for s, pair in values.items() for d, v in zip((2, 8), pair, strict=True)]
    last = b.table("B", rows).splitlines()[-1]
    cells = [c.strip(" *") for c in last.split("|")[1:-1]]
    means = [statistics.mean(pair) for pair in values.values()]
    assert cells[0] == "GANomaly"
    assert cells[1] == metrics.mean_and_spread([0.90, 0.92, 0.91])
    assert cells[3] == f"{statistics.mean(means):.4f} ± {statistics.stdev(means):.4f}"


def test_seeds_that_cover_only_some_digits_do_not_blur_the_mean_over_digits(cheap_baselines):
    rows = [row(digit=2, auroc=0.9), row(digit=8, auroc=0.8), row(digit=2, seed=1, auroc=0.7)]
    cells = [c.strip(" *") for c in b.table("B", rows).splitlines()[-1].split("|")[1:-1]]
    assert cells[1].startswith("0.8000 ± ")
    assert cells[3] == "0.8000"  # of the means 0.8 and 0.8, and no spread: one seed alone covers both


def test_baselines_stand_above_the_methods_and_are_what_scikit_learn_says(runs_dir, monkeypatch):
    true = sources.load_test().digit
    monkeypatch.setattr(baselines, "scores", lambda name, normal, data: (true == 3).astype(float))
    said = b.baseline("A", "pca", [3, 4])
    assert said[0] == {"auroc": 1.0, "average_precision": 1.0}
    assert said[1]["auroc"] < 0.5
    lines = b.table("A", [row(protocol="A", digit=3), row(protocol="A", digit=4)]).splitlines()
    assert [line.split("|")[1].strip(" *") for line in lines[2:]] == [*baselines.NAMES.values(), "GANomaly"]


def test_digits_that_no_choice_saw_are_reported_apart(cheap_baselines):
    rows = [row(protocol="A", digit=d, auroc=0.9 + d / 100) for d in range(10)]
    last = b.apart(rows).splitlines()[-1]
    assert [c.strip(" *") for c in last.split("|")[1:-1]] == ["GANomaly", "0.9400", "0.9500"]
    assert b.apart(rows[:9]) == "", "a mean of fewer digits would be another figure"


def test_what_is_scored_on_a_sample_has_the_baselines_on_that_sample_beside_it(monkeypatch):
    whole = sources.load(None)
    sampled = np.isin(whole.test.index, sources.split(whole, resolve("anogan", "tuned", normal=(8,))).test.index)
    assert sampled.sum() == 2000
    anomalous = whole.test.digit != 8
    # Right about each image of the sample and wrong about every other.
    score = np.where(sampled, anomalous, ~anomalous).astype(np.float32)
    monkeypatch.setattr(baselines, "scores", lambda name, normal, data: score)
    (line,) = b.covers("B", [row("anogan", tested=2000)]).splitlines()
    assert all(f"{words} 1.0000" in line for words in baselines.NAMES.values())
    assert b.baseline("B", "knn", [8])[0]["auroc"] < 0.5


def test_every_table_says_what_it_covers(cheap_baselines):
    rows = [row(digit=d, seconds=d) for d in range(10)] + [row(digit=2, seed=1, seconds=50.0)]
    rows += [row("anogan", tested=2000)]
    ganomaly, anogan = b.covers("B", rows).splitlines()
    assert "seed 0 on all digits; seed 1 on 2." in ganomaly
    assert "50 s at most" in ganomaly
    assert "2,000 test images" in anogan


def test_the_page_holds_every_finished_run_of_the_plan_and_no_other(runs_dir, monkeypatch, cheap_baselines):
    monkeypatch.setattr("ganad.training.worker.work", fake_work([0.91, 0.92, 0.93]))
    jobs = [b.Job("B", "egbad", 4, 0), b.Job("A", "ganomaly", 1, 0), b.Job("B", "egbad", 4, 9)]
    b.quality(jobs, "tuned", print)
    assert {r.job for r in b.known("tuned")} == set(jobs[:2])
    page = b.page(b.known("tuned"), "tuned")
    assert "Protocol B" in page
    assert "Protocol A" in page
    assert "0.9100" in page
    assert "0.9300" not in page


def test_the_command_prints_markdown_or_json_and_writes_the_page(
    runs_dir, monkeypatch, cheap_baselines, tmp_path, capsys
):
    monkeypatch.setattr("ganad.training.worker.work", fake_work([0.91]))
    words = ["bench", "quality", "--method", "egbad", "--protocol", "B", "--digits", "4", "--seeds", "0"]
    app([*words, "--write", str(tmp_path / "r.md")], standalone_mode=False)
    assert "| **EGBAD** | 0.9100 | **0.9100** |" in capsys.readouterr().out
    assert "| **EGBAD** | 0.9100" in (tmp_path / "r.md").read_text()
    app([*words, "--json"], standalone_mode=False)
    assert json.loads(capsys.readouterr().out)[0]["auroc"] == 0.91


@pytest.fixture
def clothes(tmp_path):
    """Own images of three named classes; the data, and what stands beside them."""
    rng, folder = np.random.default_rng(0), tmp_path / "clothes"
    folder.mkdir()
    arrays = {}
    for part, n in (("train", 180), ("test", 30)):
        arrays[f"y_{part}"] = np.arange(n) % 3
        arrays[f"x_{part}"] = rng.integers(0, 256, (n, 28, 28), dtype=np.uint8)
    np.savez(folder / "own.npz", **arrays)
    (folder / "classes.txt").write_text("Shirt\nAnkle boot\nBag\n")
    return str(folder / "own.npz")


def test_own_images_have_a_table_with_the_names_of_their_classes(
    runs_dir, monkeypatch, cheap_baselines, clothes, capsys
):
    monkeypatch.setattr("ganad.training.worker.work", fake_work([0.91, 0.92, 0.93]))
    page = runs_dir / "page.md"
    args = ["bench", "quality", "--data", clothes, "--method", "egbad", "--protocol", "B", "--write", str(page)]
    app(args, standalone_mode=False)
    printed = capsys.readouterr().out
    assert "| detector | Shirt | Ankle boot | Bag | mean |" in printed
    assert "| **EGBAD** | 0.9100 | 0.9200 | 0.9300 | **0.9200** |" in printed
    assert "seed 0 on all classes" in printed
    text = page.read_text()
    assert text.startswith("# How well it detects: own.npz\n")
    assert "normal class" in text
    assert clothes not in text, "a page names no path of a machine"


def test_a_class_that_own_images_do_not_have_is_refused(clothes):
    with pytest.raises(ConfigError, match="0 to 2, got 3"):
        b.plan(["egbad"], ["B"], [1, 3], None, clothes)
    assert [j.digit for j in b.plan(["egbad"], ["B"], None, None, clothes)] == [0, 1, 2]
    assert b.normal("A", 1, clothes) == (0, 2)


def test_remembered_baselines_of_class_12_and_of_classes_1_and_2_are_two_files():
    assert baselines._stem("pca", (1, 2)) == "pca-12-", "as it ever was"
    assert len({baselines._stem("pca", n) for n in ((1, 2), (12,), (1, 12), (2, 11))}) == 4
