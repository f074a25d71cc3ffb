"""Maps that take long to lay out: computed in a process of their own, once for all sessions, while pages stay open.

A page asks with `layout` as often as it likes. The first question starts the process, later ones find it at work, and when
it has ended everybody has the answer. One layout is computed at a time; others wait their turn.
"""

from __future__ import annotations

import atexit
import io
import subprocess
import sys
import threading
from collections import OrderedDict
from concurrent.futures import Future

import numpy as np

from ganad.errors import GanadError
from ganad.evaluation import projection
from ganad.runs import run_directory

MOST = 8
"""Layouts that are kept: some 200 KB each."""

_layouts: OrderedDict[tuple[str, int, str], Future[projection.Projection]] = OrderedDict()
_lock = threading.Lock()
_one_at_a_time = threading.Lock()
_at_work: set[subprocess.Popen[bytes]] = set()


def layout(name: str, version: int, kind: str, val: np.ndarray, test: np.ndarray) -> projection.Projection | None:
    """The codes of a run in two dimensions, or None while they are being laid out.

    name, version   of the run: the same codes have the same answer
    kind            one of `projection.kinds()`
    val, test       codes of held-out normals (n, nz) and of test images (m, nz); looked at when the work begins

    Raises GanadError if it failed, until `again` is called.
    """
    key = (name, version, kind)
    with _lock:
        future = _layouts.get(key)
        if future is None:
            future = _layouts[key] = Future()
            threading.Thread(target=_work, args=(future, kind, val, test), daemon=True).start()
        _layouts.move_to_end(key)
        done = [k for k, f in _layouts.items() if f.done() and k != key]
        for old in done[: max(0, len(_layouts) - MOST)]:
            del _layouts[old]
    if not future.done():
        return None
    if (error := future.exception()) is not None:
        raise GanadError(str(error))
    return future.result()


def again(name: str, version: int, kind: str) -> None:
    """Forget a layout that failed, so that the next question starts it anew."""
    with _lock:
        future = _layouts.get((name, version, kind))
        if future is not None and future.done() and future.exception():
            del _layouts[name, version, kind]


def _work(answer: Future[projection.Projection], kind: str, val: np.ndarray, test: np.ndarray) -> None:
    try:
        with _one_at_a_time:
            answer.set_result(compute(kind, val, test))
    except GanadError as error:
        answer.set_exception(error)
    except Exception as error:  # any error is raised where the layout is awaited
        answer.set_exception(GanadError(f"{kind} could not be computed ({type(error).__name__}: {error})."))


def compute(kind: str, val: np.ndarray, test: np.ndarray) -> projection.Projection:
    """`projection.project` in a process of its own: compiling and computing there hold up no page here.

    Raises GanadError with the last words of a process that failed.
    """
    sent = io.BytesIO()
    np.savez(sent, kind=np.array(kind), val=val, test=test)
    child = subprocess.Popen(
        [sys.executable, "-m", "ganad.evaluation.projection"],
        cwd=run_directory.HOME, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    _at_work.add(child)
    try:
        out, complaints = child.communicate(sent.getvalue())
    finally:
        _at_work.discard(child)
    if child.returncode:
        last = complaints.decode(errors="replace").strip().splitlines()[-1:] or ["it was killed"]
        raise GanadError(
            f"{kind} could not be computed: its process ended with code {child.returncode} ({last[0][:300]})."
        )
    with np.load(io.BytesIO(out), allow_pickle=False) as arrays:
        share = float(arrays["share"])
        return projection.Projection(arrays["val"], arrays["test"], None if np.isnan(share) else share)


@atexit.register
def _end() -> None:
    for child in tuple(_at_work):
        child.kill()
