"""The browser's page as a surface: what an agent sees of it and how it acts on it."""

from __future__ import annotations

import asyncio
import io
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from PIL import Image

from llava_agent.errors import PermissionDenied, ToolError
from tools.action import Action, Back, Dialog, Effect, Navigate, Press, Scroll, Tab, Wait, WaitFor, effect
from tools.browser import acts
from tools.browser.paint import paint_over
from tools.browser.script import script, script_body
from tools.browser.session import BrowserSession
from tools.browser.settle import settle, wait_for
from tools.browser.target import View, element_at, resting
from tools.geometry import Box
from tools.mark import Mark
from tools.marks.dom import LIMIT, TEXT, Collection, collect, program
from tools.observation import Observation, Outcome
from tools.photo import pixel_sha256

if TYPE_CHECKING:
    from playwright.async_api import JSHandle, Page

ObservationMode = Literal["hybrid", "pixels"]

#: Part of the window's height that one scroll moves.
_SCROLL = 0.8
#: The same as (across, down).
_WAYS = {"up": (0, -_SCROLL), "down": (0, _SCROLL), "left": (-_SCROLL, 0), "right": (_SCROLL, 0)}
_TRIES = 4
#: A page that does not answer in this many seconds cannot be looked at.
_LOOK_SECONDS = 15.0
#: An action on the page takes at most this many seconds.
_ACT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class _Seen:
    """The last look: what refs and points are resolved against."""

    observation: Observation
    page: Page
    scroll: tuple[float, float]
    collection: Collection | None


