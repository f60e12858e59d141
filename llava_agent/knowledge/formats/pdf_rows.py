"""Pieces of text on a PDF page, put together to rows of cells, and those to blocks.

A PDF knows no paragraphs and no tables, only where pieces of text stand. Pieces that stand beside each other
with a gap are cells of a row; pieces below each other at the same left edge are one paragraph or cell.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from llava_agent.knowledge.block import CELL, Block

#: All in heights of the text.
_GAP = 0.7
_SAME_LINE = 0.5
_NEXT_LINE = 1.7
#: Widths of letters in a common sans serif face, in heights of the text; pypdf does not tell the real ones.
_WIDTHS = {
    **dict.fromkeys("ijl.,:;'|! ", 0.26),
    **dict.fromkeys("frt()[]/-", 0.32),
    **dict.fromkeys("mwMW", 0.83),
}
_OTHER = 0.53
_CAPITAL = 0.67
#: Larger than the body text by this factor is a heading.
_LARGER = 1.12
_LONGEST_HEADING = 90
_BULLET = re.compile(r"(?:[•◦▪‣·–*-]|\d{1,2}[.)]|[a-z][.)])\s*\Z")
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text; `x` and `y` of its left end, from the page's bottom left, in points."""

    text: str
    x: float
    y: float
    size: float
    bold: bool

    @property
    def right(self) -> float:
        """About where it ends."""
        letters = (_WIDTHS.get(letter, _CAPITAL if letter.isupper() else _OTHER) for letter in self.text)
        return self.x + self.size * sum(letters)


@dataclass(slots=True)
class _Cell:
    text: str
    left: float
    right: float
    bottom: float

    def add(self, piece: Piece, joint: str) -> None:
        if joint and self.text.endswith("-") and self.text[-2:-1].isalpha() and piece.text[:1].islower():
            self.text = self.text[:-1]  # a word that was divided at the end of the line
            joint = ""
        self.text += joint + piece.text
        self.right = piece.right
        self.bottom = piece.y


@dataclass(slots=True)
class Row:
    """One row of cells; a line or paragraph is a row of one."""

    top: float
    size: float
    bold: bool
    cells: list[_Cell] = field(default_factory=list)

    @property
    def text(self) -> str:
        return CELL.join(" ".join(cell.text.split()) for cell in self.cells)

    def take(self, piece: Piece) -> bool:
        """Whether the piece belongs to this row, and so was added."""
        last = self.cells[-1]
        beside = piece.x - last.right
        if abs(piece.y - last.bottom) < _SAME_LINE * self.size and -self.size < beside < _GAP * self.size:
            last.add(piece, " " if beside > 0.1 * self.size else "")
            return True
        if abs(piece.y - self.top) < _SAME_LINE * self.size and piece.x > last.left + 0.5 * self.size:
            if _BULLET.match(last.text):  # an item and its sign are one text; its next lines begin below it
                last.add(piece, " ")
                last.left = piece.x
            elif any(letter.isalnum() for letter in piece.text):
                self.cells.append(_cell(piece))
            else:
                last.add(piece, "")
            return True
        below = last.bottom - piece.y
        alike = abs(piece.size - self.size) < 0.1 * self.size and piece.bold == self.bold
        if alike and abs(piece.x - last.left) < 0.3 * self.size and 0 < below < _NEXT_LINE * self.size:
            last.add(piece, " ")
            return True
        return False


def rows_of(pieces: Iterable[Piece]) -> list[Row]:
    """In the order in which the page draws them."""
    rows: list[Row] = []
    for piece in pieces:
        if not rows or not rows[-1].take(piece):
            rows.append(Row(piece.y, piece.size, piece.bold, [_cell(piece)]))
    return rows


def blocks_of(pages: Sequence[Sequence[Row]]) -> list[Block]:
    """The blocks of a document's pages, without what runs along at the top and bottom of them."""
    furniture = _furniture(pages)
    body = _body_size(pages)
    sizes = sorted(
        {round(row.size) for rows in pages for row in rows if row.size > body * _LARGER}, reverse=True
    )
    blocks: list[Block] = []
    for number, rows in enumerate(pages, start=1):
        table: list[Row] = []
        for row in rows:
            if _alike(row.text) in furniture:
                continue
            if len(row.cells) > 1:
                table.append(row)
                continue
            blocks += _table(table, number)
            table = []
            level = _level(row, body, sizes)
            blocks.append(Block("heading" if level else "text", row.text, number, level))
        blocks += _table(table, number)
    return [block for block in blocks if block.text.strip()]


def _cell(piece: Piece) -> _Cell:
    return _Cell(piece.text, piece.x, piece.right, piece.y)


def _table(rows: Sequence[Row], page: int) -> list[Block]:
    """Rows below each other with cells: a table where their columns agree, else lines with gaps in them."""
    blocks: list[Block] = []
    lines: list[str] = []
    for at, row in enumerate(rows):
        beside = [rows[other] for other in (at - 1, at + 1) if 0 <= other < len(rows)]
        if any(_agree(row, other) for other in beside):
            lines.append(row.text)
            continue
        blocks += _lines(lines, page)
        lines = []
        blocks.append(Block("text", row.text.replace(CELL, " "), page))
    return blocks + _lines(lines, page)


def _lines(lines: Sequence[str], page: int) -> list[Block]:
    return [Block("table", "\n".join(lines), page)] if lines else []


def _agree(row: Row, other: Row) -> bool:
    """Whether a column after the first begins at the same place in both."""
    near = 0.3 * row.size
    return any(abs(one.left - two.left) < near for one in row.cells[1:] for two in other.cells[1:])


def _level(row: Row, body: float, sizes: Sequence[int]) -> int:
    text = row.text
    if len(text) > _LONGEST_HEADING or not any(letter.isalpha() for letter in text):
        return 0
    if row.size > body * _LARGER:
        return sizes.index(round(row.size)) + 1
    return len(sizes) + 1 if row.bold and not text.endswith((".", ":", ",")) else 0


def _body_size(pages: Sequence[Sequence[Row]]) -> float:
    """The size that most letters have."""
    letters: Counter[float] = Counter()
    for rows in pages:
        for row in rows:
            letters[round(row.size, 1)] += len(row.text)
    return letters.most_common(1)[0][0] if letters else 0.0


def _alike(text: str) -> str:
    return _DIGITS.sub("#", text)


def _furniture(pages: Sequence[Sequence[Row]]) -> set[str]:
    """Lines that stand at the top or bottom of most pages and differ in their numbers at most."""
    if len(pages) < 3:
        return set()
    seen: Counter[str] = Counter()
    for rows in pages:
        ordered = sorted(rows, key=lambda row: row.top)
        seen.update({_alike(row.text) for row in (*ordered[:2], *ordered[-2:])})
    return {text for text, times in seen.items() if times > len(pages) / 2}
