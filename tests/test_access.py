"""What a shared server refuses, it refuses in its functions; own images come from one folder or an upload; there are quotas."""

import errno
import functools
import gzip
import io
import os
import shutil
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganad import __main__ as cli
from ganad import service
from ganad.config import resolve
from ganad.data import sources
from ganad.errors import ConfigError, DataError, GanadError
from ganad.runs import archive, run_directory, uploads
from ganad.system import access, shared_cache
from ganad.system.access import AccessError
from ganad.training import jobs, throughput
from tests.conftest import SHIPPED, put_failed, put_finished, put_running
from tests.test_pages import opened


@pytest.fixture(autouse=True)
def nothing_is_set(runs_dir, monkeypatch):
    """The policy of each test begins with an empty environment and a command line that nobody else reaches."""
    for name in ("GANAD_READONLY", "GANAD_DATA", *access._DEFAULTS):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(access, "_others_reach_it", False)
    monkeypatch.setattr(jobs, "launch", lambda run: None)
    monkeypatch.setattr(jobs, "_see_to_it", lambda run, patience: True)
    monkeypatch.setattr(jobs, "_signal", lambda pid, number: None)  # running ones carry the number of this very process
    shared_cache.forget()


@pytest.fixture
def reached(monkeypatch):
    """The server is one that others reach."""
    monkeypatch.setattr(access, "_others_reach_it", True)


def arrays(n=400, classes=4):
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (n, 28, 28), dtype=np.uint8), np.arange(n) % classes
    return {"x_train": images, "y_train": labels, "x_test": images[:80], "y_test": labels[:80]}


def npz():
    out = io.BytesIO()
    np.savez(out, **arrays())
    return out.getvalue()


@functools.cache
def csv(part):
    a = arrays()
    rows = np.column_stack([a[f"y_{part}"], a[f"x_{part}"].reshape(len(a[f"x_{part}"]), -1)])
    return "\n".join(",".join(map(str, row)) for row in rows).encode() + b"\n"


def idx(array):
    head = bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">u4").tobytes()
    return head + array.astype(np.uint8).tobytes()


