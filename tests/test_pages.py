"""Every page opens with no run, a running one, a failed one and a finished one, without a browser."""

import json
import os
import re
import shutil

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block

from ganad import service
from ganad.config import METHOD_NAMES
from ganad.evaluation import thresholds
from ganad.runs import run_directory
from ganad.ui.state import picked_run
from ganad.ui.state.address import Url
from ganad.ui.state.session import Memory
from tests.conftest import ROOT, as_read, put_failed, put_finished, put_running, put_speed
from tests.shelf import AREA, TOOK
from tests.waiting import PATIENCE_S

PAGES = ["app.py", *sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("pages/*.py"))]


def put_stopped(folder):
    return put_running(folder, "0004-ganomaly-n8-s0", state="stopped")


STATES = {"running": put_running, "failed": put_failed, "stopped": put_stopped, "finished": put_finished}
IN_PICKER = {"running": " · in progress", "failed": " · failed", "stopped": " · stopped", "finished": ""}
SCORED = ["pages/2_Browse.py", "pages/3_Evaluate.py", "pages/4_Score.py"]


def opened(page: str, **query: str) -> AppTest:
    """A page drawn in this process. It need not measure how fast the machine is, which takes a process and seconds."""
    if "GANAD_RUNS" in os.environ:
        put_speed(run_directory.root())
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE_S)
    if page != "app.py":
        at.switch_page(page)
    for key, value in query.items():
        at.query_params[key] = value
    at.run()
    assert not at.exception, at.exception[0].stack_trace
    return at


def words(at: AppTest | Block) -> str:
    """Everything that a reader sees on the page, or in a part of it: `at.main`, `at.sidebar`."""
    kinds = ("title", "header", "subheader", "markdown", "caption", "error", "info", "warning", "metric", "html")
    parts = []
    for kind in kinds:
        for element in at.get(kind):
            parts.append(str(getattr(element, "value", "") or getattr(element.proto, "body", "")))
            parts.append(str(getattr(element, "label", "")))
    return "\n".join(parts)


LEFT_OUT = "failed: loss/generator stopped being finite at step 200. Resume it, or pick another run."
SAID = {  # state -> page -> (what its main part says, the ways on that it offers there)
    "none": {
        "app.py": ("No trained detector is here yet.", {"Train one"}),
        "pages/1_Train.py": ("No run yet", set()),
        "pages/5_Compare.py": ("There is nothing to compare yet: no detector has been trained.", {"Train one"}),
    }
    | dict.fromkeys(SCORED, ("There is nothing to show yet: no detector has been trained.", {"Train one"})),
    "running": {
        "app.py": ("No trained detector is here yet.", {"Train one"}),
        "pages/1_Train.py": ("epoch 2 of 12 · step 200 of 800", {"Stop"}),
        "pages/5_Compare.py": ("None of the runs has finished yet", set()),
    }
    | dict.fromkeys(SCORED, ("is still running. Its scores appear here when it has finished.", {"Watch it train"})),
    "failed": {
        "app.py": ("No trained detector is here yet.", {"Train one"}),
        "pages/1_Train.py": ("loss/generator stopped being finite at step 200.", {"Resume"}),
        "pages/5_Compare.py": ("None of the runs has finished yet", set()),
    }
    | dict.fromkeys(SCORED, (LEFT_OUT, {"See its log"})),
    "stopped": {
        "app.py": ("No trained detector is here yet.", {"Train one"}),
        "pages/1_Train.py": ("at epoch 2 of 12", {"Resume"}),
        "pages/5_Compare.py": ("None of the runs has finished yet", set()),
    }
    | dict.fromkeys(SCORED, ("was stopped before it had scored the test set.", {"Resume it"})),
    "finished": {
        "app.py": ("has only ever seen <b>8s</b>", {"**Draw a digit**", "**Judge the score**"}),
        "pages/1_Train.py": (f"12 epochs in {TOOK}", {"Browse its images", "Evaluate it", "Draw a digit for it"}),
        "pages/2_Browse.py": ("10,000 of 10,000 test images", {"Defaults"}),
        "pages/3_Evaluate.py": (AREA, {"Open in Browse"}),
        "pages/4_Score.py": ("Nearest to the threshold", set()),
        "pages/5_Compare.py": (AREA, {"Browse", "Evaluate", "Move to trash"}),
    },
}  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_every_page_says_how_the_run_stands_and_what_can_be_done_now(runs_dir, page):
    """One visit: the runs change beneath it from one look to the next."""
    at = opened(page)
    before = None
    for state, pages in SAID.items():
        if put := STATES.get(state):
            shutil.rmtree(runs_dir)
            put_speed(runs_dir)
            run = put(runs_dir)
            at.query_params["run"] = run.name
            at.run()
            assert not at.exception, at.exception[0].stack_trace
            picker = at.selectbox(key="run")
            assert picker.value == run.name
            assert picker.options == [f"{picker.value[:4]} GANomaly · 8{IN_PICKER[state]}"]
        else:
            assert "No run yet." in words(at.sidebar)
        said, ways = pages.get(page, ("Where only normal images were ever seen", set()))
        assert said in words(at.main), state
        assert ways <= {e.proto.label for e in at.main.get("page_link")} | {b.label for b in at.main.button}, state
        assert before in (None, said) or before not in words(at.main), state
        before = said


