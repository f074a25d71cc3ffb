"""How closely the live mixer follows the hand, in a real browser: `python -m tests.measure_mixer [RUN]`.

It opens Evaluate on a shipped run (10,000 test images) and drags a weight to and fro. A frame is what the browser computes
and draws for one position, as the mixer itself takes its time; the gap between two frames also holds what the browser
does with it. Then the release: from letting go to the last chart of the page that follows.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests import browser_setup
from tests.browser.conftest import Server, settled

DRAGS = 6

# The moments of change of every number and chart below the mixer, since the last release.
WATCH = """() => {
  window.changes = [];
  const at = () => window.changes.push(performance.now());
  new MutationObserver(at).observe(document.querySelector('[data-testid=stMain]'),
    { subtree: true, childList: true, characterData: true });
}"""


def main(words: list[str]) -> None:
    run = words[0] if words else "ganomaly-n8"
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as p:
        server = Server(Path(temporary) / "served")
        browser = p.chromium.launch(executable_path=browser_setup.find(), args=["--no-sandbox", "--disable-gpu"])
        try:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            began = time.perf_counter()
            page.goto(f"{server.url}/Evaluate?run={run}")
            page.locator(".mixer .auroc").filter(has_text="0.").wait_for()
            print(f"{run}: mixer on screen after {time.perf_counter() - began:.2f} s")
            page.locator(".st-key-pr .plot-container").wait_for()
            settled(page)
            page.evaluate(WATCH)
            mixer, slider = page.locator(".mixer"), page.locator(".mixer .part input").first
            box = slider.bounding_box()
            left, width, y = box["x"] + 11, box["width"] - 22, box["y"] + box["height"] / 2
            frames, gaps, waits = [], [], []
            for drag in range(DRAGS):
                here, there = (0.0, 1.0) if drag % 2 == 0 else (1.0, 0.0)
                page.mouse.move(left + here * width, y)
                page.mouse.down()
                page.mouse.move(left + there * width, y, steps=100)
                page.wait_for_timeout(100)
                page.evaluate("window.changes.length = 0; window.released = performance.now()")
                page.mouse.up()
                page.wait_for_function("window.changes.length > 0")
                settled(page)
                page.wait_for_timeout(1500)
                waits.append(page.evaluate("window.changes.at(-1) - window.released"))
                frames += [float(ms) for ms in mixer.get_attribute("data-frames").split()]
                gaps += [float(ms) for ms in mixer.get_attribute("data-gaps").split()]
            for name, ms in (("frame", frames), ("gap between frames", gaps), ("release to last chart", waits)):
                print(f"{name}: median {statistics.median(ms):.1f} ms, worst {max(ms):.1f} ms, of {len(ms)}")
        finally:
            browser.close()
            server.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
