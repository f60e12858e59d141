"""The rest of the action set on real pages: mouse, fields, scrolling boxes, dialogs, waiting."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from llava_agent.egress import AllowList
from llava_agent.errors import ToolError
from tests.tools.site import Site
from tools.action import (
    Back,
    Check,
    Clear,
    Click,
    Dialog,
    Drag,
    Hover,
    Press,
    Scroll,
    Select,
    Target,
    Type,
    WaitFor,
)
from tools.browser import BrowserSession, PageSurface
from tools.observation import Observation

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def session(site: Site) -> AsyncIterator[BrowserSession]:
    async with BrowserSession(AllowList.of(site.url), viewport=(800, 600)) as session:
        yield session


@pytest_asyncio.fixture(loop_scope="module")
async def surface(session: BrowserSession) -> AsyncIterator[PageSurface]:
    yield PageSurface(session)
    session.watch.drain()


async def _look(surface: PageSurface, site: Site, path: str) -> Observation:
    assert (await surface.open(site.url + path)).ok
    return await surface.observe()


def on(text: str) -> Target:
    return Target(text=text)


async def test_every_kind_of_click(surface: PageSurface, site: Site) -> None:
    seen = await _look(surface, site, "/mouse")
    right = await surface.act(Click(target=on("Pad"), button="right"), seen)
    assert right.ok and right.detail.startswith("right-clicked")
    seen = await surface.observe()
    assert (await surface.act(Click(target=on("Right"), count=2), seen)).ok
    seen = await surface.observe()
    assert "Twice" in {mark.text for mark in seen.marks}
    assert "Hidden hint" not in {mark.text for mark in seen.marks}
    assert (await surface.act(Hover(target=on("Menu")), seen)).ok
    assert "Hidden hint" in {mark.text for mark in (await surface.observe()).marks}


async def test_dragging_is_native(surface: PageSurface, site: Site) -> None:
    seen = await _look(surface, site, "/mouse")
    done = await surface.act(Drag(target=on("Apple"), to=on("Basket")), seen)
    assert done.ok, done
    assert (await surface.observe()).title == "apple"
    seen = await surface.observe()
    assert (await surface.act(Drag(target=on("Apple"), to=on("Nowhere")), seen)).reason == "not_found"


async def test_fields_are_cleared_and_boxes_set(surface: PageSurface, site: Site) -> None:
    seen = await _look(surface, site, "/mouse")
    assert (await surface.act(Clear(target=on("Code")), seen)).ok
    code = next(mark for mark in seen.marks if mark.text == "Code")
    assert await surface.value(code.ref) == ""
    for name in ("Terms", "Night"):
        mark = next(mark for mark in seen.marks if mark.text == name)
        for wanted in (True, True, False):
            done = await surface.act(Check(target=Target(ref=mark.ref), on=wanted), seen)
            assert done.ok, done
            assert await surface.value(mark.ref) == ("checked" if wanted else "unchecked")
    refused = await surface.act(Check(target=on("Menu")), seen)
    assert refused.reason == "not_a_field"
    assert (await surface.act(Type(target=on("Volume"), text="7"), seen)).data["value"] == "7"


async def test_chords_reach_the_page(surface: PageSurface, site: Site) -> None:
    seen = await _look(surface, site, "/mouse")
    await surface.act(Click(target=on("Code")), seen)
    for key in ("Control+A", "Delete", "n", "Shift+N"):
        assert (await surface.act(Press(key=key), seen)).ok
    code = next(mark for mark in (await surface.observe()).marks if mark.text == "Code")
    assert code.value == "nN"


async def test_a_box_scrolls_on_its_own(surface: PageSurface, site: Site) -> None:
    seen = await _look(surface, site, "/mouse")
    for _ in range(10):
        assert (await surface.act(Scroll(target=on("First line")), seen)).ok
    assert "Last line" in {mark.text for mark in (await surface.observe()).marks}
    seen = await surface.observe()
    assert (await surface.act(Scroll(target=on("Last line"), direction="right"), seen)).ok
    assert (
        await surface.act(Scroll(direction="left"), seen)
    ).reason == "not_found"  # the page itself does not
    back = await surface.act(Scroll(target=on("Last line"), direction="left"), seen)
    assert back.ok and "left" in back.detail


async def test_the_next_dialog_is_answered_as_said(surface: PageSurface, site: Site) -> None:
    seen = await _look(surface, site, "/mouse")
    assert (await surface.act(Dialog(accept=True, text="Ada"), seen)).ok
    await surface.act(Click(target=on("Prompt")), seen)
    assert (await surface.observe()).title == "Ada"
    seen = await surface.observe()
    again = await surface.act(Click(target=on("Prompt")), seen)
    assert again.notices[0].text == "prompt dismissed: Name?"
    assert (await surface.observe()).title != "Ada"


async def test_a_page_that_asks_for_ever_is_closed(site: Site) -> None:
    async with BrowserSession(AllowList.of(site.url)) as session:
        surface = PageSurface(session)
        seen = await _look(surface, site, "/loop")
        done = await surface.act(Click(target=on("Loop")), seen)
        assert not done.ok and any("20 dialogs in a row" in notice.text for notice in done.notices)
        with pytest.raises(ToolError, match="20 dialogs in a row"):
            await surface.observe()


async def test_waiting_for_a_text_or_an_address(surface: PageSurface, site: Site) -> None:
    seen = await _look(surface, site, "/mouse")
    await surface.act(Click(target=on("Later")), seen)
    assert (await surface.act(WaitFor(text="came  LATE"), seen)).ok
    assert (await surface.act(WaitFor(url="/mouse"), seen)).ok
    for never in (WaitFor(text="never", seconds=0.3), WaitFor(url="/never", seconds=0.3)):
        late = await surface.act(never, seen)
        assert late.reason == "timeout" and "never" in late.detail


async def test_going_back(surface: PageSurface, site: Site) -> None:
    await _look(surface, site, "/two")
    seen = await _look(surface, site, "/mouse")
    assert (await surface.act(Back(), seen)).ok
    assert (await surface.observe()).title == "Two"


async def test_suggestions_are_chosen(surface: PageSurface, site: Site) -> None:
    seen = await _look(surface, site, "/city")
    await surface.act(Type(target=on("City"), text="Ber"), seen)
    seen = await surface.observe()
    assert {"Bern", "Berlin", "Bergen"} <= {mark.text for mark in seen.marks}
    assert (await surface.act(Select(target=on("City"), option="Berlin"), seen)).ok
    assert next(mark for mark in (await surface.observe()).marks if mark.text == "City").value == "Berlin"


@pytest.mark.parametrize("path", ["/mouse", "/form", "/shadow", "/city"])
async def test_selectors_find_the_same_element(surface: PageSurface, site: Site, path: str) -> None:
    seen = await _look(surface, site, path)
    tried = 0
    for mark in seen.marks:
        if mark.box is None or "disabled" in mark.states or mark.role == "option":
            continue
        done = await surface.act(Hover(target=Target(ref=mark.ref)), seen)
        if not done.ok:
            continue
        found = done.data["selector"]
        scope: object = surface.session.page
        for frame in found["frames"]:  # type: ignore[index]
            scope = scope.frame_locator(frame)  # type: ignore[attr-defined]
        assert await scope.locator(found["css"]).count() == 1, (mark.ref, found)  # type: ignore[attr-defined,index]
        tried += 1
    assert tried