@pytest.mark.parametrize("page", SCORED)
def test_a_page_that_needs_scores_says_why_there_are_none(runs_dir, page):
    running = put_running(runs_dir)
    failed = put_failed(runs_dir)
    assert "still running" in words(opened(page, run=running.name))
    said = words(opened(page, run=failed.name))
    assert "failed" in said
    assert "stopped being finite" in said


@pytest.mark.parametrize("put", [put_failed, put_stopped, put_running])
def test_a_run_stays_picked_when_its_state_changes_before_the_browser_has_heard_of_it(runs_dir, put):
    """A browser names the picked run by the words of the picker, and these hold its state."""
    put_finished(runs_dir)
    run = put(runs_dir)
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE_S)
    at.query_params["run"] = run.name
    at.session_state["_memory"] = Memory(url=Url({"run": run.name}, {"run": run.name}))
    at.session_state["run"] = f"{run.name[:4]} GANomaly · 8 · in progress"
    at.run()
    assert not at.exception
    assert at.selectbox(key="run").value == run.name


def test_moving_a_weight_changes_the_area_and_defaults_bring_it_back(runs_dir):
    run = put_finished(runs_dir)
    at = opened("pages/3_Evaluate.py", run=run.name)
    at.toggle(key="plain_controls").set_value(True).run()
    area = at.metric[0].value
    assert not marked(at)
    at.slider(key="influence_residual").set_value(1.0).run()
    at.slider(key="influence_latent").set_value(0.0).run()
    assert not at.exception
    assert at.metric[0].value != area
    assert marked(at)
    at.button(key="mixer_defaults").click().run()
    assert at.metric[0].value == area
    assert not marked(at)


def test_the_area_on_screen_is_the_one_of_the_report(runs_dir):
    run = put_finished(runs_dir)
    at = opened("pages/3_Evaluate.py", run=run.name)
    assert at.metric[0].value == f"{json.loads((run / 'report.json').read_text())['auroc']:.4f}"


def test_a_stricter_promise_catches_less_and_flags_less(runs_dir):
    run = put_finished(runs_dir)
    at = opened("pages/3_Evaluate.py", run=run.name)
    at.toggle(key="plain_controls").set_value(True).run()
    caught = float(at.metric[3].value.rstrip("%"))
    at.slider(key="rule_share").set_value(0.5).run()
    assert float(at.metric[3].value.rstrip("%")) < caught


def marked(at: AppTest) -> bool:
    """The page says that something was chosen while looking at the test set."""
    return any("badge" in m.value and "chosen while looking" in m.value for m in at.markdown)


def picked(at: AppTest) -> str:
    """The picked image in the words of the inspector."""
    return next(c.value for c in at.caption if "test image" in c.value and "stranger" in c.value)


