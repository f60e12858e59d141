"""What is seen of a page or a picture: all of it, part by part, each part with its screenshot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from tools.geometry import Box
from tools.mark import Mark
from tools.observation import Notice

#: A page is looked at in at most so many parts.
MOST_PARTS = 30

Colour = tuple[int, int, int]

#: Why nobody sees a word that is on the page. `faint`: no contrast with its ground; `covered`: something
#: lies over
#: it; `cut`: by the box that it stands in; `scroll`: further on in a box that scrolls; `off`: outside the
#: page;
#: `fold`: outside the window, in another part.
Unseen = Literal[
    "", "cut", "scroll", "off", "fold", "hidden", "faded", "tiny", "covered", "faint", "unreadable"
]


@dataclass(frozen=True, slots=True)
class Word:
    """One word, or all that stands in a field.

    Attributes:
        run: number of the stretch of text that it belongs to.
        glued: no blank before it.
        box: all of it, seen or not, in pixels of the part's screenshot.
        kind: `value` and `placeholder` stand in fields, `ocr` was read from pixels.
        why: why nobody sees it; empty where it is seen.
        over: what lies over it.
        inked: pixels show at least a part of it.
        colour: of its letters, measured; None where nothing could be measured.
        ground: what it stands on.
        pinned: it stays in its place when the page is scrolled.
        owned: it belongs to a control.
        shown: what the boxes around it leave of its place; None for all of it.
        score: confidence of the reading.
    """

    text: str
    run: int
    glued: bool
    box: Box
    kind: Literal["text", "value", "placeholder", "ocr"] = "text"
    why: Unseen = ""
    over: str = ""
    inked: bool = True
    colour: Colour | None = None
    ground: Colour | None = None
    pinned: bool = False
    owned: bool = False
    shown: Box | None = None
    score: float = 1.0

    @property
    def seen(self) -> bool:
        return not self.why


@dataclass(frozen=True, slots=True)
class PageImage:
    """An image of the page.

    Attributes:
        name: its alternative text, or its title.
        file: last part of its address.
        loaded: the browser could show it.
        why: why nobody sees it.
    """

    name: str
    file: str
    box: Box
    loaded: bool
    why: Unseen = ""
    over: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One screenshot and what is on it.

    Attributes:
        words: in the page's order.
        bare: the same screenshot without text, as PNG; None for a picture.
        opaque: places whose text the page does not know: images, canvases, foreign frames.
        top: how far the page is scrolled, in pixels of the screenshot.
    """

    marks: tuple[Mark, ...]
    screenshot: bytes
    words: tuple[Word, ...] = ()
    bare: bytes | None = None
    images: tuple[PageImage, ...] = ()
    opaque: tuple[Box, ...] = ()
    top: float = 0.0


@dataclass(frozen=True, slots=True)
class Sighting:
    """Everything that was seen.

    Attributes:
        parts: from the top; the first is what the window shows at once.
        exact: the marks say what the page says (its structure); else they were read from pixels.
        whole: nothing was left out.
        notices: errors, dialogs and failed requests since the page was opened.
    """

    parts: tuple[Part, ...]
    exact: bool
    whole: bool = True
    notices: tuple[Notice, ...] = ()

    def marks(self) -> Iterator[tuple[Part, Mark]]:
        """Every mark once, with the part that shows it; one that two parts show belongs to the first."""
        known: set[str] = set()
        for part in self.parts:
            for mark in part.marks:
                if not self.exact or mark.ref not in known:
                    known.add(mark.ref)
                    yield part, mark

    def images(self) -> Iterator[tuple[Part, PageImage]]:
        """Every image once; one that two parts show belongs to the part that shows it best."""
        best: dict[tuple[str, str, int, int], tuple[Part, PageImage]] = {}
        for part in self.parts:
            for image in part.images:
                place = round(image.box.x0), round(image.box.y0 + part.top)
                key = (image.name, image.file, *place)
                if key not in best or best[key][1].why:
                    best[key] = part, image
        yield from best.values()


class Subject(Protocol):
    """What is checked."""

    async def look(self) -> Sighting: ...
