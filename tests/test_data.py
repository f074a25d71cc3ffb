import gzip
import json
import struct

import numpy as np
import pytest
from PIL import Image

from ganad.config import UNSET, resolve
from ganad.data import sources
from ganad.errors import DataError

IDX_NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


@pytest.fixture(scope="module")
def mnist():
    return sources.load()


@pytest.fixture
def small():
    """Train and test arrays of 40 and 20 images, each digit in turn."""
    rng = np.random.default_rng(0)

    def part(n):
        return rng.integers(0, 256, (n, 28, 28), dtype=np.uint8), (np.arange(n) % 10).astype(np.uint8)

    return part(40), part(20)


def settings(**asked):
    return resolve("ganomaly", "tuned", **{"normal": (8,)} | asked)


def idx(array):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def write_idx(folder, small, *, gz=False, dot="-"):
    for name, array in zip(IDX_NAMES, (a for part in small for a in part), strict=True):
        content = idx(array)
        path = folder / (name.replace("-idx", f"{dot}idx") + (".gz" if gz else ""))
        path.write_bytes(gzip.compress(content) if gz else content)
    return folder


def write_csv(path, images, labels, *, header=True):
    rows = np.column_stack([labels, images.reshape(-1, 784)]).astype(int)
    names = ",".join(["label", *(f"{r}x{c}" for r in range(1, 29) for c in range(1, 29))])
    np.savetxt(path, rows, fmt="%d", delimiter=",", header=names if header else "", comments="")
    return path


def write_npz(path, small, **change):
    (a, b), (c, d) = small
    np.savez(path, **{"x_train": a, "y_train": b, "x_test": c, "y_test": d} | change)
    return path


def write_pictures(folder, images, **kwargs):
    folder.mkdir(parents=True, exist_ok=True)
    for i, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{i:03}.png", **kwargs)


def assert_is(dataset, small):
    for images, (pixels, labels) in zip((dataset.train, dataset.test), small, strict=True):
        np.testing.assert_array_equal(images.images, pixels)
        np.testing.assert_array_equal(images.digit, labels)
        np.testing.assert_array_equal(images.index, np.arange(len(labels)))
        assert [field.dtype for field in images] == [np.uint8, np.uint8, np.int64]


# --- MNIST -------------------------------------------------------------------------------------------------------


def test_the_embedded_mnist_has_the_published_number_of_images_of_each_digit(mnist):
    assert mnist.train.images.shape == (60_000, 28, 28)
    assert mnist.test.images.shape == (10_000, 28, 28)
    assert np.bincount(mnist.train.digit).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(mnist.test.digit).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert mnist.train.digit[:5].tolist() == [5, 0, 4, 1, 9]
    assert mnist.classes == tuple("0123456789")


def test_mnist_is_light_ink_on_black_with_its_centre_of_mass_in_the_centre(mnist):
    images = mnist.test.images
    assert not images[:, 0].any()
    assert images.max() == 255
    mean = images.mean(axis=0)
    assert np.average(np.arange(28), weights=mean.sum(axis=1)) == pytest.approx(14, abs=0.1)


def test_load_mnist_gives_plain_writable_arrays(mnist):
    (x, y), (x_test, y_test) = sources.load_mnist()
    np.testing.assert_array_equal(x[:100], mnist.train.images[:100])
    np.testing.assert_array_equal(y_test, mnist.test.digit)
    assert (x.dtype, y.dtype, len(x_test)) == (np.uint8, np.uint8, 10_000)
    assert x.flags.writeable
    assert y.flags.writeable


