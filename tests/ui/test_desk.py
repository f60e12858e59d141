"""The photo desk as a technician uses it, on a phone's viewport, in a real browser."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Page, expect

from llava_agent.agent.picture import find_marks
from llava_agent.assembly import Core
from llava_agent.inspection.document import read_document
from llava_agent.inspection.quality import measure
from llava_agent.service.store.filings import Filing
from llava_agent.ui.desk.filing_view import filed_card, history_list
from llava_agent.ui.desk.view import inspection_view, quality_card
from tests.ui.conftest import PATIENCE, OtherSystem, Site
from tests.ui.test_cards import NASTY
from tests.ui.words import PHOTOS, core
from tools.mark import Mark
from tools.photo import Photo, load_image

expect.set_options(timeout=PATIENCE)


_found: dict[str, tuple[Mark, ...]] = {}


def find_once(photo: Photo) -> tuple[Mark, ...]:
    """The real detectors, once for a photo: it is looked at again with each photo that joins it."""
    if photo.sha256 not in _found:
        _found[photo.sha256] = tuple(find_marks(photo))
    return _found[photo.sha256]


def reading() -> Core:
    return replace(core(), find=find_once)


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


def test_what_is_missing_is_written_in_and_the_record_is_filed(
    page: Page, site: Site, tickets: OtherSystem
) -> None:
    """A photo without a gauge; another photo as the answer; a note; filed, approved, found again."""
    site.core = reading
    page.get_by_role("tab", name="Photo desk").click()
    page.set_input_files("#desk-files input[type=file]", PHOTOS / "panel.jpg")
    expect(page.locator("ul.desk-quality li")).to_have_count(1)
    page.click("#desk-start")
    tag = page.get_by_label("Value of Asset tag")
    expect(tag).to_have_value("CP-0371")
    # Without a serial number the record cannot be filed, and says so.
    page.click("#desk-save")
    expect(page.locator("#desk-filing [role=alert]")).to_contain_text("serial number on the plate")
    expect(page.locator("#desk-file")).to_be_hidden()
    # Another photo is the answer: the same record grows.
    with page.expect_file_chooser() as chooser:
        page.click("#desk-more")
    chooser.value.set_files(PHOTOS / "pump.jpg")
    expect(page.locator("#desk-view figure")).to_have_count(2)
    expect(page.get_by_label("Value of Serial number")).to_have_value("SN-48213")
    expect(page.locator(".desk-missing")).to_contain_text("several values for asset tag")
    page.get_by_label("Remove Asset tag").last.click()
    page.select_option(".desk-add select", "note")
    page.fill(".desk-add input", "belt <b>worn</b>")
    page.press(".desk-add input", "Enter")
    page.click("#desk-save")
    sent = page.locator("#desk-preview dl")
    expect(sent).to_contain_text("belt <b>worn</b>")
    expect(sent).to_contain_text("CP-0371")
    page.click("#desk-file")
    page.click("#desk-approve")
    expect(page.locator("#desk-preview .result.passed")).to_contain_text("equals what was sent")
    (ticket,) = tickets.tickets.find("belt")
    link = page.get_by_role("link", name="Open it there")
    expect(link).to_have_attribute("href", f"{tickets.url}/tickets/{ticket.id}")
    assert ticket.asset_tag == "CP-0371" and ticket.serial_number == "SN-48213"
    # What was filed is found again with its history, and cannot be changed.
    expect(page.locator("#desk-save")).to_be_hidden()
    expect(page.locator(".desk-add")).to_have_count(0)
    page.reload()
    page.get_by_role("tab", name="Photo desk").click()
    page.get_by_role("button", name="Earlier records").click()
    page.locator("#desk-records input").click()
    page.get_by_role("option", name="CP-0371 · filed").first.click()
    expect(page.locator("#desk-history summary")).to_be_visible()
    expect(page.locator("#desk-view figure")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_file_that_is_no_photo_is_a_sentence(page: Page, tmp_path: Path) -> None:
    false = tmp_path / "false.heic"
    false.write_bytes(b"\x00\x00\x00\x18ftypheic" + b"\x00" * 64)
    page.get_by_role("tab", name="Photo desk").click()
    page.set_input_files("#desk-files input[type=file]", false)
    expect(page.locator("#desk-card [role=alert]")).to_be_visible()


def nasty_filing(**given: object) -> Filing:
    """A filing in which every text that others wrote is markup."""
    values: dict[str, object] = {
        "state": "failed", "reason": NASTY, "title": NASTY, "sent": {NASTY: NASTY}, "reference": NASTY,
        "link": "", "verified": None, "asked": datetime(2026, 1, 2, tzinfo=UTC), "approved_by": NASTY,
        "content": "0" * 64,
    }  # fmt: skip
    names = [field.name for field in fields(Filing)]
    return Filing(**{**dict.fromkeys(names, ""), **values, **given})  # type: ignore[arg-type]


def test_a_link_of_another_system_is_never_a_script() -> None:
    card = filed_card(nasty_filing(state="filed", link="javascript:alert(1)"))
    assert "javascript:" not in card and "href" not in card


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
        history_list([nasty_filing()]),
        filed_card(nasty_filing()),
        filed_card(nasty_filing(state="filed", link="javascript:alert(1)", verified=False)),
        quality_card([(NASTY, measure(photo.image))]),
    ):
        assert "<img src=x" not in html and 'onerror="' not in html and "&lt;img" in html
