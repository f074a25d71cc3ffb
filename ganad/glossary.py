"""What the words mean: said once, for the tooltips of the pages, the help of the command line and docs/metrics.md."""

from __future__ import annotations

from dataclasses import dataclass

from ganad.config import KNOWN_PARTS


@dataclass(frozen=True)
class Term:
    """A word, what it means in one sentence or two, its range, and where it is seen."""

    name: str
    meaning: str
    range: str = ""
    seen: str = ""


TERMS = (
    Term("normal digits", "the digits that a run was trained on; an image of any other digit is an anomaly", "", "Train"),
    *(Term(part.name, part.meaning, "≥ 0", "Browse, Score") for part in KNOWN_PARTS),
    Term("weight", "factor of a part in the score", "≥ 0", "Evaluate"),
    Term("influence", "weight times the part's standard deviation among held-out normals: what the sliders show, whatever the part's unit", "≥ 0", "Evaluate"),
    Term("contribution", "weight times part: what a part adds to the score", "≥ 0", "Browse, Score"),
    Term(
        "score",
        "the sum of the contributions. Higher is more anomalous. Raw: it depends on its image alone, and its unit is the "
        "method's own, so scores of two runs are not comparable",
        "≥ 0", "everywhere",
    ),
    Term(
        "standardised",
        "each part in standard deviations of the held-out normals above their mean (z). The score is then the weighted mean of the parts, their "
        "weights add up to 1, and no verdict changes",
        "", "everywhere",
    ),
    Term("held-out normals", "a tenth of the normal training images, chosen by the seed, which the nets never see", "", "everywhere"),
    Term("percentile", "share of the held-out normals that score lower", "0 to 100 %", "Browse, Score"),
    Term("threshold", "an image that scores above it is called anomalous", "", "everywhere"),
    Term(
        "false alarms at most",
        "the rule for the threshold by default: from held-out normals alone, so that a new normal image lies above it with at most "
        "this probability (split conformal prediction)",
        "0 to 100 %", "Evaluate",
    ),
    Term("cost", "the rule that makes misses and false alarms cheapest on the test set, if a miss costs so many false alarms", "> 0", "Evaluate"),
    Term("best F1", "the rule with the highest F1 = 2 tp / (2 tp + fp + fn) on the test set", "0 to 1", "Evaluate"),
    Term("verdict", "normal or anomalous", "", "everywhere"),
    Term("hit, miss", "an anomaly above, below the threshold", "", "Evaluate"),
    Term("false alarm, correct", "a normal image above, below the threshold", "", "Evaluate"),
    Term(
        "AUROC",
        "share of (anomaly, normal) pairs that the score puts in the right order, ties count one half. 0.5 is guessing; below it the "
        "score points the wrong way",
        "0 to 1", "Evaluate, Compare",
    ),
    Term(
        "95 % interval", "of 200 test sets drawn anew from these images, 95 % give an area in it; another training may move it further",
        "", "Evaluate",
    ),
    Term(
        "average precision",
        "area under the precision-recall curve, as a step function. Guessing reaches the prevalence",
        "0 to 1", "Evaluate",
    ),
    Term(
        "prevalence",
        "share of anomalies among the test images: about 0.9 with one normal digit, about 0.1 with nine. Compare average precision only at "
        "equal prevalence",
        "0 to 1", "Evaluate",
    ),
    Term("equal error rate", "the rate at the threshold where as many normals are flagged as anomalies are missed", "0 to 1", "Evaluate"),
    Term(
        "chosen while looking at the test set",
        "weights or a threshold that test labels chose, or a person who sees them: the numbers flatter",
        "", "everywhere",
    ),
)  # fmt: skip

MEANING = {term.name: term.meaning for term in TERMS}
"""name -> meaning, without a full stop."""


def sentence(name: str) -> str:
    """The meaning as a sentence, for a tooltip. Raises KeyError for a word that is not in the glossary."""
    words = MEANING[name]
    return words[0].upper() + words[1:] + "."


def paragraphs(*names: str) -> str:
    """Words and their meanings, a paragraph each: what stands below the help of a command."""
    return "\n\n".join(f"{name}: {MEANING[name]}." for name in names)


def table() -> str:
    """The glossary as a Markdown table: the one in docs/metrics.md."""
    lines = ["| name | meaning | range | seen on |", "|---|---|---|---|"]
    return "\n".join([*lines, *(f"| {t.name} | {t.meaning} | {t.range} | {t.seen} |" for t in TERMS)])
