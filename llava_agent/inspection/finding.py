"""What an inspection finds. Each claim carries the regions that show it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from llava_agent.agent.fact import Evidence
from llava_agent.inspection.quality import Quality

Kind = Literal["plate", "gauge", "display", "lamp", "other"]
Level = Literal["fault", "watch"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table.

    Attributes:
        key: what it is, from a closed list for plates (`serial_number`), else made from its name.
        name: for a person, as the plate calls it.
        value: as printed or measured, with its unit.
        number, unit: the value taken apart; None and empty where it is no quantity.
        confidence: 0 to 1.
        evidence: where it stands; never empty.
    """

    kind: Kind
    key: str
    name: str
    value: str
    confidence: float
    evidence: tuple[Evidence, ...]
    number: float | None = None
    unit: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "key": self.key,
            "name": self.name,
            "value": self.value,
            "number": self.number,
            "unit": self.unit,
            "confidence": round(self.confidence, 3),
            "evidence": [_evidence(one) for one in self.evidence],
        }


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is likely wrong, derived from lines of the table or from what stands on a display.

    Attributes:
        kind: from a closed list (`over_limit`, `near_limit`, `off_scale`, `warning_lamp`, `error_code`).
        because: the observation that it is derived from, as a sentence.
    """

    kind: str
    level: Level
    what: str
    because: str
    confidence: float
    evidence: tuple[Evidence, ...]

    def as_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "level": self.level,
            "what": self.what,
            "because": self.because,
            "confidence": round(self.confidence, 3),
            "evidence": [_evidence(one) for one in self.evidence],
        }


@dataclass(frozen=True, slots=True)
class Missing:
    """What another photo should show, and why."""

    what: str
    ask: str
    evidence: tuple[Evidence, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {"what": self.what, "ask": self.ask, "evidence": [_evidence(one) for one in self.evidence]}


@dataclass(frozen=True, slots=True)
class Citation:
    """What a manual says.

    Attributes:
        source: file name of the document.
        page: from 1; None where the format has no pages.
        quote: its words, as they stand there.
        passage: the passage around them.
    """

    source: str
    page: int | None
    quote: str
    passage: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {"source": self.source, "page": self.page, "quote": self.quote, "passage": self.passage}


@dataclass(frozen=True, slots=True)
class Step:
    """What to look at next, why, and what the manuals say about it."""

    do: str
    why: str
    citations: tuple[Citation, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {"do": self.do, "why": self.why, "citations": [one.as_dict() for one in self.citations]}


@dataclass(frozen=True, slots=True)
class Word:
    """Print that belongs to no line: what it is, a person has to say."""

    text: str
    evidence: Evidence

    def as_dict(self) -> dict[str, Any]:
        return {"text": self.text, "evidence": _evidence(self.evidence)}


@dataclass(frozen=True, slots=True)
class Seen:
    """One photo of the inspection.

    Attributes:
        sha256: of its decoded pixels; what `Evidence` speaks of.
        name: of the file.
    """

    sha256: str
    name: str
    width: int
    height: int
    quality: Quality

    def as_dict(self) -> dict[str, Any]:
        return {
            "sha256": self.sha256,
            "name": self.name,
            "width": self.width,
            "height": self.height,
            "quality": self.quality.as_dict(),
        }


@dataclass(frozen=True, slots=True)
class Inspection:
    """All of it. `ms` tells milliseconds by part."""

    photos: tuple[Seen, ...]
    lines: tuple[Line, ...]
    faults: tuple[Fault, ...] = ()
    steps: tuple[Step, ...] = ()
    missing: tuple[Missing, ...] = ()
    words: tuple[Word, ...] = ()
    ms: dict[str, float] = field(default_factory=dict)

    @property
    def asset(self) -> str:
        """The asset tag, else the serial number; empty where neither was read."""
        for key in ("asset_tag", "serial_number"):
            for line in self.lines:
                if line.key == key:
                    return line.value
        return ""

    def as_dict(self) -> dict[str, Any]:
        """The JSON of `llava-agent inspect`, of the API and of a record's body."""
        return {
            "asset": self.asset,
            "photos": [one.as_dict() for one in self.photos],
            "lines": [one.as_dict() for one in self.lines],
            "faults": [one.as_dict() for one in self.faults],
            "steps": [one.as_dict() for one in self.steps],
            "missing": [one.as_dict() for one in self.missing],
            "words": [one.as_dict() for one in self.words],
            "ms": {part: round(value, 1) for part, value in self.ms.items()},
        }


def _evidence(one: Evidence) -> dict[str, Any]:
    return {
        "photo": one.image_sha256,
        "box": list(one.box) if one.box else None,
        "text": one.text,
        "source": one.source,
    }
