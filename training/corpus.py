"""Rendered screens and equipment together, as the stages read them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.captions import Described, caption_text, kinds
from training.render.equipment.dataset import EquipmentPart, read_parts
from training.render.screens.dataset import ScreenData, ScreenElement, read_screens
from training.render.screens.icons import concepts
from training.render.screens.vocabulary import COLOURS, SHAPES
from training.tasks.mixture import Sources

#: Words of real equipment that renderings lack; the tower's tokenizer should hold them whole.
_EQUIPMENT_WORDS = (
    "pressure gauge",
    "digital meter",
    "nameplate",
    "warning label",
    "valve handle",
    "valve",
    "switch",
    "rotary switch",
    "toggle switch",
    "light",
    "led",
    "bolt",
    "wheel",
    "knob",
    "pipe",
    "machine",
    "pump",
    "motor",
    "display",
    "meter",
    "thermometer",
    "hand",
    "needle",
    "screw",
    "emergency stop button",
    "fan",
    "cable",
    "plate",
    "serial plate",
    "label",
    "open",
    "closed",
    "lit",
    "off",
    "on",
)


@dataclass(frozen=True)
class Corpus:
    """Screens first, then equipment: a part's row is its `crop` plus the number of elements."""

    screens: ScreenData
    parts: tuple[EquipmentPart, ...]
    part_crops: NDArray[np.uint8]
    part_geometry: NDArray[np.float32]

    @cached_property
    def elements(self) -> tuple[ScreenElement, ...]:
        """Every element of every page; its row is its `crop`."""
        return tuple(element for page in self.screens.pages for element in page.elements)

    @property
    def described(self) -> list[Described]:
        """What is true of each crop."""
        return [*self.elements, *self.parts]

    @property
    def kinds(self) -> list[str]:
        """What naming will choose among."""
        return kinds(self.described)

    def crops(self) -> NDArray[np.uint8]:
        """All crops `[N, 96, 96, 3]`."""
        return np.concatenate([self.screens.crops, self.part_crops])

    def draw_weights(self) -> NDArray[np.float64]:
        """How often each crop is drawn for contrast: icons and equipment often, text seldom."""

        def weight(kind: str) -> float:
            if kind.endswith("icon"):
                return 1.5
            return 0.1 if kind in ("text", "link") else 0.4

        parts = [0.1 if part.kind == "text" else 1.2 for part in self.parts]
        return np.array([*(weight(element.kind) for element in self.elements), *parts])

    def captions(self) -> list[str]:
        """Texts for the tower's tokenizer: captions of the data, and of icons and shapes it may lack."""
        icons = [caption_text((f"{name} icon", colour)) for colour in COLOURS for name in concepts()]
        shapes = [caption_text((name, colour)) for colour in COLOURS for name in SHAPES]
        seen = [element.words for element in self.elements] + [part.words for part in self.parts]
        return [*icons, *shapes, *seen, *_EQUIPMENT_WORDS * 20]

    def sources(self, text_share: int = 1) -> Sources:
        """What steps are made from; texts of equipment count `text_share` times."""
        roles: dict[str, list[int]] = {}
        for element in self.elements:
            roles.setdefault(element.role, []).append(element.crop)
        first = len(self.elements)
        texts = [first + part.crop for part in self.parts if part.kind == "text"]
        roles["text"] = roles.get("text", []) + texts * text_share
        roles["dial"] = [first + part.crop for part in self.parts if part.kind == "pressure gauge"]
        return Sources(self.screens.pages, roles)


def read_corpus(screens: Path, equipment: Path) -> Corpus:
    """Everything that is rendered in two folders; ConfigError where one holds nothing."""
    parts, crops, geometry = read_parts(equipment)
    return Corpus(read_screens(screens), tuple(parts), crops, geometry)
