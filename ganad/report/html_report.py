"""A run as one HTML file that opens from disk, with no server and no network, and can be sent to anybody.

The page is `page.html` and its styles `page.css`. Its mixer is the dashboard's, handed to a host of a few
lines in place of Streamlit.
"""

from __future__ import annotations

import base64
import io
import json
import math
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ganad import service
from ganad.config import FALSE_ALARMS, METHOD_NAMES, resolve
from ganad.errors import GanadError, RunError
from ganad.evaluation import metrics, thresholds
from ganad.evaluation.metrics import median_rows
from ganad.evaluation.scores import Scores
from ganad.service import RunInfo
from ganad.web.bundle import as_script
from ganad.web.pad import files as pad_files
from ganad.web.pad import payload as pad_payload
from ganad.web.weights_mixer import files, payload

_PAGE = Path(__file__).with_name("page.html")


def report_html(name: str) -> str:
    """The whole page of a finished run, by its name, number or folder. About 5 MB with 10,000 test images and nets to draw for.

    Raises RunError if there is no such run, or if it has no scores yet.
    """
    run = service.run_info(name)
    if run.state != "finished":
        raise RunError(f"{run.name} is {run.state}, so there is nothing to report yet: a report needs a finished run.")
    scores, images = service.scores(name), service.test_images(name)
    result, _ = service.evaluate_run(name)
    score = metrics.total(scores.test.parts, run.weights)
    meta = service.meta(name)
    text = {
        "title": escape(run.label),
        "heading": f"{escape(METHOD_NAMES[run.method])}, normal {run.normal_in_words}",
        "lead": _lead(run, scores, meta),
        "numbers": _numbers(result),
        "warnings": "".join(f"<p class='warning'>{escape(w)}</p>" for w in result.warnings),
        "kind": run.kind,
        "Kind": run.kind.capitalize(),
        "digits": _digits(run, result, scores, score, images, _drawn(name)),
        "command": escape(run.command),
        "settings": _settings(run),
        "circumstances": _circumstances(run, meta),
        "style": _PAGE.with_suffix(".css").read_text(encoding="utf-8"),
        "mixer_html": files.MARKUP,
        "mixer_css": files.STYLE,
        "mixer_js": as_script(files.MODULE, "mixer"),
        "pad": _pad(run, scores),
        "data": _as_json(mixer_data(run, scores, images)),
    }
    return _filled(_PAGE.read_text(encoding="utf-8"), text)


# --- the mixer ---------------------------------------------------------------------------------------------------------


def mixer_data(run: RunInfo, scores: Scores, images: np.ndarray) -> dict[str, Any]:
    """What the mixer of the dashboard is given: parts, digits and pixels of every test image, and the defaults."""
    defaults = {"weights": list(run.weights), "rule": "false alarms", "value": FALSE_ALARMS}
    return (
        payload.pack(scores, images, run.classes if run.has_names else (), run.held_out_originals)
        | payload.LABELS
        | {
            "version": run.name,
            "scales": list(metrics.slider_scales(scores.val.parts, run.weights)),
            "defaults": defaults,
            "set": {"id": "report"} | defaults,
        }
    )


# --- the pad -----------------------------------------------------------------------------------------------------------


def _pad(run: RunInfo, scores: Scores) -> str:
    """HTML: a section with a pad that judges in the file itself; nothing where nets are missing, search, or are too large."""
    own = service.browser_nets(run.name)
    if own is None:
        return ""
    val = scores.val.parts
    threshold, n = thresholds.threshold_for(metrics.total(val, run.weights), FALSE_ALARMS), len(scores.val)
    words = f"Threshold {threshold:.3g}: {thresholds.promise(FALSE_ALARMS, run.held_out_originals)}"
    rule = pad_payload.rule(
        val, run.weights, threshold, preparation=run.preparation, detector=METHOD_NAMES[run.method], normal=run.normal_in_words,
        among=run.held_out_in_words(n), asks=False,
        threshold_in_words=words if math.isfinite(threshold) else thresholds.no_threshold(n, FALSE_ALARMS),
    )  # fmt: skip
    text = {
        "rule": _as_json({"stroke": 22, "size": 300, "reset": 0, "pixels": None, "live": {"version": run.name, **rule}}),
        "nets": _as_json({"version": run.name, **pad_payload.nets(own.file, own.codes, own.images)}),
        "css": pad_files.STYLE, "html": pad_files.MARKUP, "js": as_script(pad_files.MODULE, "pad"),
    }  # fmt: skip
    return _filled(_PAGE.with_name("pad.html").read_text(encoding="utf-8"), text)


def _filled(page: str, text: Mapping[str, str]) -> str:
    """The page with each {{name}} replaced, in one pass: nothing that was put in is searched for names again."""
    head, *rest = page.split("{{")
    return head + "".join(text[key] + tail for key, tail in (piece.split("}}", 1) for piece in rest))


def _as_json(value: Any) -> str:
    """JSON that no tag can end."""
    return json.dumps(value).replace("<", "\\u003c")


# --- words and pictures ------------------------------------------------------------------------------------------------


