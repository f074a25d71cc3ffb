"""What the README says can be done can be done."""

import json
import re
import shlex

import pytest

from ganad.config import METHOD_NAMES
from tests.conftest import ROOT, put_finished
from tests.test_cli import ganad

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
COMMANDS = [
    line.split("#")[0].strip()
    for _, block in BLOCKS
    for line in block.splitlines()
    if line.startswith("python -m ganad")
]


def test_the_readme_has_commands_and_python():
    assert len(COMMANDS) >= 6
    assert [kind for kind, _ in BLOCKS].count("python") == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_readme_is_understood(command, runs_dir, tmp_path, monkeypatch):
    """Its words are parsed by the command line itself; what would train for a minute or more only shows its help."""
    put_finished(runs_dir)
    words = shlex.split(command)[3:]
    words = [*words, "--help"] if words[0] in ("train", "own", "bench", "sweep", "replay") else words
    if words[0] == "score":
        words = [*words[:2], str(ROOT / "ganad" / "mnist" / "README.md")]  # no image, and that is said
    monkeypatch.chdir(tmp_path)
    done = ganad(*words)
    assert done.returncode == (1 if words[0] in ("score", "resume", "continue", "branch", "import") else 0), done.stderr


def test_the_training_command_of_the_readme_is_accepted():
    from ganad.config import command, resolve

    assert command(resolve("ganomaly", "tuned", normal=(8,), seed=0)) in COMMANDS


def test_the_python_of_the_readme_runs(tmp_path, monkeypatch):
    """As it stands, on fewer images and one epoch."""
    monkeypatch.chdir(tmp_path)
    (code,) = [block for kind, block in BLOCKS if kind == "python"]
    code = code.replace("images[digits == 3]", "images[digits == 3][:200]").replace(
        "seed=0", "seed=0, epochs=1, verbose=False"
    )
    monkeypatch.setenv("GANAD_RUNS", str(tmp_path / "runs"))
    exec(compile(code, "README.md", "exec"), {})
    assert (tmp_path / "threes" / "weights.safetensors").exists()


def test_pictures_of_the_readme_are_there():
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", TEXT)
    assert pictures
    assert all((ROOT / p).exists() for p in pictures)


def mean_of(file, protocol, method, digits=range(10)):
    """Mean AUROC of kept runs over digits, of the means over seeds."""
    kept = json.loads((ROOT / "docs" / file).read_text(encoding="utf-8"))
    found = {d: [] for d in digits}
    for k in kept:
        if (k["job"]["protocol"], k["job"]["method"]) == (protocol, method) and k["job"]["digit"] in found:
            found[k["job"]["digit"]].append(k["row"]["auroc"])
    return sum(sum(areas) / len(areas) for areas in found.values()) / len(found)


@pytest.mark.parametrize(("method", "name"), METHOD_NAMES.items())
def test_figures_of_the_readme_are_those_of_the_results(method, name):
    (row,) = re.findall(rf"^\| {name}(?:, on [^|]*)? \| (.*?) \|\n", TEXT, re.MULTILINE)
    digits, eight, nine, clothes = (float(cell) for cell in row.split(" | ")[:4])
    assert digits == round(mean_of("results.json", "B", method), 3)
    assert eight == round(mean_of("results.json", "B", method, [8]), 3)
    assert nine == round(mean_of("results.json", "A", method), 3)
    assert clothes == round(mean_of("results-fashion-mnist.json", "B", method), 3)
