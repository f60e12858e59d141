"""Readings of gauges and of number displays."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median
from typing import Literal

from llava_agent.agent.fact import Evidence
from llava_agent.inspection.finding import Line
from llava_agent.inspection.units import Quantity, plain, quantity, unit_of
from tools.geometry import Box
from tools.mark import Mark

#: What can be read off an instrument, by the kind of quantity.
READINGS = {
    "pressure": "Pressure",
    "temperature": "Temperature",
    "voltage": "Voltage",
    "current": "Current",
    "level": "Level",
    "flow": "Flow",
    "speed": "Speed",
    "power": "Power",
    "frequency": "Frequency",
    "vibration": "Vibration",
    "hours": "Hours run",
}
#: Share of rightly read displays on rendered ones: the recogniser of print says too much of its own.
_DISPLAY_TRUST = 0.95
#: The digits of a display are this much taller than the words around them; those of a plate are not.
_TALLER = 1.5
#: A unit or a name stands within this many heights of the digits.
_NEAR = 1.6
_WORDS = {
    "temp": "temperature",
    "press": "pressure",
    "volt": "voltage",
    "curr": "current",
    "speed": "speed",
    "level": "level",
    "flow": "flow",
    "freq": "frequency",
    "vibr": "vibration",
    "hours": "hours",
    "power": "power",
}
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9 .\-]{2,}")


def read_gauges(marks: Sequence[Mark], sha256: str) -> tuple[Line, ...]:
    """A line for each dial that was read; the unit may be missing, the value never."""
    lines = []
    for mark in marks:
        taken = quantity(mark.value) if mark.role == "dial" and mark.value and mark.box else None
        if taken is None or mark.box is None or not mark.value:
            continue
        lines.append(_reading("gauge", taken, mark.value, mark.score, mark.box, sha256))
    return tuple(lines)


def unread_gauges(marks: Sequence[Mark]) -> tuple[Box, ...]:
    """Dials with a number on them that were not read; without one, a round thing may be no gauge at all."""
    return tuple(
        mark.box
        for mark in marks
        if mark.role == "dial" and mark.box and not mark.value and _numerals(marks, mark.box)
    )


def beyond(marks: Sequence[Mark], dial: Mark) -> float | None:
    """The last numeral of a gauge whose needle is a whole step or more beyond it; None for any other.

    A step, because the last numeral may be one that was not read.
    """
    taken = quantity(dial.value or "")
    numbers = sorted(set(_numerals(marks, dial.box))) if dial.box else []
    if taken is None or len(numbers) < 3:
        return None
    step = max(after - before for before, after in pairwise(numbers))
    return numbers[-1] if taken.number >= numbers[-1] + step else None


def _numerals(marks: Sequence[Mark], dial: Box) -> list[float]:
    found = (
        quantity(mark.text)
        for mark in marks
        if mark.role == "text" and mark.box and dial.contains(*mark.box.centre)
    )
    return [taken.number for taken in found if taken is not None and not taken.unit]


def read_displays(marks: Sequence[Mark], used: Sequence[Box], sha256: str) -> tuple[Line, ...]:
    """A line for each number that is far taller than the words around it, with its unit and its name.

    Args:
        used: boxes of plate fields; a number on a plate is no reading.
    """
    dials = [mark.box for mark in marks if mark.role == "dial" and mark.box]
    texts = [
        (plain(mark.text), mark.box, mark.score)
        for mark in marks
        if mark.role == "text" and mark.box and not any(dial.contains(*mark.box.centre) for dial in dials)
    ]
    lines = []
    for text, box, score in texts:
        taken = quantity(text)
        if taken is None or any(box.iou(other) > 0.5 for other in used):
            continue
        near = [(words, place) for words, place, _ in texts if place is not box and _close(box, place)]
        unit, name = taken.unit or plain(_nearest(box, near, unit_of)), _nearest(box, near, _title)
        words = [place.height for text_near, place in near if len(text_near) > 1 or unit_of(text_near)]
        tall = words and box.height >= _TALLER * median(words)
        if not (unit and tall):
            continue
        whole = Quantity(taken.number, unit)
        trust = _DISPLAY_TRUST
        if name and _says(name) not in ("", whole.kind):
            # The unit is another meter's: a temperature in rpm is none.
            whole, trust = Quantity(taken.number, ""), _DISPLAY_TRUST * 0.7
        shown = (
            f"{taken.number:g} {whole.unit}".strip()
            if "," in text
            else f"{text.split()[0]} {whole.unit}".strip()
        )
        line = _reading("display", whole, shown, score * trust, box, sha256)
        lines.append(replace(line, name=name.capitalize()) if name else line)
    return tuple(lines)


def _says(name: str) -> str:
    """The quantity that the name of a meter speaks of; empty where it speaks of none."""
    return next((kind for word, kind in _WORDS.items() if word in name.lower()), "")


def _reading(
    kind: Literal["gauge", "display"], taken: Quantity, value: str, confidence: float, box: Box, sha256: str
) -> Line:
    x0, y0, x1, y1 = box.as_list()
    what = taken.kind or "reading"
    return Line(
        kind=kind,
        key=f"{kind}_{what}",
        name=READINGS.get(what, "Reading"),
        value=plain(value),
        confidence=confidence,
        evidence=(Evidence(sha256, (x0, y0, x1, y1), plain(value), "dial" if kind == "gauge" else "ocr"),),
        number=taken.number,
        unit=taken.unit,
    )


def _title(text: str) -> str:
    shown = plain(text)
    return shown if _WORD.fullmatch(shown) and not unit_of(shown) else ""


def _close(box: Box, other: Box) -> bool:
    reach = _NEAR * box.height
    around = Box(box.x0 - reach, box.y0 - reach, box.x1 + reach, box.y1 + reach)
    return around.contains(*other.centre)


def _nearest(box: Box, near: Sequence[tuple[str, Box]], what: Callable[[str], str]) -> str:
    """What the nearest text gives for which `what` gives something."""

    def away(place: Box) -> float:
        (x, y), (cx, cy) = place.centre, box.centre
        return max(abs(x - cx) - box.width / 2, 0) + abs(y - cy)

    found = [(away(place), what(words)) for words, place in near if what(words)]
    return min(found)[1] if found else ""
