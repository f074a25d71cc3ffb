"""Every file of a run, damaged in every way: that run says so, and every other run works."""

from __future__ import annotations

import functools
import io
import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from ganad import service
from ganad.errors import GanadError
from ganad.report import html_report
from ganad.runs import archive, run_directory, wall
from ganad.ui.panels import samples

JSON_FILES = ("config.json", "status.json", "meta.json", "report.json", "checksums.json")
LINES = ("metrics.jsonl", "parent_metrics.jsonl", "commands.jsonl")
TEXTS = ("log.txt", "note.txt")
ARRAYS = ("scores.npz", "reconstructions.npz", "history.npz", "wall.npz")


def complete(run: Path) -> None:
    """Put the files into a finished run that it lacks: a shipped one has no state and no wall."""
    (run / "note.txt").write_text("a note")
    (run / "commands.jsonl").write_text('{"epoch": 3, "set": {"lr": 0.0005}, "asked": "1.json"}\n')
    shutil.copy(run / "metrics.jsonl", run / "parent_metrics.jsonl")
    for folder in ("epoch_nets", "states"):
        (run / folder).mkdir(exist_ok=True)
    (run / "states" / "00010.pt").write_bytes(b"not opened here" * 100)
    shutil.copy(run / "weights.safetensors", run / "epoch_nets" / "00010.safetensors")
    if not (run / "state.pt").exists():
        (run / "state.pt").write_bytes(b"not opened here" * 100)
    if not (run / "wall.npz").exists():
        wall.write(run, _a_wall(run))


def _a_wall(run: Path) -> wall.Wall:
    """Twenty of the run's test images, as if after its last epoch."""
    scores, drawn = run_directory.read_scores(run), run_directory.read_reconstructions(run)
    digit, parts = scores.test.digit[:20], {part: values[:20] for part, values in scores.test.parts.items()}
    return wall.Wall(20, True, False, drawn[:20], drawn[:20], digit, digit == 8, parts)


OTHERS = ("weights.safetensors", "state.pt", "samples/00012.png", "epoch_nets/00010.safetensors", "states/00010.pt")

SHAPES = [
    [1], [], {}, {"a": 1}, "text", 7, None, True, {"state": 3}, {"state": "odd"}, {"auroc": "high"}, {"auroc": None},
    {"epoch": "3", "step": [1]}, {"method": ["egbad"], "normal": "8"}, {"parameters": [1]}, {"state": "running", "pid": "x"},
    {"state": "finished", "beat": "now"}, {"state": "running", "pid": -1, "process_started": 0},
    {"state": "running", "pid": 10**30, "process_started": 1.0}, {"scores.npz": 3}, {"scores.npz": "0" * 64},
]  # fmt: skip
"""JSON that is valid and has another shape than the file should have."""


