"""PDF through pypdf: text with its page; pages that are pictures are read by OCR."""

from __future__ import annotations

import logging
from math import hypot
from pathlib import Path
from typing import Any

from llava_agent.errors import ToolError
from llava_agent.knowledge.block import Block, Document
from llava_agent.knowledge.errors import DocumentError
from llava_agent.knowledge.formats.pdf_rows import Piece, Row, blocks_of, rows_of
from llava_agent.knowledge.formats.picture import words_on
from llava_agent.knowledge.limits import ReadLimits

#: A page with fewer characters and an image is taken for a scan.
_SCANNED = 20
#: A smaller image is a logo.
_LEAST_PIXELS = 250_000


def read_pdf(path: Path, limits: ReadLimits) -> Document:
    """Every page with text or a picture of text; pypdf itself bounds what a stream may unpack to (75 MB)."""
    import pypdf
    from pypdf.errors import LimitReachedError, PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = pypdf.PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise DocumentError(f"{path.name} is encrypted", "save it without a password")
        count = len(reader.pages)
        if count > limits.pages:
            raise DocumentError(
                f"{path.name} has {count} pages, above the limit of {limits.pages}", "divide it first"
            )
        if count == 0:
            raise DocumentError(f"{path.name} has no pages", "export or copy it again")
        return _read(reader, limits)
    except DocumentError:
        raise
    except LimitReachedError as error:
        raise DocumentError(
            f"{path.name} unpacks to far more than a manual holds", "check where it comes from"
        ) from error
    except (
        PyPdfError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
        OSError,
        RecursionError,
    ) as error:
        # pypdf raises all sorts on damaged files; any of it means the same here
        raise DocumentError(
            f"{path.name} is damaged or cut off and cannot be read", "export or copy it again"
        ) from error


def _read(reader: Any, limits: ReadLimits) -> Document:
    pages: list[list[Row]] = []
    scanned: dict[int, str] = {}
    notes: list[str] = []
    pictures = 0
    for number, page in enumerate(reader.pages, start=1):
        rows = _rows(page)
        pages.append(rows)
        if sum(len(row.text) for row in rows) >= _SCANNED:
            continue
        if pictures >= limits.pictures:
            notes.append(f"page {number} was not read: more than {limits.pictures} scanned pages")
            continue
        text = _scan(page, number, notes)
        if text is not None:
            pictures += 1
            scanned[number] = text
    blocks = [block for block in blocks_of(pages) if block.page not in scanned]
    blocks += [Block("ocr", text, number) for number, text in scanned.items() if text]
    blocks.sort(key=lambda block: block.page or 0)
    title = str((reader.metadata and reader.metadata.title) or "")
    first = next((block.text for block in blocks if block.kind == "heading"), "")
    return Document(" ".join(title.split()) or first, tuple(blocks), len(pages), tuple(notes))


def _rows(page: Any) -> list[Row]:
    pieces: list[Piece] = []

    def visit(text: str, outer: list[float], inner: list[float], font: Any, size: float) -> None:
        words = " ".join(text.split())
        if words:
            x = outer[0] * inner[4] + outer[2] * inner[5] + outer[4]
            y = outer[1] * inner[4] + outer[3] * inner[5] + outer[5]
            height = size * hypot(inner[2], inner[3]) * hypot(outer[2], outer[3])
            name = str(font.get("/BaseFont", "")) if font else ""
            pieces.append(Piece(words, x, y, abs(height) or 1.0, "bold" in name.lower()))

    whole = page.extract_text(visitor_text=visit)
    rows = rows_of(pieces)
    if sum(len(row.text) for row in rows) < 0.8 * len("".join(whole.split())):
        # The visitor missed some of it (rare fonts and forms): lines without places are better than none.
        return rows_of(
            Piece(line.strip(), 0.0, -3.0 * at, 1.0, False)
            for at, line in enumerate(whole.split("\n"))
            if line.strip()
        )
    return rows


def _scan(page: Any, number: int, notes: list[str]) -> str | None:
    """What stands on the page's largest picture; None where there is none."""
    largest = None
    try:
        for image in page.images:
            picture = image.image
            if picture is not None and (
                largest is None or picture.width * picture.height > largest.width * largest.height
            ):
                largest = picture
    except Exception as error:  # decoders of images raise all sorts
        notes.append(f"the picture on page {number} cannot be read ({type(error).__name__})")
        return None
    if largest is None or largest.width * largest.height < _LEAST_PIXELS:
        return None
    try:
        return words_on(largest)
    except ToolError as error:
        notes.append(f"page {number} is a scan and was not read: {error.what}")
        return None
