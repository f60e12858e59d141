"""Blocks cut into passages: what is found, shown and cited. Each stands on one page and under one heading."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from llava_agent.knowledge.block import CELL, Block, BlockKind, Document

#: Characters of a passage of text; the embedder reads about 1,000.
TEXT = 700
#: Characters of a part of a table: rows say little about each other, so fewer go together.
TABLE = 450
#: Raised when documents would be cut in another way, so that `add` reads them again.
VERSION = 1
#: Characters of lines of a picture after which a sentence that has no full stop ends.
_RUN = 90
#: Between the headings of a path.
BELOW = " > "

_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-ZÄÖÜ0-9\"(])")


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document.

    Attributes:
        heading: the path of headings above it, the document's title first.
        text: a table has one line a row, its head repeated in every part.
    """

    number: int
    page: int | None
    heading: str
    kind: BlockKind
    text: str

    @property
    def embedded(self) -> str:
        """What the embedder reads: a passage alone often does not say which machine it is about."""
        return f"{self.heading}\n{self.text}"


def passages_of(document: Document, name: str) -> list[Passage]:
    """The passages of a document in reading order.

    Args:
        name: of the file, for a document that has no title.
    """
    title = document.title or name
    found: list[Passage] = []
    path: list[tuple[int, str]] = []
    waiting: list[Block] = []

    def flush() -> None:
        heading = BELOW.join([title, *(text for _, text in path if text != title)])
        for kind, page, text in _cut(waiting):
            found.append(Passage(len(found), page, heading, kind, text))
        waiting.clear()

    for block in document.blocks:
        if block.kind == "heading":
            flush()
            path = [(level, text) for level, text in path if level < block.level]
            path.append((block.level, block.text))
        else:
            waiting.append(block)
    flush()
    return found


def _cut(blocks: Sequence[Block]) -> Iterator[tuple[BlockKind, int | None, str]]:
    """Blocks under one heading: texts of one page joined up to `TEXT`, tables by themselves."""
    joined: list[str] = []
    kind: BlockKind = "text"
    page: int | None = None
    for block in blocks:
        if block.kind == "table":
            if joined:
                yield kind, page, "\n".join(joined)
            joined = []
            for part in _rows(block.text):
                yield "table", block.page, part
            continue
        for part in _sentences(block.text):
            full = sum(map(len, joined)) + len(part) > TEXT
            if joined and (full or block.page != page or block.kind != kind):
                yield kind, page, "\n".join(joined)
                joined = []
            kind, page = block.kind, block.page
            joined.append(part)
    if joined:
        yield kind, page, "\n".join(joined)


def sentences_of(kind: str, text: str) -> list[str]:
    """What of a passage answers a question by itself: a sentence, or a row of a table or picture."""
    if kind == "table":
        rows = text.split("\n")
        return rows[1:] or rows
    groups = _runs(text.split("\n")) if kind == "ocr" else [text]
    return [part for group in groups for part in _SENTENCE.split(" ".join(group.split())) if part.strip()]


def _runs(lines: Sequence[str]) -> Iterator[str]:
    """Lines of a picture that are one sentence: a full stop or enough length ends it."""
    run: list[str] = []
    for line in lines:
        run.append(line)
        if line.rstrip().endswith((".", "!", "?")) or CELL in line or sum(map(len, run)) > _RUN:
            yield " ".join(run)
            run = []
    if run:
        yield " ".join(run)


def _sentences(text: str) -> Iterator[str]:
    """The text in parts of at most about `TEXT` characters, cut between sentences, at worst between words."""
    part = ""
    for line in text.split("\n"):
        joint = "\n"
        for piece in (piece for sentence in _SENTENCE.split(line) for piece in _pieces(sentence)):
            if part and len(part) + len(piece) > TEXT:
                yield part
                part = ""
            part = f"{part}{joint}{piece}" if part else piece
            joint = " "
    if part.strip():
        yield part


def _pieces(sentence: str) -> Iterator[str]:
    while len(sentence) > TEXT:
        at = sentence.rfind(" ", TEXT // 2, TEXT)
        at = at if at > 0 else TEXT
        yield sentence[:at]
        sentence = sentence[at:].lstrip()
    yield sentence


def _rows(text: str) -> Iterator[str]:
    """A table in parts of at most about `TABLE` characters, each with the head of the table."""
    head, *rows = text.split("\n")
    part = [head]
    for row in rows:
        if len(part) > 1 and sum(map(len, part)) + len(row) > TABLE:
            yield "\n".join(part)
            part = [head]
        part.append(row)
    yield "\n".join(part)
