"""From a record to the values that are sent, and one sentence for each that is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from llava_agent.filing.config import FieldRule, FilingConfig, filled
from llava_agent.filing.material import Ambiguous, Material, source_words
from llava_agent.inspection.units import Quantity, converted, quantity


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a record cannot be filed as it is: the field, and a sentence with the mend."""

    field: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Filled:
    """The values by field, and what is wrong."""

    values: Mapping[str, JsonValue]
    problems: tuple[Problem, ...]


class _Unfit(ValueError):
    """A value is there and cannot be sent; the text is the sentence."""


def fill(config: FilingConfig, material: Material) -> Filled:
    """Every field of a destination from a record. One without a value is left out, unless it is required."""
    values: dict[str, JsonValue] = {}
    problems = []
    for name, rule in config.fields.items():
        try:
            value = _value(rule, material)
        except _Unfit as unfit:
            problems.append(Problem(name, f"{_words(name)}: {unfit}"))
            continue
        if value is not None:
            values[name] = value
        elif rule.required:
            wanted = " or ".join(source_words(source) for source in rule.sources)
            problems.append(
                Problem(
                    name, f"{_words(name)}: the record lacks {wanted}: take a photo of it, or write it in"
                )
            )
    return Filled(values, tuple(problems))


def _value(rule: FieldRule, material: Material) -> JsonValue:
    if rule.value is not None:
        return rule.value
    if rule.text:
        return filled(rule.text, lambda source: _said(source, material, rule)).strip() or rule.otherwise
    for source in rule.take:
        value = _taken(source, material)
        if value is None or value == "":
            continue
        if rule.map:
            if str(value) not in rule.map:
                raise _Unfit(f"{value!r} is none of {', '.join(rule.map)}: correct it in the table")
            return rule.map[str(value)]
        return _in_unit(value, rule.unit) if rule.unit else value
    return rule.otherwise


def _taken(source: str, material: Material) -> JsonValue:
    try:
        return material.take(source)
    except Ambiguous as several:
        raise _Unfit(
            f"the record has several values for {source_words(source)} ({several}): keep the right one"
        ) from None


def _said(source: str, material: Material, rule: FieldRule) -> str:
    """A source inside a text; lists as words."""
    value = _taken(source, material)
    if value is None:
        value = rule.otherwise
    if value is None and rule.required:
        raise _Unfit(f"the record lacks {source_words(source)}: take a photo of it, or write it in")
    if value is None:
        value = ""
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _in_unit(value: JsonValue, unit: str) -> float:
    taken = quantity(str(value))
    if taken is None:
        raise _Unfit(f"{value!r} is no quantity: correct it in the table, such as 6.2 {unit}")
    if not taken.unit:
        raise _Unfit(f"{value!r} has no unit: write it as {taken.number:g} {unit} where that is meant")
    number = converted(Quantity(taken.number, taken.unit), unit)
    if number is None:
        raise _Unfit(f"{value!r} cannot be given in {unit}: correct it in the table")
    return number


def _words(name: str) -> str:
    return name.replace("_", " ").replace(".", " ")
