"""A run travels as a zip and is the same afterwards; a zip that is something else leaves no trace."""

import io
import json
import os
import stat
import zipfile

import numpy as np
import pytest

from ganad import service
from ganad.errors import RunError
from ganad.runs import archive, run_directory
from tests.conftest import SHIPPED, put_failed, put_finished, put_running

GANOMALY = SHIPPED["ganomaly"]


@pytest.fixture(scope="module")
def content():
    """Name in the zip -> bytes, of a whole run."""
    with zipfile.ZipFile(io.BytesIO(archive.pack(GANOMALY))) as parcel:
        return {name: parcel.read(name) for name in parcel.namelist()}


def zipped(content, packing=zipfile.ZIP_STORED, **also):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packing) as parcel:
        for name, data in (content | also).items():
            parcel.writestr(name, data)
    return out.getvalue()


def changed(content, file, data):
    """The zip with another content in one file; without checksums, which would find that first."""
    kept = {k: v for k, v in content.items() if not k.endswith("/checksums.json")}
    return zipped({k: data if k.endswith("/" + file) else v for k, v in kept.items()})


def flat(values, path=""):
    """{"per_digit/0/auroc": ...} of nested values, without what is no number."""
    if isinstance(values, dict):
        return {k: v for key, value in values.items() for k, v in flat(value, f"{path}/{key}").items()}
    return {path: values} if isinstance(values, int | float) else {}


def npz(**arrays):
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue()


def arrays_of(content, name="scores.npz"):
    with np.load(io.BytesIO(content[f"{GANOMALY.name}/{name}"])) as file:
        return dict(file)


def refused(runs_dir, parcel, words):
    with pytest.raises(RunError, match=words):
        archive.unpack(parcel)
    assert not runs_dir.exists() or not list(runs_dir.iterdir())


def test_a_run_arrives_as_it_was_sent_under_the_next_free_number(runs_dir):
    sent = put_finished(runs_dir)
    run_directory.write_note(sent, "schön")
    name = service.import_zip(service.export_zip(sent.name))
    assert name == "0002-ganomaly-n8-s0"
    for path in sent.rglob("*"):
        if path.is_file() and path.name not in ("config.json", "status.json", "report.json"):
            assert (runs_dir / name / path.relative_to(sent)).read_bytes() == path.read_bytes(), path
    assert run_directory.settings(runs_dir / name) == run_directory.settings(sent)
    assert service.run_info(name).note == "schön"
    mine, theirs = (flat(service.run_info(n).report) for n in (name, sent.name))
    assert mine == pytest.approx(theirs, abs=1e-12)
    assert service.score_images(name, service.test_images(name)[:2])[0].score > 0


def test_a_zip_of_the_files_alone_arrives_as_well(runs_dir, content):
    bare = zipped({k.split("/", 1)[1]: v for k, v in content.items()})
    assert run_directory.status(archive.unpack(bare)).state == "finished"


def test_a_run_at_work_is_not_packed(runs_dir):
    with pytest.raises(RunError, match="stop it or let it finish"):
        archive.pack(put_running(runs_dir))


def test_the_process_of_the_sender_is_forgotten(runs_dir, content):
    said = {"state": "running", "pid": os.getpid(), "process_started": 1.0, "beat": 9e9, "total": 800}
    run = archive.unpack(changed(content, "status.json", json.dumps(said)))
    assert run_directory.read_status(run) == run_directory.Status(state="stopped", total=800)


def test_an_unfinished_run_travels_with_what_resuming_needs_and_a_finished_one_without(runs_dir):
    failed, finished = put_failed(runs_dir), put_finished(runs_dir)
    for run in (failed, finished):
        (run / "state.pt").write_bytes(b"state")
    assert (archive.unpack(archive.pack(failed)) / "state.pt").read_bytes() == b"state"
    assert not (archive.unpack(archive.pack(finished)) / "state.pt").exists()


def test_a_run_that_claims_to_be_finished_without_scores_is_not_believed(runs_dir, content):
    few = {k: v for k, v in content.items() if not k.endswith(("scores.npz", "reconstructions.npz"))}
    run = archive.unpack(zipped(few))
    assert run_directory.status(run).state == "stopped"
    assert service.run_info(run.name).report is None


def test_a_report_is_computed_and_not_believed(runs_dir, content):
    run = archive.unpack(changed(content, "report.json", '{"auroc": 1.0}'))
    whole = run_directory.read_json(GANOMALY / "report.json")["auroc"]
    assert service.run_info(run.name).report["auroc"] == pytest.approx(whole, abs=1e-12)


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../config.json",
        "ganomaly-n8/../../x",
        "C:/x",
        "..\\config.json",
        "ganomaly-n8/samples/../../../x.png",
    ],
)
def test_a_path_that_leads_out_is_refused(runs_dir, content, name):
    refused(runs_dir, zipped(content, **{name: b"x"}), "outside of the run's folder")


@pytest.mark.parametrize(
    "name", ["run.sh", "samples/1.py", "sub/config.json", ".config.json", "samples/x/1.png", "CONFIG.JSON"]
)
def test_a_file_that_no_run_has_is_refused_by_name(runs_dir, content, name):
    refused(runs_dir, zipped(content, **{f"ganomaly-n8/{name}": b"x"}), "does not belong to a run")


def test_a_link_is_refused(runs_dir, content):
    link = zipfile.ZipInfo("ganomaly-n8/log.txt")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as parcel:
        parcel.writestr(link, "/etc/passwd")
    refused(runs_dir, out.getvalue(), "is a link")


def test_the_same_name_twice_is_refused(runs_dir, content):
    out = io.BytesIO(zipped(content))
    with zipfile.ZipFile(out, "a") as parcel, pytest.warns(UserWarning, match="Duplicate"):
        parcel.writestr("ganomaly-n8/config.json", "{}")
    refused(runs_dir, out.getvalue(), "a file twice")


