"""DOCX: paragraphs, headings by their style, tables; the archive is measured before it is unpacked."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llava_agent.knowledge.block import CELL, Block, Document
from llava_agent.knowledge.errors import DocumentError
from llava_agent.knowledge.limits import ReadLimits

if TYPE_CHECKING:
    from docx.table import Table
    from docx.text.paragraph import Paragraph

#: A file in Microsoft's older container: an encrypted DOCX, or a `.doc` under another name.
_OLE = b"\xd0\xcf\x11\xe0"


def read_docx(path: Path, limits: ReadLimits) -> Document:
    """Pages are known where the program that wrote the file noted where they broke."""
    check_archive(path, limits)
    import docx
    from docx.opc.exceptions import PackageNotFoundError

    try:
        opened = docx.Document(str(path))
        blocks = tuple(_blocks(opened))
    except (PackageNotFoundError, KeyError, ValueError, zipfile.BadZipFile, SyntaxError) as error:
        raise DocumentError(
            f"{path.name} is damaged and cannot be read", "export or copy it again"
        ) from error
    title = opened.core_properties.title or next((b.text for b in blocks if b.kind == "heading"), "")
    pages = max((block.page or 0 for block in blocks), default=0)
    return Document(title.strip(), blocks, pages or None)


def check_archive(path: Path, limits: ReadLimits) -> None:
    """Refuse an archive that unpacks to far more than a document, before any of it is unpacked.

    Raises:
        DocumentError: it is no archive, or a bomb.
    """
    with path.open("rb") as file:
        if file.read(4) == _OLE:
            raise DocumentError(
                f"{path.name} is encrypted, or an old .doc file", "save it as DOCX without a password"
            )
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise DocumentError(f"{path.name} is damaged or cut off", "export or copy it again") from error
    unpacked = sum(entry.file_size for entry in entries)
    packed = max(1, sum(entry.compress_size for entry in entries))
    if unpacked > limits.unpacked or (unpacked > 1_000_000 and unpacked / packed > limits.ratio):
        raise DocumentError(
            f"{path.name} unpacks to {unpacked / 1e6:.0f} MB, {unpacked / packed:.0f} times its size,"
            " which no manual does",
            "check where it comes from",
        )


def _blocks(opened: Any) -> Iterator[Block]:
    from docx.table import Table

    page = 1 if any(part.rendered_page_breaks for part in opened.paragraphs) else None
    for part in opened.iter_inner_content():
        if isinstance(part, Table):
            rows = list(dict.fromkeys(_rows(part)))  # merged cells repeat their row
            if rows:
                yield Block("table", "\n".join(rows), page)
            continue
        if page is not None:
            page += len(part.rendered_page_breaks)
        text = " ".join(part.text.split())
        if text:
            level = _level(part)
            yield Block("heading" if level else "text", text, page, level)


def _rows(table: Table) -> Iterator[str]:
    for row in table.rows:
        cells: list[str] = []
        for cell in row.cells:
            text = " ".join(cell.text.split())
            if not cells or cells[-1] != text:  # a cell that spans columns comes once for each
                cells.append(text)
        if any(cells):
            yield CELL.join(cells)


def _level(paragraph: Paragraph) -> int:
    name = (paragraph.style.name or "") if paragraph.style is not None else ""
    if name == "Title":
        return 1
    if name.startswith("Heading "):
        number = name.removeprefix("Heading ")
        return int(number) + 1 if number.isdigit() else 0
    return 0
