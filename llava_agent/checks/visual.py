"""`expect_visual(page).to_show("...")`: expectations of a page of Playwright, in its synchronous or
asynchronous API.

Each method waits until its expectation holds and raises AssertionError, with a picture of the evidence,
where it
does not in time. On a page of the asynchronous API each is awaited.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload
from weakref import WeakKeyDictionary

from tools.observation import Notice

if TYPE_CHECKING:
    from playwright.async_api import Page as AsyncPage
    from playwright.sync_api import Page as SyncPage

    from llava_agent.checks.expectation import ControlState, Edge, Expectation, Named, Region
    from llava_agent.checks.sighting import Sighting
    from llava_agent.checks.verdict import Verdict

#: Seconds in which an expectation may still become true, and between two looks.
TIMEOUT = 3.0
_AGAIN = 0.2
#: Where pictures of failures go; in the folder that the program was started in.
FOLDER = Path("test-results") / "visual"

_Result = TypeVar("_Result")
#: Errors of each page since `expect_visual` first saw it.
_faults: WeakKeyDictionary[Any, list[Notice]] = WeakKeyDictionary()


@overload
def expect_visual(page: SyncPage, *, timeout: float = TIMEOUT) -> VisualExpectations: ...
@overload
def expect_visual(page: AsyncPage, *, timeout: float = TIMEOUT) -> AsyncVisualExpectations: ...
def expect_visual(
    page: SyncPage | AsyncPage, *, timeout: float = TIMEOUT
) -> VisualExpectations | AsyncVisualExpectations:
    """Expectations of a page. `to_have_no_errors` knows of errors since the first call for the page.

    Args:
        timeout: seconds in which each may still become true.
    """
    from playwright.async_api import Page as AsyncPage

    if page not in _faults:
        _faults[page] = _listening(page)
    if isinstance(page, AsyncPage):
        return AsyncVisualExpectations(page, timeout)
    return VisualExpectations(page, timeout)


class _Expectations(Generic[_Result]):
    """One method for each expectation of a spec; things are named as there."""

    def __init__(self, page: Any, timeout: float) -> None:
        self._page, self._timeout = page, timeout

    def _expect(self, **one: Any) -> _Result:
        raise NotImplementedError

    def to_show(self, text: Named) -> _Result:
        """The text can be read somewhere on the whole page, in any case."""
        return self._expect(shows=text)

    def not_to_show(self, text: Named) -> _Result:
        """It can be read nowhere."""
        return self._expect(not_shows=text)

    def to_have_text(self, text: Named) -> _Result:
        """One text, or one field's value, is exactly this."""
        return self._expect(text=text)

    def to_have_pattern(self, pattern: str) -> _Result:
        """Some text holds this; `#` a digit, `@` a letter, `*` anything without a blank."""
        return self._expect(pattern=pattern)

    def to_count(self, equals: int, *, role: str = "", name: str = "") -> _Result:
        """So many visible marks have this role and hold this name."""
        return self._expect(count={"role": role, "name": name, "equals": equals})

    def to_be(self, state: ControlState, name: str, *, role: str = "") -> _Result:
        """The control of that name has this state, such as `disabled`."""
        return self._expect(state={"name": name, "role": role, "is": state})

    def to_have_colour(
        self, of: Named, colour: str, *, part: str | None = None, tolerance: float = 8.0
    ) -> _Result:
        """Its letters or its ground have the colour, by the pixels."""
        return self._expect(colour={"of": of, "is": colour, "part": part, "tolerance": tolerance})

    def to_have_contrast(self, at_least: float = 4.5, *, of: Named = "everything") -> _Result:
        """The text stands out from its ground, by WCAG's ratio."""
        return self._expect(contrast={"of": of, "at_least": at_least})

    def to_be_aligned(self, *things: Named, by: Edge, tolerance: float = 2.0) -> _Result:
        """Edges or middles in one line."""
        return self._expect(aligned={"things": things, "by": by, "tolerance": tolerance})

    def to_overlap(self, one: Named, other: Named) -> _Result:
        """They lie over each other."""
        return self._expect(overlaps=(one, other))

    def not_to_overlap(self, *things: Named) -> _Result:
        """No two of them lie over each other; nothing on the page does where none is given."""
        return self._expect(no_overlap=things or "everything")

    def to_be_cut_off(self, text: Named) -> _Result:
        """A part of the text cannot be seen."""
        return self._expect(cut_off=text)

    def not_to_be_cut_off(self, text: Named = "everything") -> _Result:
        """All of it can."""
        return self._expect(not_cut_off=text)

    def to_be_in_order(self, *things: Named) -> _Result:
        """From the top and from the left."""
        return self._expect(order=things)

    def to_be_above(self, one: Named, other: Named) -> _Result:
        return self._expect(above=(one, other))

    def to_be_below(self, one: Named, other: Named) -> _Result:
        return self._expect(below=(one, other))

    def to_be_left_of(self, one: Named, other: Named) -> _Result:
        return self._expect(left_of=(one, other))

    def to_be_right_of(self, one: Named, other: Named) -> _Result:
        return self._expect(right_of=(one, other))

    def to_show_image(self, name: Named = "everything") -> _Result:
        """It is loaded and seen."""
        return self._expect(image=name)

    def to_have_no_errors(self, *, ignore: tuple[str, ...] = ()) -> _Result:
        """No error on the console, no failed request, no answer of 400 or more."""
        return self._expect(no_errors={"ignore": ignore})

    def to_match(
        self, baseline: Path | str, *, tolerance: float = 0.002, masks: tuple[Region | Named, ...] = ()
    ) -> _Result:
        """The window equals a stored picture; a missing one fails."""
        return self._expect(matches={"baseline": baseline, "tolerance": tolerance, "masks": masks})


