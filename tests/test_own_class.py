"""A class of one's own from a few images: dealt out before they are varied, trained on, and judged with its uncertainty."""

import io
import shutil
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
import pytest
from PIL import Image, ImageDraw

from ganad import service
from ganad.config import resolve
from ganad.data import own_class, sources
from ganad.errors import DataError, RunError
from ganad.evaluation import few_originals, metrics
from ganad.runs import own_classes, run_directory, uploads
from ganad.service import own_class as own_service
from ganad.system.access import AccessError
from ganad.training import worker
from ganad.ui.components import digit_pad
from ganad.ui.components.digit_pad import encode
from ganad.ui.panels import own_class as own_panel
from ganad.ui.state.decision_rule import DecisionRule
from tests.conftest import put_finished
from tests.test_cli import ganad
from tests.test_pages import opened, words

LINES = {
    "triangle": [[(0, -1), (0.9, 0.7), (-0.9, 0.7), (0, -1)]],
    "A": [[(-0.7, 1), (0, -1), (0.7, 1)], [(-0.4, 0.2), (0.4, 0.2)]],
}


def drawing(rng, kind="triangle", side=112):
    """(side, side) uint8, ink 255 on 0: a symbol as a hand might draw it, no two alike."""
    sheet = Image.new("L", (4 * side, 4 * side))
    pen, width = ImageDraw.Draw(sheet), int(rng.uniform(26, 42) * side / 112)
    turn = np.radians(rng.normal(0, 6))
    shape = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) * rng.uniform(0.9, 1.4, 2) * side
    for line in LINES[kind]:
        points = (np.array(line) + rng.normal(0, 0.07, (len(line), 2))) @ shape.T + 2 * side
        pen.line([tuple(p) for p in points], fill=255, width=width, joint="curve")
    return np.asarray(sheet.resize((side, side), Image.Resampling.BOX))


def symbols(n, seed=0):
    """(n, 28, 28) uint8 originals."""
    rng = np.random.default_rng(seed)
    return np.stack([service.original_of(drawing(rng)) for _ in range(n)])


@pytest.fixture
def small(monkeypatch):
    """Few images, so that making and training takes seconds."""
    for name, value in (("TRAIN_IMAGES", 60), ("HELD_OUT_EACH", 20), ("TEST_EACH", 10), ("REFERENCE_EACH", 2)):
        monkeypatch.setattr(own_class, name, value)


# --- dealing out -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [10, 11, 30, 75, 100])
def test_each_part_has_originals_and_every_original_is_in_one_part(n):
    train, held_out, test = own_class.parts(n)
    assert train + held_out + test == n
    assert train >= held_out == test >= 2
    assert 0.4 * n <= train <= 0.65 * n


def test_no_held_out_image_comes_from_an_original_that_trains_and_no_test_image_does(small, runs_dir):
    originals = symbols(12)
    path, _ = service.keep_own_class(originals, "sign")
    data, rule = sources.load(path), service.own_class_settings(path, "sign")
    split = sources.split(data, rule)
    with np.load(path) as kept:
        test = kept["original_test"][split.test.index[split.test.digit == 0]]
    train, val = (data.originals.number[part.index] for part in (split.train, split.val))
    owners = [set(train.tolist()), set(val.tolist()), set(test.tolist())]
    assert [len(own) for own in owners] == list(own_class.parts(12))
    assert set.union(*owners) == set(range(12))
    assert sum(map(len, owners)) == 12
    # What the numbers say is true of the pixels: the image itself stands first among its variants.
    for part, number in ((split.train, train), (split.val, val)):
        for i in set(number.tolist()):
            assert (part.images[number == i] == originals[i]).all(axis=(1, 2)).sum() == 1
    assert (split.test.images[split.test.digit == 0] == originals[test]).all()
    assert not {im.tobytes() for im in split.train.images} & {im.tobytes() for im in split.val.images}


def test_data_that_hold_out_what_they_learn_from_are_refused(small, tmp_path):
    arrays, _ = own_class.arrays(symbols(10), "sign")
    arrays["held_out_train"][0] = True  # one of many variants of an original that trains
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(DataError, match="held out and learned from"):
        sources.load(tmp_path / "a.npz")


def test_a_limit_that_leaves_no_held_out_image_is_refused_and_holds_out_no_variant_that_trains(small, runs_dir):
    path, _ = service.keep_own_class(symbols(10), "sign")
    with pytest.raises(DataError, match="Only 0 of 20"):
        sources.split(sources.load(path), resolve("ganomaly", normal=(0,), data=path, limit=20))