def test_the_test_images_are_read_without_the_training_images(mnist, tmp_path, monkeypatch):
    for name in IDX_NAMES[2:]:
        (tmp_path / f"{name}.gz").write_bytes((sources.MNIST / f"{name}.gz").read_bytes())
    monkeypatch.setattr(sources, "MNIST", tmp_path)
    for mine, theirs in zip(sources.load_test(), mnist.test, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def copy_test_files(folder):
    for name in IDX_NAMES[2:]:
        (folder / f"{name}.gz").write_bytes((sources.MNIST / f"{name}.gz").read_bytes())
    return folder / f"{IDX_NAMES[3]}.gz"


def test_a_changed_mnist_file_is_refused_even_when_its_gzip_is_sound(tmp_path, monkeypatch):
    labels = copy_test_files(tmp_path)
    monkeypatch.setattr(sources, "MNIST", tmp_path)
    sources.load_test()
    content = bytearray(gzip.decompress(labels.read_bytes()))
    content[8] ^= 1
    labels.write_bytes(gzip.compress(bytes(content)))
    with pytest.raises(DataError, match=r"t10k-labels.*not the official MNIST file: SHA-256 .* expected ff7bcfd4"):
        sources.load_test()


def test_a_check_that_passed_is_remembered_until_the_file_changes(tmp_path, monkeypatch):
    labels = copy_test_files(tmp_path)
    monkeypatch.setattr(sources, "MNIST", tmp_path)
    sources.load_test()
    memory = json.loads((tmp_path / ".verified.json").read_text())
    stat = labels.stat()
    assert memory[labels.name] == [stat.st_size, stat.st_mtime_ns]
    monkeypatch.setattr(sources, "_SHA256", dict.fromkeys(sources._SHA256, "0"))
    sources.load_test()  # not compared again
    (tmp_path / ".verified.json").write_text("[half a fi")
    with pytest.raises(DataError, match="SHA-256"):
        sources.load_test()


def test_mnist_loads_where_the_success_cannot_be_written_down(tmp_path, monkeypatch):
    copy_test_files(tmp_path)
    (tmp_path / ".verified.json").mkdir()  # a folder in its place, since root may write anywhere
    monkeypatch.setattr(sources, "MNIST", tmp_path)
    assert len(sources.load_test().images) == 10_000
    assert not list(tmp_path.glob("*.part"))


def test_the_fingerprint_of_mnist_is_that_of_its_content(mnist):
    parts = [a for part in (mnist.train, mnist.test) for a in (part.images, part.digit)]
    assert [sources._idx_digest(a).hex() for a in parts] == list(sources._SHA256.values())


# --- every format gives the same ---------------------------------------------------------------------------------


def _csv_folder(path, small):
    write_csv(path / "mnist_train.csv", *small[0])
    write_csv(path / "mnist_test.csv", *small[1])
    return path


def _csv_file(path, small):
    write_csv(path / "Train.csv", *small[0], header=False)
    write_csv(path / "Test.csv", *small[1], header=False)
    return path / "Train.csv"


def _float_npz(path, small):
    (a, b), (c, d) = small
    a, c = (x.reshape(-1, 784) / np.float32(255) for x in (a, c))
    np.savez(path / "f.npz", train_images=a, train_labels=b.astype(np.int64), test_images=c, test_labels=d[:, None])
    return path / "f.npz"


def _pictures(path, small):
    for name, (images, labels) in zip(("train", "test"), small, strict=True):
        for digit in range(10):
            write_pictures(path / name / str(digit), images[labels == digit])
    return path


FORMATS = {
    "idx": lambda path, small: write_idx(path, small),
    "idx.gz": lambda path, small: write_idx(path, small, gz=True),
    "idx with a dot": lambda path, small: write_idx(path, small, dot="."),
    "csv folder": _csv_folder,
    "csv file without header": _csv_file,
    "npz": lambda path, small: write_npz(path / "a.npz", small),
    "float npz": _float_npz,
    "pictures": _pictures,
}


@pytest.mark.parametrize("write", FORMATS.values(), ids=FORMATS)
def test_every_format_gives_the_same_images_and_the_same_fingerprint(write, small, tmp_path):
    (tmp_path / "plain").mkdir()
    (tmp_path / "data").mkdir()
    plain = sources.load(write_npz(tmp_path / "plain" / "a.npz", small))
    path = write(tmp_path / "data", small)
    dataset = sources.load(path)
    assert_is(dataset, small)
    assert dataset.fingerprint == plain.fingerprint
    assert dataset.source == str(path)
    for mine, theirs in zip(sources.load_test(str(path)), dataset.test, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_one_changed_pixel_changes_the_fingerprint(small, tmp_path):
    before = sources.load(write_npz(tmp_path / "a.npz", small)).fingerprint
    small[1][0][7, 3, 3] ^= 1
    assert sources.load(write_npz(tmp_path / "b.npz", small)).fingerprint != before


def test_bools_and_whole_floats_are_taken_for_what_they_are(small, tmp_path):
    (a, _), (c, _) = small
    path = write_npz(tmp_path / "a.npz", small, x_train=a > 127, x_test=c.astype(np.float64)[..., None])
    dataset = sources.load(path)
    np.testing.assert_array_equal(dataset.train.images, np.where(a > 127, 255, 0))
    np.testing.assert_array_equal(dataset.test.images, c)


# --- folders of pictures -----------------------------------------------------------------------------------------


def test_class_folders_without_a_test_folder_give_every_fifth_picture_to_test(tmp_path):
    for value, name in enumerate(("cat", "ant")):
        write_pictures(tmp_path / name, [np.full((28, 28), 100 * value + i, np.uint8) for i in range(11)])
    dataset = sources.load(tmp_path)
    assert dataset.classes == ("ant", "cat")
    # ant, written second, is class 0: names are sorted. One of each class in turn.
    assert dataset.test.images[:, 0, 0].tolist() == [104, 4, 109, 9]
    assert dataset.test.digit.tolist() == [0, 1, 0, 1]
    assert dataset.train.images[:, 0, 0].tolist()[:6] == [100, 0, 101, 1, 102, 2]
    assert len(dataset.train.images) == 18


def test_class_folders_named_by_digits_keep_their_number(tmp_path):
    for digit in (3, 7):
        write_pictures(tmp_path / str(digit), [np.full((28, 28), digit, np.uint8)] * 5)
    dataset = sources.load(tmp_path)
    assert dataset.test.digit.tolist() == [3, 7]
    assert dataset.classes == tuple("0123456789")


def test_pictures_of_28_pixels_are_taken_as_they_are_and_others_are_prepared(tmp_path, mnist):
    digit = mnist.test.images[1]  # its strokes are wide enough to stay as they are
    page = np.full((400, 500), 255, np.uint8)
    page[50:330, 150:430] = 255 - np.kron(digit, np.ones((10, 10), np.uint8))
    for name in ("train", "test"):
        write_pictures(tmp_path / name / "7", [255 - digit, page])
    images = sources.load(tmp_path).train.images
    np.testing.assert_array_equal(images[0], 255 - digit)
    assert np.abs(images[1].astype(int) - digit).mean() < 3


def test_a_class_that_only_the_test_folder_has_is_numbered_too(tmp_path):
    picture = [np.full((28, 28), 9, np.uint8)]
    write_pictures(tmp_path / "training" / "good", picture)
    write_pictures(tmp_path / "testing" / "good", picture)
    write_pictures(tmp_path / "testing" / "broken", picture)
    dataset = sources.load(tmp_path)
    assert dataset.classes == ("broken", "good")
    assert dataset.train.digit.tolist() == [1]
    assert dataset.test.digit.tolist() == [0, 1]


def test_an_empty_class_folder_is_an_error_that_names_it(tmp_path):
    write_pictures(tmp_path / "0", [np.zeros((28, 28), np.uint8)] * 5)
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "notes.txt").write_text("soon")
    with pytest.raises(DataError, match=r"1 holds no pictures \(1 other files\), expected .*\.png"):
        sources.load(tmp_path)


def test_more_than_a_hundred_classes_are_an_error(tmp_path):
    for i in range(101):
        (tmp_path / f"c{i}").mkdir()
    with pytest.raises(DataError, match=r"101 class folders .* 100 at most"):
        sources.load(tmp_path)


def test_classes_too_small_for_a_fifth_picture_leave_no_test_images(tmp_path):
    write_pictures(tmp_path / "0", [np.zeros((28, 28), np.uint8)] * 4)
    with pytest.raises(DataError, match="no test images, expected at least five"):
        sources.load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"no picture at all", b"\x89PNG\r\n\x1a\n cut off"])
