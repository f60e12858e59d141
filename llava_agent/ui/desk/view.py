"""The desk's HTML. Everything that comes from a photo, a file name or a person is escaped here."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from llava_agent.inspection.document import FaultDocument, InspectionDocument, LineDocument, StepDocument
from llava_agent.inspection.revise import choices
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
    *,
    locked: bool = False,
) -> str:
    """The photos with a box for each line, and the table; `desk.js` links the two and gathers the changes.

    Args:
        images: upright photos by the hash of their pixels.
        record: id of the stored record, whose files are offered; empty for none.
        locked: it was filed, so nothing can be changed.
    """
    photos = "".join(
        _photo(document, photo.sha256, photo.name, images[photo.sha256])
        for photo in document.photos
        if photo.sha256 in images
    )
    parts = (
        "" if locked else _missing(document),
        _faults(document, locked),
        _table(document.lines, locked),
        "" if locked else _words(document),
        _list(words.CHANGES, [change.sentence for change in changes]),
        _steps(document),
        _files(record),
    )
    return (
        f'<div class="desk"><div class="desk-photos">{photos}</div>'
        f'<div class="desk-table">{"".join(parts)}</div></div>'
    )


def _photo(document: InspectionDocument, sha256: str, name: str, image: Image.Image) -> str:
    boxes = []
    for number, line in enumerate(document.lines):
        for one in line.evidence:
            if one.photo == sha256 and one.box:
                title = f"{line.name}: {line.value}"
                boxes.append(_box(f"line-{number}", one.box, title, line.kind, image.width))
    for number, missing in enumerate(document.missing):
        for one in missing.evidence:
            if one.photo == sha256 and one.box and missing.what.startswith(("a gauge", "the plate")):
                boxes.append(_box(f"missing-{number}", one.box, missing.ask, "missing", image.width))
    for number, word in enumerate(document.words):
        if word.evidence.photo == sha256 and word.evidence.box:
            boxes.append(_box(f"word-{number}", word.evidence.box, word.text, "word", image.width))
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


def _table(lines: Sequence[LineDocument], locked: bool) -> str:
    rows = "".join(_row(number, line, locked) for number, line in enumerate(lines))
    hint = words.EDIT_HINT if lines else words.NOTHING
    added = "" if locked else _add()
    return f'<h3>{words.READ}</h3><p class="small">{hint}</p><ol class="desk-lines">{rows}</ol>{added}'


def _add() -> str:
    """Where a person writes in what was not read; `desk.js` puts it into the table."""
    options = "".join(
        f'<option value="{escape(key)}">{escape(name)}</option>' for key, name in choices().items()
    )
    return (
        f'<div class="desk-add"><b>{words.ADD}</b><select aria-label="{words.ADD_WHAT}">{options}</select>'
        f'<input aria-label="{words.ADD_VALUE}" placeholder="{words.ADD_VALUE}" autocomplete="off">'
        f'<button type="button" data-put>{words.ADD_PUT}</button></div>'
    )


def _words(document: InspectionDocument) -> str:
    """Print that is no line yet: a tap takes it as the value to write in, and lights it up on the photo."""
    if not document.words:
        return ""
    chips = "".join(_chip(number, one.text) for number, one in enumerate(document.words))
    named = f"{words.WORDS} ({len(document.words)})"
    return (
        f'<details class="desk-words"{"" if document.lines else " open"}><summary>{named}</summary>'
        f'<p class="small">{words.WORDS_HINT}</p><div>{chips}</div></details>'
    )


def _chip(number: int, text: str) -> str:
    said = escape(text)
    return f'<button type="button" data-word="{said}" data-link="word-{number}">{said}</button>'


def _missing(document: InspectionDocument) -> str:
    """What another photo should show; the row below the view takes it."""
    if not document.missing:
        return ""
    rows = "".join(
        f'<li data-link="missing-{number}"><b>{escape(_capital(one.ask))}</b><br>'
        f'<span class="small">{escape(one.what)}</span></li>'
        for number, one in enumerate(document.missing)
    )
    return f'<h3>{words.MISSING}</h3><ul class="desk-missing">{rows}</ul>'


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def _cross(mark: str, number: int, said: str, locked: bool) -> str:
    if locked:
        return ""
    label = escape(said)
    return (
        f'<button type="button" class="cross" data-{mark}="{number}" aria-pressed="false" '
        f'aria-label="{label}" title="{label}">×</button>'
    )


def _row(number: int, line: LineDocument, locked: bool) -> str:
    share = words.BY_HAND if line.edited else words.SURE.format(share=f"{line.confidence:.0%}")
    doubt = " unsure" if line.confidence < 0.6 and not line.edited else ""
    name = escape(line.name)
    return (
        f'<li data-link="line-{number}" class="{escape(line.kind)}{doubt}">'
        f'<button type="button" class="number" aria-label="{escape(words.SHOW.format(name=line.name))}">'
        f"{number + 1}</button>"
        f'<label><span>{name}<em>{share}</em></span><input data-edit="{number}" value="{escape(line.value)}" '
        f'aria-label="{escape(words.VALUE_OF.format(name=line.name))}" autocomplete="off" spellcheck="false"'
        f"{' readonly' if locked else ''}></label>"
        f"{_cross('remove', number, words.REMOVE.format(name=line.name), locked)}</li>"
    )


def _faults(document: InspectionDocument, locked: bool) -> str:
    if not document.faults:
        return ""
    rows = "".join(_fault(number, fault, locked) for number, fault in enumerate(document.faults))
    return f'<h3>{words.FAULTS}</h3><ul class="desk-faults">{rows}</ul>'


def _fault(number: int, fault: FaultDocument, locked: bool) -> str:
    share = words.SURE.format(share=f"{fault.confidence:.0%}")
    return (
        f'<li class="{escape(fault.level)}" data-link="fault-{number}">'
        f'<div tabindex="0" role="button"><b>{escape(_capital(fault.what))}</b> <em>{share}</em><br>'
        f"{escape(_capital(fault.because))}</div>"
        f"{_cross('dismiss', number, words.DISMISS.format(name=fault.what), locked)}</li>"
    )


def _steps(document: InspectionDocument) -> str:
    asked = {one.ask for one in document.missing}
    steps = [step for step in document.steps if step.do not in asked]
    if not steps:
        return ""
    rows = "".join(f"<li>{escape(step.do)}{_cited(step)}</li>" for step in steps)
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