class VisualExpectations(_Expectations[None]):
    """On a page of the synchronous API."""

    def _expect(self, **one: Any) -> None:
        from llava_agent.checks.look.page import look_now

        expectation, deadline = _expectation(one), time.monotonic() + self._timeout
        while True:
            began = time.monotonic()
            verdict = _judged(expectation, look_now(self._page), self._page)
            if verdict.status == "pass":
                return
            if began >= deadline:
                raise AssertionError(_said(verdict))
            time.sleep(_AGAIN)


class AsyncVisualExpectations(_Expectations[Awaitable[None]]):
    """On a page of the asynchronous API."""

    async def _expect(self, **one: Any) -> None:
        from llava_agent.checks.look.page import look_at

        expectation, deadline = _expectation(one), time.monotonic() + self._timeout
        while True:
            began = time.monotonic()
            seen = await look_at(self._page)
            verdict = await asyncio.to_thread(_judged, expectation, seen, self._page)
            if verdict.status == "pass":
                return
            if began >= deadline:
                raise AssertionError(_said(verdict))
            await asyncio.sleep(_AGAIN)


def _expectation(one: dict[str, Any]) -> Expectation:
    from llava_agent.checks.expectation import Expectation

    found: Expectation = Expectation.model_validate(one)
    return found


def _judged(expectation: Expectation, seen: Sighting, page: Any) -> Verdict:
    from dataclasses import replace

    from llava_agent.checks.judge import judge

    return judge(expectation, replace(seen, notices=tuple(_faults[page])), Path.cwd(), None)


def _said(verdict: Verdict) -> str:
    from llava_agent.checks.report import write_picture

    return f"{verdict.words}: {verdict.status}, {verdict.detail} (see {write_picture(verdict, FOLDER)})"


def _listening(page: Any) -> list[Notice]:
    found: list[Notice] = []

    def console(message: Any) -> None:
        # A failed load is told with its status by the answer.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            found.append(Notice("console_error", message.text[:300]))

    def answered(response: Any) -> None:
        if response.status >= 400 and not response.url.endswith("/favicon.ico"):
            found.append(Notice("http_error", f"{response.url} was answered with {response.status}"))

    page.on("console", console)
    page.on("pageerror", lambda error: found.append(Notice("console_error", str(error)[:300])))
    page.on("response", answered)
    page.on("requestfailed", lambda request: found.append(Notice("request_failed", request.url[:300])))
    return found
