"""The documents say what the code does: names, presets, links."""

import ast
import re
import subprocess

import pytest
import torch

from ganad.config import METHOD_NAMES, PRESETS, resolve
from ganad.models import build
from tests.conftest import ROOT

METRICS = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
PAGES = [
    *ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "checkpoints" / "README.md", ROOT / "ganad" / "mnist" / "README.md",
]  # fmt: skip


@pytest.mark.parametrize("method", METHOD_NAMES)
def test_every_logged_name_is_explained(method):
    settings = resolve(method, "tuned", normal=(8,), filters=4, latent=4, batch_size=4)
    made = build(settings)
    x = torch.rand((4, 1, settings.image_size, settings.image_size)) * 2 - 1
    names = made.train().step(x, torch.Generator().manual_seed(0))
    missing = [name for name in names if f"`{name}`" not in METRICS]
    assert not missing


@pytest.mark.parametrize("method", METHOD_NAMES)
def test_every_method_has_a_page_that_names_its_presets_weights_and_paper(method):
    text = (ROOT / "docs" / "methods" / f"{method}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {METHOD_NAMES[method]}\n")
    assert "arXiv:" in text
    assert "<!--" not in text
    for preset in PRESETS[method]:
        assert f"`{preset}`" in text
        weights = resolve(method, preset, normal=(7,)).weights
        assert " / ".join(f"{w:g}" for w in weights) in text


@pytest.mark.parametrize("path", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(path):
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        if "://" not in target:
            assert (path.parent / target).exists(), target


def test_every_public_function_and_class_has_a_docstring():
    bare = []
    for path in ROOT.glob("ganad/**/*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert ast.get_docstring(tree), path
        kinds = (ast.FunctionDef, ast.ClassDef)
        bare += [
            f"{path.relative_to(ROOT)}: {node.name}"
            for node in tree.body
            if isinstance(node, kinds) and not node.name.startswith("_") and not ast.get_docstring(node)
        ]
    assert not bare


def test_the_project_speaks_of_itself_alone():
    """No path of the machine that it was written on stands in any file."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    home = "/".join(["", "work", ""])
    for name in tracked:
        if name and (ROOT / name).suffix in {
            ".py",
            ".md",
            ".toml",
            ".json",
            ".jsonl",
            ".txt",
            ".js",
            ".css",
            ".html",
            "",
        }:
            assert home not in (ROOT / name).read_text(encoding="utf-8", errors="ignore"), name
