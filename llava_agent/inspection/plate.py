"""Plate fields: labels that plates use, each with the value beside or below it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from llava_agent.agent.fact import Evidence
from llava_agent.inspection.finding import Line
from llava_agent.inspection.plate_words import FIELDS, fits, label_key, split_label
from llava_agent.inspection.units import plain, quantity, unit_of
from tools.geometry import Box
from tools.mark import Mark

#: Where a value may stand, in heights of the label's box: gap to the right, gap below, indentation.
_RIGHT, _BELOW, _INDENT = 14.0, 1.3, 2.5
#: A second candidate this close to the best one makes a pairing doubtful.
_RIVAL = 1.4
_DOUBT = 0.75
#: The digits of a display are this much taller than the name above them; the values of a plate are not.
_DISPLAY = 1.9
#: Values of one field that are kept of a photo: a motor and its pump may have a plate each.
_VALUES = 3
#: Fields whose unread value is asked for: others stand on lamps and meters as well.
_WORTH_ASKING = frozenset({"serial_number", "model", "asset_tag", "max_pressure", "max_temperature"})
#: Codes in which a recogniser of print may have taken a letter for a digit, and what that costs.
_CODES = frozenset({"serial_number", "model", "asset_tag", "order_number"})
_ALIKE, _ALIKE_COSTS = re.compile(r"(?<=[A-Z])[01]|[01](?=[A-Z])|(?<=\d)[OIl]|[OIl](?=\d)"), 0.8


@dataclass(frozen=True, slots=True)
class _Text:
    """A text line, or several that were joined."""

    text: str
    box: Box
    score: float


@dataclass(frozen=True, slots=True)
class _Pair:
    key: str
    label: int
    value: int
    cost: float
    below: bool


@dataclass(frozen=True, slots=True)
class Plates:
    """What the plates of a photo say.

    Attributes:
        lines: in the order of `FIELDS`, the surer of two values first.
        unread: labels without a value that could be read: (field, box of the label).
        used: boxes of all labels and values.
        pairs: boxes of label and value, where they stand apart.
    """

    lines: tuple[Line, ...]
    unread: tuple[tuple[str, Box], ...]
    used: tuple[Box, ...]
    pairs: tuple[tuple[Box, Box], ...] = ()


def read_plates(marks: Sequence[Mark], sha256: str) -> Plates:
    """Pair labels and values among the text lines of a photo that lie on no dial."""
    dials = [mark.box for mark in marks if mark.role == "dial" and mark.box]
    texts = _joined(
        [
            _Text(plain(mark.text), mark.box, mark.score)
            for mark in marks
            if mark.role == "text" and mark.box and not any(dial.contains(*mark.box.centre) for dial in dials)
        ]
    )
    keys = [label_key(text.text) for text in texts]
    found: list[tuple[str, float, str, list[Box]]] = []
    for text in texts:
        key, value = split_label(text.text)
        if key:
            found.append((key, text.score, value, [text.box]))
    pairs = _assigned(_pairs(texts, keys))
    for pair, sure in pairs:
        label, stands = texts[pair.label], texts[pair.value]
        found.append((pair.key, label.score * stands.score * sure, stands.text, [stands.box, label.box]))
    lines: list[Line] = []
    for key, confidence, value, boxes in sorted(found, key=lambda one: -one[1]):
        others = [line for line in lines if line.key == key]
        if len(others) < _VALUES and all(line.value != value for line in others):
            lines.append(_line(key, value, confidence, boxes[0], sha256))
    known = {line.key for line in lines}
    paired = {pair.label for pair, _ in pairs}
    unread = tuple(
        (key, texts[index].box)
        for index, key in enumerate(keys)
        if key in _WORTH_ASKING - known and index not in paired
    )
    used = tuple(box for _, _, _, boxes in found for box in boxes)
    order = list(FIELDS)
    columns = tuple((texts[pair.label].box, texts[pair.value].box) for pair, _ in pairs if not pair.below)
    return Plates(tuple(sorted(lines, key=lambda line: order.index(line.key))), unread, used, columns)


def _line(key: str, value: str, confidence: float, box: Box, sha256: str) -> Line:
    x0, y0, x1, y1 = box.as_list()
    taken = quantity(value)
    if key in _CODES and _ALIKE.search(value):
        confidence *= _ALIKE_COSTS
    return Line(
        kind="plate",
        key=key,
        name=FIELDS[key].name,
        value=value,
        confidence=confidence,
        evidence=(Evidence(sha256, (x0, y0, x1, y1), value, "ocr"),),
        number=taken.number if taken and FIELDS[key].kinds else None,
        unit=taken.unit if taken and FIELDS[key].kinds else "",
    )


def _joined(texts: list[_Text]) -> list[_Text]:
    """Numbers and the units that OCR took for lines of their own, as one line."""
    out, gone = list(texts), set()
    for index, text in enumerate(texts):
        taken = quantity(text.text)
        if taken is None or taken.unit:
            continue
        for other, unit in enumerate(texts):
            gap = unit.box.x0 - text.box.x1
            near = -0.5 * text.box.height <= gap <= 1.2 * text.box.height
            if other not in gone and unit_of(unit.text) and near and _level(text.box, unit.box):
                box = Box(
                    text.box.x0,
                    min(text.box.y0, unit.box.y0),
                    max(text.box.x1, unit.box.x1),
                    max(text.box.y1, unit.box.y1),
                )
                out[index] = _Text(f"{text.text} {unit.text}", box, min(text.score, unit.score))
                gone.add(other)
                break
    return [text for index, text in enumerate(out) if index not in gone]


def _pairs(texts: Sequence[_Text], keys: Sequence[str]) -> list[_Pair]:
    """Every value that could belong to a label, with its distance in heights of the label."""
    found = []
    for at, key in enumerate(keys):
        if not key:
            continue
        label = texts[at].box
        for index, text in enumerate(texts):
            if index == at or keys[index] or split_label(text.text)[0] or not fits(key, text.text):
                continue
            height, box = max(label.height, 1.0), text.box
            # A single small letter says nothing about the size of the print.
            if FIELDS[key].kinds and len(texts[at].text) > 2 and box.height > _DISPLAY * height:
                continue
            right, below = (box.x0 - label.x1) / height, (box.y0 - label.y1) / height
            indent = abs(box.x0 - label.x0) / height
            if _level(label, box) and -0.5 <= right <= _RIGHT:
                found.append(_Pair(key, at, index, max(right, 0.0) + 0.3, False))
            elif -0.8 <= below <= _BELOW and indent <= _INDENT:
                found.append(_Pair(key, at, index, max(below, 0.0) + indent, True))
    return _as_laid_out(found)


def _as_laid_out(pairs: list[_Pair]) -> list[_Pair]:
    """A plate has its values beside or below its labels: the way that serves more labels is cheaper."""
    below = len({pair.label for pair in pairs if pair.below})
    beside = len({pair.label for pair in pairs if not pair.below})
    if below == beside:
        return pairs
    return [
        pair
        if pair.below == (below > beside)
        else _Pair(pair.key, pair.label, pair.value, pair.cost + 6.0, pair.below)
        for pair in pairs
    ]


def _assigned(pairs: list[_Pair]) -> list[tuple[_Pair, float]]:
    """Each label with one value and each value with one label, nearest first, and how sure that is."""
    taken: list[tuple[_Pair, float]] = []
    for pair in sorted(pairs, key=lambda one: one.cost):
        if any(pair.label == one.label or pair.value == one.value for one, _ in taken):
            continue
        rivals = [
            one
            for one in pairs
            if (one.label == pair.label) != (one.value == pair.value)
            and one.cost <= _RIVAL * pair.cost + 0.3
            and not any(one.label == other.label or one.value == other.value for other, _ in taken)
        ]
        taken.append((pair, _DOUBT if rivals else 1.0))
    return taken


def _level(one: Box, other: Box) -> bool:
    return abs(one.centre[1] - other.centre[1]) < 0.6 * min(one.height, other.height)
