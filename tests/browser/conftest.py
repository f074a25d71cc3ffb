"""A real server and a real browser. A missing browser fails, with the command that installs one."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from ganad import jobs, runs
from tests import browser_setup
from tests.conftest import ROOT

expect.set_options(timeout=20_000)


@pytest.fixture(scope="session")
def browser():
    path = browser_setup.find()
    assert path, browser_setup.HELP
    arguments = ["--disable-gpu", "--disable-background-networking", "--disable-sync", "--no-first-run"]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")
    with sync_playwright() as p:
        made = p.chromium.launch(executable_path=path, args=arguments)
        yield made
        made.close()


class Server:
    """The app, served from its own folder of runs."""

    def __init__(self, folder, **environment):
        self.environment = environment
        self.runs = folder / "runs"
        self.runs.mkdir(parents=True)
        self.log = folder / "server.log"
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self):
        environment = os.environ | {"GANAD_RUNS": str(self.runs)} | self.environment
        environment.pop("OMP_NUM_THREADS", None)
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={self.port}", "--server.headless=true"],
                cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, env=environment,
            )  # fmt: skip
        until = time.monotonic() + 60
        while True:
            assert self.process.poll() is None, "server ended: " + self.log.read_text()[-3000:]
            try:
                if urllib.request.urlopen(self.url + "/_stcore/health", timeout=1).read() == b"ok":
                    return
            except OSError:
                assert time.monotonic() < until, "server not ready: " + self.log.read_text()[-3000:]
                time.sleep(0.05)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    made = Server(tmp_path_factory.mktemp("served"))
    yield made
    made.stop()
    for run in made.runs.glob("*/status.json"):
        stop_worker(run.parent)
    text = made.log.read_text()
    assert "Traceback" not in text, text[-3000:]
    # What Streamlit says of calls that it will remove, and of state that is set in two places.
    for complaint in ("Please replace", "Session State API", "not officially supported"):
        assert complaint not in text, text[-3000:]


@pytest.fixture(scope="session")
def context(browser):
    made = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True, reduced_motion="reduce")
    made.set_default_timeout(20_000)
    yield made
    made.close()


@pytest.fixture
def page(context, tmp_path):
    made = context.new_page()
    problems = []
    made.on("pageerror", lambda error: problems.append(str(error)))
    made.on("request", lambda r: problems.append(r.url) if not _local(r.url) else None)
    yield made
    made.screenshot(path=str(tmp_path / "last.png"))
    made.close()
    assert not problems, problems


def stop_worker(run):
    """No worker outlives the tests; the stand-ins for running ones carry this process's own number."""
    said = runs.read_status(run)
    if said.pid != os.getpid():
        jobs.stop(run, wait=True)


def _local(url: str) -> bool:
    return re.match(r"(https?|wss?)://127\.0\.0\.1[:/]|data:|blob:|about:", url) is not None


def settled(page: Page) -> None:
    """The script has run, and no error is on the page."""
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    assert page.get_by_test_id("stException").count() == 0, page.get_by_test_id("stException").first.inner_text()


def go(page: Page, server: Server, path: str = "/") -> Page:
    page.goto(server.url + path)
    settled(page)
    return page


def keyed(page: Page, key: str):
    return page.locator(f".st-key-{key}")
