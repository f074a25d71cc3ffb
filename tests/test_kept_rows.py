"""Rows of the quality tables outlive the machine they were trained on, and not the settings they were trained with."""

import json

import pytest

from ganad.bench import kept_rows
from ganad.bench import quality as b
from ganad.errors import DataError


def row(method="egbad", digit=4, seed=0, auroc=0.9, protocol="B", data=None):
    job = b.Job(protocol, method, digit, seed, data)
    return b.Row(
        job=job, run="r", auroc=auroc, average_precision=0.5, parts={"latent": 0.8}, seconds=10.0, tested=10_000
    )


def test_what_is_kept_comes_back_as_it_was_in_the_order_of_the_tables(tmp_path):
    rows = [row(protocol="A", method="ganomaly", digit=2), row(seed=1), row(digit=7), row(digit=2), row("ganomaly")]
    kept_rows.keep(tmp_path / "r.md", rows, "tuned")
    again = kept_rows.with_kept(tmp_path / "r.md", [], "tuned")
    assert sorted(map(repr, again)) == sorted(map(repr, rows))
    assert [(r.job.protocol, r.job.method, r.job.seed, r.job.digit) for r in again] == [
        ("B", "ganomaly", 0, 4), ("B", "egbad", 0, 2), ("B", "egbad", 0, 7), ("B", "egbad", 1, 4), ("A", "ganomaly", 0, 2)
    ]  # fmt: skip


def test_a_run_of_this_machine_stands_in_for_a_kept_row(tmp_path):
    kept_rows.keep(tmp_path / "r.md", [row(auroc=0.8), row(digit=2, auroc=0.7)], "tuned")
    together = kept_rows.with_kept(tmp_path / "r.md", [row(auroc=0.95)], "tuned")
    assert {r.job.digit: r.auroc for r in together} == {4: 0.95, 2: 0.7}


def test_rows_of_other_settings_are_left_out(tmp_path, monkeypatch):
    kept_rows.keep(tmp_path / "r.md", [row(), row("ganomaly")], "tuned")
    monkeypatch.setitem(b.PRESETS["egbad"]["tuned"], "epochs", 3)
    assert [r.job.method for r in kept_rows.with_kept(tmp_path / "r.md", [], "tuned")] == ["ganomaly"]
    monkeypatch.setitem(b.PRESETS["ganomaly"]["tuned"], "lr", 3e-3)
    assert kept_rows.with_kept(tmp_path / "r.md", [], "tuned") == []


def test_a_setting_that_there_is_no_more_is_no_damage(tmp_path):
    kept_rows.keep(tmp_path / "r.md", [row()], "tuned")
    text = (tmp_path / "r.json").read_text().replace('"settings": {', '"settings": {"of_old": 1, ')
    (tmp_path / "r.json").write_text(text)
    assert kept_rows.with_kept(tmp_path / "r.md", [], "tuned") == []


def test_rows_of_own_images_hold_wherever_the_images_lie(tmp_path, monkeypatch):
    monkeypatch.setattr(b, "classes", lambda data: ("Shirt", "Bag", "Coat"))
    kept_rows.keep(tmp_path / "r.md", [row(digit=1, data="/here/clothes")], "tuned")
    assert "/here" not in (tmp_path / "r.json").read_text()
    (again,) = kept_rows.with_kept(tmp_path / "r.md", [], "tuned", "/there/clothes")
    assert again.job.data == "/there/clothes"


@pytest.mark.parametrize(
    "text", ["{", "3", "[3]", '[{"job": {}}]', '[{"job": {"protocol": "B"}, "row": {}, "settings": {}}]']
)
def test_a_damaged_file_is_named(tmp_path, text):
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(DataError, match=r"r\.json"):
        kept_rows.with_kept(tmp_path / "r.md", [], "tuned")


def test_what_is_not_known_of_a_row_is_left_out_of_the_tables(tmp_path):
    bare = b.Row(b.Job("B", "egbad", 4, 0), "r", 0.9, None, {}, None, 10_000)
    kept_rows.keep(tmp_path / "r.md", [bare], "tuned")
    assert json.loads((tmp_path / "r.json").read_text())[0]["row"]["seconds"] is None
    rows = kept_rows.with_kept(tmp_path / "r.md", [], "tuned")
    assert rows == [bare]
    assert "Training took" not in b.covers("B", rows)
    assert "EGBAD" not in b.parts_table("B", rows)
