"""Likely faults, each derived from what was read: no region, no claim."""

from __future__ import annotations

import re
from collections.abc import Sequence

from llava_agent.agent.fact import Evidence
from llava_agent.inspection.finding import Fault, Line
from llava_agent.inspection.instruments import beyond
from llava_agent.inspection.lamps import warns
from llava_agent.inspection.units import Quantity, plain
from tools.geometry import Box
from tools.mark import Mark

#: The field of a plate that bounds a kind of reading.
_LIMITS = {"pressure": "max_pressure", "temperature": "max_temperature"}
#: A voltage or a current of a plate is the rated one; this much above it is a fault.
_RATED = {"voltage": ("voltage", 1.1), "current": ("current", 1.0)}
#: Part of a limit from which it is worth watching.
NEAR = 0.9
#: A code as displays show it. A bare letter with digits may be an asset tag, so it counts on a display alone.
_CODE = re.compile(
    r"(?:ERR(?:OR)?|FAULT|ALARM|AL|TRIP)[ .:\-]*[A-Z]?\d{1,4}|[EF][ .\-]?\d{1,3}", re.IGNORECASE
)
_SPELT = re.compile(r"(?:ERR(?:OR)?|FAULT|ALARM|TRIP)[ .:\-]*[A-Z]?\d{1,4}", re.IGNORECASE)


def likely_faults(lines: Sequence[Line]) -> tuple[Fault, ...]:
    """What the table says is wrong, the surest first."""
    found = [fault for line in lines if (fault := _over(line, lines))]
    found += [_lamp(line) for line in lines if warns(line)]
    return ranked(found)


def ranked(faults: Sequence[Fault]) -> tuple[Fault, ...]:
    """Faults before what is only worth watching, the surest first."""
    return tuple(sorted(faults, key=lambda fault: (fault.level != "fault", -fault.confidence)))


def off_scale(marks: Sequence[Mark], gauges: Sequence[Line]) -> tuple[Fault, ...]:
    """Gauges whose needle stands beyond the last numeral."""
    found = []
    for dial in marks:
        last = beyond(marks, dial) if dial.role == "dial" else None
        if last is None or dial.box is None:
            continue
        box = tuple(dial.box.as_list())
        for line in gauges:
            if line.evidence[0].box == box:
                found.append(
                    Fault(
                        kind="off_scale",
                        level="fault",
                        what=f"{line.name.lower()} gauge beyond the last mark of its scale",
                        because=f"the needle stands at about {line.value}; the last number read is {last:g}",
                        confidence=line.confidence * 0.8,
                        evidence=line.evidence,
                    )
                )
    return tuple(found)


def error_codes(marks: Sequence[Mark], used: Sequence[Box], sha256: str) -> tuple[Fault, ...]:
    """Codes that a display shows. `used` are boxes of plate fields, where such a text is a name."""
    found = []
    for mark in marks:
        if mark.role != "text" or mark.box is None or any(mark.box.iou(box) > 0.5 for box in used):
            continue
        text = plain(mark.text)
        if not _CODE.fullmatch(text):
            continue
        spelt = _SPELT.fullmatch(text) is not None
        x0, y0, x1, y1 = mark.box.as_list()
        found.append(
            Fault(
                kind="error_code",
                level="fault" if spelt else "watch",
                what=f"error code {text}",
                because=f"“{text}” stands on the equipment"
                + ("" if spelt else "; it may also be a name, so look at where it stands"),
                confidence=mark.score * (0.9 if spelt else 0.45),
                evidence=(Evidence(sha256, (x0, y0, x1, y1), text, "ocr"),),
            )
        )
    return tuple(found)


def _over(line: Line, lines: Sequence[Line]) -> Fault | None:
    """A reading above what the plate permits, or close to it."""
    if line.kind not in ("gauge", "display") or line.number is None:
        return None
    read = Quantity(line.number, line.unit)
    limit, factor = _limit(read.kind, lines)
    if limit is None or limit.number is None:
        return None
    most = Quantity(limit.number, limit.unit).base * factor
    if most <= 0 or read.base < NEAR * most:
        return None
    over = read.base > most
    between = "above" if over else "within a tenth of"
    return Fault(
        kind="over_limit" if over else "near_limit",
        level="fault" if over else "watch",
        what=f"{line.name.lower()} {between} the limit on the plate",
        because=f"{line.name.lower()} is {line.value}; the plate says {limit.name.lower()} {limit.value}",
        confidence=line.confidence * limit.confidence,
        evidence=(*line.evidence, *limit.evidence),
    )


def _limit(kind: str, lines: Sequence[Line]) -> tuple[Line | None, float]:
    key, factor = (_LIMITS[kind], 1.0) if kind in _LIMITS else _RATED.get(kind, ("", 1.0))
    found = [line for line in lines if line.kind == "plate" and line.key == key and line.number is not None]
    same = [line for line in found if Quantity(line.number or 0.0, line.unit).kind == kind]
    return (same[0] if same else None), factor


def _lamp(line: Line) -> Fault:
    return Fault(
        kind="warning_lamp",
        level="fault",
        what=f"{line.name[:1].lower()}{line.name[1:]} is lit",
        because=f"the lamp with the label “{line.evidence[0].text}” is {line.value}",
        confidence=line.confidence,
        evidence=line.evidence,
    )
