"""Broken is not flaky."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llava_agent.checks.history import since, standing
from llava_agent.checks.verdict import Status

SIGNS: dict[str, Status] = {"p": "pass", "f": "fail", "u": "uncertain", "e": "error"}


@pytest.mark.parametrize(
    ("runs", "stands", "first"),
    [
        ("p", "holds", None), ("ppp", "holds", None), ("f", "broken", 0), ("fff", "broken", 0),
        ("ppff", "broken", 2), ("ffpp", "mended", None), ("pfp", "flaky", None), ("fpf", "flaky", 2),
        ("pfpf", "flaky", 3), ("fuef", "broken", 0), ("pu", "broken", 1),
    ],
)  # fmt: skip
def test_how_an_expectation_stands(runs: str, stands: str, first: int | None) -> None:
    statuses = [SIGNS[one] for one in runs]
    assert (standing(statuses), since(statuses)) == (stands, first)


@given(st.lists(st.sampled_from(sorted(SIGNS.values())), min_size=1))
def test_what_does_not_hold_now_is_broken_or_flaky(statuses: list[Status]) -> None:
    held = statuses[-1] == "pass"
    assert (since(statuses) is None) == held
    assert standing(statuses) in (("holds", "mended", "flaky") if held else ("broken", "flaky"))
