"""The pad's own modules in a real browser: what they make of many drawings, beside Python."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import numpy as np
from playwright.sync_api import Page

from ganad import service
from ganad.data import preparation, preprocess
from ganad.errors import DataError
from ganad.web.bundle import bundle
from tests.conftest import ROOT

_NAMES = "readNets, judge, prepareDigit, prepareWhole, bytes"
_RUN = """async ([source, file, drawings, side]) => {
  const m = await import("data:text/javascript;base64," + source);
  const nets = m.readNets(m.bytes(file)), all = m.bytes(drawings), out = [];
  const base64 = (array) => btoa(String.fromCharCode(...array));
  for (let i = 0; i < all.length; i += side * side) {
    const drawing = all.subarray(i, i + side * side), began = performance.now();
    const prepared = m.prepareDigit(drawing, side), between = performance.now();
    const judged = prepared && m.judge(nets, prepared.digit), ended = performance.now();
    out.push({ digit: prepared && base64(prepared.digit), doubt: prepared?.doubt ?? "", parts: judged?.parts ?? null,
               reconstruction: judged && base64(judged.reconstruction), z: judged && [...judged.z],
               whole: base64(m.prepareWhole(drawing, side).digit), ms: [between - began, ended - between] });
  }
  return out;
}"""


@dataclass(frozen=True)
class Judged:
    """One drawing. Without ink `digit`, `parts`, `reconstruction` and `z` are None."""

    digit: np.ndarray | None  # (784,) uint8
    whole: np.ndarray  # (784,) uint8
    doubt: str
    parts: list[float] | None
    reconstruction: np.ndarray | None  # (784,) uint8
    z: np.ndarray | None
    ms: tuple[float, float] = (0.0, 0.0)  # of preparation and nets


def in_the_browser(page: Page, run: str, drawings: np.ndarray) -> list[Judged]:
    """What the browser makes of drawings (n, s, s) uint8 with the nets of a run."""
    source = bundle(ROOT / "ganad/web/pad/verdict.js") + f"\nexport {{ {_NAMES} }};"
    file = service.browser_nets(run).file
    rows = page.evaluate(
        _RUN, [_base64(source.encode()), _base64(file), _base64(drawings.tobytes()), drawings.shape[1]]
    )
    return [
        Judged(
            _bytes(r["digit"]), _bytes(r["whole"]), r["doubt"], r["parts"], _bytes(r["reconstruction"]),
            None if r["z"] is None else np.array(r["z"]), tuple(r["ms"]),
        )
        for r in rows
    ]  # fmt: skip


def in_python(run: str, drawings: np.ndarray) -> list[Judged]:
    """What Python makes of the same."""
    prepared = []
    for drawing in drawings:
        try:
            prepared.append(preprocess.prepare(drawing, invert=False))
        except DataError:
            prepared.append(None)
    there = [p for p in prepared if p is not None]
    judged = iter(service.score_images(run, np.stack([p.digit for p in there])))
    whole = [preparation.whole(drawing).digit.ravel() for drawing in drawings]
    out = []
    for p, w in zip(prepared, whole, strict=True):
        if p is None:
            out.append(Judged(None, w, "", None, None, None))
            continue
        j = next(judged)
        out.append(Judged(p.digit.ravel(), w, "".join(p.doubts), list(j.parts.values()), j.reconstruction.ravel(), j.z))
    return out


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _bytes(text: str | None) -> np.ndarray | None:
    return None if text is None else np.frombuffer(base64.b64decode(text), np.uint8)
