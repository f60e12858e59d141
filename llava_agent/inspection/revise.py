"""What a person changes in an inspection: values, lines added and removed, faults that are none."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from llava_agent.agent.fact import Evidence
from llava_agent.errors import ConfigError
from llava_agent.inspection.document import InspectionDocument, LineDocument, read_document
from llava_agent.inspection.faults import likely_faults
from llava_agent.inspection.finding import Line
from llava_agent.inspection.instruments import READINGS
from llava_agent.inspection.plate_words import FIELDS
from llava_agent.inspection.units import quantity

#: Faults that follow from the lines of the table, so that a corrected line may make or end one.
_DERIVED = frozenset({"over_limit", "near_limit", "warning_lamp"})
_NOTE = "note"
#: What says which equipment it is; missed first, so offered first.
_IDENTITY = ("serial_number", "asset_tag", "model")


class Added(BaseModel):
    """A line that a person writes in: `plate.serial_number`, `reading.pressure`, or `note`."""

    model_config = ConfigDict(extra="forbid")

    what: str = Field(max_length=60)
    value: str = Field(min_length=1, max_length=500)


class Edits(BaseModel):
    """Changes, by the position of a line or fault in the inspection that the person saw."""

    model_config = ConfigDict(extra="forbid")

    values: dict[int, str] = {}
    removed: tuple[int, ...] = ()
    dismissed: tuple[int, ...] = ()
    added: tuple[Added, ...] = Field(default=(), max_length=50)


def choices() -> dict[str, str]:
    """What can be written in, with its name for a person."""
    order = sorted(FIELDS, key=lambda key: key not in _IDENTITY)
    plate = {f"plate.{key}": FIELDS[key].name for key in order}
    readings = {f"reading.{key}": name for key, name in READINGS.items()}
    return {**plate, **readings, _NOTE: "Note"}


def read_edits(text: str) -> Edits:
    """Raises ConfigError for what is no JSON of edits."""
    try:
        return Edits.model_validate_json(text or "{}")
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(
            f"these are no edits of an inspection ({first['msg']})", "load the record again"
        ) from None


def revise(document: InspectionDocument, edits: Edits) -> InspectionDocument:
    """The inspection as the person left it. Faults that follow from the table are derived anew.

    Raises:
        ConfigError: a position or a name that is not there.
    """
    lines = [
        _changed(line, edits.values[at]) if at in edits.values else line
        for at, line in enumerate(document.lines)
        if at not in edits.removed
    ]
    _check(edits, document)
    lines += [_written(one, document) for one in edits.added]
    kept = [fault for at, fault in enumerate(document.faults) if at not in edits.dismissed]
    if edits.values or edits.removed or edits.added:
        said = {document.faults[at].what for at in edits.dismissed}
        derived = [fault.as_dict() for fault in likely_faults([_line(one) for one in lines])]
        others = [fault.model_dump(mode="json") for fault in kept if fault.kind not in _DERIVED]
        faults: list[dict[str, Any]] = [*(one for one in derived if one["what"] not in said), *others]
    else:
        faults = [fault.model_dump(mode="json") for fault in kept]
    gone = {one.because for one in document.faults} - {one["because"] for one in faults}
    named = {one.name.lower() for one in lines}
    body = document.model_dump(mode="json")
    body |= {
        "lines": [one.model_dump(mode="json") for one in lines],
        "faults": faults,
        "missing": [one for one in body["missing"] if not _answered(one["what"], named, lines)],
    }
    asked = {one.what for one in document.missing} - {one["what"] for one in body["missing"]}
    body["steps"] = [one for one in body["steps"] if one["why"] not in gone | asked]
    return read_document(body)


def carry_over(before: InspectionDocument, after: InspectionDocument) -> InspectionDocument:
    """What a person wrote, kept in a new inspection of the same equipment: it is surer than any reading."""
    written = [one for one in before.lines if one.edited]
    keys = {one.key for one in written if one.kind != _NOTE}
    lines = [*(one for one in after.lines if one.key not in keys), *written]
    return after.model_copy(update={"lines": tuple(lines)})


def _check(edits: Edits, document: InspectionDocument) -> None:
    last = len(document.lines) - 1
    wrong = [at for at in (*edits.values, *edits.removed) if not 0 <= at <= last]
    wrong += [at for at in edits.dismissed if not 0 <= at < len(document.faults)]
    if wrong:
        raise ConfigError(f"the inspection has no line {wrong[0]}", "load the record again")


def _changed(line: LineDocument, value: str) -> LineDocument:
    taken = quantity(value)
    update: dict[str, Any] = {"value": value.strip()[:500], "edited": True}
    if line.number is not None or line.kind in ("gauge", "display"):
        update |= {"number": taken.number if taken else None, "unit": taken.unit if taken else ""}
    return line.model_copy(update=update)


def _written(one: Added, document: InspectionDocument) -> LineDocument:
    names = choices()
    if one.what not in names:
        raise ConfigError(f"a line cannot be called {one.what!r}", f"choose one of {', '.join(names)}")
    kind, _, key = one.what.partition(".")
    taken = quantity(one.value) if kind == "reading" or (kind == "plate" and FIELDS[key].kinds) else None
    photo = document.photos[0].sha256 if document.photos else ""
    place: Literal["plate", "display", "note"] = (
        "plate" if kind == "plate" else "display" if kind == "reading" else "note"
    )
    return LineDocument.model_validate(
        {
            "kind": place,
            "key": f"display_{key}" if kind == "reading" else key or _NOTE,
            "name": names[one.what],
            "value": one.value.strip(),
            "number": taken.number if taken else None,
            "unit": taken.unit if taken else "",
            "confidence": 1.0,
            "evidence": [{"photo": photo, "source": "person"}],
            "edited": True,
        }
    )


def _line(one: LineDocument) -> Line:
    """A line as the rules for faults take it."""
    evidence = tuple(Evidence(part.photo, part.box, part.text, part.source) for part in one.evidence)
    kind = "plate" if one.kind == "note" else one.kind
    return Line(kind, one.key, one.name, one.value, one.confidence, evidence, one.number, one.unit)


def _answered(what: str, named: set[str], lines: list[LineDocument]) -> bool:
    """Whether a person's line gives what a photo was asked for."""
    edited = {one.name.lower() for one in lines if one.edited}
    if any(f"“{name}”" in what or what.startswith(f"{name} was read as") for name in edited):
        return True
    identity = {FIELDS[key].name.lower() for key in _IDENTITY}
    return "which equipment this is" in what and bool(identity & named)
