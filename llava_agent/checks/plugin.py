"""pytest: `expect_visual(page).to_show("...")` on a page of Playwright's synchronous API (pytest-playwright).

The plugin is loaded by pytest on its own and gives the fixture `expect_visual`; the function can be imported
as well. What fails is an AssertionError that names the picture with the evidence.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from llava_agent.checks.sighting import Sighting
    from llava_agent.checks.spec import ControlState, Expectation

#: Seconds in which an expectation may still become true, and between two looks.
TIMEOUT = 3.0
_AGAIN = 0.2
#: Where pictures of failures go; in the folder that pytest was started in.
FOLDER = Path("test-results") / "visual"


@pytest.fixture(name="expect_visual")
def _fixture() -> Callable[[Page], VisualExpectations]:
    """`expect_visual(page)` as a fixture."""
    return expect_visual


def expect_visual(page: Page, *, timeout: float = TIMEOUT) -> VisualExpectations:
    """Expectations of a page.

    Args:
        timeout: seconds in which each may still become true.
    """
    return VisualExpectations(page, timeout)


class VisualExpectations:
    """Each method waits until its expectation holds and raises AssertionError where it does not in time."""

    def __init__(self, page: Page, timeout: float) -> None:
        self._page, self._timeout = page, timeout

    def to_show(self, text: str) -> None:
        """The text is visible somewhere on the whole page, in any case."""
        self._expect(shows=text)

    def not_to_show(self, text: str) -> None:
        """It is visible nowhere."""
        self._expect(not_shows=text)

    def to_have_text(self, text: str) -> None:
        """One text, or one field's value, is exactly this."""
        self._expect(text=text)

    def to_count(self, equals: int, *, role: str = "", name: str = "") -> None:
        """So many visible marks have this role and hold this name."""
        self._expect(count={"role": role, "name": name, "equals": equals})

    def to_be(self, state: ControlState, name: str, *, role: str = "") -> None:
        """The control of that name has this state, such as `disabled`."""
        self._expect(state={"name": name, "role": role, "is": state})

    def to_match(self, baseline: Path | str, *, tolerance: float = 0.002) -> None:
        """The window equals a stored picture; a missing one fails."""
        self._expect(matches={"baseline": baseline, "tolerance": tolerance})

    def _expect(self, **one: Any) -> None:
        from llava_agent.checks.judge import judge
        from llava_agent.checks.report import write_picture
        from llava_agent.checks.spec import Expectation

        expectation: Expectation = Expectation.model_validate(one)
        deadline = time.monotonic() + self._timeout
        while True:
            verdict = judge(expectation, _look(self._page), Path.cwd(), None)
            if verdict.status == "pass":
                return
            if time.monotonic() >= deadline:
                break
            time.sleep(_AGAIN)
        picture = write_picture(verdict, FOLDER)
        raise AssertionError(f"{verdict.words}: {verdict.status}, {verdict.detail} (see {picture})")


def _look(page: Page) -> Sighting:
    """The whole page, from top to bottom, through the scripts that the agent looks with."""
    from llava_agent.checks.sighting import MOST_PARTS, Part, Sighting
    from tools.browser.script import script
    from tools.marks.dom import NODES, OPTIONS, checked, program

    most, text = 10_000, 20_000
    options = {"limit": most, "nodes": NODES, "options": OPTIONS, "everywhere": False, "text": text}
    scroll, collector = script("scroll.js"), program("places.js", "names.js", "collect.js")
    scale = float(page.evaluate("() => window.devicePixelRatio"))
    page.evaluate(scroll, -1e6)
    parts: list[Part] = []
    for _ in range(MOST_PARTS):
        handle = page.evaluate_handle(collector, options)
        found = handle.evaluate("found => ({marks: found.marks})")
        handle.dispose()
        marks = tuple(one.mark for one in checked(found, scale, most, text))
        parts.append(Part(marks, page.screenshot(type="png")))
        place = page.evaluate(scroll, 0)
        if place["room"] <= 1 or place["top"] >= place["room"] - 1:
            return Sighting(tuple(parts), exact=True)
        page.evaluate(scroll, 0.8)
    return Sighting(tuple(parts), exact=True, whole=False)
