"""A fourth part of the score needs its method and a line in the list of parts: everything else asks which parts a run has."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.waiting import PATIENCE_S

PARTS = ["discrimination", "extent", "latent", "residual"]


def edit(path, *pairs):
    text = path.read_text(encoding="utf-8")
    for old, new in pairs:
        assert text.count(old) == 1, (path, old)
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """What tests/fourth_part.py saw in a copy of the project, where the list of parts and one method were edited."""
    copy = tmp_path_factory.mktemp("fourth")
    for folder in ("ganad", "tests", "pages", ".streamlit"):
        leave = shutil.ignore_patterns("mnist", "browser", "faults")
        shutil.copytree(ROOT / folder, copy / folder, ignore=leave)
    (copy / "ganad" / "mnist").symlink_to(ROOT / "ganad" / "mnist")
    shutil.copy(ROOT / "app.py", copy)
    last = 'yellow",\n    ),\n)  # fmt: skip'
    new = last.replace("\n)", '\n    Part("extent", "how much ink the image has: its mean grey", "blue"),\n)')
    edit(copy / "ganad" / "config" / "parts.py", (last, new))
    title = '    title: ClassVar[str] = "GANomaly"\n'
    edit(
        copy / "ganad" / "config" / "ganomaly.py",
        (title, title + "    parts: ClassVar[tuple[str, ...]] = (\"residual\", \"discrimination\", \"latent\", \"extent\")\n"),
        ("(0.0, 0.0, 1.0), desc", "(0.0, 0.0, 1.0, 2.0), desc"),
    )  # fmt: skip
    z = "            z=z.float(),\n"
    more = z + '            more={"extent": (x.float() / 2 + 0.5).mean(dim=(1, 2, 3))},\n'
    edit(copy / "ganad" / "models" / "ganomaly.py", (z, more))
    places = {"GANAD_RUNS": copy / "runs", "GANAD_CHECKPOINTS": copy / "shelf", "PYTHONPATH": copy}
    done = subprocess.run(
        [sys.executable, "-m", "tests.fourth_part"],
        cwd=copy, env=os.environ | {k: str(v) for k, v in places.items()}, capture_output=True, text=True, timeout=PATIENCE_S * 4,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_a_run_keeps_all_its_parts(seen):
    assert seen["columns"] == seen["areas"] == seen["report"] == seen["held out"] == PARTS
    assert seen["ink"][0] == pytest.approx(seen["ink"][1], rel=1e-5)
    assert seen["zip"]


def test_its_weights_have_one_number_more(seen):
    assert seen["weights"] == [0.0, 0.0, 1.0, 0.5]
    assert seen["address"] in ("0,0,1,0", ["0,0,1,0"])


def test_all_its_weight_on_the_fourth_part_is_that_part_alone(seen):
    alone, part = seen["auroc of it"]
    assert alone == pytest.approx(part)


def test_the_map_of_weights_has_a_point_for_each_division_among_four(seen):
    assert seen["points"] == 35  # (4 + 3 choose 3)


def test_mixer_sliders_browse_report_and_tables_show_it(seen):
    assert seen["payload"] == ["Residual", "Discrimination", "Latent", "Extent"]
    assert seen["sliders"][:4] == seen["payload"]
    assert seen["browse"]
    assert seen["html"]
    assert seen["quality"] == "| detector | residual | discrimination | latent | extent | weighed |"
