"""What a record has to give, by the names that a configuration calls it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from llava_agent.inspection.document import InspectionDocument, LineDocument
from llava_agent.inspection.plate_words import FIELDS

#: Sources without a part of their own.
_WHOLE = {
    "record": "the record's id",
    "asset": "the asset",
    "by": "who made the record",
    "date": "the day it was made",
    "time": "the time it was made",
    "faults": "the likely faults",
    "findings": "the likely faults and the notes",
    "faults.level": "how bad the faults are",
    "steps": "the next steps",
    "notes": "the notes",
    "photos.count": "how many photos there are",
    "photos.names": "the photos' names",
    "photos.sha256": "the photos' hashes",
    "photos.content": "the photos themselves",
}
#: Lines of the table, by kind and key.
_LINES = {"plate": ("plate",), "reading": ("gauge", "display"), "lamp": ("lamp",), "other": ("other",)}


def _keys(kind: str, key: str) -> set[str]:
    """Keys of lines that a source means: `reading.pressure` is on a gauge or on a display."""
    return {key} if kind in ("plate", "other") else {f"{one}_{key}" for one in _LINES[kind]}


class Ambiguous(ValueError):
    """The record says more than one thing; the text names them."""


@dataclass(frozen=True, slots=True)
class Photograph:
    """A photo of the record; `content` reads the file."""

    name: str
    sha256: str
    content: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Material:
    """A record as it is filed.

    Attributes:
        id: of the record.
        by: its owner.
    """

    id: str
    asset: str
    by: str
    made: datetime
    document: InspectionDocument
    photos: Sequence[Photograph]

    def take(self, source: str) -> JsonValue:
        """What the record says under a source's name; None where it says nothing.

        Raises:
            Ambiguous: it says several things.
        """
        kind, _, key = source.partition(".")
        if kind in _LINES:
            return self._line(_LINES[kind], _keys(kind, key))
        match source:
            case "record":
                return self.id
            case "asset":
                return self.asset or self.document.asset or None
            case "by":
                return self.by
            case "date":
                return f"{self.made:%Y-%m-%d}"
            case "time":
                return self.made.isoformat(timespec="seconds")
            case "faults":
                return "; ".join(one.what for one in self.document.faults) or None
            case "faults.level":
                levels = {one.level for one in self.document.faults}
                return next((level for level in ("fault", "watch") if level in levels), "none")
            case "findings":
                return "; ".join(filter(None, (self._text("faults"), self._text("notes")))) or None
            case "steps":
                return "; ".join(one.do for one in self.document.steps) or None
            case "notes":
                return "; ".join(one.value for one in self.document.lines if one.kind == "note") or None
        return self._photos(key)

    def _line(self, kinds: tuple[str, ...], keys: set[str]) -> str | None:
        found = [one for one in self.document.lines if one.kind in kinds and one.key in keys and one.value]
        values = list(dict.fromkeys(one.value for one in found))
        if len(values) > 1 and not _settled(found):
            raise Ambiguous(" and ".join(values))
        return next((one.value for one in found if one.edited), values[0] if values else None)

    def _text(self, source: str) -> str:
        return str(self.take(source) or "")

    def _photos(self, part: str) -> JsonValue:
        if part == "count":
            return len(self.photos)
        if part == "names":
            return [one.name for one in self.photos]
        if part == "sha256":
            return [one.sha256 for one in self.photos]
        return [base64.b64encode(one.content()).decode() for one in self.photos]


def _settled(lines: Sequence[LineDocument]) -> bool:
    """A person wrote one of the values, so that is the one."""
    return len({one.value for one in lines if one.edited}) == 1


def check_source(source: str) -> None:
    """Raises ValueError where no record can have such a source."""
    kind, _, key = source.partition(".")
    if source in _WHOLE:
        return
    if kind == "plate" and key in FIELDS:
        return
    if kind in ("reading", "lamp", "other") and key:
        return
    known = [*_WHOLE, "plate.KEY", "reading.KEY", "lamp.KEY", "other.KEY"]
    mend = f"plate fields are {', '.join(FIELDS)}" if kind == "plate" else f"there are {', '.join(known)}"
    raise ValueError(f"there is no source {source!r} ({mend})")


def source_words(source: str) -> str:
    """A source for a person: `the serial number on the plate`."""
    if source in _WHOLE:
        return _WHOLE[source]
    kind, _, key = source.partition(".")
    if kind == "plate":
        return f"the {FIELDS[key].name.lower()} on the plate"
    words = key.replace("_", " ")
    shown = {"reading": f"the reading of {words}", "lamp": f"the lamp {words}"}
    return shown.get(kind, f"“{words}” on the plate")
