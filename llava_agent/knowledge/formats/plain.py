"""Plain text: paragraphs, and the lines that are headings by their look."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from llava_agent.knowledge.block import Block, Document
from llava_agent.knowledge.errors import DocumentError

_NUMBERED = re.compile(r"^(\d+(?:\.\d+)*)\.?\s+[A-ZÄÖÜ]\S*(?:\s+\S+){0,8}$")
_UNDERLINE = re.compile(r"^(=+|-+|~+)$")
_BLANK = re.compile(r"\n\s*\n")
#: A longer line is a sentence, whatever it looks like.
_LONGEST_HEADING = 80


def decoded(path: Path) -> str:
    """The characters of a text file: UTF-8, UTF-16 with its mark, else Windows-1252.

    Raises:
        DocumentError: it holds zero bytes, so it is no text.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DocumentError(
            f"{path.name} cannot be read ({error.strerror})", "check its permissions"
        ) from error
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace")
    if b"\0" in content:
        raise DocumentError(
            f"{path.name} is no text (it holds zero bytes)", "give it the ending of its format"
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def read_text(text: str) -> Document:
    """Paragraphs are divided by empty lines; form feeds begin a page."""
    pages = text.replace("\r\n", "\n").split("\f")
    blocks: list[Block] = []
    for number, page in enumerate(pages, start=1):
        place = number if len(pages) > 1 else None
        for part in _BLANK.split(page):
            lines = [line.strip() for line in part.strip().split("\n") if line.strip()]
            if lines:
                blocks += _paragraph(lines, place)
    title = next((block.text for block in blocks if block.kind == "heading"), "")
    return Document(title, tuple(blocks), len(pages) if len(pages) > 1 else None)


def _paragraph(lines: list[str], page: int | None) -> Iterator[Block]:
    level = heading_level(lines[0])
    if len(lines) > 1 and _UNDERLINE.match(lines[1]) and len(lines[0]) <= _LONGEST_HEADING:
        yield Block("heading", lines[0], page, 1 if lines[1][0] == "=" else 2)
        lines = lines[2:]
    elif level:
        yield Block("heading", lines[0], page, level)
        lines = lines[1:]
    if lines:
        yield Block("text", "\n".join(lines), page)


def heading_level(line: str) -> int:
    """0 for a line that is none: `3.2 Draining` is one of level 2, `MAINTENANCE` of level 1."""
    if len(line) > _LONGEST_HEADING or line.endswith((".", ":", ";", ",")):
        return 0
    numbered = _NUMBERED.match(line)
    if numbered:
        return numbered[1].count(".") + 1
    letters = [letter for letter in line if letter.isalpha()]
    return 1 if len(letters) >= 4 and line.isupper() and len(line.split()) <= 8 else 0
