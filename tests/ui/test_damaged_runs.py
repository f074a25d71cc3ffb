"""A damaged run says in its own place what is wrong; every page opens, and every other run works."""

import json

import pytest

from ganad import service
from ganad.errors import RunError
from ganad.system import shared_cache
from ganad.ui.views import compare_runs, start
from tests.conftest import ROOT, as_read, put_finished
from tests.test_pages import PAGES, opened, words


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(bytes(content))


def directory(path):
    path.unlink()
    path.mkdir()


@pytest.fixture(autouse=True)
def _nothing_is_remembered_of_another_run():
    """Runs of these tests share names and times of files, so what a server remembers of one would stand for another."""
    shared_cache.forget()


DAMAGES = {
    "status of another shape": lambda run: (run / "status.json").write_text("[1]"),
    "status of other types": lambda run: (run / "status.json").write_text('{"state": 3, "epoch": "x"}'),
    "a directory for the status": lambda run: directory(run / "status.json"),
    "settings that are none": lambda run: (run / "config.json").write_text("{"),
    "a report of another shape": lambda run: (run / "report.json").write_text('{"a": 1}'),
    "a meta of another shape": lambda run: (run / "meta.json").write_text("[]"),
    "flipped scores": lambda run: flip(run / "scores.npz"),
    "empty reconstructions": lambda run: (run / "reconstructions.npz").write_bytes(b""),
    "flipped reconstructions": lambda run: flip(run / "reconstructions.npz"),
    "flipped weights": lambda run: flip(run / "weights.safetensors"),
    "bytes in the metrics": lambda run: (run / "metrics.jsonl").write_bytes(b'{"step": 1}\n\xff\xfe\n'),
    "half a picture": lambda run: (run / "samples" / "00012.png").write_bytes(b"\x89PNG\r\n\x1a\n half"),
    "a directory for the note": lambda run: (run / "note.txt").mkdir(),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_every_page_opens_for_the_damaged_run_and_for_the_one_beside_it(runs_dir, damage):
    healthy, run = put_finished(runs_dir), put_finished(runs_dir, "0002-ganomaly-n8-s0")
    DAMAGES[damage](run)
    said = []
    for page in PAGES:
        at = opened(page, run=run.name)
        # Words of the program alone: no name of an exception, which would be a fault that nobody had thought of.
        text = as_read(words(at))
        assert "unexpected" not in text, (page, text)
        said.append(text)
        at = opened(page, run=healthy.name)
        assert at.selectbox(key="run").value == healthy.name
        assert "unexpected" not in words(at)
        # What the damaged one lacks is said of it by name, where both are ticked; nothing is said of the healthy one.
        for complaint in (*at.error, *at.warning):
            assert run.name in as_read(complaint.value), (page, complaint.value)
            assert page == "pages/5_Compare.py"
    if damage == "flipped weights":  # which no page needs before somebody asks the nets
        with pytest.raises(RunError, match="damaged"):
            service.explain(run.name, service.examples()[0])
    else:
        assert any(run.name in text or "damaged" in text for text in said), damage


def test_a_run_that_cannot_be_listed_is_named_beside_the_menu_and_explained_on_compare(runs_dir):
    put_finished(runs_dir)
    run = put_finished(runs_dir, "0002-ganomaly-n8-s0")
    (run / "config.json").write_text('{"method": "ganomaly", "normal": "x"}')
    assert f"1 run cannot be read: {run.name}" in as_read(words(opened("app.py")))
    assert "config.json of 0002-ganomaly-n8-s0 is damaged: normal" in as_read(words(opened("pages/5_Compare.py")))
    at = opened("pages/3_Evaluate.py", run=run.name)
    assert "is here but cannot be read" in words(at)
    assert "config.json of 0002-ganomaly-n8-s0 is damaged" in as_read(at.error[0].value)


def test_images_that_have_moved_since_are_told_on_the_pages_that_show_them(runs_dir, tmp_path):
    run = put_finished(runs_dir)
    asked = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(asked | {"data": str(tmp_path / "moved")}))
    for page in ("pages/2_Browse.py", "pages/3_Evaluate.py"):
        at = opened(page, run=run.name)
        assert any("moved does not exist" in as_read(e.value) for e in at.error), page


def test_a_suspended_run_is_shown_as_not_answering_with_the_button_that_ends_it(runs_dir, monkeypatch):
    from ganad.runs import run_directory
    from tests.conftest import put_running

    run = put_running(runs_dir)
    monkeypatch.setattr(run_directory, "process_state", lambda *_: "suspended")
    at = opened("pages/1_Train.py", run=run.name)
    assert "not answering" in words(at)
    assert not at.button(key="stop").disabled


def test_damaged_lines_of_the_metrics_are_counted(runs_dir):
    run = put_finished(runs_dir)
    with open(run / "metrics.jsonl", "ab") as file:
        file.write(b'{"step": 1}\n[7]\n')
    assert any("2 damaged lines" in w.value for w in opened("pages/1_Train.py", run=run.name).warning)


def test_the_pages_are_all_of_them():
    assert len(PAGES) == 1 + len(list(ROOT.glob("pages/*.py"))) == 7


@pytest.mark.parametrize(
    "page", ["app.py", "pages/2_Browse.py", "pages/3_Evaluate.py", "pages/4_Score.py", "pages/5_Compare.py"]
)
def test_a_run_that_is_removed_while_a_page_is_drawn_is_told_on_it(runs_dir, monkeypatch, page):
    put_finished(runs_dir)
    at = opened(page, run="0001-ganomaly-n8-s0")

    def gone(name):
        raise RunError(f"There is no run {name!r}.")

    monkeypatch.setattr(service, "version", gone)
    at.run()
    assert not at.exception, at.exception[0].stack_trace
    assert "There is no run '0001-ganomaly-n8-s0'" in as_read(words(at))


@pytest.mark.parametrize(
    ("page", "view", "name"), [("app.py", start, "show"), ("pages/5_Compare.py", compare_runs, "compare")]
)
def test_wherever_a_run_is_missed_the_page_says_so_in_a_sentence(runs_dir, monkeypatch, page, view, name):
    put_finished(runs_dir)

    def gone(*_):
        raise RunError("There is no run '0001-ganomaly-n8-s0'.")

    monkeypatch.setattr(view, name, gone)
    assert "There is no run '0001-ganomaly-n8-s0'" in as_read(words(opened(page)))