def zipped(files, how=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return out.getvalue()


def upload(*files):
    return service.upload([(name, io.BytesIO(content)) for name, content in files])


def settings(path=None, **also):
    return resolve("ganomaly", normal=(1,), data=path and str(path), **also)


def everything(folder):
    return {str(p.relative_to(folder)): p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file()}


# --- read-only -----------------------------------------------------------------------------------------------------

CHANGES = {
    "start": lambda d: service.start(resolve("ganomaly", normal=(8,))),
    "estimate": lambda d: service.estimate(resolve("ganomaly", normal=(8,))),
    "resume": lambda d: service.resume("3"),
    "steer": lambda d: service.steer("2", {"lr": 0.0001}),
    "stop": lambda d: service.stop("2"),
    "rename": lambda d: service.rename("1", "other"),
    "write_note": lambda d: service.write_note("1", "other"),
    "throw_away": lambda d: service.trash("1"),
    "take_back": lambda d: service.restore("0004-ganomaly-n8-s0"),
    "empty_trash": lambda d: service.empty_trash(),
    "unpacked": lambda d: service.import_zip(d["zip"]),
    "data_path": lambda d: service.data_path(str(d["npz"])),
    "upload": lambda d: upload(("a.npz", npz())),
    "class_counts": lambda d: service.class_counts(str(d["npz"])),
    "examples": lambda d: service.examples(str(d["npz"])),
}


@pytest.fixture
def house(runs_dir, tmp_path):
    """Runs in every state, one of them in the trash, a zip, and images beside them."""
    put_finished(runs_dir)
    put_running(runs_dir)
    put_failed(runs_dir)
    run_directory.move_to_trash(put_finished(runs_dir, "0004-ganomaly-n8-s0"))
    (tmp_path / "a.npz").write_bytes(npz())
    return {"zip": archive.pack(SHIPPED["ganomaly"]), "npz": tmp_path / "a.npz"}


@pytest.mark.parametrize("deed", CHANGES)
def test_a_read_only_server_refuses_every_change_in_its_functions(house, runs_dir, monkeypatch, deed):
    monkeypatch.setenv("GANAD_READONLY", "1")
    before = everything(runs_dir)
    with pytest.raises(AccessError, match=r"read-only, so .* is switched off") as refused:
        CHANGES[deed](house)
    assert "ask whoever runs this one" in str(refused.value)
    assert everything(runs_dir) == before


def test_without_read_only_those_very_deeds_are_done(house, runs_dir, monkeypatch):
    monkeypatch.setattr(throughput, "recall", lambda s: {"float32": 100.0, "score": 100.0, "fit": None})
    for deed, do in CHANGES.items():
        if deed == "empty_trash":
            service.trash("4")
        before = everything(runs_dir)
        do(house)
        if deed not in ("estimate", "data_path", "class_counts", "examples"):
            assert everything(runs_dir) != before, deed


def test_a_read_only_server_shows_judges_and_packs(house, monkeypatch):
    monkeypatch.setenv("GANAD_READONLY", "1")
    assert len(service.list_runs()) == 3
    assert service.evaluate_run("1")[0].auroc > 0.9
    assert service.score_images("1", service.test_images("1")[:1])[0].verdict in ("normal", "anomalous")
    assert service.export_zip("1")
    assert sum(service.class_counts().values()) == 60_000


@pytest.mark.parametrize(
    ("text", "is_so"), [("1", True), ("yes", True), ("oui", True), ("0", False), ("off", False), ("", False)]
)
def test_whatever_does_not_mean_no_is_read_only(monkeypatch, text, is_so):
    monkeypatch.setenv("GANAD_READONLY", text)
    assert access.readonly() is is_so


@pytest.mark.parametrize(
    "words",
    [
        ["train", "--normal", "8"],
        ["resume", "3"],
        ["stop", "2"],
        ["steer", "2", "--set", "lr=0.0001"],
        ["branch", "1", "--epoch", "2"],
        ["replay", "1"],
        ["rename", "1", "a"],
        ["note", "1", "a"],
        ["delete", "1"],
        ["delete", "--empty-trash"],
    ],
)
def test_the_command_line_keeps_to_the_same_policy(house, runs_dir, monkeypatch, capfd, words):
    monkeypatch.setenv("GANAD_READONLY", "1")
    monkeypatch.setattr(sys, "argv", ["ganad", *words])
    before = everything(runs_dir)
    assert cli.main() == 1
    assert "read-only" in capfd.readouterr().err
    assert everything(runs_dir) == before


# --- own images by a path --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "hosts", "is_shared"),
    [
        ("127.0.0.1", ["localhost", "127.0.0.1", "::1"], False),
        ("localhost", ["localhost"], False),
        ("127.3.2.1", ["LocalHost"], False),
        ("::1", ["::1", "[::1]"], False),
        (None, ["localhost"], True),
        ("0.0.0.0", ["localhost"], True),
        ("192.168.1.5", ["localhost"], True),
        ("ganad.example.org", ["localhost"], True),
        ("unix:///run/ganad.sock", ["localhost"], True),
        ("127.0.0.1", ["localhost", "ganad.example.org"], True),
        ("127.0.0.1", ["*"], True),
        ("127.0.0.1", [], True),
    ],
)
def test_a_server_is_shared_when_another_machine_or_a_proxy_reaches_it(address, hosts, is_shared):
    access.serve(address, hosts)
    assert access.shared() is is_shared


@pytest.fixture
def images(tmp_path):
    """A folder of images for all, and a secret beside it."""
    (tmp_path / "images" / "set").mkdir(parents=True)
    (tmp_path / "images" / "a.npz").write_bytes(npz())
    (tmp_path / "secret.npz").write_bytes(npz())
    for part in ("train", "test"):
        (tmp_path / "images" / "set" / f"{part}.csv").write_bytes(csv(part))
    return tmp_path / "images"