def test_variants_differ_and_keep_the_ink_of_what_they_are_made_of():
    original = symbols(1)[0]
    made = np.stack(own_class.variants(original, 30, np.random.default_rng(0)))
    assert (made[0] == original).all()
    assert len({im.tobytes() for im in made}) == 30
    assert made[1:].sum((1, 2)).mean() == pytest.approx(original.sum(), rel=0.12)
    centre = (made * np.arange(28)).sum((1, 2)) / made.sum((1, 2))
    assert np.abs(centre - 14).max() < 1  # prepared anew, so centred by its mass as everything is that will be judged


def test_of_two_copies_one_is_left_out(small, runs_dir):
    originals = symbols(10)
    doubled = np.concatenate(
        [originals, originals[3:4], np.clip(originals[5:6].astype(int) + 3, 0, 255).astype(np.uint8)]
    )
    assert own_class.without_copies(doubled).tolist() == list(range(10))
    assert service.keep_own_class(doubled, "sign")[1] == 2
    with pytest.raises(DataError, match="11 images, 2 of them copies of others: 9 are left, at least 10"):
        service.keep_own_class(doubled[[*range(9), 10, 3]], "sign")


@pytest.mark.parametrize("name", ["<b>x</b>", "", "x" * 41, "digit 3", "a,b"])
def test_a_name_that_is_no_name_of_a_class_is_refused_and_nothing_is_kept(small, runs_dir, name):
    with pytest.raises(DataError, match="The name of your class"):
        service.keep_own_class(symbols(10), name)
    assert not service.own_classes_kept()


def test_the_data_set_is_an_ordinary_one_with_names_and_digits_prepared_as_the_own_images_are(small, runs_dir):
    path, _ = service.keep_own_class(symbols(10), "my sign")
    data = sources.load(path)
    assert data.classes == ("my sign", *(f"digit {d}" for d in range(10)))
    assert data.preparation == "digit"
    assert np.bincount(data.test.digit).tolist() == [2] + 10 * [10]
    assert service.data_path(path) == path


# --- keeping ---------------------------------------------------------------------------------------------------


def test_what_was_collected_can_be_opened_and_deleted_unless_a_run_needs_it(small, runs_dir):
    originals = symbols(10)
    path, _ = service.keep_own_class(originals, "sign")
    assert service.keep_own_class(originals, "sign")[0] == path
    (own,) = service.own_classes_kept()
    folder = own.path.parent.name
    assert (own.name, own.originals, own.runs) == ("sign", 10, ())
    assert (service.originals_kept(folder)[1] == originals).all()
    run = run_directory.create(service.own_class_settings(path, "sign"))
    with pytest.raises(RunError, match=f"sign is what {run.name} was trained on"):
        service.delete_own_class(folder)
    uploads.sweep(now=own.kept + 10 * uploads.KEEP_S)
    assert own.path.exists()
    shutil.rmtree(run)
    service.delete_own_class(folder)
    assert not service.own_classes_kept()
    with pytest.raises(RunError, match="no longer there"):
        service.delete_own_class(folder)


def test_nothing_is_kept_where_everything_is_read_only_or_there_is_no_room(small, runs_dir, monkeypatch):
    originals = symbols(10)
    monkeypatch.setenv("GANAD_MAX_RUNS_BYTES", "1000")
    with pytest.raises(AccessError, match="GANAD_MAX_RUNS_BYTES"):
        service.keep_own_class(originals, "sign")
    monkeypatch.setenv("GANAD_MAX_UPLOAD_BYTES", "100")
    with pytest.raises(AccessError, match="GANAD_MAX_UPLOAD_BYTES"):
        service.keep_own_class(originals, "sign")
    monkeypatch.setenv("GANAD_READONLY", "1")
    with pytest.raises(AccessError, match="read-only"):
        service.keep_own_class(originals, "sign")
    assert not uploads.folder().exists() or not list(uploads.folder().iterdir())
    assert "train_what" not in {w.key for w in opened("pages/1_Train.py").get("button_group")}


def test_a_folder_without_the_mark_or_with_a_damaged_file_breaks_nothing(small, runs_dir):
    _path, _ = service.keep_own_class(symbols(10), "sign")
    (own,) = service.own_classes_kept()
    own.path.write_bytes(own.path.read_bytes()[:500])
    with pytest.raises(RunError):
        own_classes.read(own)
    (own.path.parent / own_classes.MARK).write_text("many")
    assert not service.own_classes_kept()


# --- uncertainty -----------------------------------------------------------------------------------------------


