"""What an open Train page costs while a run trains: `python -m tests.measure_live [--minutes 1] [--epochs 60] [--limit N]`, in headless Chromium.

CPU seconds a minute of one tab: of the server, without the worker that trains, and of the browser with all its processes,
each less what they use with no tab on the page; and what comes over the websocket.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import psutil
from playwright.sync_api import sync_playwright

from ganad.config import resolve
from ganad.runs import run_directory
from ganad.training import jobs
from tests import browser_setup
from tests.browser.conftest import Server, settled
from tests.waiting import until


def cpu_seconds(processes: list[psutil.Process]) -> float:
    """User and system time that these processes have used until now."""
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def browser_processes() -> list[psutil.Process]:
    """Chromium and its helpers, all of them descendants of this process."""
    return [p for p in psutil.Process().children(recursive=True) if "chrom" in p.name()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--limit", type=int, help="training images; few make epochs short, and each sends its wall")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as p:
        server = Server(Path(folder))
        os.environ["GANAD_RUNS"] = str(server.runs)
        run = jobs.start(resolve("ganomaly", "tuned", normal=(8,), epochs=asked.epochs, limit=asked.limit))
        browser = p.chromium.launch(executable_path=browser_setup.find(), args=["--no-sandbox", "--disable-gpu"])
        try:
            until(lambda: run_directory.read_status(run).epoch > 2, lambda: "no epoch yet")
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(server.url + "/_stcore/health")
            seen, heard = psutil.Process(server.process.pid), [0]
            page.on("websocket", lambda ws: ws.on("framereceived", lambda frame: heard.append(len(frame))))
            print("| tab | server, CPU s a minute | browser, CPU s a minute | kB received a minute | share of a core |")
            print("|---|---:|---:|---:|---:|")
            for name in ("none", "Train"):
                if name != "none":
                    page.goto(f"{server.url}/{name}?run={run.name}")
                    settled(page)
                    page.wait_for_timeout(5000)
                before, at = (cpu_seconds([seen]), cpu_seconds(browser_processes()), sum(heard)), time.monotonic()
                page.wait_for_timeout(60_000 * asked.minutes)
                minutes = (time.monotonic() - at) / 60
                after = (cpu_seconds([seen]), cpu_seconds(browser_processes()), sum(heard))
                served, shown, bytes_ = ((b - a) / minutes for a, b in zip(before, after, strict=True))
                if name == "none":
                    idle = served, shown
                served, shown = served - idle[0] * (name != "none"), shown - idle[1] * (name != "none")
                print(
                    f"| {name} | {served:.2f} | {shown:.2f} | {bytes_ / 1000:.0f} | {(served + shown) / 60:.1%} |",
                    flush=True,
                )
        finally:
            browser.close()
            jobs.stop(run, wait=True)
            server.stop()


if __name__ == "__main__":
    main()