def ways(name: str, content: bytes, rng: random.Random) -> Iterator[tuple[str, Callable[[Path], object]]]:
    """(words, what damages the file at a path) for one file."""
    yield "missing", lambda p: p.unlink()
    yield "empty", lambda p: p.write_bytes(b"")
    yield "truncated", lambda p: p.write_bytes(content[: len(content) // 2])
    yield "one byte short", lambda p: p.write_bytes(content[:-1])
    yield "replaced by a directory", lambda p: (p.unlink(), p.mkdir())
    yield "replaced by a link to nothing", lambda p: (p.unlink(), p.symlink_to(p.parent / "nothing"))
    yield "random bytes", lambda p: p.write_bytes(rng.randbytes(500))
    yield "zeros", lambda p: p.write_bytes(bytes(len(content)))
    for _ in range(4):
        yield "a flipped bit", lambda p: p.write_bytes(flipped(content, rng))
    if name in JSON_FILES:
        for shape in SHAPES:
            yield "JSON of another shape", lambda p, s=shape: p.write_text(json.dumps(s))
        for text in (
            '{"auroc": NaN}',
            '{"beat": 1e999}',
            "[" * 100_000,
            '{"a": ' + "9" * 5000 + "}",
            '{"a": "\ud800"}',
        ):
            yield "JSON of odd values", lambda p, t=text: p.write_text(t, errors="surrogatepass")
        original = json.loads(content)
        for key in list(original)[:12]:
            yield (
                "a key is missing",
                lambda p, k=key: p.write_text(json.dumps({x: v for x, v in original.items() if x != k})),
            )
            for value in (None, "x", [1], {"b": 2}, -1, 1e300):
                yield "a value of another type", lambda p, k=key, v=value: p.write_text(json.dumps(original | {k: v}))
    if name in LINES:
        for line in ('{"step": 1}', '{"epoch": 1}', "[1]", "7", "{", '{"step": "a", "epoch": 1}', '{"step": 1, "epoch": 1, "val": 3}',
                     '{"epoch": 0, "set": {"lr": 1}}', '{"epoch": 30, "set": {"lr": 7}}', '{"epoch": 30, "set": {"latent": 7}}', '{"epoch": 30, "set": {"lr": "1"}}',
                     '{"step": 1, "epoch": 1, "val": {"residual": 1}}', '{"step": 1, "epoch": 1, "loss/x": NaN}', "\udcff"):  # fmt: skip
            yield (
                "a damaged line",
                lambda p, t=line: p.write_bytes(content + t.encode(errors="surrogateescape") + b"\n"),
            )
    if name in ARRAYS:
        with np.load(io.BytesIO(content)) as file:
            arrays = dict(file)
        for key in arrays:
            for odd in odd_arrays(arrays[key]):
                yield "arrays of another kind", lambda p, k=key, a=odd: _save(p, arrays | {k: a})
            yield "an array is missing", lambda p, k=key: _save(p, {x: a for x, a in arrays.items() if x != k})


def odd_arrays(array: np.ndarray) -> list[np.ndarray]:
    odd = [array.reshape(1, *array.shape), array.astype("datetime64[s]"), array.astype(complex)]
    if array.ndim:
        odd += [array[:-1], array[:3].astype(str), np.array(3.0), array[:0]]
    else:
        odd += [array.astype(str), np.array([3.0, 4.0])]
    if array.dtype.kind == "f":
        odd += [array * np.nan, np.full_like(array, np.inf)]
    else:
        odd.append(array.astype(float) + 0.5)
    return odd


def _save(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Sound as a file, so that the checksum does not find it first."""
    np.savez_compressed(path, **arrays)
    (path.parent / "checksums.json").unlink(missing_ok=True)


def flipped(content: bytes, rng: random.Random) -> bytes:
    """One bit changed, anywhere."""
    at = rng.randrange(len(content))
    return content[:at] + bytes([content[at] ^ 1 << rng.randrange(8)]) + content[at + 1 :]


def doors(name: str) -> dict[str, Callable[[], object]]:
    """Everything that pages and command line ask of a run, without its nets."""
    return {
        "info": lambda: service.run_info(name),
        "status": lambda: run_directory.status(run_directory.find(name)),
        "metrics": lambda: service.logged_metrics(name),
        "commands": lambda: service.commands_of(name),
        "in force": lambda: service.in_force(name),
        "parent": lambda: service.parent_metrics(name),
        "log": lambda: service.log(name),
        "meta": lambda: service.meta(name),
        "film": lambda: samples.film_html(service.samples(name)),
        "scores": lambda: service.evaluate_run(name),
        "images": lambda: service.test_images(name)[:1],
        "history": lambda: service.epoch_history(name),
        "wall": lambda: service.probe_wall(name),
        "epochs with nets": lambda: service.epochs_with_nets(name),
        "branch": lambda: service.branch_epochs(name),
        "held out": lambda: service.held_out_images(name, [0]),
        "reconstructions": lambda: service.reconstructions(name),
        "pack": lambda: archive.pack(run_directory.find(name)),
        "rename": lambda: service.rename(name, "x"),
        "note": lambda: service.write_note(name, "x"),
    }


SLOW_DOORS = {
    "report": lambda name: html_report.report_html(name),
    "score": lambda name: service.score_images(name, np.zeros((1, 28, 28), np.uint8)),
    "score after an epoch": lambda name: service.score_after(name, 10, np.zeros((28, 28), np.uint8)),
}


NEVER_ASKED = dict.fromkeys((*TEXTS, *LINES), ("scores", "images"))
"""Doors that read nothing of a file, and take time."""


def knock(name: str, *, slow: bool, without: tuple[str, ...] = ()) -> dict[str, str]:
    """What each door answers where it does not open: a sentence, never another error."""
    said = {}
    asked = {door: call for door, call in doors(name).items() if door not in without}
    if slow:
        asked |= {door: functools.partial(call, name) for door, call in SLOW_DOORS.items()}
    for door, call in asked.items():
        try:
            call()
        except GanadError as error:
            said[door] = str(error)
    assert all(len(words) < 1500 for words in said.values()), said
    return said


def damage_all(source: Path, folder: Path, files: tuple[str, ...], *, slow: bool, most: int | None = None) -> str:
    """Damage each file in each way; a healthy run beside it is listed and works every time.

    source   a whole, finished run
    folder   the folder of runs
    slow     knock at the doors that need the nets as well
    most     at most so many ways a file, drawn at random
    """
    healthy = folder / "0001-healthy"
    shutil.copytree(source, healthy)
    tried, told = 0, 0
    for file in files:
        rng = random.Random(file)
        content = (source / file).read_bytes()
        all_ways = list(ways(file, content, rng))
        for words, harm in all_ways if most is None else rng.sample(all_ways, min(most, len(all_ways))):
            victim = folder / "0002-victim"
            shutil.copytree(source, victim)
            harm(victim / file)
            listed = {r.name: r for r in service.list_runs()}
            assert "0001-healthy" in listed, (file, words)
            assert listed["0001-healthy"].damage is None
            gone = dict(service.damaged_runs())
            assert ("0002-victim" in listed) != ("0002-victim" in gone) or not (victim / "config.json").exists(), (
                file,
                words,
            )
            said = knock("0002-victim", slow=slow, without=() if slow else NEVER_ASKED.get(file, ()))
            told += bool(said or gone or (listed.get("0002-victim") and listed["0002-victim"].damage))
            tried += 1
            shutil.rmtree(victim)
    assert not knock("0001-healthy", slow=slow)
    shutil.rmtree(healthy)
    return f"{tried} damages in {len(files)} files, {told} told in a sentence of that run; the run beside it worked each time"
