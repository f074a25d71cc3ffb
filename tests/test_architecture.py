"""Data flows one way, and a page opens without waiting for what it does not need."""

import ast
import functools
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import put_speed
from tests.waiting import PATIENCE_S

ROOT = Path(__file__).parents[1]

LAYERS = [
    ("errors", "wording"),
    ("config", "system"),
    ("glossary",),
    ("data", "models", "evaluation"),
    ("runs",),
    ("scoring", "web", "diagnosis"),
    ("training", "walkthrough"),
    ("service", "detector"),
    ("report", "studies"),
    ("bench",),
    ("ui.messages",),
    ("ui.theme",),
    ("ui.state",),
    ("ui.charts", "ui.components"),
    ("ui.panels",),
    ("ui.lessons",),
    ("ui.page",),
    ("ui.views",),
    ("cli",),
    ("__main__",),
]
"""The rooms of `ganad/`, bottom to top. A room knows those in lower lines, and none beside or above it."""
HEIGHT = {room: height for height, line in enumerate(LAYERS) for room in line}
SOURCES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in ROOT.glob("ganad/**/*.py")
}
NAMES_OF_PATHS = re.compile(r"\bganad[./](?:ui[./])?[a-z_]+(?:[./][a-z_0-9]+)*")


def room(module: str) -> str:
    """The room of a module: `ganad.ui.state.rule` stands in `ui.state`, `ganad.config` is its own."""
    parts = [] if module == "ganad.ui" else module.split(".")[1:]
    return ".".join(parts[:2] if parts[:1] == ["ui"] else parts[:1])


@functools.cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """Everything in a file that Python's grammar knows; asked for by most tests, read once."""
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


@functools.cache
def imported(path: Path) -> frozenset[str]:
    """What a file imports, anywhere in it."""
    names = set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            names |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{a.name}" for a in node.names}
    return frozenset(names)


def named(path: Path) -> set[str]:
    """Modules and files of `ganad` that a file's own strings name, docstrings apart: to start them or to read them."""
    found = set()
    docs = {id(n.value) for n in nodes(path) if isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant)}
    for node in nodes(path):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            found |= {m.replace("/", ".") for m in NAMES_OF_PATHS.findall(node.value)}
    return found & set(SOURCES)


def rooms_known(path: Path) -> set[str]:
    return {room(name) for name in imported(path) | named(path) if name in SOURCES and room(name)}


@pytest.mark.parametrize("own", sorted({room(m) for m in SOURCES} - {""}))
def test_a_room_knows_those_below_it_alone(own):
    assert own in HEIGHT, f"{own} has no place in LAYERS"
    known = {m: rooms_known(path) for m, path in SOURCES.items() if room(m) == own}
    above = {
        m: up for m, rooms in known.items() if (up := sorted(r for r in rooms - {own} if HEIGHT[r] >= HEIGHT[own]))
    }
    assert not above, "these reach up or aside"


@pytest.mark.parametrize("line", LAYERS, ids=", ".join)
def test_every_room_of_the_table_is_there(line):
    for name in line:
        assert any(room(m) == name for m in SOURCES), f"{name} is no room of ganad"


def test_no_file_climbs_from_its_own_room_into_another():
    """A path through parents leads to what is named in LAYERS as little as an import does; data beside the code is no room."""
    climbs = []
    for module, path in SOURCES.items():
        for node in nodes(path):
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and "__file__" in ast.unparse(node.left):
                first = ast.unparse(node.right).strip("'\"")
                if first in {r.split(".")[0] for r in HEIGHT} and not room(module).startswith(first):
                    climbs.append((module, ast.unparse(node)))
    assert not climbs


# What the rooms take from outside: (rooms, packages that no file in them imports).
FOREIGN = [
    (("ui.messages", "ui.theme", "ui.charts", "ui.components", "ui.state", "ui.panels", "ui.page", "ui.views"), {"torch", "sklearn"}),
    (("ui.charts",), {"streamlit"}),
    (("data", "runs.run_directory", "runs.archive", "evaluation", "web", "config", "system"), {"torch"}),
    (("config",), {"numpy"}),
]  # fmt: skip


@pytest.mark.parametrize(("rooms", "packages"), FOREIGN, ids=lambda v: ", ".join(sorted(v)))
def test_what_a_room_does_without(rooms, packages):
    for name in rooms:
        files = [m for m in SOURCES if f"{m}.".startswith(f"ganad.{name}.")]
        assert files, f"{name} matches nothing, so this rule checks nothing"
        for module in files:
            assert not packages & {n.split(".")[0] for n in imported(SOURCES[module])}, module


def test_only_pages_and_ui_know_streamlit_and_plotly():
    for module, path in SOURCES.items():
        if not module.startswith("ganad.ui"):
            assert not {"streamlit", "plotly"} & {n.split(".")[0] for n in imported(path)}, path


@pytest.mark.parametrize(("name", "owner"), [("session_state", "session.py"), ("query_params", "address.py")])
def test_one_file_alone_touches_the_session_and_one_the_url(name, owner):
    users = [
        path.relative_to(ROOT).as_posix()
        for path in [ROOT / "app.py", *ROOT.glob("pages/*.py"), *ROOT.glob("ganad/**/*.py")]
        if any(isinstance(n, ast.Attribute) and n.attr == name for n in nodes(path))
    ]
    assert users == [f"ganad/ui/state/{owner}"]


def test_pages_import_streamlit_the_ui_the_settings_and_the_errors_alone():
    for path in [ROOT / "app.py", *ROOT.glob("pages/*.py")]:
        own = {n for n in imported(path) if n.split(".")[0] == "ganad"}
        bad = {n for n in own if not n.startswith(("ganad.ui", "ganad.config", "ganad.errors")) and n != "ganad"}
        assert not bad, f"{path.name} imports {sorted(bad)}"
        assert {n.split(".")[0] for n in imported(path)} <= {"ganad", "streamlit"}, path.name


LAZY = {
    "torch", "sklearn", "scipy", "umap", "ray", "optuna",  # seconds, and off a page's first paint: what is below imports one of them
    "pandas",  # half a second, and only for CSV files
    "ganad.scoring.score", "ganad.scoring.browser_nets", "ganad.runs.checkpoint", "ganad.models", "ganad.training.loop", "ganad.training.run_training",
    "ganad.bench", "ganad.detector", "ganad.data.sources", "ganad.walkthrough",
}  # fmt: skip
"""What may be imported inside a function; everything else is imported at the top of its file."""


def test_only_what_is_heavy_is_imported_inside_a_function():
    for module, path in SOURCES.items():
        for function in nodes(path):
            if not isinstance(function, ast.FunctionDef):
                continue
            for node in ast.walk(function):
                names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom):
                    names = [f"{node.module}.{a.name}" for a in node.names]
                for name in names:
                    parts = name.split(".")
                    assert LAZY & {".".join(parts[:i]) for i in range(1, len(parts) + 1)}, f"{module}: {name}"


HEAVY = ("torch", "sklearn", "scipy")
MODULES = ("service", *(f"ui.views.{v}" for v in ("start", "train", "browse", "evaluate", "score", "compare_runs")))
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
        for call in (n for n in nodes(path) if isinstance(n, ast.Call)):
            if ast.unparse(call.func) == "torch.load":
                assert any(k.arg == "weights_only" and k.value.value is True for k in call.keywords), path
