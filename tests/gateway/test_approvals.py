"""Approvals: bound to one action, for a role, never by oneself, once, in time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llava_agent.database import Database
from llava_agent.errors import ConfigError, PermissionDenied
from llava_agent.gateway.approvals import Approvals, action_hash
from llava_agent.gateway.principal import Principal

ACTION = {"tool": "browser", "verb": "click", "target": "Delete", "arguments": {"id": 7}}
ANN = Principal("ann", "workshop")
BOSS = Principal("bob", roles=frozenset({"approver"}))


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def approvals(tmp_path: Path, clock: Clock) -> Approvals:
    database = Database(tmp_path / "state.db")
    database.prepare()
    return Approvals(database, clock)


def test_an_approved_action_happens_once(approvals: Approvals) -> None:
    asked = approvals.request(ACTION, ANN, summary="delete ticket 7")
    assert [one.id for one in approvals.waiting(BOSS)] == [asked.id]
    with pytest.raises(PermissionDenied, match="waiting, not approved"):
        approvals.consume(asked.id, ACTION, ANN)
    assert approvals.approve(asked.id, BOSS, "as agreed").decider == "bob"
    assert approvals.consume(asked.id, ACTION, ANN).state == "consumed"
    with pytest.raises(PermissionDenied, match="consumed, not approved"):
        approvals.consume(asked.id, ACTION, ANN)


@pytest.mark.parametrize(
    ("other", "by"),
    [
        ({**ACTION, "arguments": {"id": 8}}, ANN),
        ({**ACTION, "extra": None}, ANN),
        ({}, ANN),
        (ACTION, Principal("carl")),
        (ACTION, Principal("ann", tenant="other")),
    ],
)
def test_an_approval_is_for_this_action_and_this_person(
    approvals: Approvals, other: dict[str, object], by: Principal
) -> None:
    asked = approvals.request(ACTION, ANN)
    approvals.approve(asked.id, BOSS)
    with pytest.raises(PermissionDenied):
        approvals.consume(asked.id, other, by)
    approvals.consume(asked.id, ACTION, ANN)


@pytest.mark.parametrize(
    "by",
    [
        Principal("ann", roles=frozenset({"admin", "approver"})),
        Principal("carl"),
        Principal("carl", roles=frozenset({"admin"})),
        Principal("bob", roles=frozenset({"approver"}), tenant="other"),
    ],
)
def test_who_may_not_decide(approvals: Approvals, by: Principal) -> None:
    asked = approvals.request(ACTION, ANN)
    assert approvals.waiting(by) == []
    for decide in (approvals.approve, approvals.refuse):
        with pytest.raises(PermissionDenied):
            decide(asked.id, by)
    found = approvals.get(asked.id)
    assert found is not None and found.state == "waiting"


def test_a_refused_action_does_not_happen(approvals: Approvals) -> None:
    asked = approvals.request(ACTION, ANN)
    approvals.refuse(asked.id, BOSS, "too early")
    for attempt in (
        lambda: approvals.approve(asked.id, BOSS),
        lambda: approvals.consume(asked.id, ACTION, ANN),
    ):
        with pytest.raises(PermissionDenied, match="refused"):
            attempt()


@pytest.mark.parametrize("seconds", [60.0, 3600.0, -60.0])
def test_an_approval_has_a_time_and_a_clock_put_back_does_not_lengthen_it(
    approvals: Approvals, clock: Clock, seconds: float
) -> None:
    waiting = approvals.request(ACTION, ANN, seconds=60)
    given_one = approvals.request(ACTION, ANN, seconds=60)
    approvals.approve(given_one.id, BOSS)
    clock.now += seconds
    assert approvals.waiting(BOSS) == []
    attempts: list[Callable[[], object]] = [
        lambda: approvals.approve(waiting.id, BOSS),
        lambda: approvals.consume(given_one.id, ACTION, ANN),
    ]
    for attempt in attempts:
        with pytest.raises(PermissionDenied, match="good until"):
            attempt()


def test_of_many_that_use_it_at_once_one_wins(approvals: Approvals) -> None:
    asked = approvals.request(ACTION, ANN)
    approvals.approve(asked.id, BOSS)

    def attempt(_: int) -> bool:
        try:
            approvals.consume(asked.id, ACTION, ANN)
        except PermissionDenied:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(16))) == 1


@given(st.dictionaries(st.text(max_size=5), st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=5)))
def test_the_hash_is_of_the_content_not_of_its_order(action: dict[str, object]) -> None:
    assert action_hash(action) == action_hash(dict(reversed(action.items())))
    assert action_hash(action) != action_hash({**action, "one more key": 1})


def test_what_is_no_json_cannot_be_asked_for(approvals: Approvals) -> None:
    with pytest.raises(ConfigError, match="canonical JSON"):
        approvals.request({"arguments": {1, 2}}, ANN)