def test_browse_shows_only_what_was_asked_for(runs_dir):
    run = put_finished(runs_dir)
    at = opened("pages/2_Browse.py", run=run.name)
    everything = picked(at)
    at.segmented_control(key="verdict").set_value("false alarms").run()
    assert not at.exception
    assert "called anomalous" in at.subheader[0].value
    assert at.subheader[0].value.startswith("An 8")
    assert picked(at) != everything
    strangest = picked(at)
    at.selectbox(key="sort").set_value(
        "lowest latent"
    ).run()  # of GANomaly's default weights the latent part is all there is
    assert not at.exception
    assert picked(at) != strangest
    shown = int(re.search(r"test image (\d+)", picked(at))[1])
    found = run_directory.read_scores(run)
    score = found.test.parts["latent"]
    alarms = ~found.anomalous & (score > thresholds.threshold_for(found.val.parts["latent"]))
    assert shown == found.test.index[alarms][score[alarms].argmin()]


def test_another_selection_begins_at_its_first_page(runs_dir):
    run = put_finished(runs_dir)
    at = opened("pages/2_Browse.py", run=run.name, digits="7")
    first = picked(at)
    at = opened("pages/2_Browse.py", run=run.name, image="9999")
    assert picked(at).endswith("test image 9999")
    at.segmented_control(key="verdict").set_value("caught").run()
    at.segmented_control(key="verdict").set_value("all").run()
    at.pills(key="digits").set_value([7]).run()
    assert not at.exception
    assert picked(at) == first


def test_a_link_brings_back_filters_weights_line_and_image_on_every_page(runs_dir):
    run = put_finished(runs_dir)
    link = {
        "w": "0.9,0.1,0",
        "at": "manual:120",
        "digits": "38",
        "verdict": "missed",
        "band": "60~110",
        "sort": "lowest-score",
    }
    at = opened("pages/2_Browse.py", run=run.name, **link)
    assert at.pills(key="digits").value == [3, 8]
    assert at.segmented_control(key="verdict").value == "missed"
    assert at.selectbox(key="sort").value == "lowest score"
    assert at.button(key="no_band").label == "score 60 to 110"
    for page in ("pages/3_Evaluate.py", "pages/2_Browse.py"):
        at.switch_page(page).run()
        assert not at.exception
        assert {k: "".join(v) for k, v in at.query_params.items() if k in link} == link


def test_a_link_that_makes_no_sense_is_told_and_left_out(runs_dir):
    run = put_finished(runs_dir)
    odd = {
        "w": "0,0,0",
        "at": "manual:nan",
        "digits": "x",
        "verdict": "odd",
        "band": "2~1",
        "image": "-4",
        "sort": "up",
        "lasso": "1,2",
    }
    at = opened("pages/2_Browse.py", run=run.name, **odd)
    assert all(f"{k}={v}" in as_read(at.toast[0].value) for k, v in odd.items())
    assert not set(odd) & set(at.query_params)


@pytest.mark.parametrize(
    "link",
    [
        {"at": "manual:1e9", "units": "standardised"},
        {"at": "manual:-5", "verdict": "missed"},
        {"at": "false-alarms:0.0001"},
        {"at": "false-alarms:0.9"},
        {"at": "cost:1e6", "digits": "1"},
        {"band": "1e9~2e9"},
        {"w": "0,1,0", "units": "standardised", "verdict": "near-the-threshold"},
    ],
    ids=str,
)
@pytest.mark.parametrize("page", ["pages/2_Browse.py", "pages/3_Evaluate.py", "pages/5_Compare.py"])
def test_however_far_a_link_goes_the_page_opens_with_live_and_with_plain_controls(page, link):
    at = opened(page, run="ganomaly-n8", **link)
    if page == "pages/3_Evaluate.py":
        at.toggle(key="plain_controls").set_value(True).run()
        assert not at.exception
    assert not at.error
    assert {k: "".join(v) for k, v in at.query_params.items() if k in link} == link


def test_a_failed_run_shows_its_error_and_can_be_resumed(runs_dir):
    run = put_failed(runs_dir)
    at = opened("pages/1_Train.py", run=run.name)
    assert "stopped being finite" in at.error[0].value
    assert at.button(key="resume")


def test_resuming_what_another_tab_has_resumed_shows_it_at_work(runs_dir):
    run = put_failed(runs_dir)
    at = opened("pages/1_Train.py", run=run.name)
    status = json.loads((run / "status.json").read_text())
    (run / "status.json").write_text(json.dumps(status | {"state": "running"}))
    at.button(key="resume").click().run()
    assert not at.exception
    assert "epoch 2 of" in words(at)
    assert not list(runs_dir.glob("*/stop"))


