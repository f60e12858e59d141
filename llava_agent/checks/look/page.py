"""Looks at a live page from top to bottom, through either of Playwright's APIs.

What is asked of the page is one generator, `looking`; two short loops answer it, one for pages of the
asynchronous
API and one for those of the synchronous API.
"""

from __future__ import annotations

import io
import re
from collections.abc import Generator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from llava_agent.checks.look.ink import BARE, measured
from llava_agent.checks.sighting import MOST_PARTS, Colour, PageImage, Part, Sighting, Word
from llava_agent.errors import ToolError
from tools.browser.script import script
from tools.geometry import Box
from tools.marks.dom import NODES, OPTIONS, checked

if TYPE_CHECKING:
    from playwright.async_api import Page as AsyncPage
    from playwright.sync_api import Page as SyncPage

#: Most marks of a part, and most characters of a name.
_MARKS, _TEXT = 10_000, 20_000
#: Part of the window's height that lies between two parts.
_SCROLL = 0.8
_SHOT_SECONDS = 15.0
#: A page that never comes to rest is looked at after this many milliseconds.
_STILL_MS = 800
#: Waits until movements that have an end are over: what is measured must be what the screenshot shows.
_STILL = """async (most) => {
  const end = (one) => one.effect?.getComputedTiming().endTime;
  const ends = (one) => one.playState === "running" && Number.isFinite(end(one));
  const over = Promise.allSettled(document.getAnimations().filter(ends).map((one) => one.finished));
  await Promise.race([over, new Promise((resolve) => setTimeout(resolve, most))]);
}"""
_RGB = re.compile(r"rgba?\((\d+), (\d+), (\d+)(?:, ([\d.]+))?\)")


@dataclass(frozen=True, slots=True)
class Evaluate:
    """Run a function of one argument in the page."""

    function: str
    argument: object = None


@dataclass(frozen=True, slots=True)
class Shoot:
    """A screenshot of the window, with this style added."""

    style: str = ""


@dataclass(frozen=True, slots=True)
class Settle:
    """Wait until the page is still."""


Request = Evaluate | Shoot | Settle


def looking() -> Generator[Request, Any, Sighting]:
    """Yields what to do with the page, is sent what came of it, and returns what was seen."""
    scale = float((yield Evaluate("() => window.devicePixelRatio")))
    yield Evaluate(script("scroll.js"), -1e6)
    parts: list[Part] = []
    truncated = False
    while len(parts) < MOST_PARTS:
        yield Settle()
        raw = yield Evaluate(_program(), _options())
        shot = yield Shoot()
        bare = yield Shoot(BARE)
        place = yield Evaluate(script("scroll.js"), 0)
        parts.append(_part(raw, shot, bare, scale, float(place["top"])))
        truncated = truncated or bool(raw["truncated"])
        if place["room"] <= 1 or place["top"] >= place["room"] - 1:
            yield Evaluate(script("scroll.js"), -1e6)
            return Sighting(tuple(parts), exact=True, whole=not truncated)
        yield Evaluate(script("scroll.js"), _SCROLL)
    return Sighting(tuple(parts), exact=True, whole=False)


async def look_at(page: AsyncPage) -> Sighting:
    """Look at a page of Playwright's asynchronous API; its errors pass through."""
    steps, answer = looking(), None
    while True:
        try:
            request = steps.send(answer)
        except StopIteration as end:
            seen: Sighting = end.value
            return seen
        if isinstance(request, Evaluate):
            answer = await page.evaluate(request.function, request.argument)
        elif isinstance(request, Shoot):
            answer = await page.screenshot(**_how(request))
        else:
            await page.wait_for_load_state("domcontentloaded")
            answer = await page.evaluate(_STILL, _STILL_MS)


