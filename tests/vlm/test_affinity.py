"""Names that agree, and what need not be looked for again."""

from __future__ import annotations

from llava_agent.vlm.affinity import (
    FULL_AGREEMENT,
    agreement,
    known_positions,
    separators,
    source_prior,
)
from llava_agent.vlm.prompt import Quotable


def quotable(text: str, source: str = "instruction", index: int = 0, start: int = 10) -> Quotable:
    """One token a word, each with the blank before it."""
    offsets, at = [], 0
    for word in text.split(" ")[1:]:
        offsets.append((at, at + 1 + len(word)))
        at += 1 + len(word)
    return Quotable(source, index, start, tuple(offsets), text)  # type: ignore[arg-type]


def test_agreement_is_full_for_equal_names_and_none_for_others() -> None:
    assert agreement("Serial number", "serial number") == 1.0
    assert agreement("Serial number", "pressure") == 0.0
    assert agreement("", "pressure") == 0.0
    assert 0 < agreement("Pressure reading (bar)", "pressure reading") < 1


def test_the_fact_named_like_the_field_gains_most() -> None:
    sources = [
        quotable(" File the serial number and the pressure, condition bad"),
        quotable(" serial number = SN-1", "fact", 0),
        quotable(" pressure = 6 bar", "fact", 1),
        quotable("Serial number", "candidate", 3),
    ]
    prior = source_prior("Serial number", sources)
    assert prior.argmax() == 1 and prior[1] == FULL_AGREEMENT
    assert prior[3] == 0
    assert source_prior("Condition", sources).argmax() == 0


def test_what_is_known_is_not_looked_for_again() -> None:
    goal = quotable(" File the serial number and the model")
    taken = known_positions(goal, ["serial number = SN-1"])
    assert [goal.quote(p, p) for p in sorted(taken)] == ["serial", "number"]
    assert known_positions(goal, ["odel = x"]) == frozenset()


def test_a_list_is_parted_at_its_commas_and_ands_but_a_number_is_not() -> None:
    goal = quotable(" Read the asset tag , model and P-1.5 reading")
    assert [goal.quote(p, p) for p in sorted(separators(goal))] == [",", "and"]
