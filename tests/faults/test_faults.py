"""Whatever breaks, nothing that was saved is lost, and what is wrong is said in a sentence. The short form.

`python -m tests.faults` is the long one: many more of each, and a table for docs/reliability.md.
"""

from __future__ import annotations

import shutil

import pytest

from ganad.runs import run_directory
from ganad.training import jobs, worker
from tests.faults import damage, disk, fuzz, processes
from tests.faults.settings import small


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A finished run with every file that a run can have. It is of few images: it is read some thousand times."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANAD_RUNS", str(tmp_path_factory.mktemp("trained")))
        run = run_directory.create(small(epochs=12, limit=200, test_limit=200))
        assert worker.work(run) == "finished"
        damage.complete(run)
    return run


@pytest.fixture
def whole(trained, tmp_path):
    """That run, to be damaged."""
    return shutil.copytree(trained, tmp_path / "whole")


@pytest.mark.parametrize("file", [*damage.JSON_FILES, *damage.LINES, *damage.TEXTS, *damage.ARRAYS, *damage.OTHERS])
def test_a_damaged_file_is_said_by_its_run_and_every_other_run_works(runs_dir, whole, file):
    damage.damage_all(whole, runs_dir, (file,), slow=False, most=7)


@pytest.mark.parametrize("file", ["weights.safetensors", "scores.npz", "reconstructions.npz"])
def test_a_flipped_bit_anywhere_in_it_is_found(runs_dir, whole, file):
    import random

    from ganad.errors import RunError
    from ganad.runs import checkpoint

    readers = {"weights.safetensors": checkpoint.load_tensors, "scores.npz": run_directory.read_scores}
    content, rng = (whole / file).read_bytes(), random.Random(3)
    for _ in range(20):
        (whole / file).write_bytes(damage.flipped(content, rng))
        with pytest.raises(RunError, match="damaged"):
            readers.get(file, run_directory.read_reconstructions)(whole)


def test_a_killed_training_goes_on_with_the_same_numbers(runs_dir):
    processes.kill_and_resume(2, epochs=6, within=2.0)


def test_a_suspended_process_is_not_answering_and_stop_ends_it(runs_dir, monkeypatch):
    monkeypatch.setattr(jobs, "SILENT_PATIENCE_S", 0.2)  # it will never answer
    processes.suspend_and_stop(1)


def test_of_two_who_resume_at_once_one_is_told(runs_dir, tmp_path):
    processes.resume_twice(2, tmp_path)


def test_a_number_is_given_once_however_many_begin_at_once(runs_dir):
    processes.create_at_once(40)


def test_many_may_rename_and_annotate_at_once(runs_dir):
    processes.rename_and_note_at_once(60)


def test_what_a_killed_writer_left_is_removed(runs_dir):
    processes.leave_part_files(3)


def test_a_stop_is_obeyed_at_any_moment(runs_dir):
    processes.stop_at_any_moment(2)


@pytest.mark.parametrize(
    "fault", [disk.full_at_start, disk.full_while_training, disk.full_at_rename_and_import, disk.read_only]
)
def test_a_disk_that_refuses_is_named_and_leaves_nothing_half_written(runs_dir, monkeypatch, fault):
    with disk.disk(runs_dir, monkeypatch) as place:
        fault(place)


def test_the_same_holds_where_no_small_disk_can_be_mounted(runs_dir, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(disk.os, "geteuid", lambda: 1000)
        with disk.disk(runs_dir, patch) as place:
            assert isinstance(place, disk.PretendedDisk)
            for fault in (disk.full_at_start, disk.full_at_rename_and_import, disk.read_only):
                fault(place)
                for run in run_directory.listing(runs_dir):
                    shutil.rmtree(run)


def test_readers_answer_whatever_they_are_fed(runs_dir, tmp_path):
    fuzz.all_readers(tmp_path, 25)
