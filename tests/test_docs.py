"""The documents say what the code does: names, presets, links."""

import ast
import json
import re
import subprocess

import pytest
import torch

from ganad.bench import method_pages
from ganad.config import METHOD_NAMES, PRESETS, preset_table, resolve
from ganad.models import build
from tests.conftest import ROOT

METRICS = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
PAGES = [
    *ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "checkpoints" / "README.md", ROOT / "ganad" / "mnist" / "README.md",
]  # fmt: skip


@pytest.mark.parametrize(("method", "preset"), [(m, p) for m in METHOD_NAMES for p in PRESETS[m]])
def test_every_logged_name_is_explained(method, preset):
    settings = resolve(method, preset, normal=(8,), filters=4, latent=4, batch_size=4)
    made = build(settings)
    x = torch.rand((4, 1, settings.image_size, settings.image_size)) * 2 - 1
    names = set()
    for share in made.train().phases():
        made.set_progress(share)
        names |= made.step(x, torch.Generator().manual_seed(0)).keys()
    missing = [name for name in names if f"`{name}`" not in METRICS]
    assert not missing


@pytest.mark.parametrize("method", METHOD_NAMES)
def test_every_method_has_a_page_that_names_its_presets_weights_and_paper(method):
    text = (ROOT / "docs" / "methods" / f"{method}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {METHOD_NAMES[method]}\n")
    assert re.search(r"arXiv:|doi", text)
    assert "<!--" not in text
    for preset in PRESETS[method]:
        assert f"`{preset}`" in text
        weights = resolve(method, preset, normal=(7,)).weights
        assert " / ".join(f"{w:g}" for w in weights) in text


@pytest.mark.parametrize("method", METHOD_NAMES)
def test_the_table_of_presets_says_what_the_presets_are(method):
    text = (ROOT / "docs" / "methods" / f"{method}.md").read_text(encoding="utf-8")
    assert preset_table(method) in text, "python -m ganad ship --pages writes it"


@pytest.mark.parametrize("method", ["egbad", "anogan"])
def test_the_figures_of_the_articles_experiment_are_those_of_its_shipped_run(method):
    text = (ROOT / "docs" / "methods" / f"{method}.md").read_text(encoding="utf-8")
    report = json.loads((ROOT / "checkpoints" / f"{method}-article" / "report.json").read_text(encoding="utf-8"))
    (line,) = [line for line in text.splitlines() if line.startswith("AUROC **")]
    said = [float(n) for n in re.findall(r"\d+\.\d+", line)]
    areas = [report["parts"][part]["auroc"] for part in ("residual", "discrimination", "latent")]
    rates = [100 * report["hit_rate"], 100 * report["false_alarm_rate"]]
    assert said[:2] == [round(report["auroc"], 4), round(report["average_precision"], 4)]
    assert said[2:6] == [round(n, 3) for n in (report["prevalence"], *areas)]
    assert said[6:] == [round(n, 1) for n in rates]


@pytest.mark.parametrize("method", METHOD_NAMES)
def test_a_page_with_other_figures_is_mended_and_its_words_stay(method):
    text = (ROOT / "docs" / "methods" / f"{method}.md").read_text(encoding="utf-8")
    wrong = re.sub(r"^(\| `latent` \|) \d+", r"\1 7", text, flags=re.MULTILINE)
    wrong = re.sub(r"^AUROC \*\*\d\.\d+", "AUROC **0.1234", wrong, flags=re.MULTILINE)
    assert wrong != text
    assert method_pages.renewed(wrong, method) == text


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
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = [ROOT / name for name in listed.split("\0") if name]
    homes = ["/".join(["", "work", ""]).encode(), "/".join(["", "tmp", "w"]).encode()]
    assert len(paths) > 50
    said = [(str(path), home) for path in paths if path.is_file() for home in homes if home in path.read_bytes()]
    assert not said


def test_the_glossary_in_the_docs_is_the_one_that_tooltips_and_help_read():
    from ganad import glossary

    written = METRICS.split("tooltips and --help read too -->\n")[1].split("\n<!-- end of glossary")[0]
    assert written == glossary.table(), "write glossary.table() there"
    assert len({t.name for t in glossary.TERMS}) == len(glossary.TERMS)


def test_the_visual_grammar_names_every_colour_as_it_is():
    from ganad.web import colours

    text = (ROOT / "docs" / "visual-grammar.md").read_text(encoding="utf-8")
    for name in ("NORMAL", "ANOMALOUS", "ENCODER", "GENERATOR", "DISCRIMINATOR", "THRESHOLD", "WRONG"):
        colour = getattr(colours, name)
        (row,) = [line for line in text.splitlines() if f"`{name}`" in line]
        assert all(f"`{value}`" in row for value in (colour.light, colour.dark, colour.both)), row
