"""From a target that the policy named to a live element and a point that reaches it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tools.action import Point, Target
from tools.mark import Mark
from tools.marks.dom import Collection, DomMark, program
from tools.observation import Observation, Outcome

if TYPE_CHECKING:
    from playwright.async_api import ElementHandle, JSHandle, Page

#: Roles that a text target means before it means a plain text that says the same.
_PASSIVE = frozenset({"text", "heading", "img", "alert", "status", "region"})


@dataclass(frozen=True, slots=True)
class Located:
    """A live target, free to be used.

    Attributes:
        element: None where a point lies on nothing.
        at: CSS pixels in the window; None for an option of a closed list.
        about: what `probe.js` says of it (`tag`, `type`, `editable`, `readonly`, `native`).
        name: in words, for the report.
        dom: the mark it was found by, None for a point.
        node: the element, or the range of text that has none of its own; None where a point lies on nothing.
    """

    element: ElementHandle | None
    at: tuple[float, float] | None
    about: dict[str, Any]
    name: str
    dom: DomMark | None = None
    node: JSHandle | None = None


@dataclass(frozen=True, slots=True)
class View:
    """What a target is resolved against: the page, and what was seen of it."""

    page: Page
    observation: Observation
    collection: Collection | None
    size: tuple[int, int]
    scale: float


async def locate(target: Target, view: View) -> Located | Outcome:
    """The live target, or why there is none: `not_found`, `stale`, `disabled`, `off_screen`, `covered`."""
    if target.point is not None:
        return await _at(view, _pixel(target.point, view.size), f"({target.point.x}, {target.point.y})")
    mark = view.observation.mark(target.ref) if target.ref is not None else _by_text(view, target.text or "")
    if isinstance(mark, Outcome):
        return mark
    if mark is None:
        return Outcome(False, "not_found", f"{target.ref!r} is none of the marks of this observation")
    name = f'"{mark.text}" {mark.role}' if mark.text else mark.role
    if mark.source == "dom":
        return await _live(view, mark, name)
    if mark.box is None:
        return Outcome(False, "not_found", f"{name} has no place on the screen")
    x, y = mark.box.centre
    return await _at(view, (x / view.scale, y / view.scale), name)


def _pixel(point: Point, size: tuple[int, int]) -> tuple[float, float]:
    """CSS pixels of a point in thousandths; the last thousandth is still inside the window."""
    return min(point.x * size[0] / 1000, size[0] - 1), min(point.y * size[1] / 1000, size[1] - 1)


def _by_text(view: View, text: str) -> Mark | Outcome:
    """The mark with that text, else the only one that contains it; controls come before texts."""
    wanted = _plain(text)
    if not wanted:
        return Outcome(False, "invalid", "the text of the target is empty")
    said = [(mark, _plain(mark.text)) for mark in view.observation.marks]
    for matching in (
        [mark for mark, words in said if words == wanted],
        [mark for mark, words in said if wanted in words],
    ):
        active = [mark for mark in matching if mark.role not in _PASSIVE] or matching
        if len(active) == 1:
            return active[0]
        if active:
            return Outcome(
                False, "not_found", f"{len(active)} marks say {text!r}; choose one of them by its ref"
            )
    return Outcome(False, "not_found", f"nothing on the screen says {text!r}")


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold().rstrip(":* ")


async def _live(view: View, mark: Mark, name: str) -> Located | Outcome:
    from playwright.async_api import Error

    dom = view.collection.find(mark.ref) if view.collection else None
    if dom is None or view.collection is None:
        return Outcome(False, "stale", f"{name} belongs to an earlier look at the page")
    try:
        handle = await view.collection.handle.evaluate_handle("(found, at) => found.elements[at]", dom.index)
    except Error:  # the page was replaced, and its elements with it
        return Outcome(False, "stale", f"{name} is gone: the page has changed")
    return await _probe(view, handle, name, dom)


async def _probe(view: View, handle: JSHandle, name: str, dom: DomMark) -> Located | Outcome:
    about = await view.page.evaluate(
        program("places.js", "names.js", "probe.js", argument="argument"),
        [handle, dom.mark.role, dom.mark.text],
    )
    match about["state"]:
        case "stale":
            return Outcome(False, "stale", f"{name} is gone or has become something else")
        case "disabled":
            return Outcome(False, "disabled", f"{name} is disabled")
        case "off_screen":
            return Outcome(False, "off_screen", f"{name} cannot be scrolled into the window")
        case "covered":
            by = f" by {about['by']!r}" if about.get("by") else ""
            return Outcome(False, "covered", f"{name} is covered{by}")
    at = (float(about["x"]), float(about["y"])) if "x" in about else None
    return Located(handle.as_element(), at, about, name, dom, handle)


async def _at(view: View, at: tuple[float, float], name: str) -> Located | Outcome:
    """What is at a point. It is not probed further: whatever is visible there is what was pointed at."""
    width, height = view.size
    if not (0 <= at[0] < width and 0 <= at[1] < height):
        return Outcome(False, "off_screen", f"{name} lies outside the window")
    element = await element_at(view.page, at)
    if element is None:
        return Located(None, at, {"tag": "", "type": "", "editable": "", "native": ""}, name)
    about = await view.page.evaluate(
        program("places.js", "names.js", "probe.js", argument="argument"), [element, "", ""]
    )
    if about["state"] in ("stale", "disabled"):
        return Outcome(False, about["state"], f"what is at {name} is {about['state']}")
    return Located(element, at, about, name, node=element)


async def resting(target: Target, view: View) -> JSHandle | Outcome | None:
    """The live node of a target, which stays where it is; None where a point lies on nothing."""
    mark = view.observation.mark(target.ref) if target.ref is not None else None
    if target.text is not None:
        found = _by_text(view, target.text)
        if isinstance(found, Outcome):
            return found
        mark = found
    dom = view.collection.find(mark.ref) if view.collection and mark is not None else None
    if dom is not None and view.collection is not None:
        return await view.collection.handle.evaluate_handle("(found, at) => found.elements[at]", dom.index)
    located = await locate(target, view)
    return located if isinstance(located, Outcome) else located.node


async def element_at(page: Page, at: tuple[float, float]) -> ElementHandle | None:
    """The control (or else the innermost element) at a point of the window in CSS pixels."""
    handle = await page.evaluate_handle(program("places.js", "point.js", argument="argument"), list(at))
    return handle.as_element()