def test_an_unreadable_picture_is_an_error_that_names_it(content, tmp_path):
    write_pictures(tmp_path / "0", [np.zeros((28, 28), np.uint8)] * 5)
    (tmp_path / "0" / "bad.png").write_bytes(content)
    with pytest.raises(DataError, match=r"0.bad\.png"):
        sources.load(tmp_path)


def test_a_blank_picture_is_an_error_that_names_it(tmp_path):
    write_pictures(tmp_path / "0", [np.full((50, 50), 200, np.uint8)] * 5)
    with pytest.raises(DataError, match=r"000\.png: No ink found"):
        sources.load(tmp_path)


# --- what cannot be loaded ---------------------------------------------------------------------------------------


def test_a_missing_path_is_an_error_that_says_what_is_accepted(tmp_path):
    with pytest.raises(DataError, match=r"nowhere does not exist; expected .*\.npz"):
        sources.load(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["a.txt", "folder/b.txt"])
def test_something_of_another_kind_is_an_error_that_says_what_is_accepted(name, tmp_path):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("?")
    with pytest.raises(DataError, match=r"(type '\.txt'|holds b\.txt); expected a folder"):
        sources.load(path if path.parent == tmp_path else path.parent)


IDX_FAULTS = {
    "a wrong magic": (0, lambda c: b"\x00\x00\x0d" + c[3:], r"starts with bytes 00 00 0d 03, expected 00 00 08 03"),
    "labels as images": (0, lambda c: idx(np.zeros(40, np.uint8)), r"starts with bytes 00 00 08 01"),
    "a cut header": (0, lambda c: c[:10], r"ends within its header: 10 bytes"),
    "an empty file": (0, lambda c: b"", r"starts with bytes \(none\)"),
    "too few bytes": (0, lambda c: c[:-1], r"31359 bytes after its header, expected 31360"),
    "too many bytes": (1, lambda c: c + b"0", r"train-labels.* 41 bytes after its header, expected 40"),
    "another size": (
        0,
        lambda c: idx(np.zeros((40, 20, 20), np.uint8)),
        r"shape \(40, 20, 20\), expected \(N, 28, 28\)",
    ),
    "no images": (0, lambda c: idx(np.zeros((0, 28, 28), np.uint8)), r"holds no images"),
    "too few labels": (
        1,
        lambda c: idx(np.zeros(39, np.uint8)),
        r"train-labels.* 40 images but labels of shape \(39,\)",
    ),
    "a label of 100": (
        1,
        lambda c: idx(np.full(40, 100, np.uint8)),
        r"train-labels.* label 100 found, expected .* 0 to 99",
    ),
}


