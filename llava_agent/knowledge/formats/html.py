"""HTML: what a reader sees of it; scripts, styles and navigation are left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from llava_agent.knowledge.block import CELL, Block, Document

if TYPE_CHECKING:
    from bs4 import Tag

_UNSEEN = ("script", "style", "nav", "template", "noscript", "svg", "iframe", "head")
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
#: Elements that are one block where they hold no other.
_BLOCKS = ("p", "li", "dt", "dd", "pre", "blockquote", "figcaption", "caption", "address", "summary")


def read_html(text: str) -> Document:
    from bs4 import BeautifulSoup

    page = BeautifulSoup(text, "lxml")  # closes cells and items that the page leaves open
    title = page.title.get_text(" ", strip=True) if page.title else ""
    for unseen in page(_UNSEEN):
        unseen.decompose()
    for hidden in page.select("[hidden], [aria-hidden=true]"):
        hidden.decompose()
    blocks = tuple(_blocks(page))
    first = next((block.text for block in blocks if block.kind == "heading"), "")
    return Document(title or first, blocks)


def _blocks(page: Tag) -> Iterator[Block]:
    """In the order of the document; text outside every block element is a block too."""
    from bs4.element import NavigableString, Tag

    loose: list[str] = []
    for child in page.children:
        if isinstance(child, NavigableString):
            if type(child) is NavigableString:  # not a comment or a doctype
                loose.append(str(child))
            continue
        if not isinstance(child, Tag):
            continue
        divides = child.name in (*_HEADINGS, *_BLOCKS, "table") or child.find(
            (*_HEADINGS, *_BLOCKS, "table", "div")
        )
        if not divides and child.name != "div":
            loose.append(child.get_text())
            continue
        yield from _text(loose)
        loose = []
        yield from _element(child)
    yield from _text(loose)


def _element(tag: Tag) -> Iterator[Block]:
    if tag.name in _HEADINGS:
        yield Block("heading", tag.get_text(" ", strip=True), level=_HEADINGS[tag.name])
    elif tag.name == "table":
        rows = [
            CELL.join(" ".join(cell.get_text(" ").split()) for cell in row(("th", "td"))) for row in tag("tr")
        ]
        yield Block("table", "\n".join(row for row in rows if row.strip(" |")))
    elif tag.name in _BLOCKS and not tag.find(_BLOCKS):
        yield from _text([tag.get_text()])
    else:
        yield from _blocks(tag)


def _text(parts: list[str]) -> Iterator[Block]:
    words = " ".join("".join(parts).split())
    if words:
        yield Block("text", words)
