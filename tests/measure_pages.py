"""How fast the pages are, in a real browser: `python -m tests.measure_pages`.

By a link: from the click in the sidebar to the complete page, warm. First paint: from opening a page of a finished run in a server just started to its last element. Slider: from the key
press to the redrawn AUROC. Every page is opened in a server of its own, so nothing is warm.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests import browser_setup
from tests.browser.conftest import Server, keyed, settled

SHOWN = {  # page -> what must be visible for it to count as painted, and what for it to be complete
    "": (".ganad-lead", "img[alt*='reconstruction']"),
    "Train": ("h1", ".film img"),
    "Browse": ("h1", ".st-key-gallery button"),
    "Evaluate": ("h1", ".st-key-pr .plot-container"),
    "Compare": ("h1", ".st-key-rocs .plot-container"),
}

HEADINGS = {"": "See what a GAN finds strange"}


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as p:
        browser = p.chromium.launch(executable_path=browser_setup.find(), args=["--no-sandbox", "--disable-gpu"])
        print("| page | first words, s | complete, s | again, s |\n|---|---:|---:|---:|")
        for name, (first, last) in SHOWN.items():
            server = Server(Path(temporary) / (name or "Start"))
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            times = []
            for _ in range(2):
                began = time.perf_counter()
                page.goto(f"{server.url}/{name}?run=ganomaly-n8", wait_until="commit")
                page.locator(first).first.wait_for()
                words = time.perf_counter() - began
                page.locator(last).first.wait_for()
                times.append((words, time.perf_counter() - began))
            print(f"| {name or 'Start'} | {times[0][0]:.2f} | {times[0][1]:.2f} | {times[1][1]:.2f} |", flush=True)
            if name == "Evaluate":
                settled(page)
                page.get_by_text("Plain controls").click()
                settled(page)
                slider, area = (
                    keyed(page, "influence_residual").get_by_role("slider"),
                    page.get_by_test_id("stMetricValue").first,
                )
                slider.focus()
                moves = []
                for _ in range(12):
                    before = area.inner_text()
                    began = time.perf_counter()
                    slider.press("ArrowRight")
                    page.wait_for_function(
                        "old => { const e = document.querySelector('[data-testid=stMetricValue]'); return e && e.innerText !== old }",
                        arg=before,
                    )
                    settled(page)
                    moves.append(time.perf_counter() - began)
                    page.wait_for_timeout(300)
            page.close()
            server.stop()
        _switches(browser, Path(temporary) / "switches")
        print(f"\nweight slider to redrawn charts: median {statistics.median(moves):.2f} s, worst {max(moves):.2f} s")
        browser.close()


def _switches(browser, folder: Path) -> None:
    """From the click on a link of the sidebar to the complete page, in a session that has seen every page before."""
    server = Server(folder)
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"{server.url}/?run=ganomaly-n8")
    found: dict[str, list[float]] = {name: [] for name in SHOWN}
    for turn in range(4):
        for name, (_, last) in SHOWN.items():
            if turn == 0 and not name:
                page.locator(last).first.wait_for()
                continue
            settled(page)
            page.wait_for_timeout(500)
            began = time.perf_counter()
            page.get_by_role("link", name=name or "Start", exact=True).first.click()
            page.get_by_role("heading", name=HEADINGS.get(name, name), exact=True).first.wait_for()
            page.locator(last).first.wait_for()
            if turn:
                found[name].append(time.perf_counter() - began)
    page.close()
    server.stop()
    print("\n| page, by its link | median, s |\n|---|---:|")
    for name, seconds in found.items():
        print(f"| {name or 'Start'} | {statistics.median(seconds):.2f} |")


if __name__ == "__main__":
    main()
