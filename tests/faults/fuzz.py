"""Readers fed with whatever hypothesis thinks of: each answers with a value or with a GanadError."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ganad import config
from ganad.config import PARTS
from ganad.errors import GanadError
from ganad.runs import archive, checkpoint, run_directory
from ganad.system import files

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=5),
    max_leaves=12,
)
STATUS_KEYS = st.sampled_from(sorted(run_directory.Status.__dataclass_fields__))
CONFIG_KEYS = st.sampled_from(sorted(config.GanomalySettings.model_fields))
ARRAYS = arrays.arrays(
    dtype=st.sampled_from(["f4", "f8", "u1", "i8", "?", "U3", "M8[s]", "c8"]),
    shape=arrays.array_shapes(min_dims=0, max_dims=3, max_side=4),
)
NAMES = st.sampled_from([f"{w}_{k}" for w in ("val", "test") for k in ("digit", "index", "z", *PARTS)])


def answers(call) -> None:
    """The call returns, or says in a GanadError why it cannot."""
    try:
        call()
    except GanadError as error:
        if not str(error):
            raise AssertionError("an error without words") from error


def all_readers(folder: Path, times: int) -> str:
    """JSON files, lines of metrics, arrays, weights, states and zips: arbitrary content and arbitrary values."""
    how = settings(max_examples=times, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    run = folder / "0001-fuzz"
    run.mkdir(parents=True, exist_ok=True)
    tried = 0

    def put(name: str, content: bytes) -> None:
        nonlocal tried
        tried += 1
        (run / name).write_bytes(content)

    @how
    @given(JSON | st.dictionaries(STATUS_KEYS, JSON, max_size=8))
    def a_status(value) -> None:
        put("status.json", json.dumps(value).encode())
        answers(lambda: run_directory.status(run))

    @how
    @given(JSON | st.dictionaries(CONFIG_KEYS, JSON, max_size=8))
    def settings_of_a_run(value) -> None:
        put("config.json", json.dumps(value).encode())
        answers(lambda: run_directory.settings(run))

    @how
    @given(
        st.binary(max_size=300),
        st.sampled_from(["report.json", "meta.json", "status.json", "config.json", "checksums.json"]),
    )
    def bytes_for_json(content, name) -> None:
        put(name, content)
        for read in (
            run_directory.read_report,
            run_directory.read_meta,
            run_directory.status,
            run_directory.settings,
            files.checksums,
        ):
            answers(lambda r=read: r(run))
        (run / name).unlink()

    @how
    @given(st.lists(JSON.map(json.dumps) | st.text(max_size=30), max_size=5))
    def lines_of_metrics(lines) -> None:
        put("metrics.jsonl", "\n".join([*lines, ""]).encode(errors="surrogatepass"))
        assert all({"step", "epoch"} <= row.keys() for row in run_directory.read_metrics(run))

    @how
    @given(st.dictionaries(NAMES, ARRAYS, max_size=12))
    def arrays_for_scores(made) -> None:
        out = io.BytesIO()
        np.savez(out, **made)
        put("scores.npz", out.getvalue())
        put("reconstructions.npz", out.getvalue())
        (run / "config.json").write_text('{"method": "ganomaly", "normal": [8], "epochs": 1}')
        answers(lambda: run_directory.read_scores(run))
        answers(lambda: run_directory.read_reconstructions(run))

    @how
    @given(st.binary(max_size=400))
    def bytes_for_binary_files(content) -> None:
        import torch

        for name in ("scores.npz", "weights.safetensors", "state.pt"):
            put(name, content)
        answers(lambda: run_directory.read_scores(run))
        answers(lambda: checkpoint.load_tensors(run))
        answers(lambda: checkpoint.load_state(run, torch.device("cpu")))

    @how
    @given(st.dictionaries(st.sampled_from([*archive.FILES, "samples/1.png", "../x", "odd"]), st.binary(max_size=80) | JSON.map(
        lambda v: json.dumps(v).encode()), max_size=6))  # fmt: skip
    def zips(content) -> None:
        nonlocal tried
        tried += 1
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as parcel:
            for name, data in content.items():
                parcel.writestr(name, data)
        answers(lambda: archive.unpack(out.getvalue()))

    a_status()
    settings_of_a_run()
    bytes_for_json()
    lines_of_metrics()
    arrays_for_scores()
    bytes_for_binary_files()
    zips()
    return f"{tried} contents thought of by hypothesis, each answered with a value or a sentence"
