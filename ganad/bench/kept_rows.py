"""Rows of the quality tables, kept beside their page as JSON: trainings of one machine count on the next one too.

A row counts as long as its settings are those that its job asks for today; when a preset changes, its rows are left out.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ganad.bench.quality import Job, Row, settings
from ganad.config import METHOD_NAMES, PRESETS, parse
from ganad.errors import ConfigError, DataError, file_errors
from ganad.runs import run_directory


def with_kept(page: Path, rows: Sequence[Row], preset: str, data: str | None = None) -> list[Row]:
    """The given rows and those kept beside a page for other jobs, by protocol, method, seed and digit.

    Raises DataError for a file that is damaged.
    """
    path = page.with_suffix(".json")
    together = {_key(r.job): r for r in rows}
    for saved in _read(path):
        try:
            job = Job(**saved["job"], data=data)
            row = Row(**{**saved["row"], "job": job})
            own = parse(saved["settings"]) == _plain(job, preset)
        except ConfigError:
            continue  # of settings that there were once
        except (KeyError, TypeError) as error:
            raise DataError(f"{path.name} holds a row that is none ({error}): remove it, or the file.") from None
        if own:
            together.setdefault(_key(job), row)
    methods = list(METHOD_NAMES)
    order = sorted(together, key=lambda k: ("BA".index(k[0]), methods.index(k[1]), k[3], k[2]))
    return [together[k] for k in order]


def keep(page: Path, rows: Sequence[Row], preset: str) -> None:
    """Write rows beside a page, one in a line."""
    lines = []
    for r in rows:
        job = {k: v for k, v in dataclasses.asdict(r.job).items() if k != "data"}
        row = {k: v for k, v in dataclasses.asdict(r).items() if k != "job"}
        asked = _plain(r.job, preset).model_dump(mode="json")
        lines.append(json.dumps({"job": job, "row": row, "settings": asked}))
    run_directory.write_text(page.with_suffix(".json"), "[\n" + ",\n".join(lines) + "\n]\n")


def _plain(job: Job, preset: str) -> Any:
    """The settings of a job wherever its images lie."""
    if preset not in PRESETS[job.method]:
        raise ConfigError(f"{METHOD_NAMES[job.method]} has no preset {preset}.")
    return settings(job, preset).model_copy(update={"data": None})


def _key(job: Job) -> tuple[str, str, int, int]:
    return job.protocol, job.method, job.digit, job.seed


def _read(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    with file_errors(f"{path.name} cannot be read", "Bring it back from a copy, or remove it.", DataError):
        rows = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(rows, list) or not all(isinstance(r, dict) for r in rows):
        raise DataError(f"{path.name} holds no list of rows. Bring it back from a copy, or remove it.")
    return rows