def test_a_zip_that_grows_without_end_is_refused_before_it_is_unpacked(runs_dir, content, monkeypatch):
    monkeypatch.setattr(archive, "MOST_BYTES", 8_000_000)
    bomb = zipped(content, zipfile.ZIP_DEFLATED, **{"ganomaly-n8/log.txt": b"0" * 20_000_000})
    assert len(bomb) < 8_000_000
    refused(runs_dir, bomb, "larger than 8 MB")
    inner = npz(**arrays_of(content), more=np.zeros(10_000_000, np.uint8))
    refused(runs_dir, changed(content, "scores.npz", inner), "unpacked it would take")


def test_more_files_than_a_run_has_are_refused(runs_dir):
    refused(runs_dir, zipped({f"samples/{i}.png": b"" for i in range(501)}), "501 files")


@pytest.mark.parametrize("cut", [0, 100, -30])
def test_half_a_zip_is_refused(runs_dir, content, cut):
    refused(runs_dir, zipped(content)[:cut], "not a whole zip file")


def test_a_flipped_bit_is_noticed(runs_dir, content):
    parcel = bytearray(zipped(content))
    parcel[len(parcel) // 2] ^= 0xFF
    refused(runs_dir, bytes(parcel), "zip")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("{", "is not JSON"),
        ("[]", "a JSON object is wanted"),
        ('{"method": "ganomaly", "normal": [111]}', "digits lie in 0..9, classes of own data in 0..99, got 111"),
        ('{"method": "other", "normal": [1]}', "config.json of the zip cannot be used"),
        ('{"method": "ganomaly", "normal": [1], "epochs": 1, "preset": "mine"}', "preset of ganomaly must be one of"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_settings_that_are_none_are_told(runs_dir, content, config, words):
    refused(runs_dir, changed(content, "config.json", config), words)


def test_a_zip_without_settings_is_no_run(runs_dir):
    refused(runs_dir, zipped({"log.txt": b"x"}), "no config.json, so it is not a run")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda a: a | {"test_digit": a["test_digit"][:-1]}, "a finite value for each image is wanted"),
        (lambda a: a | {"val_latent": a["val_latent"] * np.nan}, "val_latent in scores.npz"),
        (lambda a: a | {"test_index": a["test_index"] + 1}, "MNIST does not have"),
        (lambda a: a | {"test_index": a["test_index"] * 1.0}, "test_index in scores.npz"),
        (lambda a: a | {"val_digit": a["val_digit"] + 95}, "classes from 0 to 99"),
        (lambda a: {k: v for k, v in a.items() if k != "test_residual"}, "no test_residual"),
        (lambda a: a | {"test_residual": np.array([object()])}, "Object arrays cannot be loaded"),
        (lambda a: a | {"test_residual": a["test_residual"].astype("datetime64[s]")}, "test_residual in scores.npz"),
        (lambda a: a | {"test_residual": a["test_residual"].astype(str)}, "test_residual in scores.npz"),
        (lambda a: a | {"test_residual": a["test_residual"] > 0}, "test_residual in scores.npz"),
        (lambda a: a | {"test_digit": np.uint8(8)}, "test_digit in scores.npz"),
        (lambda a: a | {"val_index": a["val_index"] + 10**9}, "val images that MNIST does not have"),
        (lambda a: a | {"val_z": np.full((len(a["val_digit"]), 3), np.inf)}, "val_z in scores.npz"),
    ],
)
def test_scores_that_do_not_fit_are_told(runs_dir, content, change, words):
    refused(runs_dir, changed(content, "scores.npz", npz(**change(arrays_of(content)))), words)


@pytest.mark.parametrize(
    ("file", "data", "words"),
    [
        ("reconstructions.npz", npz(val=np.zeros((3, 28, 28), np.uint8)), "does not fit its scores"),
        ("metrics.jsonl", b"[1]\n", "JSON object of numbers"),
        ("metrics.jsonl", b'{"step": "<script>"}\n', "JSON object of numbers"),
        ("meta.json", b"3", "meta.json of the zip is damaged"),
        ("status.json", b"", "status.json of the zip is not JSON"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_told(runs_dir, content, file, data, words):
    refused(runs_dir, changed(content, file, data), words)


def test_a_picture_that_is_none_is_told(runs_dir, content):
    refused(runs_dir, zipped(content, **{"ganomaly-n8/samples/99.png": b"<svg/>"}), "no picture")


def test_a_disk_that_is_full_leaves_no_half_run(runs_dir, content, monkeypatch):
    def full(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr(archive.run_directory, "write_json", full)
    with pytest.raises(OSError, match="No space"):
        archive.unpack(zipped(content))
    assert list(runs_dir.iterdir()) == []


def test_an_encrypted_zip_is_told(runs_dir, content):
    parcel = bytearray(zipped(content))
    parcel[parcel.rindex(b"PK\x01\x02") + 8] |= 1  # the flag that says so, of the last file
    refused(runs_dir, bytes(parcel), "encrypted")


def test_an_array_that_claims_to_be_endless_is_refused(runs_dir, content):
    header = (
        b"\x93NUMPY\x01\x00v\x00"
        + b"{'descr': '<f8', 'fortran_order': False, 'shape': (10000000000000,), }".ljust(117)
        + b"\n"
    )
    inner = io.BytesIO(npz(**arrays_of(content)))
    with zipfile.ZipFile(inner, "a") as file:
        file.writestr("more.npy", header)
    refused(runs_dir, changed(content, "scores.npz", inner.getvalue()), "scores.npz of the zip cannot be read")
