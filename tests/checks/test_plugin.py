"""`expect_visual` on a real page of Playwright's synchronous API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from llava_agent.checks.plugin import VisualExpectations
from llava_agent.checks.plugin import expect_visual as expecting
from tools.browser.find import find_browser

PAGE = """<!doctype html><h1>Orders</h1><button disabled>Delete</button><button>Save</button>
<label>Name <input value="Ada"></label><div style="height:1500px"></div><p>At the end</p>
<script>setTimeout(() => document.body.append('Loaded'), 400)</script>"""


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        found = find_browser()
        browser = playwright.chromium.launch(
            executable_path=str(found) if found else None, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 600, "height": 400})
        page.set_content(PAGE)
        yield page
        browser.close()


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_what_holds_passes(page: Page) -> None:
    seen = expecting(page)
    seen.to_show("loaded")
    seen.to_show("At the end")
    seen.not_to_show("Error")
    seen.to_have_text("Ada")
    seen.to_count(2, role="button")
    seen.to_be("disabled", "Delete")
    seen.to_have_pattern("@@@@@@")
    seen.to_have_colour({"name": "Save", "role": "button"}, "grey")
    seen.to_have_contrast(3)
    seen.to_be_aligned("Orders", "At the end", by="left")
    seen.not_to_overlap()
    seen.not_to_overlap("Save", "Delete")
    seen.not_to_be_cut_off()
    seen.to_be_in_order("Orders", "Delete", "Save")
    seen.to_be_above("Orders", "Save")
    seen.to_be_below("At the end", "Save")
    seen.to_be_left_of("Delete", "Save")
    seen.to_be_right_of("Save", "Delete")
    seen.to_show_image()
    seen.to_have_no_errors()


def test_what_does_not_hold_fails_with_a_picture(page: Page, tmp_path: Path) -> None:
    quick = expecting(page, timeout=0.1)
    for failing in (
        lambda: quick.to_show("Nowhere"),
        lambda: quick.not_to_show("Orders"),
        lambda: quick.to_have_text("Order"),
        lambda: quick.to_count(3, role="button"),
        lambda: quick.to_be("enabled", "Delete"),
        lambda: quick.to_match("no.png"),
        lambda: quick.to_be_cut_off("Orders"),
        lambda: quick.to_overlap("Save", "Delete"),
    ):
        with pytest.raises(AssertionError, match=r"see test-results/visual/\w+\.png"):
            failing()
    assert len(list((tmp_path / "test-results" / "visual").glob("*.png"))) >= 2


def test_a_baseline_is_compared(page: Page, tmp_path: Path) -> None:
    page.evaluate("() => window.scrollTo(0, 0)")
    (tmp_path / "now.png").write_bytes(page.screenshot())
    expecting(page).to_match("now.png")


def test_pytest_gives_the_fixture_by_itself(
    expect_visual: Callable[..., VisualExpectations], page: Page
) -> None:
    expect_visual(page).to_show("Orders")
