"""A real server and a real browser. A missing browser fails, with the command that installs one."""

import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable

import pytest
from playwright.sync_api import Error, Page, expect, sync_playwright

from ganad.runs import run_directory
from ganad.training import jobs
from tests import browser_setup
from tests.conftest import ROOT, put_speed
from tests.ports import free_port
from tests.waiting import PATIENCE_S, until

PATIENCE_MS = PATIENCE_S * 1000
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def browser():
    path = browser_setup.find()
    assert path, browser_setup.HELP
    arguments = ["--disable-gpu", "--disable-background-networking", "--disable-sync", "--no-first-run"]
    # All tabs of the app in one process, which `context` keeps alive: what it has compiled once it need not compile again,
    # which is half of the work of opening a page.
    arguments += ["--process-per-site", "--renderer-process-limit=1"]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")
    with sync_playwright() as p:
        made = p.chromium.launch(executable_path=path, args=arguments, timeout=PATIENCE_MS)
        yield made
        made.close()


class Server:
    """The app, served from its own folder of runs."""

    streamlit = (sys.executable, "-m", "streamlit")

    def __init__(self, folder, **environment):
        self.environment = environment
        self.runs = folder / "runs"
        self.runs.mkdir(parents=True)
        put_speed(self.runs)
        self.log = folder / "server.log"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self):
        own = {"GANAD_RUNS": str(self.runs), "GANAD_CACHE": str(self.runs.parent / "cache")}
        environment = os.environ | own | self.environment
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(
                [*self.streamlit, "run", "app.py", f"--server.port={self.port}", "--server.headless=true"],
                cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, env=environment,
            )  # fmt: skip
        until(self.answers, lambda: "server not ready: " + self.log.read_text()[-3000:])

    def answers(self):
        assert self.process.poll() is None, "server ended: " + self.log.read_text()[-3000:]
        try:
            return urllib.request.urlopen(self.url + "/_stcore/health", timeout=PATIENCE_S).read() == b"ok"
        except OSError:
            return False

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def forget(self, kept=()):
        """Stop and remove every run but those, and empty the trash."""
        gone = {run for run in self.runs.glob("[0-9]*") if run not in kept}
        for run in gone:
            if (run / "status.json").exists():
                stop_worker(run)
        for folder in (*gone, self.runs / ".trash"):
            shutil.rmtree(folder, ignore_errors=True)

    def complaints(self):
        """What it has printed and should not have: tracebacks, and what Streamlit says of calls that it will remove and of
        state that is set in two places."""
        text = self.log.read_text()
        bad = ("Traceback", "Please replace", "Session State API", "not officially supported")
        first = min((text.find(words) for words in bad if words in text), default=None)
        # The whole way to the fault, not its end alone.
        return "" if first is None else text[max(0, first - 300) : first + 9000]


@pytest.fixture(scope="session")
def _served(tmp_path_factory):
    made = Server(tmp_path_factory.mktemp("served"))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def server(_served):
    """The app and its folder of runs, empty at the start of each file and alive whatever the file before did to it."""
    if _served.process.poll() is not None:
        _served.start()
    _served.log.write_text("")
    yield _served
    _served.forget()
    assert not _served.complaints(), _served.complaints()


@pytest.fixture(autouse=True)
def _runs_are_left_as_they_were_found(request):
    """A run that a test starts, imports or renames is gone when it ends, however it ends; those of the file stay."""
    server = request.getfixturevalue("server") if "server" in request.fixturenames else None
    there = set(server.runs.glob("[0-9]*")) if server else ()
    yield
    if server:
        server.forget(kept=there)


@pytest.fixture(scope="session")
def context(browser, _served):
    made = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True, reduced_motion="reduce")
    made.set_default_timeout(PATIENCE_MS)
    made.new_page().goto(_served.url + "/_stcore/health")  # never closed, so that the process of the tabs lives on
    yield made
    made.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    item.stash[FAILED] = report.failed or item.stash.get(FAILED, False)
    return report


FAILED = pytest.StashKey[bool]()


@pytest.fixture
def page(context, tmp_path, request):
    """A new tab. Of a test that fails a picture is left: last.png in its folder."""
    made = context.new_page()
    problems, _ = _watched(made)
    yield made
    if _failed(request):
        _leave_picture(made, tmp_path)
    made.close()
    assert not problems, problems


@pytest.fixture(scope="module")
def _tabs(context, server):
    """The tab that tests of a file share, once there is one; closed before the runs that it may show are removed."""
    tabs = []
    yield tabs
    for tab in tabs:
        tab.close()


@pytest.fixture
def tab(context, _tabs, tmp_path, request):
    """A tab that tests of a file share, since opening a page costs far more than bringing an opened one back, which each of
    them does first: see `bring`. A test that fails takes it along, and the next one gets a new one."""
    if not _tabs:
        _tabs.append(context.new_page())
    shared = _tabs[0]
    problems, no_more = _watched(shared)
    yield shared
    if _failed(request):
        _leave_picture(shared, tmp_path)
        _tabs.pop().close()
    no_more()
    assert not problems, problems


