"""Pictures of every page in every state: `python -m tests.screenshots [FOLDER] [PAGE ...]`.

Light and dark, 1440 to 390 pixels wide, with no run, a running, a failed and a finished one. To be looked at.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests import browser_setup
from tests.browser.conftest import Server, settled
from tests.conftest import put_failed, put_finished, put_running

PAGES = ("", "Train", "Browse", "Evaluate", "Score", "Compare", "Methods")


def shoot(page: Page, server: Server, folder: Path, pages: list[str], states: dict[str, str], look: str) -> None:
    """One full-page picture of each page and state."""
    for name in pages:
        for state, run in states.items():
            page.goto(f"{server.url}/{name}" + (f"?run={run}" if run else ""))
            settled(page)
            page.wait_for_timeout(2500)
            # Streamlit scrolls inside the page, so a tall window shows what a full-page picture would not.
            height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
            width = page.viewport_size["width"]
            page.set_viewport_size({"width": width, "height": max(900, min(height, 3000))})
            page.wait_for_timeout(700)
            page.screenshot(path=folder / f"{name or 'Start'}-{state}-{look}.png")
            page.set_viewport_size({"width": width, "height": 900})


def main(words: list[str]) -> None:
    folder = Path(words[0] if words else "screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    pages = [("" if p == "Start" else p) for p in words[1:]] or list(PAGES)
    looks = os.environ.get("LOOKS", "light-1440,dark-1440,light-1024,light-800,dark-800,light-390,dark-390").split(",")
    wanted = os.environ.get("STATES", "finished,running,failed,none").split(",")
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as p:
        full = Server(Path(temporary) / "full")
        made = {
            "finished": "ganomaly-n8",
            "running": put_running(full.runs).name,
            "failed": put_failed(full.runs).name,
        }
        put_finished(full.runs)
        os.environ["GANAD_CHECKPOINTS"] = temporary
        bare = Server(Path(temporary) / "bare")
        browser = p.chromium.launch(executable_path=browser_setup.find(), args=["--no-sandbox", "--disable-gpu"])
        try:
            for look in looks:
                scheme, width = look.split("-")
                page = browser.new_page(viewport={"width": int(width), "height": 900}, color_scheme=scheme)
                shoot(page, full, folder, pages, {s: r for s, r in made.items() if s in wanted}, look)
                if "none" in wanted:
                    shoot(page, bare, folder, pages, {"none": ""}, look)
                page.close()
        finally:
            browser.close()
            full.stop()
            bare.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