def test_a_running_run_shows_where_it_stands_and_can_be_stopped(runs_dir):
    run = put_running(runs_dir)
    at = opened("pages/1_Train.py", run=run.name)
    assert "epoch 2 of" in words(at)
    assert at.button(key="stop")


def test_settings_that_do_not_fit_are_told_on_the_page_and_nothing_can_be_started(runs_dir):
    at = opened("pages/1_Train.py")
    at.selectbox(key="set_ganomaly_tuned_image_size").set_value(28).run()
    assert "image_size of ganomaly must be 32 or 64" in as_read(at.error[0].value)
    at.button(key="start").click().run()
    assert "Nothing was started: image_size" in as_read(at.error[0].value)
    assert not list(runs_dir.glob("0*"))


def test_own_images_that_cannot_be_used_are_told_at_once_and_usable_ones_are_counted(runs_dir, tmp_path):
    import numpy as np

    at = opened("pages/1_Train.py")
    at.text_input(key="data_path").set_value(str(tmp_path / "nowhere")).run()
    assert not at.exception
    assert "nowhere" in at.error[0].value
    rng = np.random.default_rng(0)
    labels = np.arange(400) % 4
    parts = {"x_train": rng.integers(0, 256, (400, 28, 28), dtype=np.uint8), "y_train": labels}
    np.savez(tmp_path / "own.npz", **parts, x_test=parts["x_train"][:80], y_test=labels[:80])
    at.text_input(key="data_path").set_value(str(tmp_path / "own.npz")).run()
    assert not at.exception
    assert not at.error
    assert "400 training images in 4 classes" in words(at)
    assert f"--data {tmp_path / 'own.npz'}" in at.code[0].value


def test_no_digit_picked_means_no_start(runs_dir):
    at = opened("pages/1_Train.py")
    assert not at.error
    at.session_state["normal_tiles"] = {"picked": []}
    at.run()
    assert "Pick at least one normal digit" in at.error[0].value
    at.button(key="start").click().run()
    assert "Nothing was started" in at.error[0].value
    assert not list(runs_dir.glob("0*"))


def test_a_drawn_digit_gets_a_verdict_with_its_percentile(runs_dir):
    import base64

    import numpy as np
    from PIL import Image

    from ganad import service

    run = put_finished(runs_dir)
    drawn = np.asarray(Image.fromarray(service.examples()[8]).resize((112, 112), Image.Resampling.BICUBIC))
    at = opened("pages/4_Score.py", run=run.name)
    at.session_state["pad"] = {"pixels": base64.b64encode(drawn.tobytes()).decode()}
    at.run()
    assert not at.exception
    assert "Normal" in words(at)
    assert re.search(r"Stranger than <b>\d+\.\d %</b> of 585 held-out normal 8s", words(at))


def test_an_upload_that_is_no_image_is_answered_by_name(runs_dir):
    run = put_finished(runs_dir)
    at = opened("pages/4_Score.py", run=run.name)
    at.segmented_control(key="way").set_value("upload").run()
    at.file_uploader(key="upload").upload("seven.png", b"not a picture").run()
    assert not at.exception
    assert "seven.png" in at.error[0].value


def test_a_run_is_thrown_away_and_comes_back_with_undo(runs_dir):
    other, run = put_finished(runs_dir), put_finished(runs_dir, "0002-ganomaly-n8-s0")
    at = opened("pages/5_Compare.py", run=run.name)
    at.button(key="throw_away").click().run()
    assert not at.exception
    assert not run.exists()
    assert at.selectbox(key="run").value == other.name
    assert "lies in the trash" in words(at)
    at.button(key="undo").click().run()
    assert not at.exception
    assert run.exists()
    assert at.selectbox(key="run").value == run.name
    assert "lies in the trash" not in words(at)


