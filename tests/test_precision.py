"""What "auto" comes to: by the processor first, by a clear margin second, and then the same for ever."""

import json
import os

import pytest
import torch

from ganad import service
from ganad.config import resolve
from ganad.runs import run_directory
from ganad.runs.run_directory import create
from ganad.training import throughput, worker

SMALL = dict(normal=(8,), filters=4, latent=8, limit=200, test_limit=200, epochs=1)


def settings(**asked):
    return resolve("ganomaly", "tuned", **(SMALL | asked))


@pytest.fixture
def cache(runs_dir, tmp_path, monkeypatch):
    """An empty cache of decisions, and an empty runs folder."""
    monkeypatch.setenv("GANAD_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def able(monkeypatch):
    """A processor with instructions for bfloat16, whatever this one has."""
    monkeypatch.setattr(throughput, "has_bf16", lambda device: True)


@pytest.fixture
def measured(monkeypatch):
    """Measurements that say what a test wants, one after the other; returns the list that they are taken from."""
    gains = []
    monkeypatch.setattr(
        throughput,
        "measure",
        lambda s, seconds=1.0: {
            "float32": 100.0,
            "bf16": 100.0 * gains[0],
            "gain": gains.pop(0),
            "score": 1.0,
            "fit": None,
        },
    )
    return gains


def test_what_was_asked_for_is_taken_without_a_measurement(cache, able, measured):
    assert [throughput.number_format(settings(precision=p)) for p in ("float32", "bf16")] == ["float32", "bf16"]


def test_a_processor_without_instructions_computes_in_float32_without_a_measurement(cache, measured, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, "amx_bf16": False, "cpu_name": "bf16"})
    assert not throughput.has_bf16(torch.device("cpu"))
    monkeypatch.setattr("ganad.runs.checkpoint.pick_device", lambda: torch.device("cpu"))
    assert throughput.number_format(settings()) == "float32"
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": True})
    assert throughput.has_bf16(torch.device("cpu"))


@pytest.mark.parametrize(("gain", "expected"), [(0.9, "float32"), (1.24, "float32"), (1.25, "bf16"), (1.8, "bf16")])
def test_bf16_is_taken_by_a_clear_margin_alone(gain, expected, cache, able, measured):
    measured.append(gain)
    assert throughput.number_format(settings()) == expected


@pytest.mark.parametrize("first", [1.2, 1.3])
def test_what_was_decided_holds_whatever_is_measured_later(
    first, cache, able, measured, runs_dir, tmp_path, monkeypatch
):
    measured.append(first)
    decided = throughput.number_format(settings())
    measured += [2.5 - first] * 3
    assert throughput.number_format(settings(seed=3, epochs=7, normal=(1, 2), name="another")) == decided
    monkeypatch.setenv("GANAD_RUNS", str(tmp_path / "fresh"))  # nothing is known there
    assert throughput.recall(settings()) is None
    assert throughput.number_format(settings()) == decided
    assert len(measured) == 3, "nothing was measured for that"
    rates = throughput.known(settings())  # as the page's estimate measures
    assert (rates["format"], rates["gain"]) == (decided, 2.5 - first)
    assert throughput.expected(settings(), rates) == decided


def test_without_the_cache_the_runs_folder_remembers(cache, able, measured):
    measured += [1.3, 1.0]
    assert throughput.number_format(settings()) == "bf16"
    throughput.decision(settings()).unlink()
    assert throughput.number_format(settings()) == "bf16"


def test_where_the_cache_cannot_be_written_the_runs_folder_remembers(cache, able, measured):
    cache.write_text("a file in its place")
    measured += [1.3, 1.0]
    assert [throughput.number_format(settings()) for _ in range(2)] == ["bf16", "bf16"]


