"""The checks desk as a QA lead uses it: in a phone's viewport, by keyboard, in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from llava_agent.checks.served import Served
from llava_agent.service.shapes import Expected
from llava_agent.service.store.checks import PastRun
from llava_agent.service.store.ids import now
from llava_agent.service.store.runs import StoredRun
from llava_agent.ui.checks.view import history_view, line_card, result_card, variants_view
from tests.ui.conftest import PATIENCE
from tests.ui.test_cards import NASTY

expect.set_options(timeout=PATIENCE)

ORDERS = "<!doctype html><h1>Orders</h1><p>Total: {total} EUR</p><button>Save changes</button>"
SPEC = """name: orders
page: {page}
timeout: 0
expect:
  - shows: Save changes
  - text: "Total: 42 EUR"
  - matches: {{baseline: front.png, tolerance: 0}}
"""


def test_from_a_spec_to_an_accepted_baseline_and_a_broken_page(page: Page, tmp_path: Path) -> None:
    orders = tmp_path / "orders.html"
    orders.write_text(ORDERS.format(total=42))
    page.get_by_role("tab", name="UI checks").click()
    spec, card = page.locator("#checks-spec textarea"), page.locator("#checks-card")
    page.click("#checks-run")
    expect(card.locator("[role=alert]")).to_contain_text("there is no spec yet")
    with Served(tmp_path) as base:
        text = SPEC.format(page=f"{base}/orders.html")
        spec.fill(text.replace("- text", "- txet"))
        page.click("#checks-run")
        expect(card.locator("[role=alert]")).to_contain_text("line 6")
        expect(card.locator(".checks-line .wrong")).to_contain_text("txet")
        assert card.evaluate("e => e.getBoundingClientRect().top < innerHeight")

        spec.fill(text)
        page.click("#checks-run")
        expect(card.locator(".result")).to_contain_text("1 error, 2 pass")
        page.locator("#checks-view rect[aria-label*='Total: 42']").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#checks-view li.lit")).to_contain_text("Total: 42 EUR")
        page.click("#checks-accept")
        expect(card).to_contain_text("front.png is accepted")

        orders.write_text(ORDERS.format(total=43))
        page.click("#checks-run")
        expect(card.locator(".result")).to_contain_text("2 fail, 1 pass")
        expect(page.locator("#checks-history .checks-row").first.locator("em")).to_have_text("broken")
        page.get_by_text("Compare with the accepted picture").click()
        for image in page.locator(".checks-pair img").all():
            expect(image).to_be_visible()
            page.wait_for_function("image => image.naturalWidth === 1000", arg=image.element_handle())
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        with page.expect_download() as download:
            page.get_by_role("link", name="JUnit XML").click()
        assert 'failures="2"' in Path(download.value.path()).read_text()

    page.reload()
    page.get_by_role("tab", name="UI checks").click()
    page.get_by_label("Your checks").click()
    page.get_by_role("option").filter(has_text="orders").first.click()
    expect(spec).to_have_value(text)
    expect(card.locator(".result.fail")).to_be_visible()
    page.click("#checks-delete")
    expect(card).to_contain_text("Deleted")


def test_nothing_of_a_page_or_a_spec_is_markup() -> None:
    verdict: dict[str, Any] = {
        "status": "fail", "expects": NASTY, "by": "dom", "detail": NASTY, "confidence": 1.0, "read": NASTY,
        "box": [1, 2, 3, 4], "picture": "shots/a.png", "size": [100, 80], "baseline": NASTY,
    }  # fmt: skip
    result = {
        "status": "fail",
        "counts": {"fail": 1},
        "variants": [{"name": NASTY, "problem": NASTY}],
        "baselines": {NASTY: "x"},
    }
    run = StoredRun("run_1", "t", "o", "check", "done", "", {}, result, 1, False, "", now(), None, None)
    found = [{"variant": NASTY, "status": "fail", "verdicts": [verdict]}]
    past = PastRun("run_1", now(), {(NASTY, NASTY): "fail"})
    row = Expected(variant=NASTY, expects=NASTY, standing="broken", since=None, statuses=("fail", None))
    for html in (
        line_card(NASTY, f"name: a\n{NASTY}", 2),
        result_card(run),
        variants_view(run, found),
        history_view([past, past], [row]),
    ):
        assert "<img src=x" not in html and 'onerror="' not in html and "&lt;img" in html
