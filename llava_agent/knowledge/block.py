"""A document as every reader of a format gives it: blocks in reading order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: `ocr`: text that was read from pixels and may hold misread letters.
BlockKind = Literal["heading", "text", "table", "ocr"]

#: Between the cells of a table's row.
CELL = " | "


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, a paragraph, or a table.

    Attributes:
        text: a table has one line a row, the cells divided by `CELL`.
        page: as printed by a viewer, 1 for the first; None for a format without pages.
        level: of a heading, 1 for the highest.
    """

    kind: BlockKind
    text: str
    page: int | None = None
    level: int = 0


@dataclass(frozen=True, slots=True)
class Document:
    """What came out of a file.

    Attributes:
        title: as the document says; empty where it says none.
        pages: None for a format without pages.
        notes: what could not be read, one clause each.
    """

    title: str
    blocks: tuple[Block, ...]
    pages: int | None = None
    notes: tuple[str, ...] = ()
