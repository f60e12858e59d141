"""What stands on a photo beside the known fields: pairs with a label that is on no list, and words alone.

A pair is claimed where the print itself says so: a colon, or a row of a plate whose known fields show in
which columns labels and values stand. All other words are only offered, for a person to say what they are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from llava_agent.agent.fact import Evidence
from llava_agent.inspection.finding import Line, Word
from llava_agent.inspection.plate_words import label_key, split_label
from llava_agent.inspection.units import plain, quantity, unit_of
from tools.geometry import Box
from tools.mark import Mark

#: Words of one photo that are offered; the largest print first.
MOST_WORDS = 40
#: A word below this score is more often noise than print.
_READABLE = 0.8
#: A pair is less sure than a field that is known by its name.
_TRUST = 0.85
#: Labels, or values, of one column begin within this many heights of each other.
_COLUMN = 1.0
#: Pairs that make a column.
_ROWS = 2
_COLON = re.compile(r"(?P<label>[A-Za-zÄÖÜäöü][\w .,/()°%-]{1,38}?)\s*[:=]\s*(?P<value>\S.{0,80})")
_LABEL = re.compile(r"[A-Za-zÄÖÜäöü][\w .,/()-]{1,38}")


@dataclass(frozen=True, slots=True)
class _Text:
    text: str
    box: Box
    score: float


def other_lines(
    marks: Sequence[Mark], pairs: Sequence[tuple[Box, Box]], used: Sequence[Box], sha256: str
) -> tuple[Line, ...]:
    """Pairs of a label that is on no list and its value.

    Args:
        pairs: boxes of label and value of the known fields.
        used: boxes that belong to a line already.
    """
    free = _free(marks, used)
    lines = [line for text in free if (line := _with_colon(text, sha256))]
    told = {line.evidence[0].box for line in lines}
    rest = [text for text in free if _corners(text.box) not in told]
    return (*lines, *_in_columns(rest, pairs, sha256))


def other_words(marks: Sequence[Mark], used: Sequence[Box], sha256: str) -> tuple[Word, ...]:
    """Words that belong to no line, the largest first."""
    free = [
        text
        for text in _free(marks, used)
        if text.score >= _READABLE and len(text.text) > 1 and not label_key(text.text)
    ]
    free.sort(key=lambda text: -min(text.box.width, text.box.height))
    seen: dict[str, Word] = {}
    for text in free:
        seen.setdefault(text.text, Word(text.text, Evidence(sha256, _corners(text.box), text.text, "ocr")))
    return tuple(list(seen.values())[:MOST_WORDS])


def _with_colon(text: _Text, sha256: str) -> Line | None:
    found = _COLON.fullmatch(text.text)
    if found is None or split_label(text.text)[0] or "//" in text.text or label_key(found["label"]):
        return None
    return _line(found["label"], found["value"], text.score * _TRUST, text.box, sha256)


def _in_columns(texts: Sequence[_Text], pairs: Sequence[tuple[Box, Box]], sha256: str) -> tuple[Line, ...]:
    """Rows that stand in the columns of the known fields."""
    lines = []
    for label in texts:
        if not _LABEL.fullmatch(label.text) or quantity(label.text) or unit_of(label.text):
            continue
        if label_key(label.text):  # a known field whose value was misread: that is asked for
            continue
        column = [value for name, value in pairs if _begins(name, label.box) and not _level(name, label.box)]
        if len(column) < _ROWS:
            continue
        values = [
            text
            for text in texts
            if text is not label
            and _level(text.box, label.box)
            and any(_begins(one, text.box) for one in column)
        ]
        if len(values) == 1:
            sure = label.score * values[0].score * _TRUST
            lines.append(_line(label.text, values[0].text, sure, values[0].box, sha256))
    return tuple(lines)


def _line(label: str, value: str, confidence: float, box: Box, sha256: str) -> Line:
    name, taken = label.strip(" .:")[:100], quantity(value)
    return Line(
        kind="other",
        key=re.sub(r"\W+", "_", name.lower()).strip("_") or "other",
        name=name,
        value=value.strip(),
        confidence=confidence,
        evidence=(Evidence(sha256, _corners(box), value.strip(), "ocr"),),
        number=taken.number if taken else None,
        unit=taken.unit if taken else "",
    )


def _free(marks: Sequence[Mark], used: Sequence[Box]) -> list[_Text]:
    """Texts that lie on no dial and in no line."""
    dials = [mark.box for mark in marks if mark.role == "dial" and mark.box and mark.value]
    return [
        _Text(plain(mark.text), mark.box, mark.score)
        for mark in marks
        if mark.role == "text"
        and mark.box is not None
        and plain(mark.text)
        and not any(dial.contains(*mark.box.centre) for dial in dials)
        and not any(box.contains(*mark.box.centre) or mark.box.contains(*box.centre) for box in used)
    ]


def _begins(one: Box, other: Box) -> bool:
    return abs(one.x0 - other.x0) < _COLUMN * max(min(one.height, other.height), 1.0)


def _level(one: Box, other: Box) -> bool:
    return abs(one.centre[1] - other.centre[1]) < 0.6 * min(one.height, other.height)


def _corners(box: Box) -> tuple[int, int, int, int]:
    x0, y0, x1, y1 = box.as_list()
    return x0, y0, x1, y1
