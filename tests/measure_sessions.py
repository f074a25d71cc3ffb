"""Many visitors at once: `python -m tests.measure_sessions [--sessions 8] [--minutes 1] [--train]`.

Each session is a websocket of its own that opens Evaluate with plain controls and moves a weight, again and again, each its
own way. Printed a minute: moves, median and 95th percentile from the move to the end of the script, the server's resident
memory, errors, and answers that belong to another session's weights (cross-talk), which are compared with the engine.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode

import psutil
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from ganad import service
from ganad.config import resolve
from ganad.evaluation import metrics
from ganad.training import jobs
from tests.browser.conftest import Server

RUN = "ganomaly-n8"
PARTS = ("residual", "discrimination", "latent")
THINKS_S = 1.0
"""Between two moves of one visitor; what the server is asked does not depend on how fast it answers."""


class Visitor:
    """One session: what a browser tab sends and hears."""

    def __init__(self, server: Server, number: int):
        self.server, self.number = server, number
        self.rng = random.Random(number)
        self.widgets: dict[str, str] = {}
        self.fragments: dict[str, str] = {}
        self.values: dict[str, float] = {}
        self.area = ""
        self.page = ""
        self.cached: dict[str, ForwardMsg] = {}
        self.took: list[float] = []
        self.wrong = self.errors = 0

    async def open(self) -> None:
        """The page, then the switch to plain controls."""
        url = self.server.url.replace("http", "ws") + "/_stcore/stream"
        self.socket = await websockets.connect(url, max_size=None, subprotocols=["streamlit"], origin=self.server.url)
        await self.ask(BackMsg())
        assert "plain_controls" in self.widgets, sorted(self.widgets)
        await self.ask(self.back("plain_controls", bool_value=True))
        assert {f"influence_{p}" for p in PARTS} <= self.widgets.keys(), sorted(self.widgets)

    def back(self, key: str, **value) -> BackMsg:
        """A widget's new value, with the fragment that it stands in."""
        message = BackMsg()
        state = message.rerun_script.widget_states.widgets.add()
        state.id = self.widgets[key]
        ((kind, content),) = value.items()
        if kind == "double_array_value":
            state.double_array_value.data.append(content)
        else:
            setattr(state, kind, content)
        message.rerun_script.fragment_id = self.fragments.get(key, "")
        return message

    async def ask(self, message: BackMsg) -> float:
        """Send, and hear everything until the script has ended; returns the seconds that took."""
        asked = message.rerun_script
        asked.query_string = urlencode({"run": RUN})
        asked.page_name = "Evaluate"
        if self.page:
            asked.page_script_hash = self.page
        began = time.perf_counter()
        await self.socket.send(message.SerializeToString())
        while True:
            heard = ForwardMsg()
            heard.ParseFromString(await self.socket.recv())
            if heard.WhichOneof("type") == "ref_hash":
                heard = self.cached[heard.ref_hash]
            elif heard.metadata.cacheable:
                self.cached[heard.hash] = heard
            kind = heard.WhichOneof("type")
            if kind == "new_session":
                self.page = heard.new_session.page_script_hash
            elif kind == "delta":
                self.take(heard)
            elif kind == "script_finished" and heard.script_finished in (
                ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY,
            ):  # fmt: skip
                return time.perf_counter() - began

    def take(self, heard: ForwardMsg) -> None:
        element = heard.delta.new_element
        kind = element.WhichOneof("type")
        if kind == "exception":
            self.errors += 1
        if kind == "metric" and element.metric.label == "AUROC":
            self.area = element.metric.body
        widget = getattr(element, kind) if kind in ("slider", "checkbox") else None
        if widget is not None:
            key = widget.id.rsplit("-", 1)[-1]
            self.widgets[key] = widget.id
            self.fragments[key] = heard.delta.fragment_id
            if kind == "slider" and widget.default:
                self.values[key] = widget.value[0] if widget.set_value and widget.value else widget.default[0]

    async def move(self, scales: tuple[float, ...], found, weights: tuple[float, ...]) -> None:
        """Move one weight; the AUROC that comes back has to be that of this session's own weights."""
        part = self.rng.randrange(3)
        said = round(self.rng.uniform(0.1, 1.0), 2)
        self.mine = list(getattr(self, "mine", weights))
        self.mine[part] = said / scales[part]
        self.took.append(await self.ask(self.back(f"influence_{PARTS[part]}", double_array_value=said)))
        score = metrics.total(found.test.parts, tuple(self.mine))
        right = f"{metrics.area(score[~found.anomalous], score[found.anomalous]):.4f}"
        self.wrong += self.area != right


async def visit(server: Server, sessions: int, minutes: float) -> None:
    found, weights = service.scores(RUN), service.run_info(RUN).weights
    spread = metrics.std_of_parts(found.val.parts)
    largest = max(w * spread[p] for w, p in zip(weights, PARTS, strict=True))
    scales = tuple(spread[p] / largest for p in PARTS)
    visitors = [Visitor(server, i) for i in range(sessions)]
    for visitor in visitors:
        await visitor.open()
    process = psutil.Process(server.process.pid)
    print(
        "| minute | moves | median, s | p95, s | worst, s | memory, MB | errors | cross-talk |\n|---:|---:|---:|---:|---:|---:|---:|---:|"
    )
    end = time.monotonic() + 60 * minutes

    async def go_on(visitor: Visitor) -> None:
        await asyncio.sleep(visitor.rng.random() * THINKS_S)
        while time.monotonic() < end:
            await visitor.move(scales, found, weights)
            await asyncio.sleep(THINKS_S)

    async def report() -> None:
        minute = 0
        while time.monotonic() < end:
            await asyncio.sleep(min(60.0, max(0.0, end - time.monotonic())) + 0.01)
            minute += 1
            took = sorted(t for v in visitors for t in v.took)
            for v in visitors:
                v.took = []
            p95 = took[int(0.95 * len(took))] if took else float("nan")
            print(
                f"| {minute} | {len(took)} | {statistics.median(took):.2f} | {p95:.2f} | {took[-1]:.2f} | "
                f"{process.memory_info().rss / 1e6:.0f} | {sum(v.errors for v in visitors)} | {sum(v.wrong for v in visitors)} |",
                flush=True,
            )  # fmt: skip

    await asyncio.gather(report(), *map(go_on, visitors))
    for visitor in visitors:
        await visitor.socket.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=8)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--train", action="store_true", help="while a run trains in the background")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        run = None
        try:
            if asked.train:
                import os

                os.environ["GANAD_RUNS"] = str(server.runs)
                run = jobs.start(resolve("ganomaly", "tuned", normal=(8,), epochs=5000))
            asyncio.run(visit(server, asked.sessions, asked.minutes))
        finally:
            if run is not None:
                jobs.stop(run, wait=True)
            server.stop()
            if complaints := server.complaints():
                print(complaints)


if __name__ == "__main__":
    main()