def _lead(run: RunInfo, scores: Scores, meta: Mapping[str, Any]) -> str:
    seen = _group(meta, "data").get("train")
    trained = f"on {seen:,} images" if isinstance(seen, int) else "on images"
    anomalous = int(scores.anomalous.sum())
    return (
        f"A detector that was trained {trained} of the {run.kind if len(run.normal) == 1 else run.kinds} "
        f"<b>{run.normal_in_words}</b> alone, and then asked about {len(scores.test):,} test images. "
        f"{anomalous:,} of them show another {run.kind}: those it should find strange."
    )


def _numbers(e: metrics.Evaluation) -> str:
    cards = (
        ("AUROC", f"{e.auroc:.4f}", "How many of all pairs of an anomaly and a normal image the score puts in the right "
         "order. 0.5 is guessing, 1 is perfect."),
        ("average precision", f"{e.average_precision:.4f}", "Area under the precision-recall curve. Guessing reaches the "
         f"share of anomalies, here {e.prevalence:.3f}."),
        ("equal error rate", f"{e.eer:.1%}", "At the threshold where both mistakes are equally frequent, so many normal "
         "images are flagged and so many anomalies missed."),
        ("caught", f"{e.hit_rate:.1%}", f"of {e.n_anomalous:,} anomalies, at {e.false_alarm_rate:.1%} false alarms among "
         f"{e.n_normal:,} normal images. " + ("There is no threshold: see below." if math.isinf(e.threshold) else
         f"The threshold promises at most {FALSE_ALARMS:.0%}; it comes from held-out normals.")),
    )  # fmt: skip
    return "".join(
        f"<div class='number'><span>{name}</span><b>{value}</b><p>{words}</p></div>" for name, value, words in cards
    )


def _drawn(name: str):
    """rows -> their reconstructions: the stored ones, else the net's, else None where nothing can make them."""
    stored = service.reconstructions(name)

    def drawn(rows: list[int], images: np.ndarray) -> np.ndarray | None:
        if stored is not None:
            return stored[rows]
        try:
            return service.reconstruct(name, images[rows])
        except GanadError:
            return None

    return drawn


def _digits(
    run: RunInfo, e: metrics.Evaluation, scores: Scores, score: np.ndarray, images: np.ndarray, drawn: Any
) -> str:
    """A row a class: its typical image and what the net makes of it, the share that is flagged, and its AUROC."""
    at = median_rows(scores, score)
    reconstructions = drawn(list(at.values()), images)
    rows = []
    for i, of in enumerate(e.per_digit):
        d, kind = of["digit"], "normal" if of["normal"] else "anomalous"
        name = escape(run.class_name(d))
        pictures = _picture(images[at[d]], f"a typical {name}") + (
            _picture(reconstructions[i], f"reconstruction of the typical {name}") if reconstructions is not None else ""
        )
        rows.append(
            f"<tr class='{kind}'><th scope='row'>{name}<small>{'normal' if of['normal'] else 'anomaly'}</small></th>"
            f"<td class='pictures'>{pictures}</td><td class='n'>{of['n']:,}</td>"
            f"<td>{_bar(of['flagged'], 0.0)}<span>{of['flagged']:.1%}</span></td>"
            f"<td>{_bar(of['auroc'], 0.5)}<span>{of['auroc']:.4f}</span></td><td class='n'>{of['median']:.3g}</td></tr>"
        )
    return "".join(rows)


def _bar(value: float, low: float) -> str:
    return f"<i class='bar'><i style='width:{100 * max(0.0, value - low) / (1 - low):.1f}%'></i></i>"


def _picture(image: np.ndarray, alt: str) -> str:
    out = io.BytesIO()
    Image.fromarray(image).save(out, "PNG")
    return f"<img src='data:image/png;base64,{base64.b64encode(out.getvalue()).decode('ascii')}' alt='{alt}' width='56' height='56'>"


def _settings(run: RunInfo) -> str:
    """Every setting with its meaning; what was asked for beyond the preset is marked."""
    asked = run.settings
    usual = resolve(asked.method, asked.preset, normal=asked.normal)
    rows = []
    for key, field in type(asked).model_fields.items():
        value = getattr(asked, key)
        shown = (
            ", ".join(f"{v:g}" for v in value) if isinstance(value, tuple) else "–" if value in (None, "") else value
        )
        own = value != getattr(usual, key)
        rows.append(
            f"<div class='{'own' if own else ''}'><dt>{key}</dt><dd><b>{escape(str(shown))}</b>"
            f"<span>{escape(field.description or '')}</span></dd></div>"
        )
    return "".join(rows)


def _circumstances(run: RunInfo, meta: Mapping[str, Any]) -> str:
    data, versions = _group(meta, "data"), _group(meta, "versions")
    parts = [
        f"run {run.name}",
        f"begun {str(meta['created'])[:10]}" if meta.get("created") else "",
        f"{run.status.seconds:,.0f} s of training" if run.status.seconds else "",
        f"{meta['device']}, {meta.get('precision', 'float32')}" if meta.get("device") else "",
        f"{data['source']} {data.get('fingerprint', '')}" if data.get("source") else "",
        f"commit {meta['commit']}" if meta.get("commit") else "",
        ", ".join(f"{k} {v}" for k, v in versions.items()),
    ]
    return escape(" · ".join(p for p in parts if p))


def _group(meta: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A group of meta.json, empty where it has none: a run may come from elsewhere."""
    value = meta.get(name)
    return value if isinstance(value, dict) else {}
