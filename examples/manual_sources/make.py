"""Write the manuals of `examples/manuals/`: `python -m examples.manual_sources.make`.

Each becomes one file of the format that its name is listed for. The files are committed; run this after a
source has changed.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from pathlib import Path

from llava_agent.knowledge.block import CELL, Block
from llava_agent.knowledge.formats.markdown import read_markdown

SOURCES = Path(__file__).parent
MANUALS = SOURCES.parent / "manuals"


def blocks_of(source: Path) -> tuple[Block, ...]:
    return read_markdown(source.read_text(encoding="utf-8")).blocks


def write_pdf(source: Path, target: Path) -> None:
    """With a running head and page numbers, as manuals have them."""
    from reportlab.lib.pagesizes import A5
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.lib.units import mm
    from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table

    styles = getSampleStyleSheet()
    blocks = blocks_of(source)
    story: list[Flowable] = []
    for block in blocks:
        if block.kind == "heading":
            story.append(Paragraph(html.escape(block.text), styles[f"Heading{min(block.level, 3)}"]))
        elif block.kind == "table":
            cells = [
                [Paragraph(html.escape(cell), styles["Normal"]) for cell in row.split(CELL)]
                for row in block.text.split("\n")
            ]
            style = [("GRID", (0, 0), (-1, -1), 0.4, "#888888"), ("VALIGN", (0, 0), (-1, -1), "TOP")]
            first = 22 * mm if len(cells[0]) == 3 else 50 * mm
            rest = (118 * mm - first) / (len(cells[0]) - 1)
            widths = [first] + [rest] * (len(cells[0]) - 1)
            story.append(Table(cells, colWidths=widths, repeatRows=1, style=style, hAlign="LEFT"))
        else:
            story.append(Paragraph(html.escape(block.text), styles["Normal"]))
        story.append(Spacer(1, 6))

    def furniture(canvas: object, document: object) -> None:
        canvas.setFont("Helvetica", 7)  # type: ignore[attr-defined]
        canvas.drawString(15 * mm, 200 * mm, blocks[0].text)  # type: ignore[attr-defined]
        canvas.drawRightString(133 * mm, 8 * mm, f"Page {document.page}")  # type: ignore[attr-defined]

    margins = {"leftMargin": 15 * mm, "rightMargin": 15 * mm, "topMargin": 16 * mm, "bottomMargin": 16 * mm}
    # `invariant` leaves out the time, so the same source gives the same bytes.
    document = SimpleDocTemplate(str(target), pagesize=A5, title=blocks[0].text, invariant=True, **margins)
    document.build(story, onFirstPage=furniture, onLaterPages=furniture)


def write_docx(source: Path, target: Path) -> None:
    import docx

    document = docx.Document()
    blocks = blocks_of(source)
    document.core_properties.title = blocks[0].text
    for block in blocks:
        if block.kind == "heading":
            document.add_heading(block.text, level=block.level - 1)
        elif block.kind == "table":
            rows = [row.split(CELL) for row in block.text.split("\n")]
            table = document.add_table(rows=0, cols=len(rows[0]), style="Table Grid")
            for row in rows:
                for cell, text in zip(table.add_row().cells, row, strict=True):
                    cell.text = text
        else:
            document.add_paragraph(block.text)
    document.save(str(target))


def write_html(source: Path, target: Path) -> None:
    blocks = blocks_of(source)
    parts = []
    for block in blocks:
        if block.kind == "heading":
            parts.append(f"<h{block.level}>{html.escape(block.text)}</h{block.level}>")
        elif block.kind == "table":
            rows = [
                "".join(f"<td>{html.escape(cell)}</td>" for cell in row.split(CELL))
                for row in block.text.split("\n")
            ]
            parts.append("<table>\n" + "\n".join(f"<tr>{row}</tr>" for row in rows) + "\n</table>")
        else:
            parts.append(f"<p>{html.escape(block.text)}</p>")
    head = f"<title>{html.escape(blocks[0].text)}</title><style>td {{ border: 1px solid }}</style>"
    nav = "<nav><a href='/'>All manuals</a></nav>"
    page = (
        f"<!doctype html><html lang=en><head>{head}</head><body>{nav}\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )
    target.write_text(page, encoding="utf-8")


def write_label(source: Path, target: Path) -> None:
    """A photographed label: text that only OCR can read."""
    from PIL import Image, ImageDraw, ImageFont

    lines = source.read_text(encoding="utf-8").strip().split("\n")
    image = Image.new("RGB", (900, 80 + 62 * len(lines)), "#f2c500")
    draw = ImageDraw.Draw(image)
    draw.rectangle((12, 12, 887, image.height - 13), outline="black", width=6)
    for at, line in enumerate(lines):
        draw.text((44, 44 + 62 * at), line, fill="black", font=ImageFont.load_default(38 if at else 46))
    image.save(target, optimize=True)


def write_scan(source: Path, target: Path) -> None:
    """A PDF whose page is a picture, as scanners make them."""
    from PIL import Image, ImageDraw, ImageFont

    page = Image.new("L", (1240, 1750), 255)
    draw = ImageDraw.Draw(page)
    at = 90
    for block in blocks_of(source):
        size = 34 if block.kind == "heading" else 24
        for line in _wrapped(block.text.replace(CELL, "   "), 1900 // size):
            draw.text((90, at), line, fill=0, font=ImageFont.load_default(size))
            at += round(size * 1.45)
        at += 14
    page.convert("RGB").save(target, format="PDF", resolution=150.0, quality=60)


def _wrapped(text: str, width: int) -> list[str]:
    import textwrap

    return [line for part in text.split("\n") for line in textwrap.wrap(part, width)]


FILES: dict[str, Callable[[Path, Path], None]] = {
    "norpump-nk-65-200.pdf": write_pdf,
    "kx-315-compressor.docx": write_docx,
    "switchgear-panel.html": write_html,
    "wk-120-boiler.pdf": write_pdf,
    "dx-9-extractor.html": write_html,
    "l-220-lathe.docx": write_docx,
    "ad-12-dryer.pdf": write_scan,
    "hp-60-press-label.png": write_label,
}


def make(folder: Path = MANUALS) -> list[Path]:
    """Write every manual into `folder`."""
    made = []
    for name, write in FILES.items():
        source = next(SOURCES.glob(f"{Path(name).stem}.*"))
        write(source, folder / name)
        made.append(folder / name)
    return made


if __name__ == "__main__":
    for path in make():
        print(path)