def test_eight_images_told_apart_from_all_anomalies_prove_no_auroc_of_one():
    score = np.r_[np.arange(8.0), 100 + np.arange(500.0)]
    q = few_originals.quality(score, np.arange(508) >= 8, 50.0, {"train": 14, "val": 8, "test": 8})
    assert q.auroc == q.high == 1
    assert 0.8 < q.low < 0.92
    assert (q.flagged, q.promise) == (0, 1 / 9)
    assert q.false_alarms.high == pytest.approx(0.324, abs=1e-3)  # Wilson: z² / (n + z²)
    area, seen, promise = service.quality_in_words(q)
    assert "0.876 to 1.000" in area
    assert "0 of these 8" in seen
    assert "32.4 %" in seen
    assert "1 false alarm in 9, 11.1 %" in promise
    assert "For 5 % it takes 19: 75 images in all" in promise
    assert own_class.parts(75)[1] == 19
    assert own_class.parts(73)[1] < 19


def test_with_enough_held_out_images_nothing_more_is_asked_for():
    score = np.r_[np.arange(25.0), 100 + np.arange(500.0)]
    q = few_originals.quality(score, np.arange(525) >= 25, 50.0, {"train": 50, "val": 25, "test": 25})
    assert "1 false alarm in 26, 3.8 %" in service.quality_in_words(q)[2]
    assert "it takes" not in service.quality_in_words(q)[2]


def test_newcombes_interval_is_narrower_with_more_images_and_holds_the_area_it_is_of():
    for area in (0.5, 0.8, 0.99):
        few, many = few_originals.newcombe(area, 8, 500), few_originals.newcombe(area, 25, 500)
        assert few[0] < many[0] < area < many[1] < few[1]
    assert few_originals.newcombe(0.0, 8, 8)[0] == 0


def test_the_interval_covers_the_true_area_about_as_often_as_it_says():
    rng, hit, times = np.random.default_rng(0), 0, 300
    truth = 0.9213  # of two normal distributions 2 apart: Φ(2 / √2)
    anomalous = np.arange(108) >= 8
    for _ in range(times):
        score = rng.normal(size=108) + 2 * anomalous
        q = few_originals.quality(score, anomalous, 3.0, {"train": 1, "val": 8, "test": 8})
        hit += q.low <= truth <= q.high
    assert hit / times > 0.93


def test_words_of_a_threshold_promise_no_rate_that_few_originals_cannot():
    said = DecisionRule((0.0, 0.0, 1.0)).in_words(2.0, metrics.RAW, 160, 8)
    assert "1 false alarm in 9" in said
    assert "probability" not in said
    assert "probability of at most 5" in DecisionRule((0.0, 0.0, 1.0)).in_words(2.0, metrics.RAW, 160)


# --- a run -----------------------------------------------------------------------------------------------------


@pytest.fixture
def trained(small, runs_dir, monkeypatch):
    path, _ = service.keep_own_class(symbols(16), "my sign")
    settings = service.own_class_settings(path, "my sign", epochs=1).model_copy(update={"filters": 4, "latent": 8})
    run = run_directory.create(settings)
    assert worker.work(run) == "finished", run_directory.log_tail(run)
    return run


def test_a_run_knows_its_originals_and_every_page_shows_it_with_its_uncertainty(trained):
    info = service.run_info(trained.name)
    assert info.originals == {"train": 8, "val": 4, "test": 4}
    assert info.class_name(0) == "my sign"
    assert info.class_name(9) == "digit 8"
    q = service.own_class_quality(trained.name)
    scored = service.scores(trained.name)
    test = metrics.total(scored.test.parts, info.weights)
    assert q.auroc == metrics.area(test[scored.test.digit == 0], test[scored.test.digit > 0])
    assert (q.originals["test"], q.promise) == (4, 0.2)
    for page in ("app.py", "pages/1_Train.py", "pages/2_Browse.py", "pages/3_Evaluate.py", "pages/4_Score.py"):
        said = words(opened(page, run=trained.name))
        if page in ("app.py", "pages/1_Train.py", "pages/3_Evaluate.py"):
            assert "1 false alarm in 5, 20.0 %" in said, page
        assert "a probability of at most" not in said, page
    assert service.reference_anomalies(trained.name)["latent"].shape == (20,)
    # It has a sixth of the steps of its preset, since its images are few: that is no fault of the training.
    assert "still improving" not in {finding.name for finding in service.diagnose(trained.name)}


def test_a_run_whose_images_stand_for_themselves_says_nothing_of_originals(runs_dir):
    runs_dir.mkdir()
    run = put_finished(runs_dir)
    assert service.own_class_quality(run.name) is None
    assert sources.load(None).originals is None
    assert "false alarm in" not in words(opened("pages/1_Train.py", run=run.name))


