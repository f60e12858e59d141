"""What a person changes: the table, and what follows from it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llava_agent.errors import ConfigError
from llava_agent.inspection.document import InspectionDocument, read_document
from llava_agent.inspection.revise import Edits, carry_over, choices, read_edits, revise
from tests.filing.records import line

ASKS = {"what": "no photo shows which equipment this is", "ask": "take a photo of its nameplate"}


def inspection(*lines: dict[str, Any], **more: Any) -> InspectionDocument:
    photo = {"sha256": "a" * 64, "name": "a.jpg", "width": 9, "height": 9, "quality": {}}
    return read_document({"photos": [photo], "lines": list(lines), **more})


def over_limit() -> InspectionDocument:
    limit = {**line("plate", "max_pressure", "16 bar"), "number": 16.0, "unit": "bar"}
    gauge = line("gauge", "gauge_pressure", "17 bar")
    fault = {"kind": "over_limit", "level": "fault", "what": "old", "because": "was 17", "confidence": 1}
    step = {"do": "compare gauges", "why": "was 17"}
    return inspection(limit, gauge, faults=[{**fault, "evidence": []}], steps=[step], missing=[ASKS])


def test_a_corrected_reading_ends_its_fault_and_the_step_for_it() -> None:
    revised = revise(over_limit(), Edits(values={1: "1.7 bar"}))
    assert revised.faults == () and revised.steps == ()
    assert revised.lines[1].number == 1.7 and revised.lines[1].edited
    worse = revise(over_limit(), Edits(values={1: "20 bar"}))
    assert [one.kind for one in worse.faults] == ["over_limit"] and "20 bar" in worse.faults[0].because


def test_a_fault_that_a_person_dismisses_stays_away() -> None:
    known = revise(over_limit(), Edits(values={1: "17.5 bar"}))
    said = revise(known, Edits(values={1: "18 bar"}, dismissed=(0,)))
    assert said.faults == () and revise(over_limit(), Edits(dismissed=(0,))).faults == ()


def test_lines_are_removed_and_written_in() -> None:
    edits = {"removed": [1], "added": [{"what": "plate.serial_number", "value": " SN-1 "}]}
    edits["added"] += [{"what": "reading.pressure", "value": "6 bar"}, {"what": "note", "value": "worn"}]
    revised = revise(over_limit(), read_edits(json.dumps(edits)))
    assert [(one.kind, one.key, one.value) for one in revised.lines] == [
        ("plate", "max_pressure", "16 bar"),
        ("plate", "serial_number", "SN-1"),
        ("display", "display_pressure", "6 bar"),
        ("note", "note", "worn"),
    ]
    assert revised.lines[1].evidence[0].source == "person" and revised.lines[2].number == 6.0
    assert revised.missing == ()  # now something says which equipment it is


@pytest.mark.parametrize(
    "text",
    [
        '{"values": {"9": "x"}}',
        '{"removed": [-1]}',
        '{"dismissed": [3]}',
        '{"added": [{"what": "x", "value": "y"}]}',
        "[]",
        '{"other": 1}',
        "not json",
    ],
)
def test_edits_of_something_else_are_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        revise(over_limit(), read_edits(text))


def test_whatever_can_be_written_in_is_a_line() -> None:
    added = tuple({"what": what, "value": "5 bar"} for what in choices())
    edits = Edits.model_validate({"added": added})
    assert len(revise(inspection(), edits).lines) == len(choices())


def test_what_a_person_wrote_survives_another_photo() -> None:
    before = revise(inspection(line("plate", "model", "X 1")), Edits(values={0: "X 2"}))
    after = carry_over(before, inspection(line("plate", "model", "X 1"), line("plate", "year", "2019")))
    assert [(one.key, one.value) for one in after.lines] == [("year", "2019"), ("model", "X 2")]
