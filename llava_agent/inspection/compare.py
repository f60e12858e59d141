"""What changed since an earlier inspection of the same asset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from llava_agent.inspection.document import InspectionDocument, LineDocument
from llava_agent.inspection.units import Quantity

#: A reading that moved by less than this part of the larger value is the same: gauges are read no better.
SAME = 0.03


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    Attributes:
        kind: `identity` where a plate names another device, or was misread.
        before, now: as printed; empty where it was not there.
        by: difference of a reading in the unit of `now`; None where that means nothing.
    """

    kind: Literal["identity", "plate", "reading", "lamp", "fault"]
    name: str
    before: str
    now: str
    by: float | None = None

    @property
    def sentence(self) -> str:
        """The change for a person."""
        if not self.before:
            return f"new: {self.name} {self.now}".strip()
        if not self.now:
            return f"no longer seen: {self.name} {self.before}".strip()
        moved = f" ({self.by:+.3g})" if self.by is not None else ""
        return f"{self.name}: {self.before} → {self.now}{moved}"

    def as_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "name": self.name,
            "before": self.before,
            "now": self.now,
            "by": self.by,
            "sentence": self.sentence,
        }


def compare(before: InspectionDocument, now: InspectionDocument) -> tuple[Change, ...]:
    """Changes in identity first, then faults, readings, lamps and other plate fields."""
    changes = [*_lines(before.lines, now.lines), *_faults(before, now)]
    order = ("identity", "fault", "reading", "lamp", "plate")
    return tuple(sorted(changes, key=lambda change: order.index(change.kind)))


def _lines(before: Sequence[LineDocument], now: Sequence[LineDocument]) -> list[Change]:
    """Lines of the same key are compared in their order, so two gauges of one kind stay apart."""
    changes = []
    for key in dict.fromkeys([line.key for line in (*before, *now)]):
        old, new = ([line for line in lines if line.key == key] for lines in (before, now))
        if {one.kind for one in (*old[:1], *new[:1])} & {"plate", "other"}:
            changes += _plate(key, old, new)
            continue
        for one, other in zip(old, new, strict=False):
            change = _moved(one, other)
            if change:
                changes.append(change)
        for line in new[len(old) :]:
            changes.append(Change(_kind(line), line.name, "", line.value))
        for line in old[len(new) :]:
            changes.append(Change(_kind(line), line.name, line.value, ""))
    return changes


def _plate(key: str, old: Sequence[LineDocument], new: Sequence[LineDocument]) -> list[Change]:
    """A field that only one of both shows is no change: perhaps its plate was not photographed."""
    if not old or not new or {_bare(line.value) for line in old} & {_bare(line.value) for line in new}:
        return []
    kind: Literal["identity", "plate"] = (
        "identity" if key in ("serial_number", "asset_tag", "model") else "plate"
    )
    return [Change(kind, new[0].name, old[0].value, new[0].value)]


def _moved(old: LineDocument, new: LineDocument) -> Change | None:
    if old.number is None or new.number is None:
        return (
            None
            if _bare(old.value) == _bare(new.value)
            else Change(_kind(new), new.name, old.value, new.value)
        )
    before, now = Quantity(old.number, old.unit), Quantity(new.number, new.unit)
    if before.kind != now.kind:
        return Change("reading", new.name, old.value, new.value)
    if abs(now.base - before.base) <= SAME * max(abs(now.base), abs(before.base)):
        return None
    by = now.number - before.number if old.unit.lower() == new.unit.lower() else None
    return Change("reading", new.name, old.value, new.value, by)


def _faults(before: InspectionDocument, now: InspectionDocument) -> list[Change]:
    old, new = {fault.what for fault in before.faults}, {fault.what for fault in now.faults}
    return [
        *(Change("fault", "fault", "", what) for what in sorted(new - old)),
        *(Change("fault", "fault", what, "") for what in sorted(old - new)),
    ]


def _kind(line: LineDocument) -> Literal["reading", "lamp"]:
    return "lamp" if line.kind == "lamp" else "reading"


def _bare(value: str) -> str:
    return "".join(value.split()).lower()
