"""No file, no path and no picture takes more of the machine than ganad.limits says; each is answered with one sentence."""

import gzip
import io
import os
import struct
import sys
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from ganad import __main__, service
from ganad.data import preprocess, sources
from ganad.errors import DataError
from ganad.system import limits, paths
from tests import hostile
from tests.conftest import ROOT, as_read, put_finished, put_speed
from tests.test_data import write_csv, write_idx, write_npz, write_pictures

MB = 1_000_000


def arrays(n):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (n, 28, 28), dtype=np.uint8), (np.arange(n) % 10).astype(np.uint8)


@pytest.fixture
def small():
    return arrays(40), arrays(20)


@pytest.fixture
def ganad(monkeypatch, capsys):
    """The command line in this process: words -> (exit code, stdout, stderr)."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["ganad", *map(str, words)])
        try:
            code = __main__.main()
        except SystemExit as ended:
            code = ended.code
        return code, *capsys.readouterr()

    return run


# --- what is read takes as much as it promised, and no more ----------------------------------------------------------


def test_a_gzip_is_unpacked_as_far_as_its_header_promises(tmp_path):
    found = hostile.reading(hostile.gzip_bomb(tmp_path))
    assert "train-images-idx3-ubyte.gz has more than 47040000 bytes after its header" in found["said"]
    assert found["bytes"] < 47 * MB + 40 * MB


@pytest.mark.parametrize("make", [hostile.lying_idx, hostile.lying_npz, hostile.huge_field])
def test_what_a_header_promises_in_vain_takes_no_memory(make, tmp_path):
    found = hostile.reading(make(tmp_path))
    assert "expected" in found["said"]
    assert found["bytes"] < 40 * MB


def test_a_deep_picture_takes_a_few_times_its_unpacked_size(tmp_path):
    found = hostile.reading(hostile.deep_png(tmp_path), "picture")
    assert found["said"] == "read"
    assert found["bytes"] < 5 * 2 * 6245**2  # in float64 at once it would be 24


def test_an_idx_of_more_images_than_the_bound_is_refused_by_its_header(tmp_path, small):
    path = write_idx(tmp_path, small) / "train-images-idx3-ubyte"
    path.write_bytes(hostile.idx((500_001, 28, 28)))
    with pytest.raises(DataError, match=r"train-images.* says that it holds 500,001 images, expected at most 500,000"):
        sources.load(tmp_path)


def test_a_gzip_that_ends_before_its_promise_says_how_far_it_came(tmp_path, small):
    path = write_idx(tmp_path, small, gz=True) / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(hostile.idx((41, 28, 28), bytes(100))))
    with pytest.raises(DataError, match=r"has 100 bytes after its header, expected 32144 for shape \(41, 28, 28\)"):
        sources.load(tmp_path)


@pytest.mark.parametrize("promised", [(500_001, 28, 28), (500_001,)])
def test_an_npz_of_more_images_than_the_bound_is_refused_by_its_header(promised, tmp_path):
    with pytest.raises(DataError, match=r"a\.npz: x_train says that it holds 500,001 images"):
        sources.load(hostile.npz(tmp_path / "a.npz", hostile.header(promised)))


def test_an_array_is_bounded_in_bytes_whatever_its_shape(tmp_path):
    path = hostile.npz(tmp_path / "a.npz", hostile.header((10, 10**7, 2), "<f8"))
    with pytest.raises(DataError, match=r"x_train is an array of \(10, 10000000, 2\) float64, 1.6 GB, expected 1 GB"):
        sources.load(path)


@pytest.mark.parametrize("content", [bytes(7839), bytes(7841)])
def test_a_header_of_an_npz_that_its_content_does_not_fit_is_found_before_it_is_read(content, tmp_path):
    path = hostile.npz(tmp_path / "a.npz", hostile.header((10, 28, 28)) + content)
    with pytest.raises(DataError, match=rf"x_train\.npy promises 7,840 bytes and {len(content):,} follow"):
        sources.load(path)


def test_an_npz_with_a_long_list_of_files_is_refused_before_the_list_is_read(tmp_path, small, monkeypatch):
    path = write_npz(tmp_path / "a.npz", small)
    sources.load(path)
    monkeypatch.setattr(limits, "ARCHIVE_DIRECTORY", 200)
    monkeypatch.setattr(zipfile, "ZipFile", None)  # whoever reads the list, fails
    with pytest.raises(
        DataError, match=r"a\.npz cannot be read as \.npz file: its list of files has more than 200 bytes"
    ):
        sources.load(path)


def test_an_npz_packed_otherwise_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_LZMA) as archive:
        for name in ("x_train", "y_train", "x_test", "y_test"):
            archive.writestr(f"{name}.npy", hostile.header((0,)))
    with pytest.raises(DataError, match="packed in a way that numpy does not use"):
        sources.load(tmp_path / "a.npz")


def test_columns_first_and_headers_of_the_second_version_are_read_as_numpy_reads_them(small, tmp_path):
    (a, _), (c, _) = small
    second = io.BytesIO()
    np.lib.format.write_array(second, a, version=(2, 0))
    write_npz(tmp_path / "a.npz", small, x_test=np.asfortranarray(c))
    with zipfile.ZipFile(tmp_path / "a.npz") as old, zipfile.ZipFile(tmp_path / "b.npz", "w") as new:
        for name in old.namelist():
            new.writestr(name, second.getvalue() if name == "x_train.npy" else old.read(name))
    found = sources.load(tmp_path / "b.npz")
    np.testing.assert_array_equal(found.train.images, a)
    np.testing.assert_array_equal(found.test.images, c)


def test_floats_of_more_images_than_are_turned_at_once_come_out_as_they_went_in(tmp_path, monkeypatch):
    small = arrays(5000), arrays(20)
    path = write_npz(tmp_path / "a.npz", small, x_train=small[0][0] / np.float32(255))
    np.testing.assert_array_equal(sources.load(path).train.images, small[0][0])


# --- CSV -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def table(small, tmp_path):
    write_csv(tmp_path / "test.csv", *small[1])
    return write_csv(tmp_path / "train.csv", *small[0])


def test_a_csv_is_bounded_in_bytes(table, monkeypatch):
    with table.open("r+b") as file:
        file.truncate(limits.CSV_BYTES + 1)  # a file of holes: it takes no room on the disk
    with pytest.raises(DataError, match=r"train\.csv has 1\.6 GB, and a CSV may have 1\.6 GB at most"):
        sources.load(table)


def test_a_csv_is_bounded_in_rows(table, monkeypatch):
    monkeypatch.setattr(limits, "IMAGES", 39)
    with pytest.raises(DataError, match=r"train\.csv has more than 39 rows"):
        sources.load(table)


def test_a_csv_of_several_blocks_is_read_whole_and_its_lines_are_counted_through(table, small, monkeypatch):
    blocks = sources._blocks
    monkeypatch.setattr(sources, "_blocks", lambda file, first: blocks(file, first, each=10_000))
    np.testing.assert_array_equal(sources.load(table).train.images, small[0][0])
    lines = table.read_text().splitlines()
    for at in (1, 20, 40):
        table.write_text("\n".join([*lines[:at], lines[at].replace(",", ",x", 1), *lines[at + 1 :]]))
        with pytest.raises(DataError, match=rf"train\.csv, line {at + 1}, column 2: 'x"):
            sources.load(table)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda lines: [*lines[:3], b"1,\xff" + lines[3][3:], *lines[4:]], r"line 4, column 2: '�"),
        (lambda lines: [*lines[:3], b"7" * 200_000 + b"," + lines[3], *lines[4:]], r"line 4: more than 65,536 bytes"),
        (lambda lines: [*lines[:3], b'"1,' + lines[3], *lines[4:]], r"line 4: 1 cells, expected 785"),
        (lambda lines: [*lines[:3], b"\0" + lines[3], *lines[4:]], r"line 4, column 1"),
        (lambda lines: [b"label," + b"p" * 70_000, *lines[1:]], r"line 1: more than 65,536 bytes"),
    ],
    ids=["a byte that is no UTF-8", "a huge field", "a quote without an end", "a NUL", "a huge header"],
)
def test_a_bad_byte_or_a_huge_field_in_a_csv_is_named_with_its_line(change, said, table):
    table.write_bytes(b"\n".join(change(table.read_bytes().splitlines())))
    with pytest.raises(DataError, match=rf"train\.csv, {said}"):
        sources.load(table)


# --- folders and pictures --------------------------------------------------------------------------------------------


def pictures(folder, n=6):
    for name in ("train", "test"):
        for digit in range(2):
            write_pictures(folder / name / str(digit), [np.full((28, 28), i, np.uint8) for i in range(n)])
    return folder


@pytest.mark.parametrize(
    ("bound", "most", "said"),
    [
        ("FOLDER_ENTRIES", 5, r"train.0 holds more than 5 files"),
        ("IMAGES", 11, r"train says that it holds 12 images, expected at most 11"),
        ("FOLDER_BYTES", 500, r"The train pictures of .* expected 500 bytes at most"),
        ("PICTURE_BYTES", 50, r"000\.png has \d+ bytes, and a picture may have 50 bytes at most"),
    ],
)
def test_folders_of_pictures_are_bounded(bound, most, said, tmp_path, monkeypatch):
    pictures(tmp_path)
    sources.load(tmp_path)
    monkeypatch.setattr(limits, bound, most)
    with pytest.raises(DataError, match=said):
        sources.load(tmp_path)


@pytest.mark.parametrize(
    ("mode", "side", "said"), [("RGB", 5478, "4 bytes, 120 MB"), ("I;16", 6325, "6325 × 6325 pixels")]
)
def test_a_picture_is_bounded_in_pixels_and_in_bytes_a_pixel_by_its_header(mode, side, said, monkeypatch):
    content = io.BytesIO()
    Image.new(mode, (1, 1)).save(content, "PNG")
    content = bytearray(content.getvalue())
    content[16:24] = struct.pack(">II", side, side)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", None)  # whoever unpacks it, fails
    with pytest.raises(DataError, match=rf"a\.png is too large: .*{said}"):
        preprocess.read_image(bytes(content), "a.png")


def test_deep_and_transparent_pictures_come_out_the_same_in_one_band_and_in_many(monkeypatch):
    rng = np.random.default_rng(0)
    deep = Image.fromarray(rng.integers(0, 65536, (40, 30), dtype=np.uint16))
    clear = Image.fromarray(rng.integers(0, 256, (40, 30, 4), dtype=np.uint8))
    whole = [preprocess._grey(picture) for picture in (deep, clear)]
    np.testing.assert_array_equal(whole[0], np.rint(np.asarray(deep) / 257).astype(np.uint8))
    bands = preprocess._bands
    monkeypatch.setattr(preprocess, "_bands", lambda height, width: bands(height, width, pixels=7 * 30))
    for picture, grey in zip((deep, clear), whole, strict=True):
        np.testing.assert_array_equal(preprocess._grey(picture), grey)


@pytest.mark.parametrize("turned", range(1, 9))
def test_a_picture_is_turned_as_pillow_turns_it(turned):
    from PIL import ImageOps

    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (6, 4), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = turned
    content = io.BytesIO()
    picture.save(content, "PNG", exif=exif)
    expected = np.array(ImageOps.exif_transpose(Image.open(content)))
    np.testing.assert_array_equal(preprocess.read_image(content.getvalue(), "a.png"), expected)


# --- paths that are none -----------------------------------------------------------------------------------------------


def pipe(folder):
    if not (folder / "pipe.csv").exists():
        os.mkfifo(folder / "pipe.csv")
    return folder / "pipe.csv"


def zero_by_another_name(folder):
    (folder / "train.csv").symlink_to("/dev/zero")
    return folder / "train.csv"


ODD = {
    "a device": (lambda folder: "/dev/zero", "is a device"),
    "a device by another name": (zero_by_another_name, "is a device"),
    "a pipe": (pipe, "is a pipe"),
    "a user that does not exist": (lambda folder: "~nobody-of-that-name/x", "home directory"),
    "a NUL": (lambda folder: "/tmp/a\0b", "NUL"),
    "5,000 characters": (lambda folder: "/" + "x" * 4999, "5,000 characters, expected at most 4,096"),
    "a long name": (lambda folder: "/" + "x" * 3000, "the path is too long"),
    "nothing": (lambda folder: folder / "nothing.png", "exist"),
}


@pytest.mark.parametrize(("make", "said"), ODD.values(), ids=ODD)
def test_an_odd_path_is_one_sentence_in_python(make, said, tmp_path):
    path = make(tmp_path)
    for load in (sources.load, sources.load_test, service.class_counts, service.prepare_file):
        with pytest.raises(DataError, match=said) as error:
            load(path)
        assert len(str(error.value)) < 1000
        assert "\0" not in str(error.value)


def test_an_odd_path_is_one_sentence_on_the_command_line(tmp_path, runs_dir, ganad):
    run = put_finished(runs_dir)
    for name, (make, said) in ODD.items():
        if name == "a NUL":  # no command line can hold one
            continue
        path = make(tmp_path)
        for words in (["score", run.name, path], ["train", "--normal", "8", "--data", path]):
            code, out, err = ganad(*words)
            assert code == 1, (name, err)
            assert said in err, name
            assert "Traceback" not in out + err, name


def test_an_odd_path_is_one_sentence_on_the_train_page(tmp_path, runs_dir):
    put_speed(runs_dir)
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    at.switch_page("pages/1_Train.py").run()
    for name, (make, said) in ODD.items():
        at.text_input(key="data_path").set_value(str(make(tmp_path))).run()
        assert not at.exception, name
        # Said where the path is typed, and below Start, which would use it.
        assert [said in as_read(e.value) for e in at.error] == [True, True], name


def test_a_folder_that_nobody_may_read_is_one_sentence(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied", str(tmp_path))

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DataError, match=r"cannot be read: permission denied \(EACCES\)"):
        sources.load(tmp_path)


def test_a_file_that_nobody_may_read_is_one_sentence(tmp_path, small, monkeypatch):
    path = write_npz(tmp_path / "a.npz", small)

    def refuse(*_):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(DataError, match=r"a\.npz cannot be read: permission denied \(EACCES\)"):
        sources.load(path)


def test_a_machine_without_memory_is_one_sentence(tmp_path, small, monkeypatch):
    def refuse(*_):
        raise MemoryError

    monkeypatch.setattr(sources, "_to_uint8", refuse)
    with pytest.raises(DataError, match=r"a\.npz cannot be read: it asks for more memory than there is"):
        sources.load(write_npz(tmp_path / "a.npz", small))


def test_a_file_of_the_system_that_says_it_is_empty_is_read_up_to_the_bound(monkeypatch):
    with pytest.raises(DataError, match="has more than 10 bytes"):
        paths.contents(paths.typed("/proc/self/status"), 10)
