"""A server that others reach: it answers to its own names alone, read-only means it, and own images are uploaded."""

import io
import os
import re
import socket

import numpy as np
import pytest
from playwright.sync_api import expect

from ganad.runs import run_directory
from tests.browser.conftest import Server, by_address, go, keyed, settled
from tests.conftest import put_finished, put_running


def answer(server, host, origin=None):
    """The status of a websocket handshake as a browser would send it for a page of another name."""
    lines = [
        "GET /_stcore/stream HTTP/1.1", f"Host: {host}", "Connection: Upgrade", "Upgrade: websocket",
        "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol: streamlit",
    ]  # fmt: skip
    lines += [f"Origin: {origin}"] if origin else []
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as s:
        s.sendall("\r\n".join([*lines, "", ""]).encode())
        first = s.recv(4096).split(b"\r\n")[0].decode()
    return int(first.split()[1])


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"])
def test_a_websocket_for_this_machine_is_opened(server, host):
    name = f"{host}:{server.port}"
    assert answer(server, name) == 101
    assert answer(server, name, f"http://{name}") == 101


@pytest.mark.parametrize(
    "host",
    ["attacker.example", "localhost.attacker.example", "127.0.0.1.nip.io", "user@localhost", "192.168.1.5", "0.0.0.0"],
)
def test_a_websocket_for_a_foreign_name_is_refused(server, host):
    """As when a page of another site has its own name point to this machine (DNS rebinding)."""
    name = f"{host}:{server.port}"
    assert answer(server, name) == 403
    assert answer(server, name, f"http://{name}") == 403


def test_a_page_of_another_site_opens_no_websocket(server):
    assert answer(server, f"127.0.0.1:{server.port}", "http://attacker.example") == 403


@pytest.fixture(scope="module")
def readonly(tmp_path_factory):
    made = Server(
        tmp_path_factory.mktemp("readonly"), GANAD_READONLY="1", OMP_NUM_THREADS="1",
        GANAD_CHECKPOINTS=str(tmp_path_factory.mktemp("no_shelf")),
    )  # fmt: skip
    put_finished(made.runs)
    put_running(made.runs)
    yield made
    made.stop()
    assert "Traceback" not in made.log.read_text()


def test_a_read_only_server_has_nothing_to_train_or_to_throw_away_with(readonly, page):
    go(page, readonly, "/Train?run=0002-ganomaly-n8-s0")
    expect(page.get_by_text("This server is read-only: nothing is trained here.")).to_be_visible()
    expect(keyed(page, "start")).to_have_count(0)
    expect(keyed(page, "stop").get_by_role("button")).to_be_disabled()
    expect(page.get_by_role("button", name="Own images")).to_have_count(0)
    by_address(page, "/Compare?run=0001-ganomaly-n8-s0", "Compare")
    expect(page.get_by_text("This server is read-only: runs are downloaded here")).to_be_visible()
    expect(keyed(page, "throw_away")).to_have_count(0)
    expect(keyed(page, "import")).to_have_count(0)
    with page.expect_download() as download:
        keyed(page, "download_zip").get_by_role("button").click()
    assert download.value.suggested_filename == "0001-ganomaly-n8-s0.zip"
    assert len(run_directory.listing(readonly.runs)) == 2
    assert not (readonly.runs / ".trash").exists()


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    """A server behind a proxy: it answers to one more name, by the one option that the documents give."""
    made = Server(
        tmp_path_factory.mktemp("named"), STREAMLIT_SERVER_ALLOWED_HOSTS="127.0.0.1 ganad.example.org",
        GANAD_CHECKPOINTS=str(tmp_path_factory.mktemp("no_shelf")),
    )  # fmt: skip
    yield made
    made.stop()
    assert "Traceback" not in made.log.read_text()


def test_another_name_is_one_option(named):
    assert answer(named, "ganad.example.org") == 101
    assert answer(named, "attacker.example") == 403


def test_where_others_reach_it_own_images_are_uploaded_and_become_the_runs_data(named, page):
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (400, 28, 28), dtype=np.uint8), np.arange(400) % 4
    file = io.BytesIO()
    np.savez(file, x_train=images, y_train=labels, x_test=images[:80], y_test=labels[:80])
    go(page, named, "/Train")
    page.get_by_role("button", name="Own images").click()
    expect(page.get_by_label("Path on this machine")).to_have_count(0)
    uploader = keyed(page, "own_images").locator("input[type=file]")
    uploader.set_input_files({"name": "mine.zip", "mimeType": "application/zip", "buffer": b"no zip"})
    expect(page.get_by_text("The upload cannot be read or stored")).to_be_visible()
    uploader.set_input_files([])
    keyed(page, "own_images").get_by_role("button", name=re.compile("Remove|Delete")).first.click()
    settled(page)
    uploader.set_input_files({"name": "mine.npz", "mimeType": "application/octet-stream", "buffer": file.getvalue()})
    expect(page.get_by_text("400 training images in 4 classes")).to_be_visible()
    settled(page)
    (upload,) = (named.runs / ".uploads").iterdir()
    expect(page.get_by_text(f"--data {os.path.join(upload, 'images.npz')}").first).to_be_visible()
