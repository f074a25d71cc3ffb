"""Keeping runs in order, in a real browser: a zip goes out and comes back, and Undo undoes."""

from playwright.sync_api import expect

from ganad.runs import run_directory
from tests.browser.conftest import go, keyed, settled
from tests.conftest import put_finished


def test_a_downloaded_zip_is_imported_as_a_run_of_its_own_and_thrown_away_and_undone_and_the_picker_follows(
    page, server, tmp_path
):
    own = put_finished(server.runs, "9001-ganomaly-n8-s0")
    go(page, server, f"/Compare?run={own.name}")
    with page.expect_download() as download:
        keyed(page, "download_zip").get_by_role("button").click()
    assert download.value.suggested_filename == f"{own.name}.zip"
    download.value.save_as(tmp_path / "run.zip")
    keyed(page, "import").get_by_role("button").first.click()
    page.locator("input[type=file]").set_input_files(tmp_path / "run.zip")
    expect(page.get_by_test_id("stToast")).to_contain_text("Imported as 9002-ganomaly-n8-s0")
    settled(page)
    page.wait_for_url("**run=9002-ganomaly-n8-s0*")
    made = server.runs / "9002-ganomaly-n8-s0"
    assert run_directory.read_scores(made).normal == (8,)
    keyed(page, "throw_away").get_by_role("button").click()
    expect(keyed(page, "undo_bar")).to_contain_text(f"{made.name} lies in the trash.")
    assert not made.exists()
    page.wait_for_url(f"**run={own.name}*")
    keyed(page, "undo").get_by_role("button").click()
    expect(keyed(page, "undo_bar")).to_have_count(0)
    page.wait_for_url(f"**run={made.name}*")
    assert made.exists()