def test_runs_without_a_result_are_thrown_away_together_the_picked_one_stays_and_undo_brings_all_back(runs_dir):
    run, working = put_finished(runs_dir), put_running(runs_dir)
    ended = {"0003-ganomaly-n8-s0": "failed", "0004-ganomaly-n8-s0": "stopped"}
    gone = [put_running(runs_dir, name, state=state, pid=None) for name, state in ended.items()]
    at = opened("pages/5_Compare.py", run=run.name)
    at.button(key="unwanted_Failed and stopped").click().run()
    assert sorted(at.multiselect(key="unwanted").value) == sorted(p.name for p in gone)
    at.button(key="throw_away_many").click().run()
    assert not at.exception
    assert [p.exists() for p in (run, working, *gone)] == [True, True, False, False]
    assert at.selectbox(key="run").value == run.name
    assert "2 runs</b> lie in the trash" in words(at)
    at.button(key="undo").click().run()
    assert all(p.exists() for p in gone)


def test_the_trash_is_emptied_for_good_by_a_click_of_its_own(runs_dir):
    run = put_finished(runs_dir)
    run_directory.move_to_trash(put_finished(runs_dir, "0002-ganomaly-n8-s0"))
    at = opened("pages/5_Compare.py", run=run.name)
    assert "frees" in words(at)
    at.button(key="empty_trash").click().run()
    assert not at.exception
    assert not run_directory.trashed()
    assert not any(run_directory.trash().rglob("*.json"))
    assert run.exists()


def test_the_last_run_of_all_comes_back_as_well(runs_dir):
    run = put_finished(runs_dir)
    at = opened("pages/5_Compare.py", run=run.name)
    at.button(key="throw_away").click().run()
    assert "nothing to compare yet" in words(at)
    at.button(key=f"back_{run.name}").click().run()
    assert not at.exception
    assert at.selectbox(key="run").value == run.name


def test_a_run_at_work_and_a_shipped_one_cannot_be_thrown_away(runs_dir, monkeypatch):
    run = put_running(runs_dir)
    assert opened("pages/5_Compare.py", run=run.name).button(key="throw_away").disabled
    monkeypatch.delenv("GANAD_CHECKPOINTS")
    assert opened("pages/5_Compare.py", run="ganomaly-n8").button(key="throw_away").disabled


def test_a_new_name_is_in_the_picker_and_a_note_is_read_as_text(runs_dir):
    run = put_finished(runs_dir)
    at = opened("pages/5_Compare.py", run=run.name)
    at.text_input[0].set_value("Monday's")
    at.text_area[0].set_value("w_enc was <b>10</b>")
    at.button(key="save_description").click().run()
    assert not at.exception
    assert json.loads((run / "config.json").read_text())["name"] == "Monday's"
    assert at.selectbox(key="run").options == ["0001 Monday's"]
    assert "w_enc was &lt;b&gt;10&lt;/b&gt;" in words(at)


def test_a_zip_is_imported_and_picked_and_a_wrong_one_is_answered(runs_dir):
    from ganad import service

    run = put_finished(runs_dir)
    at = opened("pages/5_Compare.py", run=run.name)
    at.file_uploader[0].upload("run.zip", b"no zip").run()
    assert not at.exception
    assert "not a whole zip file" in at.error[0].value
    at.file_uploader[0].upload("run.zip", service.export_zip(run.name)).run()
    assert not at.exception
    assert not at.error
    assert at.selectbox(key="run").value == "0002-ganomaly-n8-s0"


def test_the_first_run_may_come_as_a_zip(runs_dir):
    assert opened("pages/5_Compare.py").file_uploader


@pytest.mark.parametrize(
    ("page", "toggle"),
    [("pages/2_Browse.py", "map"), ("pages/2_Browse.py", "nearest"), ("pages/3_Evaluate.py", "advice_map")],
)
def test_what_a_run_without_weights_cannot_show_is_said_and_the_rest_stays(runs_dir, page, toggle):
    shutil.copytree(ROOT / "checkpoints" / "egbad-article", runs_dir / "0001-egbad-n78-s0")
    at = opened(page, run="0001-egbad-n78-s0")
    before = len(at.subheader)
    at.toggle(key=toggle).set_value(True).run()
    assert not at.exception
    assert any("without its nets" in info.value for info in at.info), [i.value for i in at.info]
    assert len(at.subheader) == before