@pytest.mark.parametrize(("which", "change", "words"), IDX_FAULTS.values(), ids=IDX_FAULTS)
def test_an_idx_file_with_a_fault_is_an_error_that_names_it(which, change, words, small, tmp_path):
    path = write_idx(tmp_path, small) / IDX_NAMES[which]
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(DataError, match=words) as error:
        sources.load(tmp_path)
    assert IDX_NAMES[which] in str(error.value)


@pytest.mark.parametrize("change", [lambda c: c[:-20], lambda c: b"no gzip", lambda c: c[:50] + b"????" + c[54:]])
def test_a_damaged_gzip_file_is_an_error_that_names_it(change, small, tmp_path):
    path = write_idx(tmp_path, small, gz=True) / f"{IDX_NAMES[0]}.gz"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz cannot be read .* a whole gzip file"):
        sources.load(tmp_path)


def test_a_missing_idx_file_is_named(small, tmp_path):
    (write_idx(tmp_path, small) / IDX_NAMES[3]).unlink()
    with pytest.raises(DataError, match="has no t10k-labels-idx1-ubyte"):
        sources.load(tmp_path)


@pytest.mark.parametrize("cell", ["x", "", "256", "-1", "1.5", "99999999999999999999", "nan"])
def test_a_bad_cell_of_a_csv_is_named_with_its_line_and_column(cell, small, tmp_path):
    path = _csv_folder(tmp_path, small) / "mnist_train.csv"
    lines = path.read_text().splitlines()
    cells = lines[3].split(",")
    cells[5] = cell
    path.write_text("\n".join([*lines[:3], ",".join(cells), *lines[4:]]))
    with pytest.raises(DataError, match=rf"mnist_train\.csv, line 4, column 6: '{cell}', expected a whole number"):
        sources.load(tmp_path)


