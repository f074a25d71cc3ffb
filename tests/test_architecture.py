"""Data flows one way, and a page opens without waiting for what it does not need."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import put_speed
from tests.waiting import PATIENCE_S

ROOT = Path(__file__).parents[1]

NOT = [  # (files, modules they must not import, at the top or in a function)
    (
        "pages/*.py",
        {"torch", "numpy", "pandas", "plotly", "pathlib", "json", "os", "ganad.service", "ganad.runs.run_directory"},
    ),
    (
        "pages/*.py",
        {
            "ganad.models",
            "ganad.training.loop",
            "ganad.scoring.score",
            "ganad.data.sources",
            "ganad.training.worker",
            "ganad.training.jobs",
        },
    ),
    ("app.py", {"torch", "numpy", "pandas", "plotly", "ganad.service", "ganad.runs.run_directory", "ganad.models"}),
    ("ganad/ui/charts/*.py", {"streamlit", "torch", "sklearn"}),
    ("ganad/ui/pictures.py", {"streamlit", "torch", "sklearn"}),
    (
        "ganad/ui/**/*.py",
        {"torch", "sklearn", "ganad.models", "ganad.training.loop", "ganad.training.worker", "ganad.training.jobs"},
    ),
    ("ganad/*.py", {"streamlit", "plotly", "ganad.ui"}),
    (
        "ganad/models/*.py",
        {
            "streamlit",
            "ganad.data.sources",
            "ganad.training.loop",
            "ganad.runs.run_directory",
            "ganad.scoring.score",
            "ganad.service",
        },
    ),
    ("ganad/evaluate.py", {"torch", "ganad.models", "ganad.runs.run_directory", "ganad.data.sources"}),
    (
        "ganad/runs.py",
        {
            "torch",
            "ganad.models",
            "ganad.data.sources",
            "ganad.training.worker",
            "ganad.training.jobs",
            "ganad.service",
        },
    ),
    (
        "ganad/train.py",
        {
            "ganad.data.sources",
            "ganad.runs.run_directory",
            "ganad.training.worker",
            "ganad.evaluation.metrics",
            "ganad.service",
        },
    ),
    (
        "ganad/score.py",
        {
            "ganad.data.sources",
            "ganad.runs.run_directory",
            "ganad.training.loop",
            "ganad.evaluation.metrics",
            "ganad.service",
        },
    ),
    ("ganad/worker.py", {"ganad.training.jobs", "ganad.service"}),
    (
        "ganad/desk.py",
        {"ganad.training.jobs", "ganad.service", "ganad.training.worker", "ganad.models", "torch", "numpy"},
    ),
    ("ganad/jobs.py", {"ganad.service", "ganad.training.worker", "torch"}),
    ("ganad/config.py", {"torch", "numpy", "ganad.runs.run_directory", "ganad.data.sources"}),
    ("ganad/data.py", {"torch", "ganad.models", "ganad.runs.run_directory"}),
    ("ganad/imaging.py", {"torch", "ganad.models", "ganad.runs.run_directory", "ganad.data.sources"}),
]


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{a.name}" for a in node.names}
    return names


@pytest.mark.parametrize(("files", "forbidden"), NOT, ids=lambda v: v if isinstance(v, str) else "")
def test_nothing_reaches_back(files, forbidden):
    paths = sorted(ROOT.glob(files))
    assert paths, f"{files} matches nothing, so this rule checks nothing"
    for path in paths:
        bad = {n for n in imported(path) for f in forbidden if n == f or n.startswith(f + ".")}
        assert not bad, f"{path.relative_to(ROOT)} imports {sorted(bad)}"


def test_pages_import_streamlit_the_ui_the_settings_and_the_errors_alone():
    for path in [ROOT / "app.py", *ROOT.glob("pages/*.py")]:
        own = {n for n in imported(path) if n.split(".")[0] == "ganad"}
        allowed = ("ganad.ui", "ganad.config", "ganad.errors")
        bad = {n for n in own if not n.startswith(allowed) and n != "ganad"}
        assert not bad, f"{path.name} imports {sorted(bad)}"


def test_only_pages_and_ui_know_streamlit():
    for path in ROOT.glob("ganad/**/*.py"):
        if "ui" not in path.parts:
            assert "streamlit" not in {n.split(".")[0] for n in imported(path)}, path


HEAVY = ("torch", "sklearn", "scipy")
MODULES = ("service", "ui.starting", "ui.training", "ui.browsing", "ui.judging", "ui.scoring", "ui.comparing")
DRAWN = ("app.py", "pages/1_Train.py", "pages/2_Browse.py", "pages/3_Evaluate.py", "pages/5_Compare.py")
LOOK = f"""
import importlib, json, sys
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest
brought = {{}}
def look(what, known=set()):
    brought[what] = sorted(({set(HEAVY)} & set(sys.modules)) - known)
    known.update(brought[what])
look("streamlit")
for module in {MODULES}:
    importlib.import_module("ganad." + module)
    look(module)
manifest_scanner.scan_component_manifests = lambda: []
for page in {DRAWN}:
    at = AppTest.from_file("app.py", default_timeout={PATIENCE_S})
    if page != "app.py":
        at.switch_page(page)
    at.query_params["run"] = "ganomaly-n8"
    at.run()
    assert not at.exception, at.exception[0].stack_trace
    assert len(at.get("html")) + len(at.get("plotly_chart")) > 1, page + ": nothing was drawn"
    look(page)
print(json.dumps(brought))
"""


@pytest.fixture(scope="module")
def brought(tmp_path_factory):
    """Module or page -> what was imported because of it, in one process that imports and draws them in turn."""
    folder = tmp_path_factory.mktemp("drawn")
    put_speed(folder)
    done = subprocess.run(
        [sys.executable, "-c", LOOK], cwd=ROOT, env=os.environ | {"GANAD_RUNS": str(folder)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("module", ["streamlit", *MODULES])
def test_what_a_page_imports_brings_neither_torch_nor_scikit_learn(module, brought):
    assert not brought[module]


@pytest.mark.parametrize("page", DRAWN)
def test_a_page_that_needs_no_net_draws_a_finished_run_without_torch(page, brought):
    assert "torch" not in brought[page]


def test_no_weights_and_no_arrays_are_ever_unpickled():
    for path in [*ROOT.glob("ganad/**/*.py"), *ROOT.glob("pages/*.py")]:
        text = path.read_text(encoding="utf-8")
        assert "allow_pickle=True" not in text, path
        assert "pickle.load" not in text, path
        for call in (n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Call)):
            if ast.unparse(call.func) == "torch.load":
                assert any(k.arg == "weights_only" and k.value.value is True for k in call.keywords), path
