"""Colours against known values: WCAG's contrast, distances in Lab, names that people give."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llava_agent.checks.colours import FAMILIES, contrast, distance, family, hexed, matches, parse

COLOURS = st.tuples(*[st.integers(0, 255)] * 3)


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#000", "#fff", 21.0), ("#777", "#fff", 4.48), ("#767676", "#fff", 4.54), ("#f00", "#fff", 4.0)],
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert contrast(parse(one), parse(other)) == pytest.approx(ratio, abs=0.01)


@given(COLOURS, COLOURS)
def test_contrast_and_distance_have_no_direction(
    one: tuple[int, int, int], other: tuple[int, int, int]
) -> None:
    assert contrast(one, other) == contrast(other, one)
    assert distance(one, other) == pytest.approx(distance(other, one))
    assert 1 <= contrast(one, other) <= 21.001
    assert (distance(one, other) == 0) == (one == other)


@given(COLOURS)
def test_every_colour_has_one_name_and_is_itself(colour: tuple[int, int, int]) -> None:
    assert family(colour) in FAMILIES
    assert matches(colour, hexed(colour), 0)
    assert matches(colour, family(colour), 0)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("#c62828", "red"), ("#ff9800", "orange"), ("#795548", "brown"), ("#fdd835", "yellow"),
        ("#2e7d32", "green"), ("#00acc1", "cyan"), ("#0a58ca", "blue"), ("#6f42c1", "purple"),
        ("#f48fb1", "pink"), ("#9e9e9e", "grey"), ("#111111", "black"), ("#fafafa", "white"),
    ],
)  # fmt: skip
def test_names_are_those_that_people_give(code: str, name: str) -> None:
    assert family(parse(code)) == name
    assert matches(parse(code), name, 0)
