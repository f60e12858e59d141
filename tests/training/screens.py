"""Screens for tests: pages of the real generator over icon files of our own."""

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from training.render.screens import icons
from training.render.screens.dataset import ScreenElement, ScreenPage
from training.render.screens.page import make_page
from training.tasks.mixture import Sources

_DRAWN = ("gear", "trash", "bell", "camera", "lock", "key", "star", "heart", "eye", "cloud", "book", "truck")


@contextmanager
def icon_files(folder: Path) -> Iterator[None]:
    """Icon sets with a few icons, each of which names its set; in place of those from npm."""
    for name, place in icons.ICON_SETS.items():
        (folder / place).mkdir(parents=True)
        for drawn in _DRAWN:
            svg = f'<?xml version="1.0"?><svg width="9" class="a"><path id="{name}"/></svg>'
            (folder / place / f"{drawn}.svg").write_text(svg)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(icons, "KITS", folder)
        icons.icons.cache_clear()
        yield
    icons.icons.cache_clear()


def some_pages(count: int) -> tuple[ScreenPage, ...]:
    """Pages as they are read from disk after rendering; needs `icon_files`."""
    pages, crop = [], 0
    for seed in range(count):
        page = make_page(seed)
        elements = []
        for one in page.elements:
            elements.append(
                ScreenElement(crop, one.kind, one.colour, one.size, one.role, one.text, one.states, one.value)
            )
            crop += 1
        pages.append(ScreenPage(seed, page.kit.name, tuple(elements)))
    return tuple(pages)


def sources_of(pages: tuple[ScreenPage, ...]) -> Sources:
    """What the mixture draws from."""
    roles: dict[str, list[int]] = {"dial": [0]}
    for page in pages:
        for element in page.elements:
            roles.setdefault(element.role, []).append(element.crop)
    return Sources(pages, roles)


def write_pages(folder: Path, pages: tuple[ScreenPage, ...]) -> None:
    """Pages on disk as if they had been rendered, with noise for pixels."""
    random = np.random.default_rng(len(pages))
    count = sum(len(page.elements) for page in pages)
    rows = []
    for page in pages:
        elements = [dataclasses.asdict(element) for element in page.elements]
        for element in elements:
            del element["crop"]
        rows.append({"seed": page.seed, "kit": page.kit, "elements": elements})
    folder.mkdir(parents=True)
    np.savez(
        folder / "shard-0000000.npz",
        crops=random.integers(0, 256, (count, 96, 96, 3), dtype=np.uint8),
        geometry=random.normal(size=(count, 6)).astype(np.float32),
        pages=json.dumps(rows),
    )
