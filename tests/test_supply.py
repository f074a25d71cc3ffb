"""What ganad stands on is named, locked with hashes, licensed, and served with headers that fit the installed Streamlit."""

import ast
import base64
import hashlib
import os
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions

import pytest
import streamlit
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests import licences
from tests.conftest import ROOT

LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PINS = re.findall(
    r"^(\S+)==(\S+)((?: ;[^\\\n]*)?) \\\n((?: +--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", LOCK, re.MULTILINE
)
UNLOCKED = {"torch"}


def asked(file):
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "-r"))]


NEEDED = asked("requirements.txt")
DEVELOPED_WITH = [*asked("requirements-dev.txt"), *asked("requirements-ray.txt"), *asked("requirements-search.txt")]


def imports(folders):
    names = set()
    for path in (p for pattern in folders for p in ROOT.glob(pattern)):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {a.name.split(".")[0] for a in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.split(".")[0])
    return {n for n in names if n not in sys.stdlib_module_names and n not in ("ganad", "tests")}


def packages(names):
    known = packages_distributions()
    return {canonicalize_name(known[n][0]) for n in names}


def test_what_is_imported_is_required_and_what_is_required_is_imported():
    found = packages(imports(["ganad/**/*.py", "pages/*.py", "app.py"]))
    optional = {"umap-learn", "ray", "optuna"}  # offered where it is installed
    assert found - optional == {canonicalize_name(r.name) for r in NEEDED}
    assert optional <= {canonicalize_name(r.name) for r in DEVELOPED_WITH}


def test_what_the_tests_import_is_required_too():
    named = {canonicalize_name(r.name) for r in (*NEEDED, *DEVELOPED_WITH)}
    assert packages(imports(["tests/**/*.py"])) - named <= {"packaging"}, "packaging comes with pytest"


def test_each_requirement_has_its_reason_and_no_reason_is_left_over():
    text = (ROOT / "docs" / "adr" / "0002-dependencies.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([a-z-]+)(?: \([^)]*\))? \| \S.* \|$", text, re.MULTILINE)
    assert sorted(rows) == sorted(["library", "library", *(r.name for r in (*NEEDED, *DEVELOPED_WITH))])


@pytest.mark.parametrize("wanted", [*NEEDED, *DEVELOPED_WITH], ids=str)
def test_the_lock_has_every_requirement_in_its_range(wanted):
    found = [version for name, version, *_ in PINS if canonicalize_name(name) == canonicalize_name(wanted.name)]
    if wanted.name in UNLOCKED:
        assert not found
        assert re.fullmatch(r"==\d+\.\d+\.\d+", str(wanted.specifier)), "what has no hash is pinned"
    else:
        assert found, f"{wanted} is not in requirements.lock: make lock"
        assert all(wanted.specifier.contains(version) for version in found), f"{wanted}, locked {found}: make lock"


def test_each_line_of_the_lock_is_a_version_with_hashes_from_an_index():
    entries = [line for line in LOCK.splitlines() if line and line[0] not in " #"]
    assert len(entries) == len(PINS) > 50
    assert not re.search(r"://|--find-links|--index|file:|\bnvidia|\bcuda", LOCK)


def test_the_lock_is_whole_here():
    """Whatever the requirements bring along is in it: it is installed without looking for more."""
    locked, seen, todo = {canonicalize_name(name) for name, *_ in PINS}, set(), [*NEEDED, *DEVELOPED_WITH]
    while todo:
        wanted = todo.pop()
        name = canonicalize_name(wanted.name)
        if name in seen or (wanted.marker and not wanted.marker.evaluate({"extra": ""})):
            continue
        seen.add(name)
        todo += [Requirement(r) for r in distribution(name).requires or ()]
    assert len(seen) > 50
    assert seen - UNLOCKED - locked == set()


