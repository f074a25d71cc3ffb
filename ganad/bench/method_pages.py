"""The figures in docs/methods/: what its presets are and what its shipped run of the article reached, as config and report say it today.

The words around them are written by hand. A test asks that the pages are what this would write.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganad.config import FALSE_ALARMS, METHOD_NAMES, preset_table
from ganad.runs import run_directory

FOLDER = run_directory.HOME / "docs" / "methods"
_TABLE = re.compile(r"^\| setting \|.*\n(?:\|.*\n)+", re.MULTILINE)
_FIGURES = re.compile(r"^AUROC \*\*.*$", re.MULTILINE)


def write() -> list[Path]:
    """Renew the figures of every method's page. Returns the pages that changed."""
    changed = []
    for method in METHOD_NAMES:
        path = FOLDER / f"{method}.md"
        before = path.read_text(encoding="utf-8")
        if (after := renewed(before, method)) != before:
            run_directory.write_text(path, after)
            changed.append(path)
    return changed


def renewed(text: str, method: str) -> str:
    """A page with today's table of presets, and today's line of figures where it has one."""
    text = _TABLE.sub(lambda _: preset_table(method) + "\n", text)
    article = run_directory.shelf() / f"{method}-article"
    if not article.exists():
        return text
    line = figures(run_directory.read_json(article / "report.json"))
    return _FIGURES.sub(lambda _: line, text)


def figures(report: Mapping[str, Any]) -> str:
    """What a run reached, in a line: a `report.json`, its areas rounded to four and three digits."""
    alone = ", ".join(
        f"{part}{' alone' * (i == 0)} {found['auroc']:.3f}" for i, (part, found) in enumerate(report["parts"].items())
    )
    return (
        f"AUROC **{report['auroc']:.4f}**, average precision {report['average_precision']:.4f} at a prevalence of {report['prevalence']:.3f}; {alone}. "
        f"The threshold for at most {100 * FALSE_ALARMS:g} % false alarms catches {100 * report['hit_rate']:.1f} % of the anomalies "
        f"and flags {100 * report['false_alarm_rate']:.1f} % of the normal images."
    )
