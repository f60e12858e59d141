"""What the mouse does: clicks of all kinds, resting, dragging."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from tools.browser.target import Located
from tools.observation import Outcome

if TYPE_CHECKING:
    from playwright.async_api import Page

#: Positions between the ends of a drag: pages follow the pointer, and native dragging starts after some way.
_STEPS = 8
_KINDS = {2: "double-", 3: "triple-"}


async def click(page: Page, to: Located, button: Literal["left", "middle", "right"], count: int) -> Outcome:
    """Click once or more with one of the buttons."""
    if to.at is None:
        return Outcome(False, "off_screen", f"{to.name} has no place on the screen")
    await page.mouse.click(*to.at, button=button, click_count=count)
    how = f"{'' if button == 'left' else f'{button}-'}{_KINDS.get(count, '')}clicked"
    return Outcome(True, detail=f"{how} {to.name}")


async def hover(page: Page, to: Located) -> Outcome:
    """Rest on a target."""
    if to.at is None:
        return Outcome(False, "off_screen", f"{to.name} has no place on the screen")
    await page.mouse.move(*to.at, steps=2)
    return Outcome(True, detail=f"resting on {to.name}")


async def drag(page: Page, start: Located, end: Located) -> Outcome:
    """Press on one target and let go on the other. Both have to be in the window at the same time."""
    if start.at is None or end.at is None:
        name = start.name if start.at is None else end.name
        return Outcome(False, "off_screen", f"{name} has no place on the screen")
    await page.mouse.move(*start.at)
    await page.mouse.down()
    try:
        await page.mouse.move(*end.at, steps=_STEPS)
        await page.mouse.move(*end.at)  # a second move over the goal is what lets it accept the drop
    finally:
        await page.mouse.up()
    return Outcome(True, detail=f"dragged {start.name} to {end.name}")
