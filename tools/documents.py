"""Documents that a run leaves behind: Markdown, CSV and PDF, in the run's folder."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from tools.action import Effect
from tools.files import Folder
from tools.tool import ToolResult
from tools.typed import Arguments, BadArguments, TypedTool

Cell = str | int | float | bool | None

#: A spreadsheet takes a cell that begins so for a formula (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)*(?:[eE][-+]?\d+)?%?\Z")
_HEADING = re.compile(r"^(#{1,3})\s+(.*)$")
_ITEM = re.compile(r"^\s*[-*]\s+(.*)$")


class NewDocument(Arguments):
    """What the document holds: a title, text, and a table, each where it is wanted."""

    name: str = Field(min_length=1, max_length=150, description="file name; its ending is .md, .csv or .pdf")
    title: str = Field(default="", max_length=300)
    text: str = Field(
        default="", max_length=200_000, description="Markdown: #, ## headings, - items, paragraphs"
    )
    columns: tuple[str, ...] = Field(default=(), max_length=50)
    rows: tuple[tuple[Cell, ...], ...] = Field(default=(), max_length=10_000)
    overwrite: bool = Field(default=False, description="replace a file that is there")


class CreateDocument(TypedTool[NewDocument]):
    """Writes one document."""

    name = "document.create"
    description = "Create a document in the run's folder: Markdown, CSV or PDF, with text and a table."
    arguments = NewDocument

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def effect(self, arguments: Mapping[str, object]) -> Effect:
        return "irreversible" if arguments.get("overwrite") else "reversible"

    async def run(self, given: NewDocument) -> ToolResult:
        import asyncio

        content = await asyncio.to_thread(render, given)
        name = self._folder.write(given.name, content, overwrite=given.overwrite)
        return ToolResult(f"wrote {name} ({len(content)} bytes)", {"name": name, "bytes": len(content)})


def render(given: NewDocument) -> bytes:
    """The bytes of the document.

    Raises:
        BadArguments: an unknown ending, nothing to write, or rows that do not fit the columns.
    """
    if given.columns and any(len(row) != len(given.columns) for row in given.rows):
        raise BadArguments(f"every row needs {len(given.columns)} cells", "give a cell for each column")
    kind = _kind(given.name)
    if kind == "csv":
        if not (given.columns or given.rows):
            raise BadArguments("a CSV file needs rows", "give columns and rows")
        return as_csv(given)
    if not (given.title or given.text or given.rows):
        raise BadArguments("the document would be empty", "give a title, text or rows")
    return as_markdown(given).encode() if kind == "md" else as_pdf(given)


def _kind(name: str) -> Literal["md", "csv", "pdf"]:
    kinds: dict[str, Literal["md", "csv", "pdf"]] = {"md": "md", "markdown": "md", "csv": "csv", "pdf": "pdf"}
    ending = name.rpartition(".")[2].lower()
    if ending not in kinds:
        raise BadArguments(
            f"{name!r} is no kind of document that can be made", "end it with .md, .csv or .pdf"
        )
    return kinds[ending]


def as_csv(given: NewDocument) -> bytes:
    """RFC 4180, in UTF-8 with its mark (spreadsheets need it); no cell can run as a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    if given.columns:
        writer.writerow([harmless(column) for column in given.columns])
    writer.writerows([[harmless(cell) for cell in row] for row in given.rows])
    return out.getvalue().encode("utf-8-sig")


def harmless(cell: Cell) -> Cell:
    """A text that a spreadsheet would run gets an apostrophe before it; numbers stay numbers."""
    if not isinstance(cell, str):
        return cell
    begins = cell.lstrip(" \n\0\ufeff")
    return f"'{cell}" if begins.startswith(_FORMULA) and not _NUMBER.match(begins.rstrip()) else cell


def as_markdown(given: NewDocument) -> str:
    parts = [f"# {_line(given.title)}"] if given.title else []
    if given.text:
        parts.append(given.text.strip())
    if given.rows or given.columns:
        width = len(given.columns) or max(map(len, given.rows))
        head = given.columns or ("",) * width
        lines = [_row(head), "|" + " --- |" * width, *map(_row, given.rows)]
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _row(cells: tuple[Cell, ...]) -> str:
    return "| " + " | ".join(_line(_shown(cell)).replace("|", "\\|") for cell in cells) + " |"


def _shown(cell: Cell) -> str:
    return "" if cell is None else str(cell)


def _line(text: str) -> str:
    return " ".join(text.split())


def as_pdf(given: NewDocument) -> bytes:
    """A4, with page numbers. Text is escaped, so that none of it is read as markup (images, links)."""
    from reportlab.lib import colors
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.lib.units import mm
    from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table

    styles = getSampleStyleSheet()

    def paragraph(text: str, style: str, **options: str) -> Flowable:
        return Paragraph(html.escape(_printable(text)), styles[style], **options)

    story: list[Flowable] = [paragraph(given.title, "Title")] if given.title else []
    for part in re.split(r"\n\s*\n", given.text.strip()):
        for line in _lines(part):
            heading, item = _HEADING.match(line), _ITEM.match(line)
            if heading:
                story.append(paragraph(heading[2], f"Heading{len(heading[1])}"))
            elif item:
                story.append(paragraph(item[1], "Normal", bulletText="•"))
            elif line:
                story.append(paragraph(line, "Normal"))
        story.append(Spacer(1, 2 * mm))
    if given.rows or given.columns:
        rows = ([given.columns] if given.columns else []) + list(given.rows)
        cells = [[paragraph(_shown(cell), "BodyText") for cell in row] for row in rows]
        grid = [("GRID", (0, 0), (-1, -1), 0.4, colors.grey), ("VALIGN", (0, 0), (-1, -1), "TOP")]
        # Rows may be split, so that one longer than a page is no error.
        story.append(Table(cells, repeatRows=int(bool(given.columns)), style=grid, splitInRow=1))
    out = io.BytesIO()
    document = SimpleDocTemplate(out, pagesize=A4, title=given.title)
    document.build(story, onFirstPage=_numbered, onLaterPages=_numbered)
    return out.getvalue()


def _lines(part: str) -> list[str]:
    """Lines of a paragraph run on; headings and items stand alone."""
    lines: list[str] = []
    for line in part.split("\n"):
        alone = _HEADING.match(line) or _ITEM.match(line)
        if lines and not alone and not _HEADING.match(lines[-1]):
            lines[-1] += f" {line.strip()}"
        else:
            lines.append(line.strip())
    return lines


def _printable(text: str) -> str:
    """The built-in fonts have the letters of Windows-1252; others become a question mark."""
    return text.encode("cp1252", errors="replace").decode("cp1252")


def _numbered(canvas: object, document: object) -> None:
    canvas.setFont("Helvetica", 8)  # type: ignore[attr-defined]
    canvas.drawRightString(550, 25, str(document.page))  # type: ignore[attr-defined]