def test_on_this_machine_alone_any_path_is_read(images, tmp_path):
    assert service.data_path(str(tmp_path / "images" / ".." / "secret.npz")) == str(tmp_path / "secret.npz")
    assert sum(service.class_counts(str(tmp_path / "secret.npz")).values()) == 400


@pytest.mark.parametrize("setting", [None, "none"])
def test_a_shared_server_reads_no_path_unless_a_folder_is_named(images, reached, monkeypatch, setting):
    if setting:
        monkeypatch.setenv("GANAD_DATA", setting)
    for deed in (service.data_path, service.class_counts, service.examples):
        with pytest.raises(AccessError, match="Upload them"):
            deed(str(images / "a.npz"))
    with pytest.raises(AccessError, match="Upload them"):
        service.start(settings(images / "a.npz"))


def test_none_holds_on_this_machine_too(images, monkeypatch):
    monkeypatch.setenv("GANAD_DATA", "none")
    with pytest.raises(AccessError):
        service.data_path(str(images / "a.npz"))


@pytest.mark.parametrize("path", ["a.npz", "set", "{}/a.npz", "{}/set/train.csv", "set/../a.npz"])
def test_what_lies_in_the_folder_is_read_by_its_whole_path_or_from_there(images, reached, monkeypatch, path):
    monkeypatch.setenv("GANAD_DATA", str(images))
    assert sum(service.class_counts(path.format(images)).values()) == 400
    name = service.start(settings(path.format(images)))
    assert run_directory.settings(run_directory.find(name)).data == str((images / path.format(images)).resolve())


@pytest.mark.parametrize(
    "path",
    [
        "../secret.npz",
        "{}/../secret.npz",
        "/etc/passwd",
        "/nowhere/at/all",
        "link.npz",
        "linked",
        "~",
        "{}x",
        "set/../../secret.npz",
    ],
)
def test_nothing_outside_of_the_folder_is_read_and_one_answer_hides_what_is_there(images, reached, monkeypatch, path):
    monkeypatch.setenv("GANAD_DATA", str(images))
    (images / "link.npz").symlink_to(images.parent / "secret.npz")
    (images / "linked").symlink_to(images.parent)
    said = set()
    for asked in (path.format(images), "/no/such/file"):
        with pytest.raises(AccessError) as refused:
            service.class_counts(asked)
        said.add(str(refused.value))
    assert len(said) == 1
    assert not run_directory.root().exists()


@pytest.mark.parametrize("place", ["set/train.csv", "set/test.csv"])
@pytest.mark.parametrize("asked", ["set", "set/train.csv"])
def test_a_link_inside_of_a_set_of_images_does_not_lead_out(images, reached, monkeypatch, place, asked):
    monkeypatch.setenv("GANAD_DATA", str(images))
    shutil.move(images / place, images.parent / "moved.csv")
    (images / place).symlink_to(images.parent / "moved.csv")
    with pytest.raises(AccessError):
        service.class_counts(asked)


def test_a_picture_that_is_a_link_out_is_not_read(images, reached, monkeypatch):
    monkeypatch.setenv("GANAD_DATA", str(images))
    (images / "p" / "train" / "0").mkdir(parents=True)
    (images / "p" / "train" / "0" / "1.png").symlink_to(images.parent / "secret.npz")
    with pytest.raises(AccessError, match=r"1\.png is a link out"):
        service.class_counts("p")


def test_a_link_that_stays_in_the_folder_is_followed(images, reached, monkeypatch):
    monkeypatch.setenv("GANAD_DATA", str(images))
    (images / "again.npz").symlink_to(images / "a.npz")
    assert service.data_path("again.npz") == str(images / "a.npz")


