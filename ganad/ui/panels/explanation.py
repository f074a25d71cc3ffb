"""The score of one image, explained: in words, as a formula with its numbers, as a waterfall up to the threshold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import streamlit as st

from ganad import glossary
from ganad.config import Weights
from ganad.evaluation import metrics
from ganad.service import Explanation
from ganad.ui import charts
from ganad.ui.components.lens import in_words as in_pixels
from ganad.ui.components.lens import lens
from ganad.ui.messages.escape import html
from ganad.ui.panels import export
from ganad.ui.state.scored_view import ScoredView
from ganad.web import colours


@dataclass(frozen=True)
class Story:
    """One image and how a run scored it.

    given       (28, 28) uint8
    explained   its reconstruction, and what each pixel adds to the residual part
    parts       part -> its raw value
    what        words for the image
    """

    given: np.ndarray
    explained: Explanation
    parts: Mapping[str, float]
    what: str


def in_words(view: ScoredView, score: float) -> str:
    """ "stranger than 99.2 % of held-out normal 3s", as Markdown."""
    share = float(metrics.percentile(score, view.val))
    if share >= 100:
        return f"stranger than **all** {view.run.held_out_in_words(len(view.val))}"
    return f"stranger than **{min(share, 99.9):.1f} %** of {view.run.held_out_in_words(len(view.val))}"


def picture(view: ScoredView, story: Story, *, key: str, **steps: object) -> None:
    """Input, reconstruction and residual under the lens."""
    pixels, weight = story.explained.pixels, view.weights[0] / view.units.unit
    rarity = view.run.settings.fits_residual_density and view.weights[2] > 0
    lens(
        story.given, story.explained.reconstruction, pixels, key=key, alt=alts(view, story), weight=weight, judged_as_a_whole=rarity,
        whole=in_pixels(pixels, weight, story.parts["residual"], judged_as_a_whole=rarity), **steps,
    )  # fmt: skip


def alts(view: ScoredView, story: Story) -> tuple[str, str, str]:
    """Alternative texts of input, reconstruction and residual: each states the verdict and the parts."""
    score = float(metrics.total(story.parts, view.weights))
    verdict = "anomalous" if score > view.threshold else "normal"
    parts = ", ".join(f"{p} {value:.4g}" for p, value in story.parts.items())
    judged = f"called {verdict}; score {view.units.shown(score):.4g}, {threshold_in_words(view.units.shown(view.threshold))}; {parts}."
    return (
        f"{story.what}, {judged}",
        f"The reconstruction of {story.what}, {judged}",
        f"Signed residual of {story.what}: blue is ink missing, orange is ink too much; {judged}",
    )


def score(view: ScoredView, parts: Mapping[str, float], *, key: str) -> None:
    """The formula with the numbers of one image's parts (raw), and their waterfall."""
    standardised = view.rule.standardised
    terms = rows(view.scores.val.parts, parts, view.weights, standardised=standardised)
    score, threshold = view.units.shown(float(metrics.total(parts, view.weights))), view.units.shown(view.threshold)
    st.html(formula(terms, score, threshold, standardised=standardised))
    st.plotly_chart(
        charts.waterfall(terms, threshold), key=f"waterfall_{key}", config=export.config("waterfall"),
        alt=f"waterfall of the parts up to the score {score:.4g}, {threshold_in_words(threshold)}",
    )  # fmt: skip


def threshold_in_words(threshold: float) -> str:
    """ "threshold 30.1", or that there is none."""
    return f"threshold {threshold:.4g}" if np.isfinite(threshold) else "no threshold"


def rows(
    val: Mapping[str, np.ndarray],
    values: Mapping[str, float],
    weights: Weights,
    *,
    standardised: bool = False,
) -> dict[str, dict[str, float]]:
    """part -> value, weight, contribution (their product) and percentile among held-out normals.

    Standardised: value is (part - mean) / standard deviation of the held-out normals, and the weights add up to 1.
    """
    terms = {}
    for part, weight in metrics.shown_weights(val, weights, standardised).items():
        value = float(values[part])
        if standardised:
            value = (value - float(val[part].mean())) / (float(val[part].std()) or 1.0)
        terms[part] = {
            "value": value, "weight": weight, "contribution": weight * value,
            "percentile": float(metrics.percentile(values[part], val[part])),
        }  # fmt: skip
    return terms


def formula(
    terms: Mapping[str, Mapping[str, float]], score: float, threshold: float, *, standardised: bool = False
) -> str:
    """HTML: A = 0.9 · 41.2 + 0.1 · 3.3 = 37.4 > 30.1, each term in the colour of its part.

    terms              from `rows`
    score, threshold   in the same units
    """
    shown = []
    for part, row in terms.items():
        if not row["weight"]:
            continue
        words = f"{part}: {glossary.MEANING[part]}" + (
            ", in standard deviations of the held-out normals above their mean" if standardised else ""
        )
        shown.append(
            f'<span class="ganad-term" tabindex="0" style="color:{colours.PARTS[part].both};border-bottom:1px dotted">'
            f"{row['weight']:.4g} · <b>{_signed(row['value'])}</b><span class='ganad-tip' role='tooltip'>{html(words)}</span></span>"
        )
    above = score > threshold
    verdict = colours.VERDICTS["anomalous" if above else "normal"]
    beside = f"<span style='color:{verdict.both}'>{'&gt;' if above else '≤'} {threshold:.4g}</span> <span style='opacity:.75'>the threshold, so"
    if not np.isfinite(threshold):
        beside = "<span style='opacity:.75'>and there is no threshold, so"
    return (
        f"{_TIP}<div style='position:relative;font-size:1.05rem;line-height:1.9;font-variant-numeric:tabular-nums'>"
        f"<i>A</i> = {' + '.join(shown)} = <b>{score:.4g}</b> "
        f"{beside} <b style='color:{verdict.both}'>{'anomalous' if above else 'normal'}</b></span></div>"
    )


_TIP = f"""<style>
.ganad-term {{ cursor: help; border-radius: 3px; }}
.ganad-term:focus-visible {{ outline: 2px solid currentColor; outline-offset: 2px; }}
.ganad-tip {{ display: none; position: absolute; left: 0; right: 0; top: 100%; z-index: 5; padding: .45rem .7rem;
  border: 1px solid {colours.THRESHOLD.both}; border-radius: 6px; background: {colours.DARK_BACKGROUND}; color: #f2f5f8;
  font-size: .875rem; line-height: 1.4; box-shadow: 0 3px 12px rgba(0, 0, 0, .35); }}
.ganad-term:hover .ganad-tip, .ganad-term:focus .ganad-tip {{ display: block; }}
</style>"""
"""What a term is, where the pointer or the keyboard is; a title would be out of the keyboard's reach."""


def _signed(value: float) -> str:
    return f"({value:.3g})" if value < 0 else f"{value:.4g}"
