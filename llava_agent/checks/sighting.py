"""What is seen of a page or a picture: all of it, part by part, each part with its screenshot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tools.mark import Mark

if TYPE_CHECKING:
    from tools.browser import PageSurface

#: A page is looked at in at most so many parts.
MOST_PARTS = 30


@dataclass(frozen=True, slots=True)
class Part:
    """One screenshot and the marks on it."""

    marks: tuple[Mark, ...]
    screenshot: bytes


@dataclass(frozen=True, slots=True)
class Sighting:
    """Everything that was seen.

    Attributes:
        parts: from the top; the first is what the window shows at once.
        exact: the marks say what the page says (its structure); else they were read from pixels.
        whole: nothing was left out.
    """

    parts: tuple[Part, ...]
    exact: bool
    whole: bool = True

    def marks(self) -> Iterator[tuple[Part, Mark]]:
        """Every mark once, with the part that shows it; one that two parts show belongs to the first."""
        known: set[str] = set()
        for part in self.parts:
            for mark in part.marks:
                if not self.exact or mark.ref not in known:
                    known.add(mark.ref)
                    yield part, mark


class Subject(Protocol):
    """What is checked."""

    async def look(self) -> Sighting: ...


class PageSubject:
    """A live page, scrolled from top to bottom at each look."""

    def __init__(self, surface: PageSurface) -> None:
        self._surface = surface

    async def look(self) -> Sighting:
        from tools.action import Scroll

        await self._surface.to_top()
        parts: list[Part] = []
        for _ in range(MOST_PARTS):
            seen = await self._surface.observe()
            assert seen.screenshot is not None  # a page has pixels
            parts.append(Part(seen.marks, seen.screenshot))
            if seen.scroll is None or seen.scroll >= 1:
                return Sighting(tuple(parts), exact=True)
            await self._surface.act(Scroll(direction="down"), seen)
        return Sighting(tuple(parts), exact=True, whole=False)


class PictureSubject:
    """A screenshot or photo in a file; its text is read from the pixels."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def look(self) -> Sighting:
        import asyncio

        return await asyncio.to_thread(self._read)

    def _read(self) -> Sighting:
        from llava_agent.agent.picture import png
        from tools.marks.pixels import photo_marks
        from tools.photo import load_image

        photo = load_image(self._path)
        return Sighting((Part(photo_marks(photo.image), png(photo)),), exact=False)
