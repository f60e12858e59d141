"""An inspection as CSV for a spreadsheet and as PDF for a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from llava_agent.inspection.compare import Change
from llava_agent.inspection.document import InspectionDocument
from llava_agent.spreadsheet import harmless

if TYPE_CHECKING:
    from PIL import Image

_COLUMNS = (
    "no",
    "kind",
    "key",
    "name",
    "value",
    "number",
    "unit",
    "confidence",
    "edited",
    "photo",
    "x0",
    "y0",
    "x1",
    "y1",
)
#: Longer side of a photo in the PDF, in pixels.
_SIDE = 1600


def to_csv(document: InspectionDocument) -> str:
    """The table; a text that a spreadsheet would take for a formula gets an apostrophe."""
    names = {photo.sha256: photo.name for photo in document.photos}
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    for number, line in enumerate(document.lines, start=1):
        first = line.evidence[0] if line.evidence else None
        box: Sequence[object] = first.box if first and first.box else ("", "", "", "")
        texts = (line.kind, line.key, line.name, line.value)
        writer.writerow(
            [
                number,
                *(harmless(text) for text in texts),
                line.number if line.number is not None else "",
                harmless(line.unit),
                f"{line.confidence:.2f}",
                "yes" if line.edited else "",
                harmless(names.get(first.photo, "")) if first else "",
                *box,
            ]
        )
    return out.getvalue()


def to_pdf(
    document: InspectionDocument,
    images: Mapping[str, Image.Image],
    *,
    title: str = "Inspection",
    about: Sequence[tuple[str, str]] = (),
    changes: Sequence[Change] = (),
) -> bytes:
    """The record for a file: the table, faults, steps, what is missing, and the photos with numbers.

    Args:
        images: photos as `draw` gives them, by hash.
        about: more lines for the head: name and value.
    """
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.units import mm
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer

    styles = _styles()
    flow: list[Any] = [Paragraph(escape(title), styles["Title"])]
    for name, value in (("Asset", document.asset or "not read"), *about):
        flow.append(Paragraph(f"<b>{escape(name)}:</b> {escape(value)}", styles["Normal"]))
    flow.append(Spacer(1, 5 * mm))
    if document.lines:
        flow += [Paragraph("What was read", styles["Heading2"]), _table(document, styles)]
    for heading, lines in (
        (
            "Likely faults",
            [f"<b>{escape(f.what)}</b> ({f.confidence:.0%}): {escape(f.because)}" for f in document.faults],
        ),
        ("Changes", [escape(change.sentence) for change in changes]),
        ("Next steps", [_step(step) for step in document.steps]),
        ("Missing", [escape(one.what) for one in document.missing]),
    ):
        if lines:
            flow.append(Paragraph(heading, styles["Heading2"]))
            flow += [Paragraph(f"• {line}", styles["Normal"]) for line in lines]
    for photo in document.photos:
        if photo.sha256 in images:
            flow += [Spacer(1, 5 * mm), *_picture(images[photo.sha256], photo.name, styles)]
    out = io.BytesIO()
    SimpleDocTemplate(
        out,
        pagesize=A4,
        title=title,
        author="llava-agent",
        leftMargin=18 * mm,
        rightMargin=18 * mm,
        topMargin=16 * mm,
        bottomMargin=16 * mm,
    ).build(flow)
    return out.getvalue()


def _step(step: Any) -> str:
    quotes = "".join(
        f"<br/><i>“{escape(one.quote)}”</i> ({escape(one.source)}{f', p. {one.page}' if one.page else ''})"
        for one in step.citations
    )
    return f"{escape(step.do)}{quotes}"


def _table(document: InspectionDocument, styles: Any) -> Any:
    from reportlab.lib import colors
    from reportlab.lib.units import mm
    from reportlab.platypus import Paragraph, Table, TableStyle

    rows: list[list[Any]] = [["", "", "Value", "Sure"]]
    for number, line in enumerate(document.lines, start=1):
        sure = "by hand" if line.edited else f"{line.confidence:.0%}"
        rows.append(
            [
                str(number),
                Paragraph(escape(line.name), styles["Normal"]),
                Paragraph(escape(line.value), styles["Normal"]),
                sure,
            ]
        )
    table = Table(rows, colWidths=[10 * mm, 60 * mm, 80 * mm, 22 * mm], repeatRows=1)
    table.setStyle(
        TableStyle(
            [
                ("LINEBELOW", (0, 0), (-1, -1), 0.25, colors.lightgrey),
                ("TEXTCOLOR", (0, 0), (-1, 0), colors.grey),
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ]
        )
    )
    return table


def _picture(image: Image.Image, name: str, styles: Any) -> list[Any]:
    from reportlab.lib.units import mm
    from reportlab.platypus import Image as Picture
    from reportlab.platypus import KeepTogether, Paragraph

    small = image.copy()
    small.thumbnail((_SIDE, _SIDE))
    content = io.BytesIO()
    small.save(content, "JPEG", quality=85)
    scale = min(174 * mm / small.width, 200 * mm / small.height)
    content.seek(0)
    return [
        KeepTogether(
            [
                Picture(content, small.width * scale, small.height * scale),
                Paragraph(escape(name), styles["Normal"]),
            ]
        )
    ]


def _styles() -> Any:
    """Helvetica covers Latin-1 alone; where the system has DejaVu, every sign of a plate can be shown."""
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFError, TTFont

    styles = getSampleStyleSheet()
    try:
        pdfmetrics.registerFont(TTFont("DejaVuSans", "DejaVuSans.ttf"))
        pdfmetrics.registerFont(TTFont("DejaVuSans-Bold", "DejaVuSans-Bold.ttf"))
        pdfmetrics.registerFontFamily(
            "DejaVuSans", "DejaVuSans", "DejaVuSans-Bold", "DejaVuSans", "DejaVuSans-Bold"
        )
    except (TTFError, OSError):
        return styles
    for name in ("Normal", "Title", "Heading2"):
        styles[name].fontName = "DejaVuSans" if name == "Normal" else "DejaVuSans-Bold"
    return styles