def test_a_run_that_names_a_path_elsewhere_is_not_a_door(images, reached, runs_dir, monkeypatch):
    """An imported run may claim to be trained on any file; its pictures must not come from there."""
    monkeypatch.setenv("GANAD_DATA", str(images))
    run = put_finished(runs_dir)
    saved = run_directory.settings(run).model_copy(update={"data": str(images.parent / "secret.npz")})
    run_directory.write_json(run / "config.json", saved.model_dump(mode="json"))
    for deed in (
        lambda: service.test_images("1"),
        lambda: service.held_out_images("1", [0]),
        lambda: service.reference_anomalies("1"),
        lambda: service.baseline_curves((8,), saved.data),
        lambda: service.resume("1"),
    ):
        with pytest.raises(AccessError, match="alone"):
            deed()


@pytest.mark.parametrize("path", ["\0", "x" * 5000, "~nobody-of-this-name/a"])
@pytest.mark.parametrize("is_shared", [False, True])
def test_paths_that_are_none_are_told(images, monkeypatch, path, is_shared):
    monkeypatch.setattr(access, "_others_reach_it", is_shared)
    if is_shared:
        monkeypatch.setenv("GANAD_DATA", str(images))
    with pytest.raises(GanadError):
        service.class_counts(path)


def test_the_embedded_images_are_read_from_a_read_only_file_system(monkeypatch, tmp_path):
    """There even the removal of a file that does not exist is refused, as in a container with a read-only root."""
    for path in sources.MNIST.glob("*.gz"):
        shutil.copy(path, tmp_path)
    monkeypatch.setattr(sources, "MNIST", tmp_path)

    def refuse(*args, **how):
        raise OSError(errno.EROFS, "Read-only file system")

    for call in ("write_text", "write_bytes", "unlink"):
        monkeypatch.setattr(Path, call, refuse)
    assert len(sources.load_test().images) == 10_000
    assert {p.suffix for p in tmp_path.iterdir() if p.is_file()} == {".gz"}


# --- quotas ------------------------------------------------------------------------------------------------------------


def test_runs_that_wait_are_counted_and_one_too_many_is_refused(runs_dir, monkeypatch):
    monkeypatch.setenv("GANAD_MAX_QUEUED", "2")
    put_failed(runs_dir)
    for _ in range(2):
        service.start(resolve("ganomaly", normal=(8,)))
    for deed in (lambda: service.start(resolve("ganomaly", normal=(8,))), lambda: service.resume("3")):
        with pytest.raises(AccessError, match=r"2 runs wait .* at most 2 may \(GANAD_MAX_QUEUED\)\. Start again when"):
            deed()
    assert len(run_directory.listing(runs_dir)) == 3


