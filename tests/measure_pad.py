"""How true and how quick the pad in the browser is: `python -m tests.measure_pad [RUN ...] [--drawings 1000]`.

First, drawings through the pad's modules in headless Chromium beside Python: prepared pixels, scores, verdicts. Then a hand
draws on the page itself, and the time from each move of the pen to the new score is taken.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

from ganad import service
from tests import browser_setup
from tests.browser.conftest import Server, keyed, settled
from tests.browser.pad_in_the_browser import in_python, in_the_browser
from tests.drawings import drawings

MOVES = 200
_WATCH = """(pad) => {
  const shown = pad.querySelector(".verdict span");
  window.taken = []; window.moved = null;
  pad.querySelector(".ink").addEventListener("pointermove", (e) => { window.moved ??= e.timeStamp; }, true);
  new MutationObserver(() => {
    if (window.moved !== null) window.taken.push(performance.now() - window.moved);
    window.moved = null;
  }).observe(shown, { childList: true, characterData: true, subtree: true });
}"""


def compare(page: Page, run: str, n: int) -> None:
    """Print the largest differences between browser and Python over n drawings."""
    drawn = drawings(n)
    ours, python = in_the_browser(page, run, drawn), in_python(run, drawn)
    weights = service.run_info(run).weights
    threshold = service.score_images(run, np.zeros((1, 28, 28), np.uint8))[0].threshold
    pairs = [(a, b) for a, b in zip(ours, python, strict=True) if b.digit is not None]
    pixels = max(int(np.abs(a.digit.astype(int) - b.digit).max()) for a, b in pairs)
    scores = np.array([[np.dot(weights, a.parts), np.dot(weights, b.parts)] for a, b in pairs])
    away = np.abs(scores[:, 0] / scores[:, 1] - 1)
    other = (scores[:, 0] > threshold) != (scores[:, 1] > threshold)
    near = np.abs(scores[:, 1] / threshold - 1) <= 0.005
    preparing, judging = (np.array([a.ms[k] for a, _ in pairs]) for k in (0, 1))
    print(
        f"| {run} | {len(drawn):,} | {sum((a.digit is None) != (b.digit is None) for a, b in zip(ours, python, strict=True))} "
        f"| {pixels} | {100 * away.max():.2f} % | {int((other & ~near).sum())} | {np.median(preparing):.1f} | {np.median(judging):.1f} "
        f"| {len(service.browser_nets(run).file) / 1e6:.2f} |"
    )


def follow(page: Page, server: Server, run: str) -> None:
    """Print how long after a move of the pen the new score stood on the page, and how many frames went to the server meanwhile."""
    page.goto(f"{server.url}/Score?run={run}")
    settled(page)
    pad = keyed(page, "pad")
    pad.locator(".normals canvas").first.wait_for()
    frames: list[object] = []
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.webSocketFrameSent", lambda frame: frames.append(frame))
    pad.locator(".pad").evaluate(_WATCH)
    box, angles = pad.locator(".ink").bounding_box(), np.linspace(0, 4 * np.pi, MOVES)
    points = [
        (box["x"] + box["width"] * (0.5 + 0.2 * np.sin(2 * a)), box["y"] + box["height"] * (0.5 - 0.3 * np.cos(a)))
        for a in angles
    ]
    page.mouse.move(*points[0])
    page.mouse.down()
    for to in points[1:]:
        page.mouse.move(*to)
        page.wait_for_timeout(16)  # a hand's pace: a mouse moves sixty times a second
    page.mouse.up()
    taken = np.array(page.evaluate("window.taken"))
    print(
        f"| {run} | {len(taken)} | {np.median(taken):.0f} | {np.percentile(taken, 95):.0f} | {taken.max():.0f} | {len(frames)} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="*", default=["ganomaly-n8", "egbad-n8", "ganomaly-all-but-8"])
    parser.add_argument("--drawings", type=int, default=1000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as p:
        server = Server(Path(temporary))
        browser = p.chromium.launch(executable_path=browser_setup.find(), args=["--no-sandbox", "--disable-gpu"])
        try:
            page = browser.new_page()
            print(
                "| run | drawings | ink or not, unlike Python | grey levels apart | score apart | other verdicts | ms to prepare | ms to judge | MB |"
            )
            print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
            for run in asked.runs:
                compare(page, run, asked.drawings)
            print("\n| run | scores shown | ms after a move, median | 95 % | worst | frames sent |")
            print("|---|---:|---:|---:|---:|---:|")
            for run in asked.runs:
                follow(page, server, run)
        finally:
            browser.close()
            server.stop()


if __name__ == "__main__":
    main()
