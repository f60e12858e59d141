"""A page as a surface: looking, acting, and every refusal, in real Chromium."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image

from llava_agent.egress import AllowList
from tests.tools.site import Site
from tools.action import (
    Click,
    Download,
    Navigate,
    Point,
    Press,
    Scroll,
    Select,
    Tab,
    Target,
    Type,
    Upload,
    Wait,
)
from tools.browser import BrowserSession, PageSurface
from tools.mark import Mark
from tools.observation import Observation

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def session(site: Site) -> AsyncIterator[BrowserSession]:
    async with BrowserSession(AllowList.of(site.url), viewport=(800, 600)) as session:
        yield session


@pytest_asyncio.fixture(loop_scope="module")
async def surface(session: BrowserSession, tmp_path: Path) -> AsyncIterator[PageSurface]:
    photo = tmp_path / "photo.png"
    Image.new("RGB", (4, 4)).save(photo)
    yield PageSurface(session, uploads=[photo], downloads=tmp_path / "downloads")
    while len(session.pages) > 1:
        await session.pages[-1].close()
    session.watch.drain()


async def _look(surface: PageSurface, site: Site, path: str) -> Observation:
    assert (await surface.open(site.url + path)).ok
    return await surface.observe()


def _find(seen: Observation, role: str, text: str) -> Mark:
    return next(mark for mark in seen.marks if (mark.role, mark.text) == (role, text))


def _on(seen: Observation, role: str, text: str) -> Target:
    return Target(ref=_find(seen, role, text).ref)


async def test_marks_say_what_the_page_shows(surface: PageSurface, site: Site) -> None:
    seen = await _look(surface, site, "/form")
    lines = [mark.line() for mark in seen.marks]
    assert lines == [
        '"New ticket" heading',
        '"Serial number" textbox required',
        '"Priority" combobox = Low',
        '"Low" option selected',
        '"High" option',
        '"Never" option disabled',
        '"Notify the shift" checkbox',
        '"Due" textbox',
        '"Notes" textbox',
        '"Token" textbox = •••',
        '"Send ticket" button',
        '"Delete" button disabled',
    ]
    image = Image.open(io.BytesIO(seen.screenshot or b""))
    assert image.size == (800, 600)
    box = _find(seen, "button", "Send ticket").box
    assert box is not None and 0 < box.width < 200 and 10 < box.height < 60
    assert seen.title == "Ticket" and seen.scroll is None and seen.notices == ()


async def test_hidden_text_names_nothing_unless_it_is_named_as_the_label(
    surface: PageSurface, site: Site
) -> None:
    seen = await _look(surface, site, "/hidden")
    assert [mark.line() for mark in seen.marks] == ["textbox", '"Far away label" textbox', '"Save" button']


async def test_a_form_is_filled_and_sent(surface: PageSurface, site: Site) -> None:
    seen = await _look(surface, site, "/form")
    serial = _on(seen, "textbox", "Serial number")
    assert (await surface.act(Type(target=serial, text="SN-1"), seen)).ok
    assert (await surface.act(Type(target=serial, text="SN-482 13"), seen)).data["value"] == "SN-482 13"
    assert (await surface.act(Select(target=_on(seen, "combobox", "Priority"), option="high"), seen)).ok
    assert (await surface.act(Click(target=Target(text="Notify the shift")), seen)).ok
    assert (await surface.act(Type(target=_on(seen, "textbox", "Due"), text="2024-03-18"), seen)).ok
    assert (await surface.act(Type(target=_on(seen, "textbox", "Notes"), text="one\ntwo"), seen)).ok
    later = await surface.observe()
    values = {mark.text: (mark.value, mark.states) for mark in later.marks}
    assert values["Priority"] == ("High", ())
    assert values["Notify the shift"] == (None, ("checked",))
    assert await surface.value(_find(later, "textbox", "Notes").ref) == "one\ntwo"
    assert await surface.value(_find(later, "checkbox", "Notify the shift").ref) == "checked"
    assert await surface.value(_find(later, "combobox", "Priority").ref) == "High"
    assert await surface.value("textbox:Nowhere") is None
    # Refs are stable: the same field has the same name in both looks.
    assert _find(later, "textbox", "Serial number").ref == serial.ref
    assert surface.effect(Click(target=_on(later, "button", "Send ticket")), later) == "irreversible"
    sent = await surface.act(Click(target=_on(later, "button", "Send ticket")), later)
    assert sent.ok and sent.data["responses"] == [
        {"method": "POST", "url": f"{site.url}/save", "status": 200, "kind": "document"}
    ]
    assert site.posts()[-1] == (
        "/save",
        "serial=SN-482+13&priority=High&notify=on&due=2024-03-18&notes=one%0D%0Atwo&token=abc",
    )


async def test_refusals_of_fields(surface: PageSurface, site: Site) -> None:
    seen = await _look(surface, site, "/form")
    button, priority = _on(seen, "button", "Send ticket"), _on(seen, "combobox", "Priority")
    outcomes = {
        "not_a_field": await surface.act(Type(target=button, text="x"), seen),
        "no_such_option": await surface.act(Select(target=priority, option="Urgent"), seen),
        "disabled": await surface.act(Click(target=_on(seen, "button", "Delete")), seen),
        "invalid": await surface.act(Type(target=_on(seen, "textbox", "Due"), text="soon"), seen),
        "not_found": await surface.act(Click(target=Target(text="Nothing like it")), seen),
    }
    assert {reason: outcome.reason for reason, outcome in outcomes.items()} == {r: r for r in outcomes}
    assert "Low, High, Never" in outcomes["no_such_option"].detail
    assert (await surface.act(Select(target=priority, option="Never"), seen)).reason == "disabled"
    assert (await surface.act(Press(key="NoSuchKey"), seen)).reason == "invalid"
    assert (await surface.act(Click(target=_on(seen, "option", "High")), seen)).ok
    assert await surface.value(_find(seen, "combobox", "Priority").ref) == "High"


async def test_enter_sends_the_form(surface: PageSurface, site: Site) -> None:
    seen = await _look(surface, site, "/form")
    await surface.act(Type(target=_on(seen, "textbox", "Serial number"), text="E-1"), seen)
    assert (await surface.act(Press(key="Enter"), seen)).ok
    assert site.posts()[-1][1].startswith("serial=E-1&")


async def test_shadow_roots_and_frames(surface: PageSurface, site: Site) -> None:
    seen = await _look(surface, site, "/shadow")
    assert {"Inside", "Shadow button", "Frame button", "Text in the frame"} <= {m.text for m in seen.marks}
    inside = _on(seen, "textbox", "Inside")
    assert (await surface.act(Type(target=inside, text="deep"), seen)).data["value"] == "deep"
    assert await surface.value(inside.ref or "") == "deep"
    assert (await surface.act(Click(target=_on(seen, "button", "Shadow button")), seen)).ok
    assert (await surface.act(Click(target=_on(seen, "button", "Frame button")), seen)).ok
    assert {"Pressed", "Hit"} <= {mark.text for mark in (await surface.observe()).marks}


async def test_a_covered_target_is_refused(surface: PageSurface, site: Site) -> None:
    seen = await _look(surface, site, "/covered")
    under = _on(seen, "button", "Under")
    assert (await surface.act(Click(target=Target(text="Cover")), seen)).ok
    refused = await surface.act(Click(target=under), seen)
    assert refused.reason == "covered" and "A lid" in refused.detail
    assert (await surface.observe()).title != "clicked"
    assert "Under" not in {mark.text for mark in (await surface.observe()).marks}


@pytest.mark.parametrize("change", ["Remove", "Rename"])
async def test_a_stale_target_is_refused(surface: PageSurface, site: Site, change: str) -> None:
    seen = await _look(surface, site, "/swap")
    assert (await surface.act(Click(target=Target(text=change)), seen)).ok
    assert (await surface.act(Click(target=_on(seen, "button", "First")), seen)).reason == "stale"


async def test_an_earlier_observation_is_stale(surface: PageSurface, site: Site) -> None:
    seen = await _look(surface, site, "/swap")
    await surface.observe()
    assert (await surface.act(Click(target=_on(seen, "button", "First")), seen)).reason == "stale"
    seen = await _look(surface, site, "/swap")
    await surface.open(site.url + "/form")
    assert (await surface.act(Click(target=_on(seen, "button", "First")), seen)).reason == "stale"


async def test_off_screen_and_scrolling(surface: PageSurface, site: Site) -> None:
    seen = await _look(surface, site, "/away")
    assert seen.scroll == 0 and "Bottom" not in {mark.text for mark in seen.marks}
    assert (await surface.act(Click(target=Target(text="Hide")), seen)).ok
    assert (await surface.act(Click(target=_on(seen, "button", "Target")), seen)).reason == "off_screen"
    for _ in range(6):
        assert (await surface.act(Scroll(), seen)).ok
    end = await surface.observe()
    assert end.scroll == 1 and "Bottom" in {mark.text for mark in end.marks}
    assert "already at its end" in (await surface.act(Scroll(), end)).detail
    await surface.act(Scroll(direction="up"), end)  # the target is scrolled into view again
    assert (await surface.act(Click(target=_on(end, "button", "Bottom")), end)).ok


async def test_points(surface: PageSurface, site: Site) -> None:
    seen = await _look(surface, site, "/form")

    def at(role: str, text: str) -> Target:
        x, y = (_find(seen, role, text).box or pytest.fail("no box")).centre
        return Target(point=Point(x=round(x * 1000 / 800), y=round(y * 1000 / 600)))

    assert (await surface.act(Type(target=at("textbox", "Serial number"), text="P-9"), seen)).ok
    assert (await surface.act(Select(target=at("combobox", "Priority"), option="High"), seen)).ok
    assert (await surface.act(Click(target=at("checkbox", "Notify the shift")), seen)).ok
    assert (
        await surface.act(Type(target=at("button", "Send ticket"), text="x"), seen)
    ).reason == "not_a_field"
    assert (await surface.act(Click(target=at("button", "Delete")), seen)).reason == "disabled"
    assert await surface.value(_find(seen, "textbox", "Serial number").ref) == "P-9"
    assert await surface.value(_find(seen, "combobox", "Priority").ref) == "High"
    assert await surface.value(_find(seen, "checkbox", "Notify the shift").ref) == "checked"


async def test_dialogs_errors_and_statuses(surface: PageSurface, site: Site) -> None:
    seen = await _look(surface, site, "/dialog")
    asked = await surface.act(Click(target=Target(text="Ask")), seen)
    assert asked.ok and [(n.kind, n.text) for n in asked.notices] == [
        ("dialog", "confirm dismissed: Really?")
    ]
    assert _find(await surface.observe(), "button", "no")
    seen = await surface.observe()
    logged = await surface.act(Click(target=Target(text="Log")), seen)
    assert [(notice.kind, notice.text) for notice in logged.notices] == [("console_error", "it broke")]
    failed = await surface.act(Click(target=Target(text="Fail")), seen)
    assert not failed.ok and failed.reason == "http_error" and "500" in failed.detail
    assert [notice.kind for notice in failed.notices] == ["http_error"]
    seen = await surface.observe()
    assert {notice.kind for notice in seen.notices} == {"console_error", "http_error"}
    gone = await surface.act(Click(target=Target(text="Go")), seen)
    assert gone.reason == "http_error" and "404" in gone.detail


async def test_tabs(surface: PageSurface, site: Site) -> None:
    seen = await _look(surface, site, "/tabs")
    opened = await surface.act(Click(target=Target(text="Open two")), seen)
    assert opened.ok
    second = await surface.observe()
    assert second.title == "Two"
    assert (await surface.act(Tab(index=0), second)).ok
    first = await surface.observe()
    assert first.title == "One"
    assert (await surface.act(Click(target=_on(second, "button", "Close")), second)).reason == "stale"
    assert (await surface.act(Tab(index=5), first)).reason == "not_found"
    await surface.act(Tab(index=1), first)
    second = await surface.observe()
    assert (await surface.act(Click(target=_on(second, "button", "Close")), second)).ok
    assert (await surface.observe()).title == "One"


async def test_a_tab_that_closes_before_the_click_has_ended_was_clicked(
    surface: PageSurface, site: Site
) -> None:
    seen = await _look(surface, site, "/hasty")
    assert (await surface.act(Click(target=Target(text="Again")), seen)).ok
    second = await surface.observe()
    outcome = await surface.act(Click(target=_on(second, "button", "Close")), second)
    assert outcome.ok, outcome.detail
    assert len(surface.session.pages) == 1


async def test_upload_and_download(surface: PageSurface, site: Site, tmp_path: Path) -> None:
    seen = await _look(surface, site, "/files")
    field = _on(seen, "file", "Photo")
    assert (await surface.act(Upload(target=field, path="/etc/passwd"), seen)).reason == "denied"
    assert (await surface.act(Upload(target=field, path="photo.png"), seen)).ok
    assert await surface.value(field.ref or "") == "photo.png"
    seen = await surface.observe()
    chosen = await surface.act(Upload(target=Target(text="Choose a photo"), path="photo.png"), seen)
    assert chosen.ok, chosen
    kept = await surface.act(Download(target=Target(text="Get the report")), seen)
    assert kept.ok and kept.data["path"] == str(tmp_path / "downloads" / "report.csv")
    assert (tmp_path / "downloads" / "report.csv").read_text() == "a,b\n1,2\n"
    again = await surface.act(Download(target=Target(text="Get the report")), seen)
    assert str(again.data["path"]).endswith("report-2.csv")


async def test_a_page_that_never_settles_is_seen(surface: PageSurface, site: Site) -> None:
    seen = await _look(surface, site, "/busy")
    assert _find(seen, "button", "Still here")
    assert (await surface.act(Wait(seconds=0.1), seen)).ok


async def test_lists_and_boxes_that_the_page_draws(surface: PageSurface, site: Site) -> None:
    seen = await _look(surface, site, "/drawn")
    assert (await surface.act(Select(target=_on(seen, "combobox", "Colour"), option="Blue"), seen)).ok
    assert (await surface.observe()).title == "blue"
    seen = await surface.observe()
    assert (await surface.act(Click(target=_on(seen, "checkbox", "Styled box")), seen)).ok
    assert _find(await surface.observe(), "checkbox", "Styled box").states == ("checked", "focused")


async def test_twenty_thousand_elements(surface: PageSurface, site: Site) -> None:
    await surface.open(site.url + "/two")
    await surface.session.page.evaluate(
        """() => { for (let i = 0; i < 20000; i++) { const e = document.createElement(i % 2 ? "button" : "p");
             e.textContent = "x" + i; document.body.append(e); } }"""
    )
    seen = await surface.observe()
    assert 10 < len(seen.marks) <= 60
    assert (await surface.act(Click(target=Target(text="x1")), seen)).ok


async def test_navigation_is_limited(surface: PageSurface, site: Site) -> None:
    seen = await _look(surface, site, "/two")
    for url in ("http://example.com/", "file:///etc/passwd", "javascript:alert(1)", "data:text/html,x"):
        assert (await surface.act(Navigate(url=url), seen)).reason == "denied"
    assert (await surface.act(Navigate(url=site.url + "/form"), seen)).ok
    assert (await surface.observe()).title == "Ticket"


async def test_what_has_no_words_is_named_by_its_style_and_its_looks(
    surface: PageSurface, site: Site
) -> None:
    seen = await _look(surface, site, "/icons")
    lines = [mark.line() for mark in seen.marks]
    assert {'"trash" img', '"cog" button', '"red" img', '"blue circle" img', '"Prev" button'} <= set(lines)
    assert {'"Reply" button', '"Forward" button', '"Small" button', '"Large" button'} <= set(lines), (
        "parts that are equals are taken, and not the box around them"
    )


async def test_a_date_field_takes_a_date_as_people_write_it(surface: PageSurface, site: Site) -> None:
    seen = await _look(surface, site, "/icons")
    day = next(mark for mark in seen.marks if mark.text == "Day")
    outcome = await surface.act(Type(target=Target(ref=day.ref), text="03/18/2024"), seen)
    assert outcome.ok and outcome.data["value"] == "2024-03-18"


async def test_a_key_is_pressed_as_often_as_it_says(surface: PageSurface, site: Site) -> None:
    seen = await _look(surface, site, "/form")
    serial = _on(seen, "textbox", "Serial number")
    assert (await surface.act(Type(target=serial, text="SN-123"), seen)).ok
    outcome = await surface.act(Press(key="Backspace", count=3), seen)
    assert outcome.ok and outcome.detail == "pressed Backspace 3 times"
    assert await surface.value(serial.ref or "") == "SN-"