def test_a_full_folder_of_runs_takes_no_run_no_import_and_no_upload(house, runs_dir, monkeypatch):
    used = sum(p.stat().st_size for p in runs_dir.rglob("*") if p.is_file())
    monkeypatch.setenv("GANAD_MAX_RUNS_BYTES", str(used))
    before = everything(runs_dir)
    for deed in ("start", "resume", "unpacked", "upload"):
        with pytest.raises(AccessError, match=r"GANAD_MAX_RUNS_BYTES\)\. Whoever runs this server can empty the trash"):
            CHANGES[deed](house)
    assert {k: v for k, v in everything(runs_dir).items() if not k.endswith(".lock")} == before
    monkeypatch.setenv("GANAD_MAX_RUNS_BYTES", str(used + len(house["zip"]) // 2))
    with pytest.raises(AccessError, match="would come"):
        service.import_zip(house["zip"])
    monkeypatch.setenv("GANAD_MAX_RUNS_BYTES", str(used + 10**9))
    service.import_zip(house["zip"])


def test_an_upload_that_does_not_fit_any_more_leaves_nothing(runs_dir, monkeypatch):
    content = npz()
    monkeypatch.setenv("GANAD_MAX_RUNS_BYTES", str(len(content) // 2))
    with pytest.raises(AccessError, match="GANAD_MAX_RUNS_BYTES"):
        upload(("a.npz", content))
    assert not list(uploads.folder().iterdir())


def test_what_is_too_large_to_be_taken_is_refused(house, runs_dir, monkeypatch):
    monkeypatch.setenv("GANAD_MAX_UPLOAD_BYTES", "1K")
    for deed in ("unpacked", "upload"):
        with pytest.raises(AccessError, match=r"at most 0\.0 MB are taken \(GANAD_MAX_UPLOAD_BYTES\)"):
            CHANGES[deed](house)


@pytest.mark.parametrize(("text", "value"), [("20G", 20 * 10**9), ("5", 5), ("1k", 1000), ("", 100)])
def test_a_quota_is_a_number_with_or_without_a_unit(monkeypatch, text, value):
    monkeypatch.setenv("GANAD_MAX_QUEUED", text)
    assert access.quota("GANAD_MAX_QUEUED") == value


@pytest.mark.parametrize("text", ["many", "-1", "1.5G", "1GB", "9" * 40])
def test_a_quota_that_is_no_number_lets_nothing_through(runs_dir, monkeypatch, text):
    monkeypatch.setenv("GANAD_MAX_QUEUED", text)
    with pytest.raises(ConfigError, match="GANAD_MAX_QUEUED is a whole number"):
        service.start(resolve("ganomaly", normal=(8,)))
    assert not run_directory.listing(runs_dir)


# --- uploads -------------------------------------------------------------------------------------------------------------

GOOD = {
    "npz": lambda: [("x.npz", npz())],
    "pair": lambda: [("my_TRAIN.csv", csv("train")), ("my_test.csv", csv("test"))],
    "zip of a pair": lambda: [
        ("a.zip", zipped({"d/mnist_test.csv": csv("test"), "d/mnist_train.csv": csv("train"), "__MACOSX/x": b"", "d/.DS_Store": b""}))
    ],
    "zip of idx": lambda: [
        (
            "a.zip",
            zipped(
                {
                    "train-images-idx3-ubyte.gz": gzip.compress(idx(arrays()["x_train"])),
                    "train-labels-idx1-ubyte.gz": gzip.compress(idx(arrays()["y_train"])),
                    "t10k-images.idx3-ubyte": idx(arrays()["x_test"]),
                    "t10k-labels-idx1-ubyte": idx(arrays()["y_test"]),
                }
            ),
        )
    ],
}  # fmt: skip


@pytest.mark.parametrize("kind", GOOD)
def test_an_upload_becomes_a_path_that_a_run_can_name_on_a_shared_server(runs_dir, reached, kind):
    path = upload(*GOOD[kind]())
    assert path.startswith(str(runs_dir / ".uploads"))
    assert np.array_equal(sources.load(path).train.images, arrays()["x_train"])
    assert sum(service.class_counts(path).values()) == 400
    name = service.start(settings(path))
    assert run_directory.settings(run_directory.find(name)).data == path
    assert [r.name for r in service.list_runs()] == [name], "an upload is no run"


def picture(grey, kind="PNG"):
    out = io.BytesIO()
    Image.fromarray(np.full((40, 30), grey, np.uint8)).save(out, kind)
    return out.getvalue()


def photos(root="", each=5):
    return {
        f"{root}{name}/my photo {i}.png": picture(60 * k + i)
        for k, name in enumerate(("Shirt", "Ankle boot"))
        for i in range(each)
    }


def test_a_zip_of_a_folder_of_pictures_for_each_class_becomes_a_data_set_with_their_names(runs_dir, reached):
    litter = {"clothes/Shirt/.hidden.png": b"x", "__MACOSX/Shirt/a.png": b"x", "clothes/read me.txt": b"x"}
    dataset = sources.load(upload(("a.zip", zipped(photos("clothes/") | litter))))
    assert dataset.classes == ("Ankle boot", "Shirt")
    assert np.bincount(dataset.train.digit).tolist() == [4, 4], "every fifth is a test image"
    assert np.bincount(dataset.test.digit).tolist() == [1, 1]
    assert sorted(dataset.test.images.max((1, 2))) == [4, 64]


def test_train_and_test_folders_of_a_zip_stay_apart(runs_dir):
    dataset = sources.load(upload(("a.zip", zipped(photos("c/Training/", 3) | photos("c/test/", 2)))))
    assert (len(dataset.train.digit), len(dataset.test.digit)) == (6, 4)


def test_a_picture_of_a_zip_that_cannot_be_read_is_named_as_it_was(runs_dir):
    with pytest.raises(DataError, match=r"Shirt/0000\d\d-broken\.png"):
        upload(("a.zip", zipped(photos() | {"Shirt/broken.png": b"x"})))
    assert not list(uploads.folder().iterdir())


@pytest.mark.parametrize("folder", ["..", "<b>x</b>", "a:b", "x" * 41, "-rf"])
def test_a_class_folder_of_a_zip_needs_a_name_that_is_no_markup_and_no_way_out(runs_dir, tmp_path, folder):
    with pytest.raises(DataError, match="the name of a class has 1 to 40 letters"):
        upload(("a.zip", zipped(photos() | {f"{folder}/a.png": picture(1)})))
    assert not list(uploads.folder().iterdir())


def test_a_zip_of_too_many_pictures_is_refused(runs_dir, monkeypatch):
    monkeypatch.setattr(uploads, "MOST_PICTURES", 9)
    with pytest.raises(DataError, match="The zip holds 10 pictures, expected 9 at most"):
        upload(("a.zip", zipped(photos())))


def test_on_ones_own_machine_images_are_uploaded_too_and_a_button_leads_back(runs_dir):
    at = opened("pages/1_Train.py")
    assert at.text_input(key="data_path").value == ""
    at.file_uploader(key="own_images").upload("mine.zip", zipped(photos())).run()
    assert not at.exception
    assert "8 training images in 2 classes" in words(at)
    assert [e.value for e in at.error] == ["Pick at least one normal class, and leave one out."]
    assert "forget_upload" not in keys(at), "the file is there to be removed"
    at.switch_page("pages/5_Compare.py").run()
    at.switch_page("pages/1_Train.py").run()
    assert "8 training images in 2 classes" in words(at)
    at.button(key="forget_upload").click().run()
    assert "The embedded MNIST is used" in words(at)
    assert "forget_upload" not in keys(at)


def test_the_same_images_are_kept_once(runs_dir):
    assert upload(("a.npz", npz())) == upload(("other.npz", npz()))
    assert len(list(uploads.folder().iterdir())) == 1


BAD = {
    "no zip": [("a.zip", b"no zip")],
    "empty": [("a.npz", b"")],
    "no name": [("", b"x")],
    "half a pair": [("train.csv", b"1,2\n")],
    "two trains": [("train1.csv", b"1,2\n"), ("train2.csv", b"1,2\n")],
    "a picture": [("a.png", b"x")],
    "a zip of something else": [("a.zip", zipped({"evil.py": b"x"}))],
    "a zip that leads out": [("a.zip", zipped({"../../train.py": b"x", "/etc/test.csv": b"x"}))],
    "too many files": [("a.zip", zipped({f"{i}.csv": b"" for i in range(5)}))],
    "an empty zip": [("a.zip", zipped({}))],
    "rows of a wrong kind": [("train.csv", b"1,2,3\n"), ("test.csv", b"1,2,3\n")],
    "a zip and a table": [("a.zip", b"x"), ("train.csv", b"x")],
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_an_upload_that_cannot_be_used_is_told_without_our_folders_and_leaves_nothing(runs_dir, kind):
    with pytest.raises(DataError) as refused:
        upload(*BAD[kind])
    assert str(runs_dir) not in str(refused.value)
    assert not list(uploads.folder().iterdir())
    assert {p.name for p in runs_dir.iterdir()} <= {".uploads", ".quota.lock"}


def test_names_in_a_zip_never_become_paths(runs_dir, tmp_path):
    path = upload(("a.zip", zipped({"../../train.csv": csv("train"), "../test.csv": csv("test")})))
    assert sorted(p.name for p in (tmp_path / "runs" / ".uploads").rglob("*.csv")) == ["test.csv", "train.csv"]
    assert not list(tmp_path.glob("*.csv"))
    assert sum(service.class_counts(path).values()) == 400


def test_a_zip_that_unpacks_to_too_much_is_cut_off(runs_dir, monkeypatch):
    monkeypatch.setattr(uploads, "MOST_UNPACKED", 3_000_000)
    bomb = zipped({"train.csv": b"0" * 20_000_000, "test.csv": b"1"})
    assert len(bomb) < 100_000
    with pytest.raises(DataError, match="more than 3 MB"):
        upload(("a.zip", bomb))
    assert not list(uploads.folder().iterdir())


def test_an_upload_that_no_run_names_is_removed_a_day_later_and_another_stays(runs_dir, monkeypatch):
    kept, thrown, unused = (upload(("a.npz", npz_of(n))) for n in (410, 420, 430))
    service.start(settings(kept))
    trashed = run_directory.find(service.start(settings(thrown)))
    run_directory.write_status(trashed, run_directory.Status(state="stopped"))
    run_directory.move_to_trash(trashed)
    uploads.sweep(time.time() + uploads.KEEP_S - 600)
    assert len(list(uploads.folder().iterdir())) == 3
    (uploads.folder() / ".dead.part").mkdir()
    uploads.sweep(time.time() + uploads.KEEP_S + 600)
    assert {os.path.dirname(p) for p in (kept, thrown)} == {str(p) for p in uploads.folder().iterdir()}
    assert not os.path.exists(unused)


def npz_of(n):
    out = io.BytesIO()
    np.savez(out, **arrays(n))
    return out.getvalue()


# --- the pages -----------------------------------------------------------------------------------------------------------


def words(at):
    return " ".join(e.value for e in [*at.caption, *at.markdown, *at.subheader])


def keys(at):
    return {b.key for b in [*at.button, *at.get("download_button")] if b.key}


def test_the_train_page_of_a_read_only_server_says_so_and_has_nothing_to_press(house, monkeypatch):
    before = opened("pages/1_Train.py", run="0003-ganomaly-n8-s0")
    assert {"start", "resume"} <= keys(before)
    assert before.text_input(key="data_path")
    monkeypatch.setenv("GANAD_READONLY", "1")
    at = opened("pages/1_Train.py", run="0003-ganomaly-n8-s0")
    assert "This server is read-only: nothing is trained here." in words(at)
    assert not {"start", "resume", "stop"} & keys(at)
    assert "data_path" not in {t.key for t in at.text_input}
    running = opened("pages/1_Train.py", run="0002-ganomaly-n8-s0")
    assert all(b.disabled for b in running.button if b.key == "stop")


def test_the_compare_page_of_a_read_only_server_offers_the_download_alone(house, monkeypatch):
    assert "throw_away" in keys(opened("pages/5_Compare.py", run="0001-ganomaly-n8-s0"))
    monkeypatch.setenv("GANAD_READONLY", "1")
    at = opened("pages/5_Compare.py", run="0001-ganomaly-n8-s0")
    assert "This server is read-only: runs are downloaded here" in words(at)
    assert not {"throw_away", "undo", "save_description"} & keys(at)
    assert not at.get("file_uploader")
    assert len(at.get("download_button")) == 1


def test_on_a_shared_server_own_images_are_uploaded_and_with_a_folder_typed_too(house, images, monkeypatch):
    from ganad.ui.panels import shared_server

    monkeypatch.setattr(shared_server, "begin", lambda: access.serve("0.0.0.0", []))
    at = opened("pages/1_Train.py")
    assert "data_path" not in {t.key for t in at.text_input}
    assert len(at.get("file_uploader")) == 1
    monkeypatch.setenv("GANAD_DATA", str(images))
    at = opened("pages/1_Train.py")
    at.text_input(key="data_path").set_value("/etc/passwd").run()
    assert "reads images by a path from" in at.error[0].value
    at.text_input(key="data_path").set_value("a.npz").run()
    assert not at.error
    assert "400 training images in 4 classes" in words(at)