CSV_FAULTS = {
    "a short row": (lambda lines: [*lines[:5], "1,2,3", *lines[6:]], r"line 6: 3 cells, expected 785"),
    "a long row": (lambda lines: [*lines[:5], lines[5] + ",0", *lines[6:]], r"line 6: 786 cells, expected 785"),
    "no labels": (lambda lines: [line.split(",", 1)[1] for line in lines], r"784 columns, expected 785.*no labels"),
    "only a header": (lambda lines: lines[:1], r"header and no rows"),
    "a label of 100": (lambda lines: [lines[0], "100" + lines[1][1:]], r"label 100 found"),
    "labels at the end": (
        lambda lines: [",".join([*line.split(",")[1:], line.split(",")[0]]) for line in lines],
        r"first column is '1x1', expected the label",
    ),
    "nothing": (lambda lines: [], r"1 columns, expected 785"),
}


@pytest.mark.parametrize(("change", "words"), CSV_FAULTS.values(), ids=CSV_FAULTS)
def test_a_csv_with_a_fault_is_an_error_that_names_it(change, words, small, tmp_path):
    path = _csv_folder(tmp_path, small) / "mnist_test.csv"
    path.write_text("\n".join(change(path.read_text().splitlines())))
    with pytest.raises(DataError, match=rf"mnist_test\.csv.*{words}"):
        sources.load(tmp_path)


def test_a_csv_that_is_no_text_is_an_error(small, tmp_path):
    path = _csv_folder(tmp_path, small) / "mnist_test.csv"
    path.write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(DataError, match=r"mnist_test\.csv cannot be read as text"):
        sources.load(tmp_path)


def test_a_csv_without_its_partner_is_an_error(small, tmp_path):
    path = write_csv(tmp_path / "train.csv", *small[0])
    with pytest.raises(DataError, match=r"test\.csv does not exist"):
        sources.load(path)
    with pytest.raises(DataError, match=r"one CSV with 'test' in its name, found 0 \(train\.csv\)"):
        sources.load(tmp_path)
    with pytest.raises(DataError, match="expected 'train' in its name"):
        sources.load(path.rename(tmp_path / "digits.csv"))


NPZ_FAULTS = {
    "too few labels": (dict(y_train=np.zeros(3, np.uint8)), r"40 images but labels of shape \(3,\)"),
    "one-hot labels": (dict(y_train=np.eye(40, 10)), r"labels of shape \(40, 10\)"),
    "labels in words": (dict(y_test=np.array(["a"] * 20)), r"test labels are of type <U1"),
    "fractions as labels": (dict(y_test=np.full(20, 0.5)), r"test labels are of type float64"),
    "a label of 100": (dict(y_test=np.full(20, 100)), r"label 100 found"),
    "a label of -1": (dict(y_test=np.full(20, -1)), r"label -1 found"),
    "another size": (dict(x_train=np.ones((40, 32, 32))), r"shape \(40, 32, 32\), expected \(N, 28, 28\)"),
    "pixels of -1": (dict(x_train=np.full((40, 28, 28), -1.0)), r"train images lie in -1..-1, expected 0..255"),
    "pixels of 256": (dict(x_train=np.full((40, 28, 28), 256)), r"train images lie in 256..256"),
    "pixels not finite": (dict(x_train=np.full((40, 28, 28), np.nan)), r"train images lie in nan..nan"),
    "fractions above 1": (dict(x_train=np.full((40, 28, 28), 1.5)), r"fractions up to 1.5"),
    "whole 0 and 1": (dict(x_train=np.eye(28, dtype=int)[None].repeat(40, 0)), r"only the whole numbers 0 and 1"),
    "words": (dict(x_train=np.full((40, 28, 28), "a")), r"train images are of type <U1"),
    "objects": (dict(x_train=np.full((40, 28, 28), None)), r"cannot be read as .npz .* without objects"),
}


