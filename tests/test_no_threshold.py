"""With too few held-out images for the rate of false alarms every door says so in one sentence, and no number is infinite."""

import json
import math
import re
import sys

import numpy as np
import pytest
from PIL import Image

from ganad import Detector, __main__, service
from ganad.config import resolve
from ganad.evaluation import thresholds
from ganad.report import html_report
from ganad.runs import run_directory
from ganad.training import worker
from ganad.ui import charts
from ganad.ui.panels import explanation
from ganad.ui.theme import pictures
from tests.test_pages import opened, words

WHY = (
    "Nothing is called anomalous: 15 held-out normal images are too few for a threshold with at most 5 % false alarms. Allow at "
    "least 6.3 % (1 in 16), or train on more normal images: a tenth of them is held out, and 19 of them are needed."
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run that was really trained on 150 images, 15 of them held out; the only one there is."""
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("few")
        patch.setenv("GANAD_RUNS", str(home / "runs"))
        patch.setenv("GANAD_CHECKPOINTS", str(home / "checkpoints"))
        asked = resolve(
            "ganomaly",
            "tuned",
            normal=(8,),
            limit=150,
            epochs=1,
            filters=4,
            latent=8,
            test_limit=300,
            precision="float32",
        )
        made = run_directory.create(asked)
        assert worker.work(made) == "finished"
        yield made


@pytest.fixture
def ganad(monkeypatch, capsys):
    """The command line in this process: words -> (exit code, stdout, stderr)."""

    def call(*said):
        monkeypatch.setattr(sys, "argv", ["ganad", *map(str, said)])
        code = __main__.main()
        out, err = capsys.readouterr()
        assert not infinite(out + err)
        return code, out, err

    return call


def infinite(text):
    return re.findall(r"\binf\b|Infinity|∞", text)


def strict(text):
    """JSON as everybody else reads it: Python alone takes Infinity and NaN."""

    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


# --- the sentence -----------------------------------------------------------------------------------------------------


def test_the_sentence_says_how_many_there_are_what_rate_they_allow_and_how_many_are_needed():
    assert thresholds.no_threshold(15, 0.05) == WHY


@pytest.mark.parametrize("n", [1, 2, 9, 10, 15, 18, 99, 333])
@pytest.mark.parametrize("rate", [0.001, 0.002, 0.005, 0.03, 0.05])
def test_what_it_advises_is_enough_and_no_more(n, rate):
    val = np.arange(float(n))
    if math.isfinite(thresholds.threshold_for(val, rate)):
        return
    said = thresholds.no_threshold(n, rate)
    allowed = float(re.search(r"Allow at least ([\d.]+) %", said)[1]) / 100
    needed = int(re.search(r"([\d,]+) of them are needed", said)[1].replace(",", ""))
    assert math.isfinite(thresholds.threshold_for(val, allowed))
    assert allowed - 0.001 < 1 / (n + 1) + 1e-12
    assert math.isfinite(thresholds.threshold_for(np.arange(float(needed)), rate))
    assert math.isinf(thresholds.threshold_for(np.arange(float(needed - 1)), rate))


def test_it_can_be_said_without_the_numbers_too():
    said = thresholds.no_threshold()
    assert said.startswith("Nothing is called anomalous: there are too few held-out normal images")
    assert "None" not in said
    assert "15 held-out" in thresholds.no_threshold(15)


# --- every door --------------------------------------------------------------------------------------------------------


def test_the_worker_writes_it_into_the_report(run):
    said = strict((run / "report.json").read_text())
    assert said["threshold"] is None
    assert WHY in said["warnings"]
    assert service.no_threshold(service.run_info(run.name)) == WHY


def test_a_run_with_a_threshold_has_no_such_sentence(run):
    info = service.run_info(run.name)
    with_one = info.report | {"threshold": 0.3}
    assert service.no_threshold(info.__class__(**{**info.__dict__, "report": with_one})) == ""


def test_evaluate_says_it(run, ganad):
    code, out, err = ganad("evaluate", run.name)
    assert code == 0
    assert WHY in err.replace("\n", " ")
    assert "above the threshold" not in out
    said = strict(ganad("evaluate", run.name, "--json")[1])
    assert (said["threshold"], said["hit_rate"]) == (None, 0)
    assert WHY in said["warnings"]


def test_score_says_it_once_for_all_files(run, ganad, tmp_path):
    for i in range(2):
        Image.fromarray(service.test_images(run.name)[i]).save(tmp_path / f"{i}.png")
    files = [tmp_path / "0.png", tmp_path / "1.png"]
    code, out, err = ganad("score", run.name, *files, "--raw")
    assert code == 0
    assert out.count("no threshold") == 2
    assert err.count(WHY) == 1
    said = strict(ganad("score", run.name, *files, "--raw", "--json")[1])
    assert [(s["threshold"], s["verdict"], s["why"]) for s in said] == [(None, "normal", WHY)] * 2


def test_list_is_json(run, ganad):
    (said,) = strict(ganad("list", "--json")[1])
    assert said["name"] == run.name
    assert ganad("list")[0] == 0


def test_the_report_page_says_it(run):
    page = html_report.report_html(run.name)
    assert WHY in page
    assert "There is no threshold: see below." in page
    assert "promises at most 5%" not in page
    strict(re.search(r"<script type=.application/json.[^>]*>(.*?)</script>", page, re.DOTALL)[1])


@pytest.mark.parametrize(
    "name", ["app.py", "pages/1_Train.py", "pages/2_Browse.py", "pages/3_Evaluate.py", "pages/5_Compare.py"]
)
@pytest.mark.parametrize("standardised", [False, True])
def test_pages_say_it(run, name, standardised):
    at = opened(name, run=run.name, **({"units": "standardised"} if standardised else {}))
    said = words(at) + "\n".join(str(getattr(e.proto, "spec", "")) for e in at.get("plotly_chart"))
    assert "15 held-out normal images are too few" in said
    assert not infinite(said), infinite(said)


def test_browse_says_it_beside_the_picked_image_and_not_in_the_folded_mixer_alone(run):
    assert [i.value for i in opened("pages/2_Browse.py", run=run.name).info] == [WHY]


def test_evaluate_with_plain_controls_says_it(run):
    at = opened("pages/3_Evaluate.py", run=run.name)
    at.toggle(key="plain_controls").set_value(True).run()
    assert not at.exception
    assert WHY in words(at)
    assert not infinite(words(at))


def test_the_table_of_scores_leaves_the_threshold_empty(run):
    from ganad.ui.panels import export
    from ganad.ui.state import current

    view = current.view(service.run_info(run.name))
    assert view.threshold_in_words == WHY
    table = export.table(view)
    assert table["threshold"].isna().all()
    assert not infinite(table.to_csv())


def test_what_draws_a_threshold_draws_none():
    shown = {"latent": {"value": 2.0, "weight": 1.0, "contribution": 2.0, "percentile": 50.0}}
    strip = charts.score_strip([("a", 1.0, "normal"), ("b", 3.0, "normal")], math.inf)
    for figure in (
        strip,
        charts.waterfall(shown, math.inf),
        charts.histogram(np.arange(9.0), np.arange(9.0), math.inf),
    ):
        assert not infinite(figure.to_json())
        assert all(np.isfinite(end) for end in figure.layout.xaxis.range)
    formula = explanation.formula(shown, 2.0, math.inf)
    assert "there is no threshold, so <b" in formula
    assert not infinite(formula)
    image = np.zeros((28, 28), np.uint8)
    assert not infinite(pictures.card_html([pictures.Card(image, image, "8", 2.0, math.inf, "normal")]))


# --- Python --------------------------------------------------------------------------------------------------------------


def test_a_detector_takes_the_largest_held_out_score_and_says_so(run, capsys):
    made = Detector.load(run)
    assert made.threshold_ == made.val_scores_.max()
    assert made.threshold_note_.startswith(
        "15 held-out normal images are too few for a threshold with at most 5 % false alarms: the largest of their scores is taken "
        "instead, above which up to 6.25 % (1 in 16) of new normal images lie."
    )
    made.contamination = 0.0625
    made._finish(made.method_, made.val_parts_)
    assert made.threshold_note_ == ""
    assert made.threshold_ == made.val_scores_.max()  # the 15th of 15, now by right
    few = service.test_images(run.name)[:100]
    fitted = Detector(epochs=1, settings={"filters": 4, "latent": 6, "precision": "float32"}).fit(few)
    assert fitted.threshold_note_.startswith("10 held-out normal images")
    assert fitted.threshold_note_ in capsys.readouterr().err
