"""Markdown: headings, tables and paragraphs; inline marks are left out."""

from __future__ import annotations

import re

from llava_agent.knowledge.block import CELL, Block, Document

_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*$")
_FENCE = re.compile(r"^\s*(```|~~~)")
_RULE = re.compile(r"^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$")
_ITEM = re.compile(r"^\s*([-*+]|\d+[.)])\s+")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_MARKS = re.compile(r"(\*\*|__|`|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w))")


def read_markdown(text: str) -> Document:
    blocks: list[Block] = []
    lines: list[str] = []
    kind: str = ""

    def flush() -> None:
        nonlocal kind
        if lines:
            blocks.append(Block("table" if kind == "table" else "text", "\n".join(lines)))
        lines.clear()
        kind = ""

    for raw in _without_header(text.replace("\r\n", "\n")).split("\n"):
        line = raw.rstrip()
        if _FENCE.match(line):
            if kind != "code":
                flush()
                kind = "code"
            else:
                flush()
            continue
        if kind == "code":
            lines.append(line)
            continue
        heading = _HEADING.match(line)
        if heading:
            flush()
            blocks.append(Block("heading", _inline(heading[2]), level=len(heading[1])))
        elif not line.strip():
            if kind != "list":  # an empty line between two items does not divide the list
                flush()
        elif line.lstrip().startswith("|"):
            if kind != "table":
                flush()
                kind = "table"
            if not _RULE.match(line):
                lines.append(CELL.join(_inline(cell) for cell in line.strip().strip("|").split("|")))
        else:
            item = bool(_ITEM.match(line))
            if kind == "table" or (kind == "list" and not item and not raw.startswith(" ")):
                flush()
            kind = "list" if item else kind or "text"
            lines.append(_inline(line.strip()))
    flush()
    title = next((block.text for block in blocks if block.kind == "heading"), "")
    return Document(title, tuple(blocks))


def _without_header(text: str) -> str:
    """Without the settings that some files begin with, between two lines of `---`."""
    if not text.startswith("---\n"):
        return text
    end = text.find("\n---\n", 4)
    return text[end + 5 :] if end >= 0 else text


def _inline(text: str) -> str:
    return _MARKS.sub("", _LINK.sub(r"\1", text)).strip()