@pytest.mark.parametrize(("change", "words"), NPZ_FAULTS.values(), ids=NPZ_FAULTS)
def test_an_npz_with_a_fault_is_an_error_that_names_it(change, words, small, tmp_path):
    with pytest.raises(DataError, match=rf"a\.npz.*{words}"):
        sources.load(write_npz(tmp_path / "a.npz", small, **change))


def test_an_npz_without_an_array_names_it_and_what_is_there(tmp_path):
    np.savez(tmp_path / "a.npz", x_train=np.zeros((2, 28, 28)), y=np.zeros(2))
    with pytest.raises(DataError, match=r"no array y_train or train_labels or train_y; found x_train, y"):
        sources.load(tmp_path / "a.npz")


def test_a_damaged_npz_is_an_error_at_whatever_byte_it_ends(small, tmp_path):
    whole = write_npz(tmp_path / "a.npz", small).read_bytes()
    for n in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        (tmp_path / "a.npz").write_bytes(whole[:n])
        with pytest.raises(DataError, match=r"a\.npz cannot be read as \.npz"):
            sources.load(tmp_path / "a.npz")
    with (tmp_path / "a.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(DataError, match=r"a\.npz cannot be read as \.npz"):
        sources.load(tmp_path / "a.npz")


# --- split -------------------------------------------------------------------------------------------------------


def test_a_tenth_of_each_normal_digit_is_held_out_and_nothing_is_lost_or_used_twice(mnist):
    normal = (1, 5)
    split = sources.split(mnist, settings(normal=normal))
    for digit in normal:
        n = int((mnist.train.digit == digit).sum())
        assert (split.val.digit == digit).sum() == round(0.1 * n)
    both = np.concatenate([split.train.index, split.val.index])
    np.testing.assert_array_equal(np.sort(both), np.flatnonzero(np.isin(mnist.train.digit, normal)))


def test_every_part_keeps_the_order_of_its_file_and_its_images(mnist):
    split = sources.split(mnist, settings(normal=(3, 8), test_digits=(2, 3)))
    for part, source in ((split.train, mnist.train), (split.val, mnist.train), (split.test, mnist.test)):
        assert (np.diff(part.index) > 0).all()
        np.testing.assert_array_equal(part.images, source.images[part.index])
        np.testing.assert_array_equal(part.digit, source.digit[part.index])


def test_the_seed_alone_chooses_what_is_held_out(mnist):
    first = sources.split(mnist, settings(seed=1)).val.index
    np.testing.assert_array_equal(sources.split(mnist, settings(seed=1, epochs=3)).val.index, first)
    assert not np.array_equal(sources.split(mnist, settings(seed=2)).val.index, first)


def test_limit_takes_the_first_normal_images_before_any_are_held_out(mnist):
    split = sources.split(mnist, settings(normal=(7, 8), limit=400))
    both = np.sort(np.concatenate([split.train.index, split.val.index]))
    np.testing.assert_array_equal(both, np.flatnonzero(np.isin(mnist.train.digit, (7, 8)))[:400])
    assert len(split.val.index) == pytest.approx(40, abs=1)


def test_the_test_set_is_whole_unless_digits_or_a_number_are_asked_for(mnist):
    assert len(sources.split(mnist, settings()).test.index) == 10_000
    article = sources.split(mnist, settings(normal=(7, 8), test_digits=(2, 7, 8), test_limit=600)).test
    np.testing.assert_array_equal(article.index, np.flatnonzero(np.isin(mnist.test.digit, (2, 7, 8)))[:600])


def test_a_normal_digit_without_training_images_is_an_error_with_counts(tmp_path):
    for name in ("ant", "cat"):
        write_pictures(tmp_path / name, [np.zeros((28, 28), np.uint8)] * 5)
    with pytest.raises(DataError, match=r"0 training images of normal digit 8, .* 0 \(ant\): 4, 1 \(cat\): 4"):
        sources.split(sources.load(tmp_path), settings())


def test_a_limit_that_leaves_out_a_normal_digit_is_an_error(mnist):
    ones_first = mnist.train.digit.argsort(kind="stable")
    sorted_ = sources.Dataset(
        train=sources.Images(*(field[ones_first] for field in mnist.train)), test=mnist.test, classes=mnist.classes,
        fingerprint="", source="sorted",
    )  # fmt: skip
    with pytest.raises(DataError, match="0 training images of normal digit 1 among the first 200 normal ones"):
        sources.split(sorted_, settings(normal=(0, 1), limit=200))


def test_too_few_held_out_images_are_an_error_that_says_what_to_do(mnist):
    with pytest.raises(DataError, match=r"Only 9 of 90 .* at least 10 .* raise limit \(now 90\)"):
        sources.split(mnist, settings(limit=90))
    assert len(sources.split(mnist, settings(limit=100)).val.index) == 10


def test_a_test_set_of_one_kind_is_an_error(mnist):
    with pytest.raises(DataError, match=r"no normal images.* with test_digits \(2, 3\): 0: 0, 1: 0, 2: 1032"):
        sources.split(mnist, settings(test_digits=(2, 3)))
    eights = sources.Images(*(field[mnist.test.digit == 8] for field in mnist.test))
    only = sources.Dataset(train=mnist.train, test=eights, classes=mnist.classes, fingerprint="", source="eights")
    with pytest.raises(DataError, match="no anomalies"):
        sources.split(only, settings(limit=UNSET))


def test_a_sample_is_evenly_spread_over_each_digit_and_the_same_for_every_seed():
    mnist = sources.load()
    first, second = (
        sources.split(mnist, resolve("anogan", "tuned", normal=(8,), sample=500, seed=s)).test for s in (0, 1)
    )
    assert len(first.digit) == 500
    assert (first.index == second.index).all()
    whole = np.bincount(mnist.test.digit, minlength=10) / 10_000
    assert np.abs(np.bincount(first.digit, minlength=10) / 500 - whole).max() <= 1 / 500
    for d in range(10):  # at equal distances among the images of that digit
        at = np.searchsorted(np.flatnonzero(mnist.test.digit == d), first.index[first.digit == d])
        assert set(np.diff(at)) <= {19, 20, 21}
    assert (np.diff(first.index) > 0).all()


def test_held_out_images_that_a_sample_leaves_out_are_not_learned_from():
    mnist = sources.load()
    few = sources.split(mnist, resolve("anogan", "tuned", normal=(8,), sample=100))
    all_ = sources.split(mnist, resolve("anogan", "tuned", normal=(8,), sample=10_000))
    assert (few.train.index == all_.train.index).all()
    assert len(few.val.index) == 100
    assert set(few.val.index) < set(all_.val.index)


def test_a_contaminated_run_learns_and_holds_out_so_many_images_of_other_digits_beside_the_same_normal_ones(mnist):
    clean = sources.split(mnist, settings())
    mixed = sources.split(mnist, settings(contamination=0.1, contamination_digits=(3, 5)))
    for own, without in ((mixed.train, clean.train), (mixed.val, clean.val)):
        bad = ~np.isin(own.digit, settings().normal)
        assert bad.mean() == pytest.approx(0.1, abs=1e-3)
        assert set(own.digit[bad].tolist()) == {3, 5}
        assert np.array_equal(own.index[~bad], without.index)
    assert not set(mixed.train.index.tolist()) & set(mixed.val.index.tolist())
    assert np.array_equal(mixed.test.index, clean.test.index)
    again = sources.split(mnist, settings(contamination=0.1, contamination_digits=(3, 5)))
    assert np.array_equal(again.train.index, mixed.train.index)
    assert len(sources.split(mnist, settings(contamination=0.1)).train.digit) == len(mixed.train.digit)


def test_more_contamination_than_there_are_images_is_an_error_that_says_what_to_do(mnist):
    with pytest.raises(
        DataError, match=r"contamination of 0\.5 needs .* images of other digits, and there are .*: lower it"
    ):
        sources.split(mnist, settings(normal=(0, 1, 2, 3, 4, 6, 7, 8), contamination=0.5, contamination_digits=(5,)))
