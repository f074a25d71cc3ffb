"""A run that was too short says so, and by how much, on the page and on the command line."""

import json
import sys

import pytest

from ganad import __main__
from ganad.config import PRESETS, resolve
from ganad.runs import run_directory
from ganad.training import length
from tests.conftest import ROOT, put_finished
from tests.test_pages import opened, words


def settings(**asked):
    return resolve("ganomaly", "tuned", **({"normal": (8,)} | asked))


@pytest.mark.parametrize(
    ("method", "preset", "expected"),
    [
        ("ganomaly", "tuned", (12, 12 * 84)),  # 5,400 images: 84 batches of 64, and 24 images that are no half
        ("egbad", "tuned", (8, 8 * 169)),
        ("egbad", "article", (320, 320 * 6)),  # 400 images less a tenth: 5 batches of 64, and 40 images
    ],
)
def test_the_usual_length_is_the_presets_on_one_digit_or_on_its_own_limit(method, preset, expected):
    assert length.usual(resolve(method, preset, normal=(8,), epochs=3, batch_size=7, limit=100)) == expected


def test_a_short_run_is_told_its_steps_those_of_the_preset_and_what_to_do():
    said = length.too_short(settings(limit=2000, epochs=2), 63)
    assert "63 steps. This preset's default is 12 epochs = 1,008 steps, 16 times as many" in said
    assert (
        "Train for 32 epochs to have as many, or for 12 without the limit of 2,000 images." in said
    )  # 1,008 / 31.5 = 32
    assert "limit" not in length.too_short(settings(epochs=2), 164)


def test_the_line_is_at_half_of_the_presets_steps_whatever_the_epochs():
    assert length.too_short(settings(epochs=10), 503)
    assert not length.too_short(settings(epochs=10), 504)
    assert not length.too_short(settings(normal=tuple(range(9)), epochs=2), 1518)
    assert not length.too_short(settings(epochs=2), 0), "nothing is known of it"


def test_no_preset_and_no_shipped_run_is_called_short():
    for method, presets in PRESETS.items():
        for preset in presets:
            s = resolve(method, preset, normal=(8,))
            assert not length.too_short(s, length.usual(s)[1])
    shipped = run_directory.listing(ROOT / "checkpoints")
    assert len(shipped) > 30
    for run in shipped:
        assert not length.too_short(run_directory.settings(run), run_directory.read_status(run).total), run.name


def test_the_finished_panel_says_it(runs_dir):
    run = put_finished(runs_dir)
    assert "short training" not in words(opened("pages/1_Train.py", run=run.name))
    status = json.loads((run / "status.json").read_text())
    (run / "status.json").write_text(json.dumps(status | {"step": 56, "total": 56}))
    assert "This was a short training: 56 steps." in words(opened("pages/1_Train.py", run=run.name))


def test_where_the_doctor_says_it_too_it_stands_on_the_page_once_with_the_button_that_trains_on(runs_dir):
    run = put_finished(runs_dir)
    status, lines = json.loads((run / "status.json").read_text()), (run / "metrics.jsonl").read_text().splitlines()
    (run / "status.json").write_text(json.dumps(status | {"step": 56, "total": 56}))
    early = [line for line in lines if json.loads(line)["step"] <= 56]
    (run / "metrics.jsonl").write_text("\n".join([*early, json.dumps(json.loads(early[-1]) | {"step": 56})]) + "\n")
    page = opened("pages/1_Train.py", run=run.name)
    assert words(page).count("This was a short training: 56 steps.") == 1
    assert any(button.label.startswith("Train again: 216 epochs") for button in page.button)


def test_the_command_line_says_it_beside_the_area_and_not_on_stdout(runs_dir, monkeypatch, capsys):
    asked = ["--normal", "8", "--limit", "300", "--epochs", "1", "--set", "filters=4", "--set", "test_limit=300"]
    monkeypatch.setattr(sys, "argv", ["ganad", "train", *asked])
    assert __main__.main() == 0
    out, err = capsys.readouterr()
    assert "This was a short training: 4 steps." in err
    assert out.strip() == str(run_directory.listing(runs_dir)[0])