def look_now(page: SyncPage) -> Sighting:
    """Look at a page of Playwright's synchronous API; its errors pass through."""
    steps, answer = looking(), None
    while True:
        try:
            request = steps.send(answer)
        except StopIteration as end:
            seen: Sighting = end.value
            return seen
        if isinstance(request, Evaluate):
            answer = page.evaluate(request.function, request.argument)
        elif isinstance(request, Shoot):
            answer = page.screenshot(**_how(request))
        else:
            page.wait_for_load_state("domcontentloaded")
            answer = page.evaluate(_STILL, _STILL_MS)


def _how(request: Shoot) -> dict[str, Any]:
    how: dict[str, Any] = {"type": "png", "animations": "disabled", "timeout": _SHOT_SECONDS * 1000}
    return how | {"style": request.style} if request.style else how


@cache
def _program() -> str:
    """A function of the collector's options: what the collector finds, and each word."""
    tools, own = files("tools.marks"), files("llava_agent.checks.look")

    def read(folder: Any, name: str) -> str:
        return str(folder.joinpath(name).read_text(encoding="utf-8"))

    collector = f"const found = (() => {{\n{read(tools, 'collect.js')}\n}})();"
    parts = (read(tools, "places.js"), read(tools, "names.js"), collector, read(own, "words.js"))
    return "(options) => {\n" + "\n".join(parts) + "\n}"


def _options() -> dict[str, object]:
    return {"limit": _MARKS, "nodes": NODES, "options": OPTIONS, "everywhere": False, "text": _TEXT}


def _part(raw: Any, shot: bytes, bare: bytes, scale: float, top: float) -> Part:
    """One look, checked and bounded: the page's scripts can reach into the place where it was made."""
    try:
        marks = tuple(one.mark for one in checked(raw, scale, _MARKS, _TEXT))
        words = [_word(one, scale) for one in raw["words"]]
        colours = [_colour(str(one["colour"])) for one in raw["words"]]
        odd = [bool(one["odd"]) for one in raw["words"]]
        images = tuple(_image(one, scale) for one in raw["images"])
        opaque = tuple(_box(one, scale) for one in raw["opaque"])
    except (KeyError, TypeError, ValueError) as error:
        raise ToolError(
            "the page's scripts interfere with looking at it", "check a picture of it instead"
        ) from error
    pixels, without = _pixels(shot), _pixels(bare)
    if pixels.shape != without.shape:
        raise ToolError("the window changed its size while it was looked at", "try again")
    found = measured(words, colours, pixels, without)
    # Ink says nothing of text that is painted by other means, turned or blurred: its pixels are read.
    opaque += tuple(word.box for word, strange in zip(words, odd, strict=True) if strange)
    return Part(marks, shot, tuple(found), bare, images, opaque, top * scale)


def _word(raw: Any, scale: float) -> Word:
    return Word(
        text=str(raw["text"]),
        run=int(raw["run"]),
        glued=bool(raw["glued"]),
        box=_box(raw["box"], scale),
        kind=raw["kind"],
        why=raw["why"] if not raw["odd"] or raw["why"] else "unreadable",
        over=str(raw["over"]),
        pinned=bool(raw["pinned"]),
        owned=bool(raw["owned"]),
        shown=_box(raw["shown"], scale),
    )


def _image(raw: Any, scale: float) -> PageImage:
    return PageImage(
        name=str(raw["name"]),
        file=str(raw["file"]),
        box=_box(raw["box"], scale),
        loaded=bool(raw["loaded"]),
        why=raw["why"] or ("covered" if raw["over"] else ""),
        over=str(raw["over"]),
    )


def _box(corners: Any, scale: float) -> Box:
    x0, y0, x1, y1 = (float(side) for side in corners)
    return Box(x0, y0, max(x0, x1), max(y0, y1)).scaled(scale)


def _colour(said: str) -> Colour | None:
    """A colour as the page computes it; None for one that is not plain and opaque."""
    found = _RGB.fullmatch(said)
    if found is None or (found[4] is not None and float(found[4]) < 1):
        return None
    return int(found[1]), int(found[2]), int(found[3])


def _pixels(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
