"""Waiting for a page: until it is still, until it shows something."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from tools.action import WaitFor
from tools.browser.script import script
from tools.browser.session import BrowserSession
from tools.observation import Outcome

if TYPE_CHECKING:
    from playwright.async_api import Page

#: A page that keeps changing is looked at after this many seconds.
SETTLE_SECONDS = 2.0
#: A page is still once it has not changed for this many milliseconds.
_CALM_MS = 60
_POLL = 0.1


async def settle(session: BrowserSession, seconds: float = SETTLE_SECONDS) -> None:
    """Wait until the front page is loaded, still and waits for no request, at most `seconds`.

    A page or tab that has been announced is waited for a little longer: acting on the old one would be wrong.
    """
    from playwright.async_api import Error
    from playwright.async_api import TimeoutError as Late

    end = time.monotonic() + seconds
    while (left := max(end, session.watch.awaited_until()) - time.monotonic()) > 0.01:
        page = session.page
        try:
            await page.wait_for_load_state("domcontentloaded", timeout=left * 1000)
            still = page.evaluate(script("quiet.js"), [_CALM_MS, left * 1000])
            await asyncio.wait_for(still, left + 0.5)  # a page busy in a script never answers
        except (TimeoutError, Late):
            return
        except Error:  # it navigated meanwhile: the next page is waited for
            if session.watch.crashed:
                return
            await asyncio.sleep(0.02)
            continue
        if not session.watch.busy():
            return


async def wait_for(session: BrowserSession, wanted: WaitFor) -> Outcome:
    """Look until the front page shows the text (blanks and case aside), or its address has the part."""
    from playwright.async_api import Error

    end = time.monotonic() + wanted.seconds
    while True:
        page = session.page
        if wanted.url is not None and wanted.url in page.url:
            return Outcome(True, detail=f"the address is {page.url}")
        if wanted.text is not None:
            try:
                left = max(_POLL, end - time.monotonic())
                if await asyncio.wait_for(_shows(page, wanted.text), left):
                    return Outcome(True, detail=f"the page shows {wanted.text!r}")
            except (Error, TimeoutError):  # it navigated meanwhile, or is busy
                await asyncio.sleep(_POLL)
        if time.monotonic() >= end:
            what = f"did not show {wanted.text!r}" if wanted.text else f"did not go to {wanted.url!r}"
            return Outcome(False, "timeout", f"the page {what} in {wanted.seconds:g} seconds")
        await asyncio.sleep(_POLL)


async def _shows(page: Page, text: str) -> bool:
    plain = " ".join(text.split()).casefold()
    for frame in page.frames:
        shown = await frame.evaluate("() => document.body ? document.body.innerText.slice(0, 1e6) : ''")
        if plain in " ".join(str(shown).split()).casefold():
            return True
    return False
