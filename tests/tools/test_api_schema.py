"""Arguments by JSON schema: what was typed becomes what the API wants, or is refused."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.api.schema import Refused, choices, coerce, shown

_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=40),
    st.lists(st.integers(), max_size=3),
)
_TYPES = st.sampled_from(
    ["string", "number", "integer", "boolean", "array", "object", "null", None, "unheard-of"]
)


@given(st.integers())
def test_whole_numbers_survive_being_typed(number: int) -> None:
    assert coerce(f" {number} ", {"type": "integer"}) == number


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_survive_being_typed(number: float) -> None:
    assert coerce(repr(number), {"type": "number"}) == number


@given(st.text(max_size=60))
def test_texts_stay_as_they_are(text: str) -> None:
    assert coerce(text, {"type": "string"}) == text


@given(_SCALARS, _TYPES, st.lists(st.integers(-5, 5), max_size=2))
def test_the_result_is_of_the_asked_type_and_within_bounds(
    value: object, kind: str | None, bounds: list
) -> None:
    schema: dict[str, object] = {"type": kind} if kind else {}
    schema |= dict(zip(("minimum", "maximum"), bounds, strict=False))
    try:
        result = coerce(value, schema)
    except Refused as refusal:
        assert str(refusal).startswith("must ")
        return
    expected = {
        "string": str,
        "integer": int,
        "number": (int, float),
        "boolean": bool,
        "array": list,
        "object": dict,
    }
    if kind in expected:
        assert isinstance(result, expected[kind])
    if kind in ("integer", "number"):
        assert not isinstance(result, bool)
        assert math.isfinite(result)
        assert result >= schema.get("minimum", result)
        assert result <= schema.get("maximum", result)


@given(
    st.lists(st.one_of(st.text(max_size=8), st.integers(), st.booleans()), min_size=1, max_size=5), st.data()
)
def test_every_label_of_a_closed_list_leads_to_a_value_of_that_label(
    values: list, data: st.DataObject
) -> None:
    schema = {"enum": values}
    label = data.draw(st.sampled_from(choices(schema)))
    if label.strip() == label:
        assert shown(coerce(label, schema)) == label


@pytest.mark.parametrize("text", ["", "six", "6.5 bar", "1e9999", "nan", "inf", "0x10", "1_000", "--1", "٣"])
def test_no_number(text: str) -> None:
    with pytest.raises(Refused, match="must be a number"):
        coerce(text, {"type": "number"})


@pytest.mark.parametrize(
    ("text", "value"), [("6", 6), ("6.50", 6.5), ("-.5", -0.5), ("1e3", 1000.0), ("+2.", 2.0)]
)
def test_number(text: str, value: float) -> None:
    assert coerce(text, {"type": "number"}) == value


@pytest.mark.parametrize(
    ("schema", "text", "complaint"),
    [
        ({"type": "integer"}, "6.5", "whole number"),
        ({"type": "integer", "minimum": 1}, "0", "at least 1"),
        ({"type": "number", "maximum": 10}, "10.1", "at most 10"),
        ({"type": "number", "exclusiveMinimum": 0}, "0", "more than 0"),
        ({"type": "number", "minimum": 0, "exclusiveMinimum": True}, "0", "more than 0"),
        ({"type": "number", "maximum": 5, "exclusiveMaximum": True}, "5", "less than 5"),
        ({"type": "boolean"}, "maybe", "true or false"),
        ({"type": "string", "minLength": 1}, "", "not be empty"),
        ({"type": "string", "maxLength": 3}, "abcd", "at most 3"),
        ({"type": "string", "format": "date"}, "tomorrow", "a date"),
        ({"type": "string", "format": "uuid"}, "12", "a uuid"),
        ({"type": "string", "enum": ["low", "high"]}, "urgent", "one of low, high"),
        ({"const": 3}, "4", "one of 3"),
        ({"type": "array", "items": {"type": "integer"}}, "1, x", "whole number"),
        ({"type": "array", "maxItems": 1}, "1,2", "at most 1"),
        ({"type": "object"}, "{", "valid JSON"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "x", "whole number"),
        ({"type": ["integer", "boolean"]}, "x", "whole number or must be true or false"),
    ],
)
def test_refusals_say_what_is_wanted(schema: dict, text: str, complaint: str) -> None:
    with pytest.raises(Refused, match=complaint):
        coerce(text, schema)


@pytest.mark.parametrize(
    ("schema", "text", "value"),
    [
        ({"type": "boolean"}, " Yes", True),
        ({"type": "boolean"}, "off", False),
        ({"type": "string", "enum": ["low", "High"]}, "high", "High"),
        ({"enum": [1, 2, None]}, "2", 2),
        ({"type": "array", "items": {"type": "integer"}}, "1, 2", [1, 2]),
        ({"type": "array", "items": {"type": "string"}}, '["a,b"]', ["a,b"]),
        ({"type": "object"}, '{"a": 1}', {"a": 1}),
        ({"anyOf": [{"type": "number"}, {"type": "null"}]}, "6.5", 6.5),
        ({"type": ["string", "null"]}, "SN-1", "SN-1"),
        ({"type": "integer", "nullable": True}, "4", 4),
        ({}, "anything", "anything"),
    ],
)
def test_conversions(schema: dict, text: str, value: object) -> None:
    result = coerce(text, schema)
    assert json.dumps(result) == json.dumps(value)


def test_open_schemas_have_no_choices() -> None:
    assert choices({"type": "string"}) == ()
    assert choices({"anyOf": [{"enum": ["a"]}, {"type": "string"}]}) == ()
    assert choices({"anyOf": [{"enum": ["a"]}, {"type": "null"}]}) == ("a",)
    assert choices({"type": "boolean"}) == ("true", "false")
