"""The desk's HTML. Everything that comes from a photo, a file name or a person is escaped here."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from llava_agent.inspection.document import FaultDocument, InspectionDocument, LineDocument, StepDocument
from llava_agent.ui.desk import words

if TYPE_CHECKING:
    from PIL import Image

    from llava_agent.inspection.compare import Change
    from llava_agent.inspection.quality import Quality

#: Longer side in pixels of a photo on the page.
_SIDE = 1400


def quality_card(found: Sequence[tuple[str, Quality]]) -> str:
    """How good each photo is, said before anything is read on it."""
    lines = []
    for name, quality in found:
        said = "; ".join(one.sentence for one in quality.complaints) or words.GOOD
        shade = "held" if quality.good else "poor"
        sign = "✓" if quality.good else "!"
        lines.append(
            f'<li class="{shade}"><span class="sign" aria-hidden="true">{sign}</span>'
            f"<div><b>{escape(name)}</b><br>{escape(said)}</div></li>"
        )
    return f'<ul class="desk-quality" role="status">{"".join(lines)}</ul>'


def inspection_view(
    document: InspectionDocument,
    images: Mapping[str, Image.Image],
    changes: Sequence[Change] = (),
    record: str = "",
) -> str:
    """The photos with a box for each line, and the table; `desk.js` links the two.

    Args:
        images: upright photos by the hash of their pixels.
        record: id of the stored record, whose files are offered; empty for none.
    """
    photos = "".join(
        _photo(document, photo.sha256, photo.name, images[photo.sha256])
        for photo in document.photos
        if photo.sha256 in images
    )
    return (
        f'<div class="desk"><div class="desk-photos">{photos}</div>'
        f'<div class="desk-table">{_faults(document)}{_table(document.lines)}'
        f"{_list(words.CHANGES, [change.sentence for change in changes])}{_steps(document)}"
        f"{_files(record)}</div></div>"
    )


def _photo(document: InspectionDocument, sha256: str, name: str, image: Image.Image) -> str:
    boxes = []
    for number, line in enumerate(document.lines):
        for one in line.evidence:
            if one.photo == sha256 and one.box:
                title = f"{line.name}: {line.value}"
                boxes.append(_box(f"line-{number}", one.box, title, line.kind, image.width))
    for number, fault in enumerate(document.faults):
        for one in fault.evidence:
            if one.photo == sha256 and one.box:
                boxes.append(_box(f"fault-{number}", one.box, fault.what, "fault", image.width))
    size = f"0 0 {image.width} {image.height}"
    return (
        f'<figure><div class="desk-photo"><img alt="{escape(name)}" src="{_address(image)}">'
        f'<svg viewBox="{size}" preserveAspectRatio="none">{"".join(boxes)}</svg></div>'
        f"<figcaption>{escape(name)}</figcaption></figure>"
    )


def _box(link: str, box: tuple[int, int, int, int], title: str, kind: str, width: int) -> str:
    x0, y0, x1, y1 = box
    pad, said = width * 0.004, escape(title)
    return (
        f'<rect class="{escape(kind)}" data-link="{link}" tabindex="0" role="button" aria-label="{said}" '
        f'x="{x0 - pad:.0f}" y="{y0 - pad:.0f}" rx="{2 * pad:.0f}" '
        f'width="{x1 - x0 + 2 * pad:.0f}" height="{y1 - y0 + 2 * pad:.0f}"><title>{said}</title></rect>'
    )


def _table(lines: Sequence[LineDocument]) -> str:
    if not lines:
        return f'<p class="small">{words.NOTHING}</p>'
    rows = "".join(_row(number, line) for number, line in enumerate(lines))
    return f'<h3>{words.READ}</h3><p class="small">{words.EDIT_HINT}</p><ol class="desk-lines">{rows}</ol>'


def _row(number: int, line: LineDocument) -> str:
    share = words.BY_HAND if line.edited else words.SURE.format(share=f"{line.confidence:.0%}")
    doubt = " unsure" if line.confidence < 0.6 and not line.edited else ""
    name = escape(line.name)
    return (
        f'<li data-link="line-{number}" class="{escape(line.kind)}{doubt}">'
        f'<button type="button" class="number" aria-label="{escape(words.SHOW.format(name=line.name))}">'
        f"{number + 1}</button>"
        f'<label><span>{name}<em>{share}</em></span><input data-edit="{number}" value="{escape(line.value)}" '
        f'aria-label="{escape(words.VALUE_OF.format(name=line.name))}" autocomplete="off" spellcheck="false">'
        "</label></li>"
    )


def _faults(document: InspectionDocument) -> str:
    if not document.faults:
        return ""
    rows = "".join(_fault(number, fault) for number, fault in enumerate(document.faults))
    return f'<h3>{words.FAULTS}</h3><ul class="desk-faults">{rows}</ul>'


def _fault(number: int, fault: FaultDocument) -> str:
    share = words.SURE.format(share=f"{fault.confidence:.0%}")
    return (
        f'<li data-link="fault-{number}" class="{escape(fault.level)}" tabindex="0" role="button">'
        f"<b>{escape(fault.what)}</b> <em>{share}</em><br>{escape(fault.because)}</li>"
    )


def _steps(document: InspectionDocument) -> str:
    if not document.steps:
        return ""
    rows = "".join(f"<li>{escape(step.do)}{_cited(step)}</li>" for step in document.steps)
    return f"<h3>{words.STEPS}</h3><ul>{rows}</ul>"


def _cited(step: StepDocument) -> str:
    """What the manuals say, with the place; the passage around it opens on demand."""
    return "".join(
        f'<details class="small"><summary>“{escape(one.quote)}” <em>{escape(one.place)}</em></summary>'
        f"<p>{escape(one.passage or one.quote)}</p></details>"
        for one in step.citations
    )


def _files(record: str) -> str:
    """Links to the record as files, as it is stored: what is not saved is not in them."""
    if not record:
        return ""
    links = "".join(
        f'<a class="report" href="/api/records/{escape(record)}/export?as={form}" download>{name}</a>'
        for form, name in (("pdf", words.PDF), ("csv", words.CSV))
    )
    return f'<p class="desk-files">{links}</p>'


def _list(title: str, lines: Sequence[str]) -> str:
    if not lines:
        return ""
    return f"<h3>{title}</h3><ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"


def _address(image: Image.Image) -> str:
    small = image.copy()
    small.thumbnail((_SIDE, _SIDE))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
