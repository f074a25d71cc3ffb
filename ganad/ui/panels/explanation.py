"""The score of one image, explained: in words, as a formula with its numbers, as a waterfall up to the threshold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import streamlit as st

from ganad import glossary
from ganad.config import PARTS
from ganad.evaluation import metrics
from ganad.service import Explanation, RunInfo
from ganad.ui import charts
from ganad.ui.components.lens import in_words as in_pixels
from ganad.ui.components.lens import lens
from ganad.ui.messages.escape import html
from ganad.ui.panels import export
from ganad.ui.state import cache
from ganad.ui.state.rule import Mix, standardised
from ganad.web import colours


@dataclass(frozen=True)
class Story:
    """One image and what a run says of it. given: (28, 28) uint8; look: the net's; parts raw; what: words for the image."""

    given: np.ndarray
    look: Explanation
    parts: Mapping[str, float]
    what: str


def in_words(run: RunInfo, mix: Mix, score: float) -> str:
    """ "stranger than 99.2 % of held-out normal 3s", as Markdown."""
    val, _ = cache.totals(run.name, mix.weights)
    share = float(metrics.percentile(score, val))
    among = (
        f"{len(val):,} held-out normal {' and '.join(f'{d}s' for d in run.normal) if len(run.normal) < 3 else 'digits'}"
    )
    if share >= 100:
        return f"stranger than **all** {among}"
    return f"stranger than **{min(share, 99.9):.1f} %** of {among}"


def total(mix: Mix, parts: Mapping[str, float]) -> float:
    """The weighted sum of one image's parts."""
    return float(sum(w * parts[p] for w, p in zip(mix.weights, PARTS, strict=True)))


def picture(run: RunInfo, mix: Mix, story: Story, *, key: str, **steps: object) -> None:
    """Input, reconstruction and residual under the lens."""
    made, pixels, residual = story.look.reconstruction, story.look.pixels, story.parts["residual"]
    weight = mix.weights[0] / mix.units.unit
    lens(
        story.given, made, pixels, key=key, whole=in_pixels(pixels, weight, residual), weight=weight,
        alt=alts(mix, story), **steps,
    )  # fmt: skip


def alts(mix: Mix, story: Story) -> tuple[str, str, str]:
    """Alternative texts of input, reconstruction and residual: each states the verdict and the parts."""
    verdict = "anomalous" if total(mix, story.parts) > mix.threshold else "normal"
    said = ", ".join(f"{p} {story.parts[p]:.4g}" for p in PARTS)
    made, line = mix.units.shown(total(mix, story.parts)), mix.units.shown(mix.threshold)
    said = f"called {verdict}; score {made:.4g}, {line_in_words(line)}; {said}."
    return (
        f"{story.what}, {said}",
        f"What the nets redrew of {story.what}, {said}",
        f"Signed residual of {story.what}: blue is ink missing, orange is ink too much; {said}",
    )


def score(run: RunInfo, mix: Mix, parts: Mapping[str, float], *, key: str) -> None:
    """The formula with the numbers of one image's parts (raw), and their waterfall."""
    shown = rows(cache.scores(run.name).val.parts, parts, mix.weights, standardised=standardised())
    made, line = mix.units.shown(total(mix, parts)), mix.units.shown(mix.threshold)
    st.html(formula(shown, made, line))
    st.plotly_chart(
        charts.waterfall(shown, line), key=f"waterfall_{key}", config=export.config("waterfall"),
        alt=f"waterfall of the parts up to the score {made:.4g}, {line_in_words(line)}",
    )  # fmt: skip


def line_in_words(line: float) -> str:
    """ "threshold 30.1", or that there is none."""
    return f"threshold {line:.4g}" if np.isfinite(line) else "no threshold"


def rows(
    val: Mapping[str, np.ndarray],
    values: Mapping[str, float],
    weights: tuple[float, float, float],
    *,
    standardised: bool = False,
) -> dict[str, dict[str, float]]:
    """part -> value, weight, contribution (their product) and percentile among held-out normals.

    Standardised: value is (part - mean) / spread of the held-out normals, and the weights add up to 1.
    """
    shown, said = metrics.shown_weights(val, weights, standardised), {}
    for part, weight in shown.items():
        value = float(values[part])
        if standardised:
            value = (value - float(val[part].mean())) / (float(val[part].std()) or 1.0)
        said[part] = {
            "value": value, "weight": weight, "contribution": weight * value,
            "percentile": float(metrics.percentile(values[part], val[part])),
        }  # fmt: skip
    return said


def formula(shown: Mapping[str, Mapping[str, float]], made: float, line: float) -> str:
    """HTML: A = 0.9 · 41.2 + 0.1 · 3.3 = 37.4 > 30.1, each term in the colour of its part.

    shown        what `rows` made
    made, line   score and threshold in the same units
    """
    terms = []
    for part, row in shown.items():
        if not row["weight"]:
            continue
        words = f"{part}: {glossary.MEANING[part]}" + (
            ", in standard deviations of the held-out normals above their mean" if standardised() else ""
        )
        terms.append(
            f'<span class="ganad-term" tabindex="0" style="color:{colours.PARTS[part].both};border-bottom:1px dotted">'
            f"{row['weight']:.4g} · <b>{_signed(row['value'])}</b><span class='ganad-tip' role='tooltip'>{html(words)}</span></span>"
        )
    above = made > line
    verdict = colours.VERDICTS["anomalous" if above else "normal"]
    beside = f"<span style='color:{verdict.both}'>{'&gt;' if above else '≤'} {line:.4g}</span> <span style='opacity:.75'>the threshold, so"
    if not np.isfinite(line):
        beside = "<span style='opacity:.75'>and there is no threshold, so"
    return (
        f"{_TIP}<div style='position:relative;font-size:1.05rem;line-height:1.9;font-variant-numeric:tabular-nums'>"
        f"<i>A</i> = {' + '.join(terms)} = <b>{made:.4g}</b> "
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
