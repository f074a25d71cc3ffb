"""Text from outside is shown as it was typed: no page fetches a picture, follows a link or reads a tag because of it."""

import http.server
import json
import re
import threading
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import by_address, go, keyed, settled
from tests.conftest import put_failed, put_finished

PAGES = ("", "Train", "Browse", "Evaluate", "Score", "Compare", "Methods")


class Canary(http.server.BaseHTTPRequestHandler):
    """Remembers who asked for anything."""

    asked: list[str]

    def do_GET(self):
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def canary():
    kind = type("Heard", (Canary,), {"asked": []})
    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=served.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{served.server_port}", kind.asked
    served.shutdown()
    served.server_close()
    thread.join()


def hostile(address):
    """Short enough for a run's name: a picture, a link, a tag, a colour and an icon."""
    return f"![x]({address}/n) :red[r] <b>t</b>"


def texts(address):
    return (
        f"![x]({address}/a.png) [y]({address}/b) <img src={address}/c.png> <script>fetch('{address}/d')</script>\n"
        f"# big\n:material/home: :red[red] $x^2$ `code` {address}/e www.example.org a@example.org --> :smile:"
    )


def test_no_text_from_outside_makes_the_browser_ask_for_anything(page, server, canary):
    address, asked = canary
    bad = texts(address)
    finished, failed = put_finished(server.runs), put_failed(server.runs)
    for run in (finished, failed):
        config = json.loads((run / "config.json").read_text())
        (run / "config.json").write_text(json.dumps(config | {"name": hostile(address)}))
        (run / "note.txt").write_text(bad)
        (run / "log.txt").write_text(bad)
    status = json.loads((failed / "status.json").read_text())
    (failed / "status.json").write_text(json.dumps(status | {"error": bad, "doing": bad}))
    damaged = put_finished(server.runs, f"0009-{quote(hostile(address), safe=' []()!:<>')[:60]}")
    (damaged / "config.json").write_text(json.dumps({"method": bad, "normal": bad}))
    requests = []
    page.on("request", lambda r: requests.append(r.url))
    query = "".join(
        f"&{key}={quote(bad)}"
        for key in ("w", "at", "units", "digits", "verdict", "band", "lasso", "map", "image", "sort", "x")
    )
    asks = {  # what an address asks for, and what is there once the page has read it
        f"run={finished.name}": picked(page, finished),
        f"run={failed.name}": picked(page, failed),
        f"run={quote(bad)}": keyed(page, "unknown_run"),
        f"run={finished.name}{query}": picked(page, finished),
    }
    go(page, server, f"/Methods?run={finished.name}{query}")
    check(page, address)
    # Every page is asked for each of these, and none twice in a row: its title then tells that the next one has come.
    for first in range(len(asks)):
        for i, name in enumerate(PAGES):
            asked_for, answer = list(asks.items())[(first + i) % len(asks)]
            by_address(page, f"/{name}?{asked_for}", name or "Start")
            expect(answer).to_be_visible()
            expect(page).not_to_have_url(re.compile("[?&]lasso="))  # what makes no sense was read and taken out
            check(page, address)
    # The name is read as it was typed.
    by_address(page, f"/Train?run={finished.name}", "Train")
    expect(page.get_by_role("heading", level=3, name=hostile(address)[:20]).first).to_be_visible()
    # An uploaded file's name, and one that cannot be read.
    by_address(page, f"/Score?run={finished.name}", "Score")
    keyed(page, "way").get_by_text("Upload").click()
    name = f"![x]({address.replace('/', ':')}) <img src={address.replace('/', ':')}>.png"
    page.locator(".st-key-upload input[type=file]").set_input_files(
        [{"name": name, "mimeType": "image/png", "buffer": b"no picture"}]
    )
    expect(page.get_by_test_id("stAlert").first).to_be_visible()
    check(page, address)
    assert not asked, asked
    assert not [url for url in requests if url.startswith(address)]


def picked(page, run):
    return page.get_by_role("combobox", name="Run").and_(page.locator(f"[value^='{run.name[:4]} ']"))


def check(page, address):
    """Nothing on the page points there."""
    settled(page)
    port = address.rsplit(":", 1)[1]
    for tag, place in (("img", "src"), ("a", "href"), ("iframe", "src"), ("link", "href")):
        found = page.locator(f"{tag}[{place}*='127.0.0.1:{port}']")
        # A link of our own may carry what stood in the address as its query, and leads to this server.
        assert not [h for h in found.evaluate_all(f"all => all.map(e => e.{place})") if h.startswith(address)], tag
    assert page.get_by_role("heading", name="big", exact=True).count() == 0
