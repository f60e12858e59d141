"""From a record to what is sent: units, choices, and a sentence for each thing that is missing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from llava_agent.filing.config import FieldRule, read_filing
from llava_agent.filing.destination import equal
from llava_agent.filing.fill import fill
from llava_agent.filing.material import Material, Photograph
from llava_agent.inspection.document import read_document
from llava_agent.inspection.units import Quantity, converted
from tests.filing.records import CONFIGS, LINES, body, line

BAR = {"take": "reading.pressure", "unit": "bar"}
CELSIUS = {"take": "reading.temperature", "unit": "°C"}
SHIPPED = read_filing(CONFIGS / "maintenance.yaml")


def material(**given: Any) -> Material:
    photos = [Photograph("a.jpg", "a" * 64, lambda: b"\xff"), Photograph("b.jpg", "b" * 64, lambda: b"b")]
    return Material(
        "record_1", "", "ada", datetime(2026, 3, 4, 5, 6, tzinfo=UTC), read_document(body(**given)), photos
    )


def one(rule: FieldRule, of: Material) -> tuple[JsonValue, str]:
    """The value of one field and the sentence that is said instead."""
    config = SHIPPED.model_copy(update={"fields": {"x": rule}})
    found = fill(config, of)
    return found.values.get("x"), "; ".join(problem.sentence for problem in found.problems)


def test_a_record_fills_the_shipped_destination() -> None:
    found = fill(SHIPPED, material())
    assert found.problems == ()
    assert found.values == {
        "asset_tag": "PUMP-07",
        "serial_number": "SN-48213",
        "model": "NK 65-200",
        "pressure_bar": 17.2369,
        "priority": "high",
        "condition": "Pressure is above its limit (photos: 2, record record_1)",
    }
    calm = fill(SHIPPED, material(faults=[])).values
    assert calm["priority"] == "low" and str(calm["condition"]).startswith("no fault was seen (photos: 2")


def test_each_missing_field_is_one_sentence() -> None:
    found = fill(SHIPPED, material(lines=[line("plate", "model", "X 1")]))
    assert [problem.field for problem in found.problems] == ["serial_number"]
    assert found.problems[0].sentence == (
        "serial number: the record lacks the serial number on the plate: take a photo of it, or write it in"
    )


def test_of_several_values_a_person_has_to_keep_one() -> None:
    two = [*LINES, line("plate", "serial_number", "SN-999")]
    (problem,) = fill(SHIPPED, material(lines=two)).problems
    assert "several values" in problem.sentence and "SN-48213 and SN-999" in problem.sentence
    two[-1]["edited"] = True
    assert fill(SHIPPED, material(lines=two)).values["serial_number"] == "SN-999"


@pytest.mark.parametrize(
    ("rule", "lines", "value", "said"),
    [
        (BAR, [line("gauge", "gauge_pressure", "6.2 bar")], 6.2, ""),
        (
            {"take": "reading.pressure", "unit": "bar"},
            [line("display", "display_pressure", "620 kPa")],
            6.2,
            "",
        ),
        (
            {"take": "reading.temperature", "unit": "°C"},
            [line("gauge", "gauge_temperature", "212 °F")],
            100.0,
            "",
        ),
        (
            {"take": "plate.max_pressure", "unit": "bar"},
            [line("plate", "max_pressure", "16")],
            None,
            "no unit",
        ),
        ({"take": "plate.weight", "unit": "bar"}, [line("plate", "weight", "12 kg")], None, "given in bar"),
        ({"take": "plate.model", "unit": "bar"}, [line("plate", "model", "big")], None, "no quantity"),
        ({"take": "plate.model", "map": {"A": 1}}, [line("plate", "model", "B")], None, "none of A"),
        ({"take": "plate.model", "otherwise": "?"}, [], "?", ""),
        ({"take": "plate.model", "required": False}, [], None, ""),
        ({"take": ["plate.model", "plate.year"]}, [line("plate", "year", "2019")], "2019", ""),
        ({"text": "{plate.model}!"}, [], None, "lacks the model on the plate"),
        ({"text": "{date} {by} {photos.names}"}, [], "2026-03-04 ada a.jpg, b.jpg", ""),
        ({"take": "photos.content"}, [], ["/w==", "Yg=="], ""),
        ({"value": True}, [], True, ""),
    ],
)
def test_one_field(rule: dict[str, Any], lines: list[dict[str, Any]], value: JsonValue, said: str) -> None:
    found, sentence = one(FieldRule.model_validate(rule), material(lines=lines))
    assert found == value and said in sentence and bool(said) == bool(sentence)


@given(st.text(max_size=60), st.sampled_from(["", "bar", "°C", "kg"]))
def test_whatever_stands_in_a_line_is_a_value_or_a_sentence(text: str, unit: str) -> None:
    rule = FieldRule(take=("plate.max_pressure",), unit=unit)
    stands = {**line("plate", "max_pressure", "1 bar"), "value": text}
    value, sentence = one(rule, material(lines=[stands]))
    assert (value is None) == bool(sentence)


@given(st.floats(-1e6, 1e6), st.sampled_from([("bar", "psi"), ("°C", "°F"), ("kW", "hp"), ("m", "mm")]))
def test_there_and_back_is_the_same_quantity(number: float, units: tuple[str, str]) -> None:
    there = converted(Quantity(number, units[0]), units[1])
    assert there is not None
    back = converted(Quantity(there, units[1]), units[0])
    assert back == pytest.approx(number, rel=1e-4, abs=1e-2)
    assert converted(Quantity(number, units[0]), "rpm") is None


@pytest.mark.parametrize(
    ("sent", "there", "same"),
    [
        (6.2, 6.2000000001, True),
        (6, 6.0, True),
        ("a  b ", "a b", True),
        (None, "", True),
        (True, 1, False),
        (False, False, True),
        ("1", 1, False),
        ([1, "a"], [1.0, " a"], True),
        ([1], [1, 2], False),
        ({"a": 1}, {"a": 1, "id": 7}, True),
    ],
)
def test_equal_is_about_what_is_meant(sent: JsonValue, there: object, same: bool) -> None:
    assert equal(sent, there) is same