def dry(*words):
    """What make would do, whichever make started these tests and whatever that one was told."""
    free = {k: v for k, v in os.environ.items() if k not in ("LOCKED", "MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS")}
    words = ["make", "-n", "-B", "--no-print-directory", *words]
    return subprocess.run(words, cwd=ROOT, env=free, capture_output=True, text=True, check=True).stdout


def test_continuous_integration_installs_from_the_lock_and_others_need_not():
    assert "export LOCKED=1" in (ROOT / ".ci" / "run").read_text()
    steps = [line for line in dry(".venv/.dev", "LOCKED=1").splitlines() if "pip install" in line]
    assert "--no-deps --require-hashes -r requirements.lock" in steps[0]
    assert "-r requirements.txt" in steps[1]
    assert "requirements.lock" not in dry(".venv/.dev")
    assert "uv pip compile" in dry("lock")


def test_every_locked_package_that_is_installed_says_its_licence_and_the_summary_names_it():
    summary = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
    parts = ("MIT", "BSD", "Apache", "ISC", "PSF", "Zlib", "CC0", "BSL", "0BSD", "LLVM")
    seen = 0
    for name in [*(name for name, *_ in PINS), *UNLOCKED]:
        try:
            said = licences.licence(distribution(name))
        except PackageNotFoundError:
            continue  # of another platform, or of a tool that is not installed
        seen += 1
        assert said, name
        assert not re.search(r"GPL|AGPL|SSPL|proprietary", said, re.IGNORECASE), (name, said)
        if "MPL" in said or "Mozilla" in said:
            assert f"{name}" in summary
        else:
            assert any(part in said for part in parts), (name, said)
    assert seen > 50
    assert all(part in summary for part in parts)


def test_the_command_lists_each_installed_package_with_its_licence():
    listed = {name.lower(): (version, words) for name, version, words in licences.table()}
    assert listed["streamlit"] == (streamlit.__version__, "Apache-2.0")
    assert len(listed) > 50


# --- docs/deploy.md and the container file ---------------------------------------------------------------------------

DEPLOY = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
CONTAINER = (ROOT / "Containerfile").read_text(encoding="utf-8")


def test_the_policy_of_the_proxy_allows_the_inline_script_of_the_installed_streamlit_alone():
    page = (ROOT.__class__(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    inline = re.findall(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", page, re.DOTALL)
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in inline}
    (policy,) = re.findall(r'Content-Security-Policy "([^"]+)"', DEPLOY)
    assert set(re.findall(r"'sha256-[^']+'", policy)) == hashes
    script = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "unsafe" not in script
    assert "http" not in policy
    assert policy.startswith("default-src 'none'")


def test_every_variable_that_the_deployment_names_is_read_and_the_others_are_named():
    code = "".join(p.read_text(encoding="utf-8") for p in ROOT.glob("ganad/**/*.py"))
    named = set(re.findall(r"GANAD_[A-Z_]+", DEPLOY + CONTAINER))
    assert named <= set(re.findall(r"GANAD_[A-Z_]+", code))
    assert {
        "GANAD_READONLY",
        "GANAD_DATA",
        "GANAD_MAX_QUEUED",
        "GANAD_MAX_RUNS_BYTES",
        "GANAD_MAX_UPLOAD_BYTES",
    } <= named


def test_the_container_is_not_root_copies_what_there_is_and_locks_what_it_installs():
    users = re.findall(r"^USER (\d+)$", CONTAINER, re.MULTILINE)
    assert users
    assert int(users[-1]) > 0
    for line in re.findall(r"^COPY (.+)$", CONTAINER, re.MULTILINE):
        assert all((ROOT / source).exists() for source in line.split()[:-1]), line
    assert "--require-hashes -r requirements.lock" in CONTAINER
    pin = next(str(r) for r in NEEDED if r.name == "torch")
    assert pin in CONTAINER
    assert not re.search(r"^ADD|curl|wget", CONTAINER, re.MULTILINE)
