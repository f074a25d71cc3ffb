"""Own data whose classes have names, and are no digits: names from every source, and pictures prepared as the data were."""

import io
import json
import re

import numpy as np
import pytest
from PIL import Image

from ganad import service
from ganad.config import resolve
from ganad.data import class_names, preparation, sources
from ganad.errors import ConfigError, DataError
from ganad.report import html_report
from ganad.runs import run_directory
from ganad.training import worker
from ganad.ui.state.filters import DigitFilter
from tests.test_cli import ganad
from tests.test_pages import opened, words

NAMES = ("Bars", "Checks", "Dots")


def textures(n, kind, seed=0):
    """(n, 28, 28) uint8 that fill the whole picture: bars, a checkerboard, or blurred dots, in noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:28, :28]
    phase = rng.integers(0, 8, (n, 1, 1))
    picture = ((x + phase) % 8 < 4, ((x + phase) // 4 + y // 4) % 2 == 0, ((x + phase) % 9 < 3) & (y % 9 < 3))[kind]
    return (picture * 150 + rng.integers(0, 100, (n, 28, 28))).astype(np.uint8)


def arrays(train=420, test=60, classes=3):
    parts = {}
    for part, n in (("train", train), ("test", test)):
        labels = np.arange(n) % classes
        images = np.empty((n, 28, 28), np.uint8)
        for kind in range(classes):
            images[labels == kind] = textures((labels == kind).sum(), kind % 3, seed=len(part) + kind)
        parts |= {f"x_{part}": images, f"y_{part}": labels.astype(np.uint8)}
    return parts


@pytest.fixture
def data(tmp_path):
    """An .npz of three textures, with their names beside it."""
    folder = tmp_path / "textures"
    folder.mkdir()
    np.savez(folder / "data.npz", **arrays())
    (folder / "classes.txt").write_text("Bars\nChecks\n\nDots\n", encoding="utf-8")
    return folder / "data.npz"


@pytest.fixture
def trained(runs_dir, data):
    """A run on them with `Checks` normal."""
    settings = resolve("egbad", normal=(1,), epochs=1, data=str(data), filters=4, latent=6)
    run = run_directory.create(settings)
    assert worker.work(run) == "finished", run_directory.log_tail(run)
    return run


def png(image):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


# --- names -------------------------------------------------------------------------------------------------------------


def test_names_stand_beside_the_files_one_a_line(data):
    assert sources.load(data).classes == NAMES


def test_without_names_classes_are_numbers_as_far_as_the_labels_go(tmp_path):
    np.savez(tmp_path / "a.npz", **arrays(classes=12))
    assert sources.load(tmp_path / "a.npz").classes == tuple(map(str, range(12)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Bars\nChecks", "has 2 names, expected one for each of the 3 classes"),
        ("Bars\nbars\nDots", "two equal names"),
        ("Bars\n<b>\nDots", "letters, digits, spaces"),
        ("Bars\n*a*\nDots", "letters, digits, spaces"),
        ("a" * 41 + "\nb\nc", "1 to 40"),
    ],
)
def test_names_that_cannot_be_are_an_error_that_names_the_file(data, text, said):
    (data.parent / "classes.txt").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=said) as error:
        sources.load(data)
    assert "classes.txt" in str(error.value)


def test_a_class_is_meant_by_its_name_in_any_case_or_by_its_number():
    assert [class_names.number_of(t, NAMES) for t in ("Checks", "dOTS", "0")] == [1, 2, 0]
    with pytest.raises(ConfigError, match=r"no class is called .Check.\. Did you mean Checks"):
        class_names.number_of("Check", NAMES)
    with pytest.raises(ConfigError, match="Classes: Bars, Checks, Dots"):
        class_names.number_of("3", NAMES)


def test_the_command_line_trains_and_evaluates_by_name(runs_dir, data):
    done = ganad(
        "train",
        "--method",
        "egbad",
        "--data",
        data,
        "--normal",
        "checks",
        "--epochs",
        1,
        "--set",
        "filters=4",
        "--set",
        "latent=6",
    )
    assert done.returncode == 0, done.stderr
    run = done.stdout.split()[-1]
    shown = ganad("evaluate", run).stdout
    for name in NAMES:
        assert name in shown
    assert "Checks" in ganad("list").stdout


def test_names_that_are_asked_for_come_before_those_of_the_data(runs_dir, data):
    asked = ("One", "Two", "Three")
    run = run_directory.create(
        resolve("egbad", normal=(1,), epochs=1, data=str(data), class_names=asked, filters=4, latent=6)
    )
    assert worker.work(run) == "finished"
    assert service.run_info(run.name).normal_in_words == "Two"
    assert "--class-names One,Two,Three" in service.run_info(run.name).command


def test_every_page_speaks_of_the_class_by_its_name(trained):
    for page in ("app.py", "pages/2_Browse.py", "pages/3_Evaluate.py", "pages/4_Score.py"):
        at = opened(page, run=trained.name)
        assert "Checks" in words(at.main) + str(
            [e.label for e in at.sidebar.selectbox] + [o for e in at.sidebar.selectbox for o in e.options]
        ), page
    table = html_report.report_html(trained.name)
    for name in NAMES:
        assert name in table


def test_no_page_of_such_a_run_and_no_report_speaks_of_digits(trained):
    for page, query in (
        ("pages/1_Train.py", {}),
        ("pages/2_Browse.py", {"image": "0"}),
        ("pages/3_Evaluate.py", {}),
        ("pages/5_Compare.py", {"view": "Digits"}),
    ):
        at = opened(page, run=trained.name, **query)
        assert not at.exception
        said = "\n".join(line for line in words(at).splitlines() if not line.startswith("- **"))  # without the glossary
        assert not re.findall(r".*\bdigits?\b.*", said, re.IGNORECASE), page
    assert "Classes" in str([e.options for e in at.segmented_control])
    text = html_report.report_html(trained.name)
    seen = re.sub(r"<(script|style|dl)\b.*?</\1>|<[^>]+>", " ", text, flags=re.DOTALL)
    assert "images of the class Checks alone" in re.sub(r"\s+", " ", seen)
    assert not re.findall(r".*\bdigits?\b.*", seen, re.IGNORECASE)


def test_a_filter_of_classes_beyond_nine_is_read_back_as_it_was_written():
    chosen = DigitFilter()
    for value in ((3,), (3, 8), (12,), (3, 12)):
        assert chosen.parse(chosen.format(value, None)) == value
    assert chosen.parse("38") == (3, 8)  # links of before


def test_a_run_from_elsewhere_cannot_bring_markup_in_a_name(trained):
    meta = json.loads((trained / "meta.json").read_text())
    meta["data"]["classes"][1] = "<script>alert(1)</script>"
    run_directory.write_json(trained / "meta.json", meta)
    assert service.run_info(trained.name).classes == ()
    assert "meta.json" in service.run_info(trained.name).damage


# --- preparation -------------------------------------------------------------------------------------------------------


def test_digits_of_mnist_are_digits_and_textures_are_pictures(data):
    mnist = sources.load()
    assert preparation.kind_of(mnist.train.images) == mnist.preparation == "digit"
    assert preparation.kind_of(mnist.train.images[mnist.train.digit == 1]) == "digit"
    assert sources.load(data).preparation == "picture"


def test_a_picture_of_28_pixels_is_left_as_it_is():
    image = textures(1, 1)[0]
    np.testing.assert_array_equal(preparation.prepared(image, "picture").digit, image)


def test_a_larger_picture_is_scaled_whole_and_the_short_side_filled_up():
    wide = np.full((56, 112), 200, np.uint8)
    wide[20:36, 40:72] = 30
    made = preparation.prepared(wide, "picture").digit
    assert made.shape == (28, 28)
    np.testing.assert_array_equal(made[5:9, 10:18], 200)  # above the patch
    np.testing.assert_array_equal(made[12:16, 10:18], 30)  # a quarter of its size, seven rows further down
    assert (made[:7] == 200).all()


def test_an_image_of_the_test_set_scores_as_a_file_what_it_scored_there(trained):
    scores, images = service.scores(trained.name), service.test_images(trained.name)
    assert service.run_info(trained.name).preparation == "picture"
    made = [service.prepare_bytes(png(images[i]), "a.png", kind="picture").digit for i in range(5)]
    judged = service.score_images(trained.name, np.stack(made))
    for i, one in enumerate(judged):
        for part, value in one.parts.items():
            assert value == pytest.approx(scores.test.parts[part][i], rel=1e-3), part


def test_the_command_line_scores_a_file_by_the_preparation_of_the_run(trained, tmp_path):
    image = service.test_images(trained.name)[0]
    (tmp_path / "a.png").write_bytes(png(image))
    said = json.loads(ganad("score", trained.name, tmp_path / "a.png", "--json").stdout)
    assert said[0]["parts"]["residual"] == pytest.approx(
        service.scores(trained.name).test.parts["residual"][0], rel=1e-3
    )


def test_a_folder_of_larger_pictures_is_read_by_its_kind(tmp_path):
    for name, kind in (("bars", 0), ("dots", 2)):
        (tmp_path / name).mkdir()
        for i, image in enumerate(textures(10, kind)):
            Image.fromarray(np.kron(image, np.ones((2, 2), np.uint8))).save(tmp_path / name / f"{i}.png")
    dataset = sources.load(tmp_path)
    assert dataset.preparation == "picture"
    first = np.asarray(Image.open(tmp_path / "bars" / "0.png"))
    np.testing.assert_array_equal(dataset.train.images[0], preparation.whole(first).digit)