@pytest.mark.parametrize("page", PAGES)
def test_a_run_with_neither_nets_nor_pictures_opens_on_every_page(runs_dir, page):
    shutil.copytree(ROOT / "checkpoints" / "egbad-article", runs_dir / "0002-egbad-n78-s0")
    (runs_dir / "0002-egbad-n78-s0" / "reconstructions.npz").unlink()
    at = opened(page, run="0002-egbad-n78-s0")
    told = [e.value for e in (at.error if page == "app.py" else at.info)]
    assert any("without its nets" in text for text in told) == (
        page in ("app.py", "pages/2_Browse.py", "pages/3_Evaluate.py")
    )
    assert page == "app.py" or not at.error
    if page == "pages/2_Browse.py":  # the score is still explained
        assert "the threshold, so" in words(at)


def test_a_lasso_in_the_link_to_a_run_without_a_map_is_told_and_left_out(runs_dir):
    shutil.copytree(ROOT / "checkpoints" / "egbad-article", runs_dir / "0001-egbad-n78-s0")
    at = opened("pages/2_Browse.py", run="0001-egbad-n78-s0", lasso="0,0~9,0~9,9")
    assert "no latent map" in at.toast[0].value
    assert "600 of 600 test images" in words(at)
    assert "lasso" not in at.query_params


def test_plain_controls_have_every_rule_for_the_line_and_say_which_one_it_is(runs_dir):
    run = put_finished(runs_dir)
    at = opened("pages/3_Evaluate.py", run=run.name)
    at.toggle(key="plain_controls").set_value(True).run()
    said = {
        "cost": "cheapest on the test set",
        "best F1": "the highest F1",
        "manual": "set by hand",
        "false alarms": "at most 5.0 %",
    }
    for rule, text in said.items():
        at.selectbox(key="rule_kind").set_value(rule).run()
        assert not at.exception
        assert text in words(at)
        assert marked(at) == (rule != "false alarms")


@pytest.mark.parametrize("method", METHOD_NAMES)
def test_the_articles_name_files_of_the_repository_and_show_their_pictures_in_place_of_links_that_lead_nowhere(
    monkeypatch, method
):
    drawn = []
    monkeypatch.setattr(st, "image", lambda path, caption: drawn.append(path.read_bytes()))
    at = opened("pages/6_Methods.py", run=f"{method}-n8")
    drawn.clear()
    at.segmented_control(key="detector").set_value(method).run()
    shown = words(at)
    assert not re.search(r"\]\(\.\.?/|\]\([\w-]+\.md", shown)
    assert "docs/results.md" in shown
    pictures = (ROOT / "docs" / "methods" / f"{method}.md").read_text(encoding="utf-8").count("](../images/")
    assert len(set(drawn)) == pictures


def test_the_generator_of_a_method_that_searches_asks_before_it_finds_the_codes():
    at = opened("pages/6_Methods.py", run="anogan-n8")
    at.segmented_control(key="watch").set_value("generator").run()
    assert any(button.label == "Find the codes" for button in at.button)
    assert "too large" not in words(at)


def test_a_page_opens_with_the_newest_run_that_was_trained_long_enough(runs_dir):
    whole, short = put_finished(runs_dir, "0001-ganomaly-n8-s0"), put_finished(runs_dir, "0002-ganomaly-n8-s1")
    status = json.loads((short / "status.json").read_text())
    (short / "status.json").write_text(json.dumps(status | {"step": 20, "total": 20}))
    assert picked_run.default_run(service.list_runs()).name == whole.name
    shutil.rmtree(whole)
    assert picked_run.default_run(service.list_runs()).name == short.name, "there is no other"


def test_a_run_at_work_stands_in_the_sidebar_of_every_page_but_the_one_that_shows_it(runs_dir):
    put_finished(runs_dir)
    run = put_running(runs_dir)

    def beside(page, name):
        said = "".join(caption.value for caption in opened(page, run=name).sidebar.caption)
        return "0002 ganomaly" in as_read(said.replace("*", ""))

    assert beside("pages/2_Browse.py", run.name)
    assert beside("pages/1_Train.py", "0001-ganomaly-n8-s0"), "another run is picked there"
    assert not beside("pages/1_Train.py", run.name)
