"""Render pages in Chromium: a screenshot and the box of every element.

One browser page stays open per kit and scale; only its body is replaced, so that the kit's stylesheet is
parsed once and no reload is paid for each page.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image

from llava_agent.errors import ToolError
from tools.browser.find import find_browser
from tools.browser.session import FLAGS
from tools.geometry import Box
from training.render.screens.elements import Element
from training.render.screens.icons import KITS as NODE_MODULES
from training.render.screens.kits import Kit
from training.render.screens.page import make_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from playwright.sync_api import Page as Tab

#: Viewport in CSS pixels.
WIDTH, HEIGHT = 640, 480

_SHOW = """html => {
  document.body.innerHTML = html;
  document.body.style.margin = 0;
  return [...document.querySelectorAll('[data-el]')].map(element => {
    const r = element.getBoundingClientRect();
    return [Number(element.dataset.el), r.left, r.top, r.right, r.bottom];
  });
}"""


@dataclass(frozen=True, slots=True)
class Placed:
    """An element and its box in pixels of the screenshot."""

    element: Element
    box: Box


@dataclass(frozen=True, slots=True)
class Screen:
    """One rendered page: a screenshot and its visible elements in reading order."""

    seed: int
    kit: str
    image: Image.Image
    placed: tuple[Placed, ...]


def render_screens(seeds: range, *, held_out: bool = False) -> Iterator[Screen]:
    """Render the pages of `seeds`; the same seed gives the same pixels on the same browser.

    Raises:
        ToolError: the kits are not installed, or the setting of the browser names no file.
    """
    if not NODE_MODULES.is_dir():
        raise ToolError(f"the UI kits are not in {NODE_MODULES}", f"run npm ci in {NODE_MODULES.parent}")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=FLAGS)
        tabs: dict[tuple[str, float], Tab] = {}
        for seed in seeds:
            page = make_page(seed, held_out=held_out)
            scale = (1.0, 1.0, 2.0)[seed % 3]
            key = (page.kit.name, scale)
            if key not in tabs:
                tabs[key] = _open(browser, page.kit, scale)
            tab = tabs[key]
            boxes = tab.evaluate(_SHOW, page.html)
            image = Image.open(io.BytesIO(tab.screenshot(type="png"))).convert("RGB")
            placed = _placed(boxes, page.elements, image.size, scale)
            yield Screen(seed, page.kit.name, image, placed)
        browser.close()


def _open(browser: Browser, kit: Kit, scale: float) -> Tab:
    """A tab whose document links the kit's stylesheets from disk."""
    context = browser.new_context(
        device_scale_factor=scale, viewport={"width": WIDTH, "height": HEIGHT}, reduced_motion="reduce"
    )
    tab = context.new_page()
    links = "".join(
        f'<link rel="stylesheet" href="{(NODE_MODULES / path).as_uri()}">' for path in kit.stylesheets
    )
    shell = NODE_MODULES / f".shell-{kit.name}.html"
    still = "<style>*{transition:none!important;animation:none!important;caret-color:transparent}</style>"
    shell.write_text(
        f"<!doctype html><html><head>{links}{still}</head><body></body></html>", encoding="utf-8"
    )
    tab.goto(shell.as_uri())
    return tab


def _placed(
    boxes: list[list[float]], elements: tuple[Element, ...], size: tuple[int, int], scale: float
) -> tuple[Placed, ...]:
    """Elements that lie wholly inside the screenshot and are big enough to be seen, in reading order."""
    placed = []
    for index, x0, y0, x1, y1 in boxes:
        box = Box(x0 * scale, y0 * scale, x1 * scale, y1 * scale)
        inside = box.x0 >= 0 and box.y0 >= 0 and box.x1 <= size[0] and box.y1 <= size[1]
        if inside and min(box.width, box.height) >= 4 * scale:
            placed.append(Placed(elements[int(index)], box))
    placed.sort(key=lambda item: (round(item.box.centre[1] / (24 * scale)), item.box.x0))
    return tuple(placed)
