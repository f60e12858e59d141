"""The browser itself: what it can reach, and how it ends."""

from __future__ import annotations

import asyncio
import socket
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from llava_agent.egress import AllowList
from llava_agent.errors import PermissionDenied, ToolError
from tests.tools.site import Site
from tools.action import Click, Navigate, Select, Target, Type
from tools.browser import BrowserSession, PageSurface, find_browser
from tools.browser.find import SETTING

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def elsewhere() -> AsyncIterator[Site]:
    """A server that is not permitted."""
    other = Site()
    yield other
    other.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def session(site: Site) -> AsyncIterator[BrowserSession]:
    async with BrowserSession(AllowList.of(site.url), viewport=(800, 600), accept_dialogs=True) as session:
        yield session


async def test_no_way_leads_to_another_host(session: BrowserSession, site: Site, elsewhere: Site) -> None:
    surface = PageSurface(session)
    site.redirect = elsewhere.url + "/redirected"
    await surface.open(site.url + "/two")
    port = elsewhere.url.rpartition(":")[2]
    await session.page.evaluate(
        """([url, port, own]) => Promise.allSettled([
             fetch(url + "/fetched", {mode: "no-cors"}),
             fetch(own + "/leave", {mode: "no-cors"}),
             new Promise((done) => { const i = new Image(); i.onload = i.onerror = done;
                                     i.src = url + "/image"; }),
             new Promise((done) => { const f = document.createElement("iframe"); f.onload = done;
                                     f.src = url + "/frame"; document.body.append(f);
                                     setTimeout(done, 500); }),
             new Promise((done) => { const s = new WebSocket(`ws://127.0.0.1:${port}/socket`);
                                     s.onopen = s.onerror = done; }),
             navigator.sendBeacon(url + "/beacon", "x"),
             new Promise((done) => { window.open(url + "/popup"); setTimeout(done, 500); }),
             new Promise((done) => { const b = URL.createObjectURL(new Blob(
               [`<script>fetch("${url}/blob")</` + "script>"], {type: "text/html"}));
               const f = document.createElement("iframe"); f.src = b; document.body.append(f);
               setTimeout(done, 500); }),
             navigator.serviceWorker ? navigator.serviceWorker.register("/sw.js") : null,
           ])""",
        [elsewhere.url, port, site.url],
    )
    while len(session.pages) > 1:
        await session.pages[-1].close()
    assert elsewhere.seen == []
    blocked = [notice.text for notice in session.watch.drain() if notice.kind == "blocked"]
    for part in ("/fetched", "/redirected", "/image", "/frame", "/socket", "/popup", "/blob"):
        assert any(part in text for text in blocked), (part, blocked)
    await session.page.goto(site.url + "/leave")  # the page itself is sent away
    assert "not on the list of permitted hosts" in await session.page.content()
    assert elsewhere.seen == []


LOCAL_PAGES = {
    "data link": """url => { const a = document.createElement('a'); a.href = 'data:text/html,<h1>Fake</h1>';
        document.body.append(a); a.click(); }""",
    "blob page": """url => { location = URL.createObjectURL(new Blob(
        [`<h1>Fake</h1><script>fetch("${url}/from-blob", {mode: "no-cors"})</` + 'script>'],
        {type: 'text/html'})); }""",
    "blob popup": """url => { window.open(URL.createObjectURL(new Blob(
        [`<h1>Fake</h1><img src="${url}/from-popup">`], {type: 'text/html'}))); }""",
    "script link": """url => { location = `javascript:fetch("${url}/from-script", {mode: "no-cors"})`; }""",
    "worker": """url => { new Worker(URL.createObjectURL(new Blob(
        [`fetch("${url}/from-worker", {mode: "no-cors"})`]))); }""",
    "prefetch": """url => { for (const rel of ['prefetch', 'preload', 'preconnect', 'dns-prefetch']) {
        const l = document.createElement('link'); l.rel = rel; l.as = 'image'; l.href = url + '/from-link';
        document.head.append(l); } }""",
    "form": """url => { const f = document.createElement('form'); f.action = url + '/from-form';
        f.method = 'post'; document.body.append(f); f.submit(); }""",
    "refresh": """url => { const m = document.createElement('meta'); m.httpEquiv = 'refresh';
        m.content = '0;url=' + url + '/from-refresh'; document.head.append(m); }""",
    "sent on leaving": """url => { location = '/form';
        addEventListener('pagehide', () => navigator.sendBeacon(url + '/from-leaving')); }""",
    "user name": """url => fetch(url.replace('//', '//a:b@') + '/from-user', {mode: 'no-cors'})
        .catch(() => 0)""",
    "file": """url => { location = 'file:///etc/passwd'; }""",
    "call": """url => { const p = new RTCPeerConnection({iceServers: [{urls: 'stun:' + new URL(url).host}]});
        p.createDataChannel('x'); p.createOffer().then((offer) => p.setLocalDescription(offer)); }""",
}


@pytest.mark.parametrize("way", LOCAL_PAGES)
async def test_no_page_made_in_the_browser_gets_around(
    session: BrowserSession, site: Site, elsewhere: Site, way: str
) -> None:
    surface = PageSurface(session)
    await surface.open(site.url + "/two")
    session.watch.drain()
    await session.page.evaluate(LOCAL_PAGES[way], elsewhere.url)
    await asyncio.sleep(0.5)
    await surface.observe()
    shown = [page.url for page in session.pages]
    while len(session.pages) > 1:
        await session.pages[-1].close()
    assert elsewhere.seen == []
    # What is in front is a page of the listed host; one that was made up in the browser is left again.
    assert all(url.startswith((site.url, "about:", "chrome-error:")) for url in shown), shown


