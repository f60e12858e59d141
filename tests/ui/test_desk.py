"""The photo desk as a technician uses it, on a phone's viewport, in a real browser."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Page, expect

from llava_agent.agent.picture import find_marks
from llava_agent.assembly import Core
from llava_agent.inspection.document import read_document
from llava_agent.inspection.quality import measure
from llava_agent.ui.desk.view import inspection_view, quality_card
from tests.ui.conftest import PATIENCE, Site
from tests.ui.test_cards import NASTY
from tests.ui.words import PHOTOS, core
from tools.photo import load_image

expect.set_options(timeout=PATIENCE)


def reading() -> Core:
    return replace(core(), find=find_marks)


def test_from_a_photo_to_a_confirmed_record(page: Page, site: Site) -> None:
    site.core = reading
    page.get_by_role("tab", name="Photo desk").click()
    page.click("#desk-start")
    expect(page.locator("#desk-card [role=alert]")).to_contain_text("there is no photo yet")
    page.set_input_files("#desk-files input[type=file]", PHOTOS / "pump.jpg")
    expect(page.locator("ul.desk-quality li")).to_contain_text("good enough to read")
    page.click("#desk-start")
    serial = page.get_by_label("Value of Serial number")
    expect(serial).to_have_value("SN-48213")
    expect(page.locator("#desk-view .lit")).to_have_count(0)
    page.get_by_label("Show where Serial number stands").click()
    expect(page.locator("#desk-view rect.lit")).to_have_attribute("aria-label", "Serial number: SN-48213")
    box = page.get_by_role("button", name="Max. pressure: 16 bar")
    box.focus()
    box.press("Enter")
    expect(page.locator("#desk-view li.lit input")).to_have_value("16 bar")
    expect(page.locator("#desk-view .lit")).to_have_count(2)
    serial.fill("SN-48214")
    page.wait_for_timeout(300)
    page.click("#desk-save")
    expect(page.locator("#desk-card")).to_contain_text("Saved and confirmed")
    expect(page.locator("#desk-view li").filter(has_text="by hand").locator("input")).to_have_value(
        "SN-48214"
    )
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    (record,) = page.request.get(f"{site.url}/api/records").json()["items"]
    assert record["state"] == "confirmed" and record["version"] == 2
    with page.expect_download() as download:
        page.get_by_role("link", name="Table as CSV").click()
    path = download.value.path()
    assert path is not None and "SN-48214" in Path(path).read_text(encoding="utf-8-sig")


def test_a_file_that_is_no_photo_is_a_sentence(page: Page, tmp_path: Path) -> None:
    false = tmp_path / "false.heic"
    false.write_bytes(b"\x00\x00\x00\x18ftypheic" + b"\x00" * 64)
    page.get_by_role("tab", name="Photo desk").click()
    page.set_input_files("#desk-files input[type=file]", false)
    expect(page.locator("#desk-card [role=alert]")).to_be_visible()


def test_nothing_of_a_photo_is_markup() -> None:
    photo = load_image(PHOTOS / "pump.jpg")
    evidence = [{"photo": photo.sha256, "box": [1, 2, 3, 4], "text": NASTY, "source": "ocr"}]
    about = {"sha256": photo.sha256, "name": NASTY, "width": 9, "height": 9, "quality": {}}
    line = {
        "kind": "plate",
        "key": "k",
        "name": NASTY,
        "value": NASTY,
        "confidence": 0.4,
        "evidence": evidence,
    }
    fault = {"kind": "k", "level": "fault", "what": NASTY, "because": NASTY, "confidence": 1}
    document = read_document(
        {
            "photos": [about],
            "lines": [{**line, "evidence": evidence}],
            "faults": [{**fault, "evidence": evidence}],
            "steps": [{"do": NASTY, "why": NASTY}],
        }
    )
    for html in (
        inspection_view(document, {photo.sha256: photo.image}),
        quality_card([(NASTY, measure(photo.image))]),
    ):
        assert "<img src=x" not in html and 'onerror="' not in html and "&lt;img" in html