class PageSurface:
    """A `tools.observation.Surface` over the front tab of a browser session.

    Args:
        session: started by the caller, and ended by it (`close` ends it too).
        observation_mode: `hybrid` marks what the page's structure says, `pixels` what the screenshot shows.
        uploads: the only files that an upload may send.
        downloads: folder that keeps what is downloaded; None refuses downloads.
        limit: most marks of an observation.
        text: most characters of a mark's text.
    """

    def __init__(
        self,
        session: BrowserSession,
        *,
        observation_mode: ObservationMode = "hybrid",
        uploads: Sequence[Path] = (),
        downloads: Path | None = None,
        limit: int = LIMIT,
        text: int = TEXT,
    ) -> None:
        self.session = session
        self.mode = observation_mode
        self._hands = acts.Hands(session, {path.name: path.resolve() for path in uploads}, downloads)
        self._limit, self._text = limit, text
        self._concealed: list[str] = []
        self._numbers = itertools.count(1)
        self._seen: _Seen | None = None

    async def open(self, url: str) -> Outcome:
        """Load the first page; an answer with an error status is an outcome, not an exception.

        Raises:
            PermissionDenied: the host is not listed.
            ToolError: the server cannot be reached, or the browser has crashed.
        """
        since = self.session.watch.now()
        await self.session.open(url)
        await settle(self.session)
        return self._result(since, f"opened {url}")

    async def observe(self) -> Observation:
        """Look at the front tab.

        Raises:
            ToolError: the browser has crashed, or the page cannot be looked at.
        """
        from playwright.async_api import Error

        error: Exception | None = None
        for _ in range(_TRIES):
            page = self.session.page
            try:
                await settle(self.session)
                return await asyncio.wait_for(self._look(page), _LOOK_SECONDS)
            except TimeoutError:
                error = TimeoutError(f"it does not answer in {_LOOK_SECONDS:g} seconds")
                break
            except Error as problem:  # it navigated while it was looked at, or crashed
                error = problem
                await asyncio.sleep(0.1)
        self.session.page  # noqa: B018  (says so where it was a crash)
        cause = str(error).splitlines()[0]
        raise ToolError(f"the page cannot be looked at ({cause})", "reload it or restart the browser session")

    async def act(self, action: Action, observation: Observation) -> Outcome:
        """Carry out an action whose refs and points come from the last observation.

        `data` of the outcome: `url`, `responses` (to documents and fetches that the action caused,
        with their status), and `value`, `path` or `tabs` where the action has them. A status of 400 or more
        makes the outcome `http_error` although the action itself was carried out.
        """
        from playwright.async_api import Error
        from playwright.async_api import TimeoutError as Late

        if self.session.watch.crashed:
            return self._crashed()
        watch = self.session.watch
        since = watch.now()
        known = len(watch.peek())
        front: Page | None = None
        try:
            front, tabs = self.session.page, len(self.session.pages)
            outcome = await asyncio.wait_for(self._do(action, observation), self._limit_seconds(action))
            if outcome.ok:
                await settle(self.session)
                opened = len(self.session.pages) - tabs
                data = {**outcome.data, "tabs": opened} if opened > 0 else outcome.data
                outcome = self._result(since, outcome.detail, data)
        except (TimeoutError, Late):
            outcome = Outcome(False, "timeout", f"{action.verb} did not finish in time")
        except Error as error:
            if not watch.crashed:
                await asyncio.sleep(0.05)  # the crash is reported a moment after the failed call
            outcome = self._broken(action, error, front, since)
        except ToolError as error:
            outcome = Outcome(False, "page_error", str(error))
        if watch.crashed:
            return self._crashed()
        return replace(outcome, notices=watch.peek()[known:])

    async def value(self, ref: str) -> str | None:
        """The live value of a field: its text, the chosen option, `checked` or `unchecked`.

        None where the ref names no field of the page as it is now.
        """
        from playwright.async_api import Error

        read = program("field.js", argument="argument")
        page = self.session.page
        try:
            mark = self._seen.observation.mark(ref) if self._seen else None
            if mark is not None and mark.source != "dom" and mark.box is not None:
                x, y = mark.box.centre
                element = await element_at(page, (x / self.session.scale, y / self.session.scale))
                return None if element is None else await page.evaluate(read, element)
            found = await collect(page, limit=4000, everywhere=True)
            try:
                dom = found.find(ref)
                if dom is None:
                    return None
                return await found.handle.evaluate(f"(found, at) => ({read})(found.elements[at])", dom.index)
            finally:
                await found.handle.dispose()
        except Error:
            return None

    def effect(self, action: Action, observation: Observation) -> Effect:
        """`irreversible` for what sends a form: a click on its submit button, or Enter."""
        if isinstance(action, Press):
            return effect(action, submits=action.key == "Enter")
        target = getattr(action, "target", None)
        collection = self._seen.collection if self._seen else None
        dom = collection.find(target.ref) if target and target.ref and collection else None
        return effect(action, submits=dom.submits if dom else action.verb == "click")

    async def close(self) -> None:
        await self.session.close()

    def conceal(self, texts: Sequence[str]) -> None:
        """Paint these texts over in every screenshot from now on."""
        self._concealed = list(texts)

    # Looking

    async def _shot(self, page: Page) -> tuple[bytes, Image.Image]:
        """The screenshot as PNG and decoded; what is to be concealed is painted over in both."""
        before = await self._secret_places(page)
        shot = await page.screenshot(type="png", timeout=_ACT_SECONDS * 1000)
        image = Image.open(io.BytesIO(shot)).convert("RGB")
        # Twice, because the page may have moved while the picture was taken.
        places = before + await self._secret_places(page)
        return paint_over(image, places) if places else (shot, image)

    async def _secret_places(self, page: Page) -> list[Box]:
        if not self._concealed:
            return []
        found = await page.evaluate(_conceal(), self._concealed)
        return [Box(*map(float, corners)).scaled(self.session.scale) for corners in found]

    async def _look(self, page: Page) -> Observation:
        number = f"page-{next(self._numbers)}"
        collection = (
            await collect(page, scale=self.session.scale, limit=self._limit, text=self._text)
            if self.mode == "hybrid"
            else None
        )
        shot, image = await self._shot(page)
        marks = (
            tuple(one.mark for one in collection.marks)
            if collection
            else await asyncio.to_thread(_pixel_marks, image, number, self._limit)
        )
        place = await page.evaluate(script("scroll.js"), 0)
        observation = Observation(
            id=number,
            surface="page",
            address=page.url,
            title=(await page.title())[:200],
            marks=marks,
            screenshot=shot,
            image_sha256=pixel_sha256(image),
            scroll=min(1.0, place["top"] / place["room"]) if place["room"] > 1 else None,
            notices=self.session.watch.drain(),
        )
        if self._seen and self._seen.collection:
            await _forget(self._seen.collection)
        self._seen = _Seen(observation, page, (place["top"], place["room"]), collection)
        return observation

    # Acting

    async def _do(self, action: Action, observation: Observation) -> Outcome:
        match action:
            case Navigate(url=url):
                return await self._navigate(url)
            case Back():
                return await self._back()
            case Scroll(direction="up" | "down" as direction, target=None):
                return await self._scroll(-_SCROLL if direction == "up" else _SCROLL)
            case Scroll():
                return await self._scroll_in(action, observation)
            case WaitFor():
                return await wait_for(self.session, action)
            case Dialog():
                self.session.watch.answer_next(action.accept, action.text)
                return Outcome(
                    True, detail=f"the next dialog is {'accepted' if action.accept else 'dismissed'}"
                )
            case Wait(seconds=seconds):
                await asyncio.sleep(seconds)
                return Outcome(True, detail=f"waited {seconds:g} seconds")
            case Tab(index=index):
                if await self.session.show(index):
                    return Outcome(True, detail=f"tab {index} is in front")
                return Outcome(
                    False, "not_found", f"there is no tab {index}: {len(self.session.pages)} are open"
                )
            case Press(key=key, count=count):
                return await self._hands.press(key, count)
        if action.verb in ("screenshot", "look", "done"):
            return Outcome(True)
        view = await self._view(observation)
        return view if isinstance(view, Outcome) else await self._hands.use(action, view)

    async def _view(self, observation: Observation) -> View | Outcome:
        """What targets are resolved against; refused where the page is no longer the one that was seen."""
        seen, page = self._seen, self.session.page
        if seen is None or seen.observation.id != observation.id:
            return Outcome(False, "stale", "a later look at the page has replaced that observation")
        if seen.page is not page or page.url != seen.observation.address:
            return Outcome(False, "stale", "another page has come up since that observation")
        if seen.collection is None:
            place = await page.evaluate(script("scroll.js"), 0)
            if abs(place["top"] - seen.scroll[0]) > 1:
                return Outcome(False, "stale", "the page has been scrolled since that observation")
        return View(page, observation, seen.collection, self.session.viewport, self.session.scale)

    async def _navigate(self, url: str) -> Outcome:
        try:
            await self.session.open(url, _ACT_SECONDS)
        except PermissionDenied as error:
            return Outcome(False, "denied", str(error))
        return Outcome(True, detail=f"opened {url}")

    async def _back(self) -> Outcome:
        was = self.session.page.url
        await self.session.page.go_back(wait_until="commit", timeout=_ACT_SECONDS * 1000)
        if self.session.page.url == was:
            return Outcome(False, "not_found", "there is no page before this one")
        return Outcome(True, detail=f"back to {self.session.page.url}")

    async def _scroll_in(self, scroll: Scroll, observation: Observation) -> Outcome:
        """Scroll the box around a target, or the page sideways."""
        node: JSHandle | Outcome | None = None
        name = "the page" if scroll.target is None else "the box around the target"
        if scroll.target is not None:
            view = await self._view(observation)
            node = view if isinstance(view, Outcome) else await resting(scroll.target, view)
            if isinstance(node, Outcome):
                return node
        across, down = _WAYS[scroll.direction]
        moved = await self.session.page.evaluate(script("scroll_in.js"), [node, across, down])
        if moved is None:
            return Outcome(False, "not_found", f"{name} does not scroll {scroll.direction}")
        if moved < 1:
            return Outcome(True, detail=f"{name} is already at its end")
        return Outcome(True, detail=f"scrolled {name} {scroll.direction} by {moved:.0f} pixels")

    async def _scroll(self, heights: float) -> Outcome:
        page = self.session.page
        before = await page.evaluate(script("scroll.js"), 0)
        after = await page.evaluate(script("scroll.js"), heights)
        if abs(after["top"] - before["top"]) < 1:
            return Outcome(True, detail=f"the page is already at its {'end' if heights > 0 else 'start'}")
        return Outcome(True, detail=f"scrolled to {after['top']:.0f} of {after['room']:.0f} pixels")

    def _limit_seconds(self, action: Action) -> float:
        return _ACT_SECONDS * 2 + (action.seconds if isinstance(action, Wait | WaitFor) else 0)

    def _result(self, since: float, detail: str, data: dict[str, object] | None = None) -> Outcome:
        answers = self.session.watch.answers(since)
        found: dict[str, object] = {
            **(data or {}),
            "url": self.session.page.url,
            "responses": [answer.as_dict() for answer in answers],
        }
        failed = next((answer for answer in answers if answer.status >= 400), None)
        if failed is None:
            return Outcome(True, detail=detail, data=found)
        cause = f"the server answered {failed.method} {failed.url} with {failed.status}"
        return Outcome(False, "http_error", f"{detail}; {cause}", data=found)

    def _broken(self, action: Action, error: Exception, front: Page | None, since: float) -> Outcome:
        """What a call that failed on the way came to: a tab that its own click has closed is no failure."""
        closed = front is not None and front.is_closed()
        if action.verb in ("click", "press") and closed and self.session.pages:
            return self._result(since, f"{action.verb} closed the tab")
        return Outcome(False, "page_error", f"{action.verb} failed: {str(error).splitlines()[0]}")

    def _crashed(self) -> Outcome:
        return Outcome(False, "crashed", "the browser has crashed", notices=self.session.watch.peek())


@cache
def _conceal() -> str:
    places = program("places.js", argument="argument").removesuffix("}")
    return f"{places}{script_body('conceal.js')}\n}}"


def _pixel_marks(image: Image.Image, number: str, limit: int) -> tuple[Mark, ...]:
    """Marks found in the screenshot alone, with refs bound to their observation."""
    from tools.marks.pixels import read_screen

    return tuple(replace(mark, ref=f"{mark.ref}@{number}") for mark in read_screen(image)[:limit])


async def _forget(collection: Collection) -> None:
    from playwright.async_api import Error

    try:
        await collection.handle.dispose()
    except Error:
        return  # its page is gone