async def test_opening(session: BrowserSession, site: Site, elsewhere: Site) -> None:
    surface = PageSurface(session)
    with pytest.raises(PermissionDenied, match="not on the list"):
        await surface.open(elsewhere.url)
    missing = await surface.open(site.url + "/missing")
    assert missing.reason == "http_error" and "404" in missing.detail


async def test_an_unreachable_server_gets_a_sentence(session: BrowserSession) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
    async with BrowserSession(AllowList.of(url)) as lonely:
        surface = PageSurface(lonely)
        with pytest.raises(ToolError, match=r"cannot be reached \(connection refused\): check the address"):
            await surface.open(url)
        seen = await surface.observe()
        refused = await surface.act(Navigate(url=url), seen)
        assert refused.reason == "page_error" and "connection refused" in refused.detail


async def test_dialogs_can_be_accepted(session: BrowserSession, site: Site) -> None:
    surface = PageSurface(session)
    await surface.open(site.url + "/dialog")
    seen = await surface.observe()
    asked = await surface.act(Click(target=Target(text="Ask")), seen)
    assert asked.notices[0].text == "confirm accepted: Really?"
    assert any(mark.text == "yes" for mark in (await surface.observe()).marks)


async def test_pixels_alone(session: BrowserSession, site: Site) -> None:
    """A form is filled from what its screenshot shows."""
    surface = PageSurface(session, observation_mode="pixels")
    await surface.open(site.url + "/form")
    seen = await surface.observe()
    assert {mark.source for mark in seen.marks} <= {"ocr", "pixels"}
    assert all(mark.ref.endswith(f"@{seen.id}") for mark in seen.marks)
    label = next(mark for mark in seen.marks if mark.text == "Serial number")
    right = [
        m for m in seen.marks if m.role == "region" and m.box and label.box and m.box.x0 >= label.box.x1 - 8
    ]
    field = min(right, key=lambda m: abs(m.box.centre[1] - label.box.centre[1]))  # type: ignore[union-attr]
    typed = await surface.act(Type(target=Target(ref=field.ref), text="SN-7"), seen)
    assert typed.ok and typed.data["value"] == "SN-7"
    assert await surface.value(field.ref) == "SN-7"
    low = next(mark for mark in seen.marks if mark.text.startswith("Low"))
    assert (await surface.act(Select(target=Target(ref=low.ref), option="High"), seen)).ok
    assert (await surface.act(Click(target=Target(text="Delete")), seen)).reason == "disabled"
    sent = await surface.act(Click(target=Target(text="Send ticket")), seen)
    assert sent.ok and site.posts()[-1][1].startswith("serial=SN-7&priority=High")
    later = await surface.observe()
    assert any("Saved" in mark.text for mark in later.marks)
    assert (await surface.act(Click(target=Target(ref=field.ref)), seen)).reason == "stale"


async def test_screenshots_at_another_scale(site: Site) -> None:
    async with BrowserSession(AllowList.of(site.url), viewport=(400, 300), scale=2) as sharp:
        surface = PageSurface(sharp)
        await surface.open(site.url + "/swap")
        seen = await surface.observe()
        mark = next(mark for mark in seen.marks if mark.text == "Rename")
        assert mark.box is not None and mark.box.height > 36  # twice the CSS pixels
        x, y = mark.box.centre
        pointed = Target(point={"x": round(x / 0.8), "y": round(y / 0.6)})  # type: ignore[arg-type]
        assert (await surface.act(Click(target=pointed), seen)).ok
        assert any(mark.text == "Second" for mark in (await surface.observe()).marks)


async def test_a_crash_is_told_and_survived(site: Site) -> None:
    session = BrowserSession(AllowList.of(site.url))
    await session.start()
    try:
        surface = PageSurface(session)
        await surface.open(site.url + "/form")
        seen = await surface.observe()
        with pytest.raises(Exception, match=r"crash|closed|abort"):
            await asyncio.wait_for(session.page.goto("chrome://crash"), 10)
        for _ in range(50):
            if session.watch.crashed:
                break
            await asyncio.sleep(0.1)
        outcome = await surface.act(Click(target=Target(text="Send ticket")), seen)
        assert (outcome.ok, outcome.reason) == (False, "crashed")
        assert "crash" in {notice.kind for notice in outcome.notices}
        with pytest.raises(ToolError, match="has crashed: restart the browser session"):
            await surface.observe()
        await session.restart()
        assert (await surface.open(site.url + "/two")).ok
        assert (await surface.observe()).title == "Two"
    finally:
        await session.close()
    with pytest.raises(ToolError, match="not started"):
        await surface.observe()


async def test_finding_a_browser(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own = tmp_path / "my-browser"
    monkeypatch.setenv(SETTING, str(own))
    with pytest.raises(ToolError, match="no executable file"):
        find_browser()
    own.write_text("#!/bin/sh\nexit 1\n")
    own.chmod(own.stat().st_mode | stat.S_IXUSR)
    assert find_browser() == own
    with pytest.raises(ToolError, match="does not start"):
        await BrowserSession(AllowList()).start()
    monkeypatch.delenv(SETTING)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_browser() is None
    (tmp_path / "google-chrome").symlink_to(own)
    assert find_browser() == tmp_path / "google-chrome"