def _watched(page):
    """What goes wrong in a tab from now on, as a list that grows, and what ends the watch."""
    problems = []
    listeners = {
        "pageerror": lambda error: problems.append(str(error)),
        "request": lambda r: problems.append(r.url) if not _local(r.url) else None,
    }
    for event, listener in listeners.items():
        page.on(event, listener)
    return problems, lambda: [page.remove_listener(event, listener) for event, listener in listeners.items()]


def _failed(request) -> bool:
    return request.node.stash.get(FAILED, False)


def _leave_picture(page, folder):
    try:
        page.screenshot(path=str(folder / "last.png"))
    except Error as error:
        print("no picture:", error)


def stop_worker(run):
    """No worker outlives the tests; the stand-ins for running ones carry this process's own number."""
    said = run_directory.read_status(run)
    if said.pid == os.getpid():
        return
    jobs.stop(run, wait=True)
    if said.pid is not None:
        until(lambda: not run_directory.alive(said.pid, said.process_started), lambda: f"{run.name} still works")


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


def by_menu(page: Page, name: str) -> None:
    """To another page by its link at the side: much cheaper than `go`, since the browser has loaded the app already."""
    page.get_by_test_id("stSidebar").get_by_role("link", name=name, exact=True).click()
    expect(page).to_have_title(f"{name} · ganad")
    settled(page)


STEP = """link => { history.pushState(null, "", link); dispatchEvent(new PopStateEvent("popstate")); }"""
"""What the back button does, with a link of our choice: the address changes, and the app is told."""


def by_address(page: Page, path: str, name: str) -> None:
    """To another page's address as a step in the browser's history leads there: read like a link's, and as cheap as the menu."""
    page.evaluate(STEP, path)
    expect(page).to_have_title(f"{name} · ganad")
    settled(page)


BRING = """([link, patience]) => new Promise((done, failed) => {
  const app = document.querySelector('[data-testid="stApp"]');
  const rests = () => app.dataset.testScriptState === "notRunning";
  // A run may begin and end between two looks: whatever changed the state, it is over when the state is at rest.
  const watch = new MutationObserver(() => rests() && finish());
  watch.observe(app, { attributes: true, attributeFilter: ["data-test-script-state"] });
  // It may even begin and end without a change of state, if both are heard at once. The menu is of the page that is shown.
  const [path, query] = link.split("?");
  const same = (search) => new URLSearchParams(search).toString() === new URLSearchParams(query).toString(); // however it is escaped
  const menu = () => document.querySelector(`.ganad-brand`)?.closest('[data-testid="stSidebar"]')?.querySelectorAll("a") ?? [];
  const shown = () => document.title.startsWith(path === "/" ? "Start" : path.slice(1)) &&
    [...menu()].some((a) => new URL(a.href).pathname === path && same(new URL(a.href).search));
  const looks = setInterval(() => rests() && shown() && finish(), 1000);
  const ends = setTimeout(() => finish(new Error("the script has not run")), patience);
  function finish(error) {
    watch.disconnect();
    clearInterval(looks);
    clearTimeout(ends);
    error ? failed(error) : done();
  }
  (STEP)(link);
})""".replace("STEP", STEP)
"""The same, until the app's script has run."""


def bring(page: Page, server: Server, path: str, so: Callable[[Page], object] = settled) -> Page:
    """Let a tab show a link, within the app where that is open in it: a fifth of the work of loading a page.

    It is loaded where no page of the app is open yet, and where going there within the app leads to anything else than that
    very address and what `so(page)` asserts of it.
    """
    if page.url.startswith(server.url):
        expect.set_options(timeout=PATIENCE_MS / 4)
        try:
            settled(page)
            page.mouse.move(0, 0)
            page.evaluate("document.activeElement?.blur()")
            # On another page a link without a choice keeps the choice: there is a second step to take.
            for _ in range(3):
                if page.evaluate("location.pathname + location.search") == path:
                    break
                page.evaluate(BRING, [path, PATIENCE_MS / 4])
                settled(page)
            assert page.evaluate("location.pathname + location.search") == path
            so(page)
            page.get_by_test_id("stMain").evaluate("e => e.scrollTo(0, 0)")  # a click on a switch may have moved it
            return page
        except (AssertionError, Error) as error:
            print("loaded instead:", error)
        finally:
            expect.set_options(timeout=PATIENCE_MS)
    go(page, server, path)
    so(page)
    page.get_by_test_id("stMain").evaluate("e => e.scrollTo(0, 0)")
    return page


def release(page: Page) -> None:
    """Bring the live mixer back by its own button, where one is shown that was moved."""
    if not page.url.startswith("http"):
        return
    button = page.locator(".mixer .defaults")
    if button.is_visible() and button.is_enabled():
        button.click()
        expect(button).to_be_disabled()
        expect(page).not_to_have_url(re.compile("[?&](w|at)="))
        settled(page)


def switch(page: Page, key: str, on: bool) -> None:
    """Set a toggle, which a session keeps beside the address."""
    toggle = keyed(page, key)
    if toggle.locator("input").is_checked() != on:
        toggle.locator("label").first.click()
        expect(toggle.locator("input")).to_be_checked(checked=on)
        settled(page)


def watching(page: Page, name: str) -> Page:
    """Methods with one of its views, by the beginning of its name."""
    keyed(page, "watch").get_by_text(name).click()
    settled(page)
    return page


def keyed(page: Page, key: str):
    return page.locator(f".st-key-{key}")