# --- the command -----------------------------------------------------------------------------------------------


def test_own_trains_on_the_pictures_of_a_folder_and_prints_the_run_alone(runs_dir, tmp_path, small, monkeypatch):
    folder, rng = tmp_path / "signs", np.random.default_rng(0)
    folder.mkdir()
    for i in range(10):
        Image.fromarray(255 - drawing(rng)).save(folder / f"{i}.png")
    Image.fromarray(255 - drawing(np.random.default_rng(0))).save(folder / "again.png")
    (folder / "note.txt").write_text("no picture")
    done = ganad("own", folder, "--name", "my sign", "--epochs", "1")
    assert done.returncode == 0, done.stderr
    run = run_directory.find(done.stdout.strip())
    assert run_directory.settings(run).normal == (0,)
    assert service.run_info(run.name).class_name(0) == "my sign"
    assert "1 of 11 images left out" in done.stderr
    assert "95 % interval" in done.stderr
    assert "1 false alarm in 3, 33.3 %" in done.stderr  # of ten images two are held out


def test_own_says_what_is_wrong_with_too_few_pictures_and_with_a_folder_without_any(runs_dir, tmp_path, small):
    Image.fromarray(255 - drawing(np.random.default_rng(0))).save(tmp_path / "one.png")
    done = ganad("own", tmp_path / "one.png")
    assert (done.returncode, done.stdout) == (1, "")
    assert "1 image of your class, expected 10 to 100" in done.stderr
    (tmp_path / "none").mkdir()
    done = ganad("own", tmp_path / "none")
    assert done.returncode == 1
    assert "holds no pictures" in done.stderr


# --- the panel -------------------------------------------------------------------------------------------------


def collecting(**query):
    """The panel on Train, opened by its link."""
    at = opened("pages/1_Train.py", own="1", **query)
    return at, at.session_state["_memory"].own_draft


def test_the_panel_takes_drawings_once_each_and_nothing_that_is_no_drawing(runs_dir):
    at, draft = collecting()
    assert "0 images" in at.get("progress")[0].proto.text
    rng = np.random.default_rng(0)
    sheets = [{"id": 5 + i, "pixels": encode(drawing(rng))} for i in range(2)]
    odd = [
        {"id": "7", "pixels": sheets[0]["pixels"]},
        {"id": 9, "pixels": "?"},
        3,
        {"id": 2**60, "pixels": sheets[0]["pixels"]},
    ]
    with patch.object(own_panel, "memory", lambda: SimpleNamespace(own_draft=draft)):
        for _ in range(2):  # the browser sends what is not yet taken again
            with patch.object(own_panel, "added", lambda key: digit_pad_added([*sheets, *odd])):
                own_panel._take_drawings()
    assert (len(draft.images), draft.taken) == (2, 6)
    at.run()
    assert "2 images" in at.get("progress")[0].proto.text


def digit_pad_added(items):
    with patch.object(digit_pad, "sent", lambda key, name: items):
        return digit_pad.added("own_pad")


def test_the_button_begins_a_run_on_what_was_collected_and_says_why_where_it_cannot(small, runs_dir, monkeypatch):
    monkeypatch.setattr(own_service, "start", lambda settings: run_directory.create(settings).name)
    at, draft = collecting()
    assert at.button(key="own_train").disabled
    for image in symbols(10):
        draft.add(image)
    at.run()
    at.text_input(key="own_name").set_value("<b>no</b>")
    at.button(key="own_train").click().run()
    assert "Nothing was started" in words(at)
    at.text_input(key="own_name").set_value("my sign")
    at.button(key="own_train").click().run()
    assert not at.exception
    (run,) = run_directory.listing(runs_dir)
    assert run_directory.settings(run).name == "my sign"
    assert [own.runs for own in service.own_classes_kept()] == [(run.name,)]


def test_a_photo_of_many_symbols_gives_one_image_each():
    rng, sheet = np.random.default_rng(3), np.full((560, 700), 255, np.uint8)
    for i in range(12):
        top, left = 40 + 165 * (i // 4), 40 + 165 * (i % 4)
        sheet[top : top + 112, left : left + 112] = 255 - drawing(rng)
    photo = io.BytesIO()
    Image.fromarray(sheet).save(photo, "PNG")
    found = service.originals_in(photo.getvalue(), "sheet.png", page=True)
    assert len(found) == 12
    assert {f.shape for f in found} == {(28, 28)}
