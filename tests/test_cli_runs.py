"""The command line keeps runs in order, reads no text as markup, and ends every command with a line and a code."""

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from ganad import __main__ as cli
from ganad import service
from ganad.cli import terminal
from ganad.data import sources
from ganad.runs import commands, run_directory
from ganad.training import replay, worker
from tests.conftest import ROOT, put_failed, put_finished, put_running

ODD = "[/x] [red]a[/red] :smile: [link=http://a.b]c[/link]"
"""As a name, a path or a note: closing tags crash a reader of markup, the others vanish in it."""


@pytest.fixture
def ganad(monkeypatch, capfd):
    """Run a command in this process; returns its code and what it printed."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["ganad", *map(str, words)])
        monkeypatch.setenv("COLUMNS", "300")
        capfd.readouterr()
        code = cli.main()
        printed = capfd.readouterr()
        assert "Traceback" not in printed.err
        return SimpleNamespace(code=code, out=printed.out, err=printed.err)

    return run


@pytest.fixture
def own(runs_dir):
    return put_finished(runs_dir)


# --- rename, note, delete ------------------------------------------------------------------------------------------


def test_rename_gives_a_name_that_list_shows_and_an_empty_one_takes_it_away(own, ganad):
    done = ganad("rename", "1", "the good one")
    assert (done.code, done.out) == (0, "")
    assert "'the good one'" in done.err
    assert run_directory.settings(own).name == "the good one"
    assert "the good one" in ganad("list").out
    assert json.loads(ganad("list", "--json").out)[0]["own_name"] == "the good one"
    assert ganad("rename", own.name, "").code == 0
    assert run_directory.settings(own).name == ""
    assert own.exists()


def test_a_name_that_is_too_long_is_a_wrong_argument_and_a_shipped_run_keeps_its_name(own, ganad, monkeypatch):
    assert ganad("rename", "1", "x" * 500).code == 2
    assert run_directory.settings(own).name == ""
    monkeypatch.setenv("GANAD_CHECKPOINTS", str(own.parent))
    done = ganad("rename", own.name, "mine")
    assert done.code == 1
    assert "shipped" in done.err


def test_note_writes_prints_and_takes_away(own, ganad):
    assert ganad("note", "1", "first line\nsecond [b]line[/b]").code == 0
    assert run_directory.note(own) == "first line\nsecond [b]line[/b]"
    assert ganad("note", "1").out == "first line\nsecond [b]line[/b]\n"
    assert ganad("note", "1", "").code == 0
    assert (ganad("note", "1").out, run_directory.note(own)) == ("", "")
    assert ganad("note", "1", "x" * (run_directory.NOTE_LENGTH + 1)).code == 1


@pytest.mark.parametrize("by", ["1", "0001-ganomaly-n8-s0"])
def test_delete_moves_into_the_trash_whole_and_undo_brings_it_back(own, ganad, by):
    before = sorted(p.name for p in own.rglob("*"))
    done = ganad("delete", by)
    assert (done.code, done.out) == (0, "")
    assert f"python -m ganad delete {own.name} --undo" in done.err
    assert not own.exists()
    assert service.trashed() == [own.name]
    back = ganad("delete", by, "--undo")
    assert (back.code, back.out) == (0, f"{own}\n")
    assert sorted(p.name for p in own.rglob("*")) == before


def test_undo_takes_the_last_thrown_of_one_name_and_says_when_there_is_none(own, ganad, runs_dir):
    (own / "note.txt").write_text("first")
    assert ganad("delete", "1").code == 0
    put_finished(runs_dir)
    (own / "note.txt").write_text("second")
    assert ganad("delete", "1").code == 0
    assert ganad("delete", own.name, "--undo").code == 0
    assert run_directory.note(own) == "second"
    blocked = ganad("delete", "1", "--undo")
    assert blocked.code == 1
    assert "another run" in blocked.err
    missing = ganad("delete", "77", "--undo")
    assert missing.code == 1
    assert f"There are: {own.name}" in missing.err


def test_undo_without_a_name_brings_back_the_last_thrown_until_the_trash_is_empty(own, ganad, runs_dir):
    other = put_finished(runs_dir, "0003-ganomaly-n8-s0")
    assert ganad("delete", "3").code == ganad("delete", "1").code == 0
    assert ganad("delete", "--undo").out == f"{own}\n"
    assert ganad("delete", "--undo").out == f"{other}\n"
    empty = ganad("delete", "--undo")
    assert empty.code == 1
    assert "trash is empty" in empty.err


def test_several_are_deleted_at_once_and_one_that_cannot_be_stops_no_other(own, ganad, runs_dir):
    put_finished(runs_dir, "0003-ganomaly-n8-s0")
    put_running(runs_dir)
    done = ganad("delete", "1", "2", "3")
    assert done.code == 1
    assert done.err.count("stop it first") == 1
    assert sorted(service.trashed()) == [own.name, "0003-ganomaly-n8-s0"]
    back = ganad("delete", "1", "3", "--undo")
    assert back.code == 0
    assert len(back.out.splitlines()) == 2


def test_the_trash_is_emptied_when_asked_and_says_how_much_is_free(own, ganad):
    size = sum(p.stat().st_size for p in own.rglob("*") if p.is_file() and p.name != ".lock")
    done = ganad("delete", "1", "--empty-trash")
    assert (done.code, done.out) == (0, "")
    assert f"1 run removed for good, {size / 1e6:.1f} MB" in done.err
    assert not any(p.is_file() for p in run_directory.trash().rglob("*"))
    assert ganad("delete", "1", "--undo").code == 1
    assert "0 runs removed" in ganad("delete", "--empty-trash").err


def test_nothing_is_removed_for_good_when_what_was_named_could_not_be_thrown_away(own, ganad):
    assert ganad("delete", "1").code == 0
    assert ganad("delete", "77", "--empty-trash").code == 1
    assert service.trashed() == [own.name]


@pytest.mark.parametrize("words", [[], ["1", "--undo", "--empty-trash"]])
def test_delete_without_a_run_or_with_both_options_says_what_to_give(own, ganad, words):
    done = ganad("delete", *words)
    assert done.code == 1
    assert "--empty-trash" in done.err
    assert own.exists()


def test_what_is_at_work_or_elsewhere_is_not_thrown_away(runs_dir, ganad, tmp_path):
    put_running(runs_dir)
    assert "stop it first" in ganad("delete", "2").err
    elsewhere = put_finished(tmp_path / "other")
    done = ganad("delete", elsewhere)
    assert done.code == 1
    assert "not in your folder of runs" in done.err
    assert elsewhere.exists()


@pytest.mark.parametrize("command", [["rename", "77", "a"], ["note", "77"], ["delete", "77"], ["export", "77"]])
def test_an_unknown_run_ends_with_1(runs_dir, ganad, command):
    done = ganad(*command)
    assert done.code == 1
    assert "no run '77'" in done.err
    assert not done.out


# --- export, import ------------------------------------------------------------------------------------------------


def test_an_exported_run_comes_back_with_a_number_of_its_own_and_the_same_scores(own, ganad, tmp_path):
    (own / "note.txt").write_text("kept")
    done = ganad("export", "1", tmp_path / "a.zip")
    assert (done.code, done.out) == (0, f"{tmp_path / 'a.zip'}\n")
    back = ganad("import", tmp_path / "a.zip")
    assert back.code == 0, back.err
    made = own.with_name("0002-ganomaly-n8-s0")
    assert back.out == f"{made}\n"
    assert run_directory.note(made) == "kept"
    for which in ("val", "test"):
        for part, values in getattr(run_directory.read_scores(own), which).parts.items():
            assert np.array_equal(values, getattr(run_directory.read_scores(made), which).parts[part])


def test_export_names_its_file_after_the_run_and_replaces_none_unasked(own, ganad, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert ganad("export", "1").out == f"{own.name}.zip\n"
    file = tmp_path / f"{own.name}.zip"
    file.write_bytes(b"precious")
    done = ganad("export", "1")
    assert done.code == 1
    assert "--force" in done.err
    assert file.read_bytes() == b"precious"
    assert ganad("export", "1", "--force").code == 0
    assert zipfile.is_zipfile(file)


def test_a_run_at_work_and_a_folder_that_is_not_there_leave_no_file(runs_dir, ganad, tmp_path):
    put_running(runs_dir)
    assert ganad("export", "2", tmp_path / "a.zip").code == 1
    put_finished(runs_dir)
    done = ganad("export", "1", tmp_path / "nowhere" / "a.zip")
    assert done.code == 1
    assert "ENOENT" in done.err
    assert not list(tmp_path.glob("**/*.zip*"))


def test_what_is_no_run_is_not_brought_in(runs_dir, ganad, tmp_path):
    (tmp_path / "a.zip").write_bytes(b"no zip")
    for file, said in (("a.zip", "not a whole zip"), ("gone.zip", "does not exist"), (".", "is not a file")):
        done = ganad("import", tmp_path / file)
        assert done.code == 1, file
        assert said in done.err
        assert not done.out
    assert ganad("import", "/dev/zero").code == 1
    assert not run_directory.listing(runs_dir)


# --- score ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def files(own, tmp_path):
    Image.fromarray(service.test_images(own.name)[0]).save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_bytes(b"not an image")
    return tmp_path / "good.png", tmp_path / "bad.png"


@pytest.mark.parametrize("order", [1, -1])
def test_a_file_that_cannot_be_judged_is_named_and_the_others_are_judged(files, ganad, order):
    good, bad = files
    done = ganad("score", "1", *files[::order], "--raw")
    assert done.code == 1
    assert done.out.splitlines()[0].startswith(f"{good}: ")
    assert "of held-out normals" in done.out
    assert str(bad) not in done.out
    assert [line for line in done.err.splitlines() if line] == [
        f"error: {bad} is not an image that can be read (12 bytes, the first 6e 6f 74 20), "
        "expected PNG, JPEG, WebP, BMP, TIFF, GIF."
    ]


def test_json_holds_the_good_ones_as_promised_and_the_bad_ones_go_to_stderr(files, ganad, tmp_path):
    good, bad = files
    alone = ganad("score", "1", good, "--raw", "--json")
    done = ganad("score", "1", bad, good, tmp_path / "gone.png", "--raw", "--json")
    assert (alone.code, done.code) == (0, 1)
    assert json.loads(done.out) == json.loads(alone.out)
    assert json.loads(done.out)[0].keys() == {"file", "score", "percentile", "verdict", "threshold", "parts"}
    assert [name in line for name, line in zip(("bad.png", "gone.png"), done.err.splitlines(), strict=True)] == [
        True
    ] * 2
    assert ganad("score", "1", bad, "--json").out == "[]\n"


def test_two_bad_files_of_one_name_are_told_apart(own, ganad, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "1.png").write_bytes(b"no")
    lines = ganad("score", "1", tmp_path / "a" / "1.png", tmp_path / "b" / "1.png").err.splitlines()
    assert [f"{tmp_path / folder / '1.png'} " in line for folder, line in zip("ab", lines, strict=True)] == [True] * 2


def test_a_picture_without_ink_is_named_once(own, ganad, tmp_path):
    file = tmp_path / "empty.png"
    Image.fromarray(np.zeros((28, 28), np.uint8)).save(file)
    assert f"error: {file}: No ink found" in ganad("score", "1", file).err


# --- train ---------------------------------------------------------------------------------------------------------

SMALL = ["--normal", "8", "--epochs", "1", "--set", "filters=4", "--set", "precision=float32"]


@pytest.mark.parametrize("data_", ["nowhere", "empty.npz", ODD])
def test_data_that_cannot_be_used_leave_no_run_behind(runs_dir, ganad, tmp_path, data_):
    (tmp_path / "empty.npz").write_bytes(b"")
    done = ganad("train", *SMALL, "--data", tmp_path / data_)
    assert done.code == 1
    assert str(tmp_path / data_) in done.err
    assert not done.out
    assert not runs_dir.exists() or not list(runs_dir.iterdir())


def test_too_few_images_leave_no_run_behind(runs_dir, ganad):
    assert "would be held out" in ganad("train", *SMALL, "--limit", "20").err
    assert not runs_dir.exists()


def test_data_that_were_checked_are_not_read_again_by_the_training(runs_dir, tmp_path, monkeypatch):
    (images, digits), (test_images, test_digits) = sources.load_mnist()
    np.savez(
        tmp_path / "a.npz", x_train=images[:99], y_train=digits[:99], x_test=test_images[:9], y_test=test_digits[:9]
    )
    read = []
    monkeypatch.setattr(
        sources, "_read_npz", lambda path, part, read_=sources._read_npz: read.append(part) or read_(path, part)
    )
    given = str(tmp_path / "a.npz")
    checked = sources.load(given)
    sources.hand_over(given, checked)
    assert sources.load(given) is checked
    assert read == ["train", "test"]
    assert sources.load(given) is not checked, "once: what is asked for later is read from the disk"


def test_train_hands_its_checked_data_to_the_worker(runs_dir, ganad, monkeypatch):
    seen = []
    monkeypatch.setattr(worker, "work", lambda run, watch: seen.append(sources.load(None)) or "stopped")
    real = sources._read_embedded
    read = []
    monkeypatch.setattr(sources, "_read_embedded", lambda part: read.append(part) or real(part))
    assert ganad("train", *SMALL).code == 130
    assert len(seen) == 1
    assert read == ["train", "test"]


# --- markup --------------------------------------------------------------------------------------------------------


@pytest.fixture
def odd(tmp_path, monkeypatch):
    """A folder whose name would be markup, with a run that is named and annotated alike."""
    base = tmp_path / ODD.replace("/", "|") / "[" / "x]"
    monkeypatch.setenv("GANAD_RUNS", str(base))
    monkeypatch.setenv("GANAD_CHECKPOINTS", str(tmp_path / "none"))
    return base


def test_no_door_of_the_command_line_reads_markup(odd, ganad, tmp_path):
    run = put_finished(odd)
    assert f"is called {ODD!r} now" in ganad("rename", "1", ODD).err
    assert ODD in ganad("list").out
    assert ganad("note", "1", ODD).code == 0
    assert ganad("note", "1").out == ODD + "\n"
    for words in (["evaluate", ODD], ["resume", ODD], ["stop", ODD], ["score", ODD, "a.png"], ["export", ODD]):
        done = ganad(*words)
        assert done.code == 1, words
        assert f"There is no run {ODD!r}" in done.err
    assert f"{ODD!r} in the trash" in ganad("delete", ODD, "--undo").err
    assert ODD.replace("//", "/") in ganad("import", ODD).err
    (odd / "[").mkdir()
    picture = odd / "[/x].png"
    Image.fromarray(service.test_images(run.name)[0]).save(picture)
    assert ganad("score", "1", picture, "--raw").out.startswith(f"{picture}: ")
    picture.write_bytes(b"")
    assert str(picture) in ganad("score", "1", picture).err
    zip_ = odd / "[/x].zip"
    assert ganad("export", "1", zip_).out == f"{zip_}\n"
    assert ganad("import", zip_).out == f"{odd / '0002-ganomaly-n8-s0'}\n"
    assert ganad("report", "1", "--out", odd / "[/x].html").out == f"{odd / '[/x].html'}\n"
    assert ganad("delete", run).code == 0
    assert ganad("delete", run.name, "--undo").out == f"{run}\n"


@pytest.mark.parametrize(
    "words",
    [["train", "--normal", "8", "--set", ODD], ["train", "--normal", "8", "--preset", ODD],
     ["bench", "quality", "--protocol", ODD], ["bench", "speed", "--to", "0.9", "--digits", ODD], [ODD], [f"--{ODD}"]],
)  # fmt: skip
def test_wrong_arguments_that_look_like_markup_are_told_as_they_are(runs_dir, ganad, words):
    done = ganad(*words)
    assert done.code == 2
    assert "[/x]" in done.err.lower()


def test_the_error_of_a_failed_training_is_told_as_it_is(runs_dir, ganad, monkeypatch):
    run = put_failed(runs_dir)
    status = json.loads((run / "status.json").read_text())
    (run / "status.json").write_text(json.dumps(status | {"pid": None, "error": f"bad {ODD}\nsecond line"}))

    def work(path, watch):
        watch(run_directory.Status(state="running", doing=ODD))
        run_directory.write_status(path, run_directory.Status(state="failed", error=f"bad {ODD}\nsecond line"))
        return "failed"

    monkeypatch.setattr(worker, "work", work)
    done = ganad("resume", "3")
    assert done.code == 1
    assert f"failed: bad {ODD} second line\n" in done.err


def test_what_would_steer_a_terminal_is_printed_as_its_code(own, ganad):
    (own / "note.txt").write_text("a\x1b]0;title\x07b\u202ec", encoding="utf-8")
    assert ganad("note", "1").out == "a\\x1b]0;title\\x07b\\u202ec\n"
    assert terminal.plain("ä – 8\nnext\tcell") == "ä – 8 next cell"
    assert terminal.plain(os.fsdecode(b"a\xff")) == "a\\udcff"


# --- how a command ends --------------------------------------------------------------------------------------------


def test_what_was_not_foreseen_is_one_line_with_where_to_look_and_1(runs_dir, ganad, monkeypatch):
    def broken():
        raise ZeroDivisionError("[/x] happened\nhere")

    monkeypatch.setattr(service, "list_runs", broken)
    done = ganad("list")
    assert done.code == 1
    assert not done.out
    (line,) = done.err.splitlines()
    assert line.startswith("error: ZeroDivisionError: [/x] happened here.")
    assert "GANAD_DEBUG=1" in line


def test_the_end_of_a_file_is_an_error_and_no_wish_to_leave(runs_dir, ganad, monkeypatch):
    def cut_off():
        raise EOFError("file ended")

    monkeypatch.setattr(service, "list_runs", cut_off)
    done = ganad("list")
    assert done.code == 1
    assert "EOFError: file ended" in done.err


def test_ganad_debug_shows_the_traceback(runs_dir, monkeypatch, capfd):
    monkeypatch.setattr(service, "list_runs", lambda: 1 / 0)
    monkeypatch.setattr(sys, "argv", ["ganad", "list"])
    monkeypatch.setenv("GANAD_DEBUG", "1")
    assert cli.main() == 1
    said = capfd.readouterr().err
    assert "Traceback" in said
    assert said.rstrip().endswith("ZeroDivisionError: division by zero")


def outside(*words, **how):
    """In a process of its own, whose end of a pipe can be closed."""
    return subprocess.Popen([sys.executable, "-m", "ganad", *map(str, words)], cwd=ROOT, stderr=subprocess.PIPE, **how)


@pytest.mark.parametrize("words", [["list"], ["list", "--json"], ["train", "--help"]])
def test_a_reader_that_goes_away_ends_a_command_quietly(own, words):
    reader, writer = os.pipe()
    os.close(reader)
    child = outside(*words, stdout=writer)
    os.close(writer)
    said = child.communicate(timeout=120)[1]
    assert (child.returncode, said) == (141, b"")


def test_a_full_disk_behind_stdout_is_one_line(own):
    with open("/dev/full", "wb", buffering=0) as full:
        child = outside("list", stdout=full)
    said = child.communicate(timeout=120)[1].decode()
    assert child.returncode == 1
    assert said.splitlines() == ["error: the results cannot be printed: the disk is full (ENOSPC)."]


def test_a_terminal_without_unicode_gets_codes_instead_of_an_error(own, monkeypatch):
    run_directory.rename(own, "größe")
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    child = outside("list", stdout=subprocess.PIPE)
    said, complaint = child.communicate(timeout=120)
    assert (child.returncode, complaint) == (0, b"")
    assert b"gr\\xf6\\xdfe" in said


def test_help_of_every_command_names_what_it_wants(ganad):
    for words, said in (
        (["rename"], "name of your own"),
        (["note"], "the note is printed"),
        (["delete"], "--undo"),
        (["export"], "FILE.zip"),
        (["import"], "FILE.zip"),
    ):
        done = ganad(*words, "--help")
        assert done.code == 0
        assert said in done.out


def test_a_zip_that_the_page_downloads_is_the_one_that_export_writes(own, ganad, tmp_path):
    assert ganad("export", "1", tmp_path / "a.zip").code == 0
    with (
        zipfile.ZipFile(tmp_path / "a.zip") as ours,
        zipfile.ZipFile(io.BytesIO(service.export_zip(own.name))) as theirs,
    ):
        assert {e.filename: e.CRC for e in ours.infolist()} == {e.filename: e.CRC for e in theirs.infolist()}
    shutil.rmtree(own)


# --- steer, branch, replay -----------------------------------------------------------------------------------------


def test_steer_asks_a_run_at_work_and_shows_what_is_in_force(runs_dir, ganad):
    run = put_running(runs_dir, total=1000)
    done = ganad("steer", "2", "--set", "lr=0.0001", "--set", "w_adv=0.5")
    assert (done.code, done.out) == (0, "")
    assert "lr 0.0001, w_adv 0.5, from its next epoch on" in done.err
    shown = ganad("steer", run.name).out
    assert ["lr", "0.001", "0.0001"] in [line.split() for line in shown.splitlines()]
    assert "nothing changes" in ganad("steer", "2", "--set", "lr=1e-4").err
    refused = ganad("steer", "2", "--set", "latent=8")
    assert refused.code == 2
    assert "latent cannot change" in refused.err
    assert ganad("steer", "2", "--set", "lr").code == 2
    assert commands.asked(run) == {"lr": 0.0001, "w_adv": 0.5}


def test_a_run_that_has_ended_or_begun_its_last_epoch_is_not_steered(own, ganad, runs_dir):
    assert "is finished, so nothing would change" in ganad("steer", "1", "--set", "lr=0.0001").err
    put_running(runs_dir, epoch=20)
    last = ganad("steer", "2", "--set", "lr=0.0001")
    assert last.code == 1
    assert "is in its last epoch" in last.err


def test_branch_and_replay_end_with_the_weights_that_seed_and_commands_decide(runs_dir, ganad, tmp_path):
    asked = (
        "--normal",
        8,
        "--limit",
        200,
        "--epochs",
        3,
        "--set",
        "test_limit=100",
        "--set",
        "filters=4",
        "--set",
        "precision=float32",
    )
    parent = run_directory.find(ganad("train", *asked).out.strip())
    made = ganad("branch", "1", "--epoch", 1, "--set", "lr=0.0002", "--set", "lr_d=none")
    assert made.code == 0
    branch = run_directory.find(made.out.strip())
    assert commands.read(branch)[0].set == {"lr": 0.0002}
    again = ganad("replay", "2")
    assert again.code == 0
    assert f"those of {branch.name}, bit for bit" in again.err
    by_file = ganad("train", *asked, "--commands", branch / "commands.jsonl")
    assert replay.same_weights(run_directory.find(by_file.out.strip()), branch)
    shutil.copy(parent / "weights.safetensors", branch / "weights.safetensors")
    (branch / "checksums.json").unlink()
    assert ganad("replay", "2").code == 1
    assert "no state after epoch 7" in ganad("branch", "1", "--epoch", 7).err
