"""Marks from a live page: its own structure gives role, name, value, states and place for nothing.

The work is done in the page by `collect.js`; this module bounds and checks what comes back, because the
page's scripts can reach into the place where it runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from llava_agent.errors import ToolError
from tools.geometry import Box
from tools.mark import Mark

if TYPE_CHECKING:
    from playwright.async_api import JSHandle, Page

#: Marks that a prompt can carry.
LIMIT = 60
#: Elements walked at most; 20,000 take about a tenth of a second.
NODES = 20_000
#: A list with more options is shown by its value alone.
OPTIONS = 12
#: Characters of a text or name that are kept; the page's longer ones end in an ellipsis.
TEXT = 160
_STATES = frozenset(
    {"checked", "mixed", "pressed", "disabled", "readonly"}
    | {"selected", "expanded", "focused", "required", "invalid"}
)


@dataclass(frozen=True, slots=True)
class DomMark:
    """A mark and what only the page knows of it.

    Attributes:
        mark: as the agent sees it.
        index: of the live element in the collection that found it.
        options: labels of a list's options (at most 200); empty for other controls.
        submits: a click sends a form.
    """

    mark: Mark
    index: int
    options: tuple[str, ...] = ()
    submits: bool = False


@dataclass(frozen=True, slots=True)
class Collection:
    """One look at a page's structure.

    Attributes:
        marks: in the page's reading order.
        truncated: there were more elements or marks than the bounds allow.
        handle: the live elements; dispose of it when the next collection replaces it.
    """

    marks: tuple[DomMark, ...]
    truncated: bool
    handle: JSHandle

    def find(self, ref: str) -> DomMark | None:
        return next((one for one in self.marks if one.mark.ref == ref), None)


@cache
def program(*names: str, argument: str = "options") -> str:
    """A JavaScript function of one argument, put together from scripts of this package.

    All but the last hold definitions; the last one returns.
    """
    folder = files("tools.marks")
    body = "\n".join(folder.joinpath(name).read_text(encoding="utf-8") for name in names)
    return f"({argument}) => {{\n{body}\n}}"


async def collect(
    page: Page,
    *,
    scale: float = 1.0,
    limit: int = LIMIT,
    nodes: int = NODES,
    everywhere: bool = False,
    text: int = TEXT,
) -> Collection:
    """Marks of what is visible on `page` now.

    Args:
        page: Playwright's.
        scale: screenshot pixels per CSS pixel.
        limit: most marks; controls are kept first, then options, then texts.
        nodes: most elements walked.
        text: most characters of a text or name.
        everywhere: also controls that are scrolled out of view or covered (their `box` is None).

    Raises:
        playwright.async_api.Error: the page navigated away or crashed meanwhile.
        ToolError: what came back is no list of marks, because the page has replaced parts of the language.
    """
    options = {"limit": limit, "nodes": nodes, "options": OPTIONS, "everywhere": everywhere, "text": text}
    handle = await page.evaluate_handle(program("places.js", "names.js", "collect.js"), options)
    found = await handle.evaluate("found => ({marks: found.marks, truncated: found.truncated})")
    return Collection(checked(found, scale, limit, text), bool(found["truncated"]), handle)


def checked(found: Any, scale: float, limit: int, text: int) -> tuple[DomMark, ...]:
    """What `collect.js` gave, bounded again and as marks; arguments and error as those of `collect`."""
    try:
        return tuple(_mark(raw, scale, text) for raw in found["marks"][:limit])
    except (KeyError, TypeError, ValueError) as error:
        raise ToolError(
            "the page's scripts interfere with looking at it", "look at its pixels alone"
        ) from error


def _mark(raw: dict[str, Any], scale: float, most: int) -> DomMark:
    corners = raw["box"]
    value = raw["value"]
    return DomMark(
        Mark(
            ref=str(raw["ref"])[: 3 * TEXT],
            role=str(raw["role"])[:24],
            text=str(raw["name"])[:most],
            box=Box(*(float(side) for side in corners)).scaled(scale) if corners else None,
            source="dom",
            value=None if value is None else str(value)[:most],
            states=tuple(state for state in raw["states"] if state in _STATES),
        ),
        int(raw["at"]),
        tuple(str(option)[:most] for option in raw["options"] or ()),
        bool(raw["submits"]),
    )
