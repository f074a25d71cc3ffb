"""The long form of the fault tests: `python -m tests.faults [--write docs/reliability.md]`, about half an hour.

Prints a table of every fault, how often it was tried and what happened; ends with 1 if one of them did not hold.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest

from tests.conftest import SHIPPED
from tests.faults import damage, disk, fuzz, processes

BEGIN, END = "<!-- faults: written by python -m tests.faults -->", "<!-- end of faults -->"
KILLS, PAIRS, STOPS, SUSPENSIONS, CREATIONS, RENAMES, EXAMPLES = 50, 30, 30, 5, 160, 960, 400


def damaged(slow: bool) -> Callable[[Path], str]:
    def experiment(folder: Path) -> str:
        source = folder / "whole"
        shutil.copytree(SHIPPED["ganomaly"], source)
        damage.complete(source)
        every = (*damage.JSON_FILES, *damage.LINES, *damage.TEXTS, *damage.ARRAYS, *damage.OTHERS)
        return damage.damage_all(source, folder / "runs", every, slow=slow, most=12 if slow else None)

    return experiment


def on_a_disk(fault: Callable[[object], str]) -> Callable[[Path], str]:
    def experiment(folder: Path) -> str:
        with pytest.MonkeyPatch.context() as patch, disk.disk(folder / "runs", patch) as place:
            return f"{fault(place)} ({place.words})"

    return experiment


EXPERIMENTS: list[tuple[str, int | str, Callable[[Path], str]]] = [
    ("SIGKILL at a random moment, then resume", KILLS, lambda _: processes.kill_and_resume(KILLS)),
    ("SIGSTOP while training, then stop", SUSPENSIONS, lambda _: processes.suspend_and_stop(SUSPENSIONS)),
    ("stop at a random moment, start-up included", STOPS, lambda _: processes.stop_at_any_moment(STOPS)),
    ("two processes resume one run at once", PAIRS, lambda folder: processes.resume_twice(PAIRS, folder)),
    ("runs begun at once by four processes", CREATIONS, lambda _: processes.create_at_once(CREATIONS)),
    ("one run renamed and annotated at once by eight threads", RENAMES, lambda _: processes.rename_and_note_at_once(RENAMES)),
    ("a writer killed in the middle of a file", 20, lambda _: processes.leave_part_files(20)),
    ("each file of a run damaged in each way", "all", damaged(slow=False)),
    ("the same, with report and scoring by the nets", "12 a file", damaged(slow=True)),
    ("disk full when a run is begun", 1, on_a_disk(disk.full_at_start)),
    ("disk full in the middle of a training", 1, on_a_disk(disk.full_while_training)),
    ("disk full at rename, note and import", 1, on_a_disk(disk.full_at_rename_and_import)),
    ("disk read-only", 1, on_a_disk(disk.read_only)),
    ("arbitrary content for every reader", EXAMPLES, lambda folder: fuzz.all_readers(folder, EXAMPLES)),
]  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, help="put the table into this file, between its two marks")
    parser.add_argument("--only", default="", help="only faults whose name holds this text")
    asked = parser.parse_args()
    rows, bad = [], 0
    for name, times, experiment in EXPERIMENTS:
        if asked.only not in name:
            continue
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            os.environ["GANAD_RUNS"] = f"{folder}/runs"
            os.environ["GANAD_CHECKPOINTS"] = f"{folder}/checkpoints"
            try:
                said = experiment(Path(folder))
            except Exception as error:
                bad += 1
                said = f"DID NOT HOLD: {type(error).__name__}: {str(error)[:300]}"
        rows.append(f"| {name} | {times} | {said} | {time.monotonic() - began:.0f} |")
        print(rows[-1], flush=True)
    table = "\n".join(["| fault | tried | what happened | seconds |", "|---|---:|---|---:|", *rows])
    where = f"Written by `python -m tests.faults` on {os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}."
    print(f"\n{where}\n\n{table}")
    if asked.write:
        text = asked.write.read_text(encoding="utf-8")
        before, _, rest = text.partition(BEGIN)
        _, _, after = rest.partition(END)
        asked.write.write_text(f"{before}{BEGIN}\n{where}\n\n{table}\n{END}{after}", encoding="utf-8")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
