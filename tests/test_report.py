"""A report says what Python says, holds everything that it needs, and lets no word of a user end a tag."""

import base64
import io
import json
import re
import zlib

import numpy as np
import pytest
from PIL import Image

from ganad import service
from ganad.errors import RunError
from ganad.evaluation import metrics
from ganad.report import html_report
from ganad.runs import run_directory
from ganad.ui.panels import weights
from ganad.web import colours
from ganad.web.weights_mixer import payload
from tests.conftest import ROOT, put_failed, put_finished
from tests.test_cli import ganad

RUN = "ganomaly-n8"


@pytest.fixture(scope="module")
def page():
    return html_report.report_html(RUN)


def data_of(page):
    return json.loads(re.search(r'<script type="application/json" id="run">(.*?)</script>', page, re.DOTALL)[1])


def test_the_page_is_one_file_of_less_than_5_mb_that_asks_for_nothing(page):
    assert len(page.encode()) < 5e6
    addresses = re.findall(r"(?:src|href|url\()\s*=?\s*['\"]?([a-z]+:)", page)
    assert addresses
    assert set(addresses) == {"data:"}
    assert "{{" not in page.split('<template id="mixer-parts">')[0]


def test_the_numbers_are_python_s(page):
    e, _ = service.evaluate_run(RUN)
    shown = re.findall(r"<div class='number'><span>([^<]*)</span><b>([^<]*)</b>", page)
    assert shown == [
        ("AUROC", f"{e.auroc:.4f}"),
        ("average precision", f"{e.average_precision:.4f}"),
        ("equal error rate", f"{e.eer:.1%}"),
        ("caught", f"{e.hit_rate:.1%}"),
    ]
    for row in e.per_digit:
        assert f"<span>{row['auroc']:.4f}</span>" in page


def test_the_mixer_is_given_what_the_dashboard_gives_it(page):
    given, found, images = data_of(page), service.scores(RUN), service.test_images(RUN)
    packed = payload.pack(found, images)
    assert zlib.decompress(base64.b64decode(given["images"])) == images.tobytes()
    assert {k: given[k] for k in packed if k != "images"} == {k: packed[k] for k in packed if k != "images"}
    assert given["scales"] == list(weights.scales_of(service.run_info(RUN)))
    assert given["colours"] == payload.LABELS["colours"]


def test_the_styles_have_the_colours_of_the_dashboard():
    css = (ROOT / "ganad" / "report" / "page.css").read_text()
    light, dark = css.split("@media (prefers-color-scheme: dark)")[0], css.split("prefers-color-scheme: dark")[1]
    for hue in [colours.ANOMALOUS, colours.WRONG, *colours.PARTS.values()]:
        assert f"--st-{hue.name}-text-color: {hue.light};" in light
        assert f"--st-{hue.name}-text-color: {hue.dark};" in dark
    assert f"--normal: {colours.NORMAL.both};" in light
    assert f"--anomalous: {colours.ANOMALOUS.both};" in light


def test_the_typical_image_of_a_digit_has_its_median_score_and_is_drawn_pixel_by_pixel(page):
    found, images = service.scores(RUN), service.test_images(RUN)
    score = metrics.total(found.test.parts, service.run_info(RUN).weights)
    rows = metrics.median_rows(found, score)
    for d, row in rows.items():
        own = score[found.test.digit == d]
        assert abs((own <= score[row]).mean() - 0.5) <= 1 / len(own)
    made = service.reconstructions(RUN)
    shown = re.findall(r"<img src='data:image/png;base64,([^']+)' alt='([^']+)'", page)
    pictures = {alt: np.asarray(Image.open(io.BytesIO(base64.b64decode(png)))) for png, alt in shown}
    assert len(pictures) == 20
    np.testing.assert_array_equal(pictures["a typical 3"], images[rows[3]])
    np.testing.assert_array_equal(pictures["reconstruction of the typical 3"], made[rows[3]])


def test_a_run_without_reconstructions_and_without_weights_still_has_a_report(runs_dir):
    run = put_finished(runs_dir)
    (run / "reconstructions.npz").unlink()
    asked = html_report.report_html(run.name)
    assert asked.count("reconstruction of the typical") == 10
    (run / "weights.safetensors").unlink()
    assert "reconstruction of the typical" not in html_report.report_html(run.name)


def test_a_name_cannot_become_a_tag(runs_dir):
    run = put_finished(runs_dir)
    config = json.loads((run / "config.json").read_text())
    run_directory.write_json(run / "config.json", config | {"name": "</title><script>alert(1)</script>{{data}}"})
    page = html_report.report_html(run.name)
    assert "<script>alert" not in page
    assert page.count('<script type="application/json" id="run">{"parts"') == 1


def test_a_run_that_has_not_finished_has_no_report(runs_dir):
    with pytest.raises(RunError, match="is failed, so there is nothing to report yet"):
        html_report.report_html(put_failed(runs_dir).name)


def test_the_command_line_writes_the_file_and_prints_where(runs_dir, tmp_path):
    run = put_finished(runs_dir)
    done = ganad("report", run.name, "--out", tmp_path / "a.html")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(tmp_path / "a.html")
    assert (tmp_path / "a.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    wrong = ganad("report", run.name, "--out", tmp_path / "nowhere" / "a.html")
    assert wrong.returncode == 1
    assert "cannot be written" in wrong.stderr
