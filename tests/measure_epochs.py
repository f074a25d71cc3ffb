"""How soon all views follow the slider over the epochs: `python -m tests.measure_epochs [RUN ...]`, in headless Chromium.

From the move of the slider to the frame after which every view names the new epoch, for each epoch of the run, three times.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

from tests import browser_setup
from tests.browser.conftest import Server, settled, switch

RUNS = ("ganomaly-n8", "egbad-n8", "ganomaly-all-but-8")
MOVES = """player => new Promise(done => {
  const slider = player.querySelector("input"), ms = [];
  const names = () => [...player.querySelectorAll(".charts canvas, .wall .drawn")].map(c => c.getAttribute("aria-label").split(", ").pop());
  const to = [];
  for (let round = 0; round < 3; round++) for (let at = 0; at <= Number(slider.max); at++) to.push(at);
  let began = 0;
  const next = () => {
    if (!to.length) return done(ms);
    const at = to.shift();
    if (Number(slider.value) === at) return next();
    began = performance.now();
    slider.value = String(at);
    slider.dispatchEvent(new Event("input"));
    requestAnimationFrame(look);
  };
  const look = () => {
    const label = player.querySelector("output").textContent.split(" · ")[0];
    if (slider.getAttribute("aria-valuetext").startsWith(label) && names().every(name => name === label)) {
      requestAnimationFrame(() => { ms.push(performance.now() - began); next(); });
    } else requestAnimationFrame(look);
  };
  next();
})"""


def main(runs: list[str]) -> None:
    print("| run | moves | ms to all views, median | 95 % | worst |")
    print("|---|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as p:
        server = Server(Path(folder) / "served")
        browser = p.chromium.launch(executable_path=browser_setup.find(), args=["--no-sandbox", "--disable-gpu"])
        try:
            for run in runs or RUNS:
                page = browser.new_page(viewport={"width": 1440, "height": 900})
                page.goto(f"{server.url}/Evaluate?run={run}")
                settled(page)
                switch(page, "epochs_toggle", True)
                player = page.locator(".player")
                player.locator("output").get_by_text("AUROC").wait_for()
                ms = np.array(player.evaluate(MOVES))
                print(
                    f"| {run} | {len(ms)} | {np.median(ms):.0f} | {np.percentile(ms, 95):.0f} | {ms.max():.0f} |",
                    flush=True,
                )
                page.close()
        finally:
            browser.close()
            server.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
