"""Find a Chromium for the browser tests, or fetch one, or say how to get one.

`python -m tests.browser_setup` is what `make test` calls; the tests call `find`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

SHELL = "chromium-headless-shell"
"""Chromium without its windows, which the tests never see: they take a sixth less of the processor with it."""

NAMES = (SHELL, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
HELP = """No browser for the browser tests. Any one of these is enough:
  sudo apt-get install -y chromium           (Debian, Ubuntu)
  python -m playwright install chromium      (a download of its own)
  export GANAD_BROWSER=/path/to/chrome       (one that is there already)"""


def find() -> str | None:
    """The path of a Chromium that starts, or None."""
    named = os.environ.get("GANAD_BROWSER")
    for path in (named,) if named else _candidates():
        if path and os.path.exists(path) and _starts(path):
            return path
    return None


def _candidates() -> Iterator[str | None]:
    yield from map(shutil.which, NAMES)
    # Playwright's own download. In a process of its own, since its interface cannot be opened twice in one.
    ask = "from playwright.sync_api import sync_playwright as s; print(s().start().chromium.executable_path)"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, timeout=60, check=False)
    yield done.stdout.strip()


def _starts(path: str) -> bool:
    try:
        done = subprocess.run([path, "--version", "--no-sandbox"], capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def _run(*words: str) -> bool:
    print("$", *words, file=sys.stderr)
    try:
        return subprocess.run(words, check=False, stdout=sys.stderr).returncode == 0
    except OSError:
        return False


def main() -> int:
    """Make sure that there is one."""
    if find():
        return 0
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get") and _run("apt-get", "update", "-qq"):
        if any(_run("apt-get", "install", "-y", "-qq", package) and find() for package in (SHELL, "chromium")):
            return 0
    if _run(sys.executable, "-m", "playwright", "install", "chromium") and find():
        return 0
    print(HELP, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