def test_of_two_that_measure_at_once_the_first_decides(cache, able, measured, monkeypatch):
    asked = settings()
    link = os.link

    def late(part, path):
        monkeypatch.setattr(os, "link", link)
        assert throughput._settle(asked, "float32", {}) == "float32"  # somebody else, a moment earlier
        link(part, path)

    monkeypatch.setattr(os, "link", late)
    measured.append(1.8)
    assert throughput.number_format(asked) == "float32"
    assert json.loads(throughput.decision(asked).read_text())["format"] == "float32"
    assert not list(cache.rglob("*.part"))


def test_a_damaged_decision_is_made_anew(cache, able, measured):
    measured += [1.8]
    throughput.number_format(settings())
    throughput.decision(settings()).write_text('{"format": "flo')
    throughput.memory(settings()).unlink()
    measured += [1.8]
    assert throughput.number_format(settings()) == "bf16"
    assert json.loads(throughput.decision(settings()).read_text())["gain"] == 1.8


def test_other_layers_are_decided_by_themselves(cache, able, measured):
    measured += [1.8, 1.0]
    assert throughput.number_format(settings()) == "bf16"
    assert throughput.number_format(settings(filters=8)) == "float32"


@pytest.mark.parametrize(
    ("float32", "bf16", "expected"),
    [
        ([2.0, 2.0, 2.0], [1.0, 1.0, 1.0], 2.0),
        ([9.0, 2.0, 9.0], [9.0, 1.9, 9.0], 1.0),  # busy moments meet both
        ([1.0, 1.0, 1.0], [0.5, 1.0, 1.0], 1.0),  # one lucky step decides nothing
        ([1.0, 2.0, 2.0], [1.0, 1.0, 1.0], 1.0),
        ([1.0], [], 0.0),
    ],
)
def test_the_gain_is_the_smaller_of_the_fastest_steps_and_the_median_of_the_pairs(float32, bf16, expected):
    assert throughput.gain(float32, bf16) == expected


def test_a_measurement_has_pairs_enough_or_ends_when_it_takes_too_long():
    assert not throughput._enough(2.5, throughput.PAIRS - 1, 1.0, 2)
    assert throughput._enough(2.5, throughput.PAIRS, 1.0, 2)
    assert not throughput._enough(1.5, throughput.PAIRS, 1.0, 2)
    assert throughput._enough(throughput.LONGEST_S, 1, 1.0, 2)
    assert throughput._enough(1.0, 1, 1.0, 1)


def test_a_real_measurement_says_how_much_is_gained(cache, monkeypatch):
    monkeypatch.setattr(
        throughput, "has_bf16", lambda device: True
    )  # emulated where it is not there: slow, and measured all the same
    monkeypatch.setattr(throughput, "PAIRS", 2)
    found = throughput.measure(settings(batch_size=4), seconds=0.0)
    assert found["gain"] > 0
    assert found["gain"] <= found["bf16"] / found["float32"] * (1 + 1e-9)
    monkeypatch.setattr(throughput, "has_bf16", lambda device: False)
    found = throughput.measure(settings(batch_size=4), seconds=0.0)
    assert (found["gain"], found["bf16"]) == (0.0, None)


@pytest.mark.parametrize("decided", ["float32", "bf16"])
def test_log_meta_and_command_line_of_a_run_name_the_format_that_was_used(decided, cache, able, measured):
    measured.append({"float32": 1.0, "bf16": 1.8}[decided])
    run = create(settings())
    assert "precision" not in service.run_info(run.name).command
    assert worker.work(run) == "finished"
    said = json.loads((run / "meta.json").read_text())
    assert said["precision"] == decided
    for text in (said["command"], service.run_info(run.name).command, run_directory.log_tail(run)):
        assert f"--set precision={decided}" in text
    assert run_directory.settings(run).precision == "auto"


def test_the_command_of_a_run_with_an_odd_meta_is_the_one_that_was_asked_for(cache):
    run = create(settings())
    for odd in ("[]", '{"precision": ["bf16"]}', '{"precision": "int3"}', "{"):
        (run / "meta.json").write_text(odd)
        assert "precision" not in service.run_info(run.name).command
