from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from llava_agent.database import Database, metadata
from llava_agent.errors import BudgetExceeded, NoPermittedModel, ToolError
from llava_agent.gateway.budget import Account, Hold, Room, rooms_for
from llava_agent.gateway.budget_store import ACCOUNTS, HOLDS, Budgets
from llava_agent.gateway.deployment import Deployment
from llava_agent.gateway.failure import ModelFailure
from llava_agent.gateway.model import Price
from llava_agent.gateway.policy import Budget
from llava_agent.gateway.principal import Principal
from llava_agent.gateway.request import Candidate, Choice, ModelRequest, Usage
from llava_agent.gateway.safeguards import Safeguards
from tests.gateway.doubles import choice
from tests.gateway.policies import Audit, Clock, deployment, double, gateway, policy

NOW = datetime(2026, 11, 24, tzinfo=UTC)
TOKENS = Price(Decimal("0.001"), Decimal("0.01"))
ONE = (Candidate("a"),)


def opened(folder: Path) -> Database:
    database = Database(folder / "budget.db")
    metadata.create_all(database.engine, tables=[ACCOUNTS, HOLDS])
    return database


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return opened(tmp_path)


def room(limit: str, who: str = "ann") -> Room:
    return Room(Account("user", who, "2026-11"), Decimal(limit))


def test_every_budget_that_applies_counts_and_the_smaller_of_two() -> None:
    budgets = [
        Budget(scope="user", limit=Decimal(5), per="month"),
        Budget(scope="user", who=("ann",), limit=Decimal(3), per="month"),
        Budget(scope="user", who=("bob",), limit=Decimal(1), per="month"),
        Budget(scope="user", limit=Decimal(9), per="day"),
        Budget(scope="department", limit=Decimal(50), per="month"),
        Budget(scope="key", limit=Decimal(7)),
        Budget(scope="run", limit=Decimal(2)),
        Budget(scope="everyone", limit=Decimal(100), per="month"),
    ]
    found = {
        (one.account.scope, one.account.who, one.account.period): one.limit
        for one in rooms_for(budgets, Principal("ann", "lab", key="k1"), "r1", NOW)
    }
    assert found == {
        ("user", "ann", "2026-11"): 3,
        ("user", "ann", "2026-11-24"): 9,
        ("department", "lab", "2026-11"): 50,
        ("key", "k1", "total"): 7,
        ("run", "r1", "total"): 2,
        ("everyone", "everyone", "2026-11"): 100,
    }
    scopes = {one.account.scope for one in rooms_for(budgets, Principal("ann"), "", NOW)}
    assert scopes == {"user", "everyone"}


def test_a_hold_is_all_or_nothing(database: Database) -> None:
    budgets = Budgets(lambda: database)
    large, small = room("10"), room("1", "bob")
    with pytest.raises(BudgetExceeded, match="user bob of 1"):
        budgets.hold((large, small), Decimal(2), 1)
    assert budgets.left(large) == 10
    held = budgets.hold((large, small), Decimal("0.4"), 1)
    assert (budgets.left(large), budgets.left(small)) == (Decimal("9.6"), Decimal("0.6"))
    budgets.settle(held, Decimal("0.1"))
    assert (budgets.left(large), budgets.left(small)) == (Decimal("9.9"), Decimal("0.9"))


def test_amounts_round_against_whoever_spends(database: Database) -> None:
    budgets = Budgets(lambda: database)
    tiny = room("0.000000001")
    budgets.settle(budgets.hold((tiny,), Decimal("1e-12"), 1), Decimal("1e-12"))
    assert budgets.left(tiny) == 0
    with pytest.raises(BudgetExceeded):
        budgets.hold((tiny,), Decimal("1e-12"), 1)
    with pytest.raises(BudgetExceeded):
        budgets.hold((room("1e-12", "bob"),), Decimal("1e-12"), 1)


def test_an_orphan_is_let_go_and_charged_if_it_comes_back_after_all(database: Database) -> None:
    clock = Clock()
    budgets = Budgets(lambda: database, clock)
    whole = room("1")
    lost = budgets.hold((whole,), Decimal(1), 30)
    with pytest.raises(BudgetExceeded):
        budgets.hold((whole,), Decimal(1), 30)
    clock.sleep(91)
    assert budgets.left(whole) == 1
    second = budgets.hold((whole,), Decimal("0.5"), 30)
    budgets.settle(lost, Decimal("0.7"))
    budgets.settle(second, Decimal("0.2"))
    assert budgets.left(whole) == Decimal("0.1")


def test_a_clock_that_jumps_back_gives_nothing_back(database: Database) -> None:
    clock = Clock()
    budgets = Budgets(lambda: database, clock)
    budgets.hold((room("1"),), Decimal(1), 30)
    clock.now -= 500
    with pytest.raises(BudgetExceeded):
        budgets.hold((room("1"),), Decimal("0.1"), 30)


def test_many_at_once_never_overspend(database: Database) -> None:
    whole, taken, refused = room("1"), [], []

    def spend() -> None:
        budgets = Budgets(lambda: database)
        for _ in range(6):
            try:
                hold = budgets.hold((whole,), Decimal("0.1"), 30)
            except BudgetExceeded:
                refused.append(1)
                continue
            budgets.settle(hold, Decimal("0.1"))
            taken.append(1)

    threads = [threading.Thread(target=spend) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(taken), len(refused)) == (10, 14)
    assert Budgets(lambda: database).left(whole) == 0


class Spending(RuleBasedStateMachine):
    """Two people of one department, with lost calls and late ones: never above a limit, never below zero."""

    holds = Bundle("holds")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.database = opened(Path(self.folder.name))
        self.clock = Clock()
        self.budgets = Budgets(lambda: self.database, self.clock)
        self.limits = {
            ("user", "ann"): Decimal(5),
            ("user", "bob"): Decimal(3),
            ("department", "lab"): Decimal(6),
        }
        self.spent = dict.fromkeys(self.limits, Decimal(0))
        self.late = dict.fromkeys(self.limits, Decimal(0))

    def rooms(self, who: str) -> list[Room]:
        return [
            Room(Account("department", "lab", "2026-11"), self.limits["department", "lab"]),
            Room(Account("user", who, "2026-11"), self.limits["user", who]),
        ]

    @rule(target=holds, who=st.sampled_from(["ann", "bob"]), cents=st.integers(0, 250))
    def hold(self, who: str, cents: int) -> tuple[Hold, float] | None:
        amount = Decimal(cents) / 100
        rooms = self.rooms(who)
        left = min(self.budgets.left(one) for one in rooms)
        try:
            hold = self.budgets.hold(rooms, amount, 30)
        except BudgetExceeded:
            assert amount > left
            return None
        assert amount <= left
        return hold, self.clock.now + 90

    @rule(held=consumes(holds), share=st.sampled_from([0, 50, 100]))
    def settle(self, held: tuple[Hold, float] | None, share: int) -> None:
        if held is None:
            return
        hold, expires = held
        cost = hold.amount * share / 100
        self.budgets.settle(hold, cost)
        for account in hold.accounts:
            self.spent[account.scope, account.who] += cost
            if self.clock.now > expires:
                self.late[account.scope, account.who] += cost

    @rule(held=consumes(holds))
    def lose(self, held: object) -> None:
        pass

    @rule(seconds=st.integers(1, 200))
    def wait(self, seconds: int) -> None:
        self.clock.sleep(seconds)

    @invariant()
    def within_limits(self) -> None:
        with self.database.reading() as connection:
            rows = connection.execute(sa.select(ACCOUNTS)).all()
        for row in rows:
            key = (row.scope, row.who)
            unit = Decimal("0.000000001")
            assert row.held >= 0
            assert row.spent * unit == self.spent[key]
            # Only what came back after it had been given up can go beyond, and it stops whatever is next.
            assert (row.spent + row.held) * unit <= self.limits[key] + self.late[key]

    def teardown(self) -> None:
        self.database.close()
        self.folder.cleanup()


Spending.TestCase.settings = settings(
    max_examples=15, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
test_spend_stays_within_budget = Spending.TestCase


# In the gateway.


def answered(prompt: int = 100, output: int = 2) -> Callable[..., Choice]:
    return lambda *_: choice("click", 0, of=1, usage=Usage(prompt, 0, output, 0, {"server": 2000.0}))


def priced(name: str = "here", price: Price | None = TOKENS, **more: object) -> Deployment:
    return replace(deployment(name, answer=answered(), price=price), **more)  # type: ignore[arg-type]


BUDGET = [{"scope": "user", "limit": "10"}]
REQUEST = ModelRequest("act", "x" * 100, max_tokens=10)
ROOM = Room(Account("user", "local", "total"), Decimal(10))


def test_a_call_is_held_at_its_most_and_settled_at_its_usage(database: Database) -> None:
    budgets, audit = Budgets(lambda: database), Audit()
    rules = policy(budgets=BUDGET)
    door = gateway(rules, priced(), safeguards=Safeguards(budgets=budgets, audit=audit))
    door.choose(REQUEST, ONE, ("click",))
    (entry,) = door.ledger.entries
    # 103 bytes with the candidate and the separators, 64 for the template; a choice has at most 160 tokens.
    assert entry.reserved == audit.intents[0]["reserved"] == "1.767"
    assert entry.cost == "0.12"
    assert budgets.left(ROOM) == Decimal("9.88")


def test_local_models_cost_seconds(database: Database) -> None:
    budgets = Budgets(lambda: database)
    rules = policy(budgets=BUDGET, fallback={"deadline_seconds": 5})
    door = gateway(
        rules, priced(price=Price(per_second=Decimal("0.5"))), safeguards=Safeguards(budgets=budgets)
    )
    door.choose(REQUEST, ONE, ("click",))
    assert (door.ledger.entries[0].reserved, door.ledger.entries[0].cost) == ("2.5", "1")


def test_no_room_is_a_refusal_before_anything_is_called(database: Database) -> None:
    model = priced()
    small = policy(budgets=[{"scope": "user", "limit": "1"}])
    door = gateway(small, model, safeguards=Safeguards(budgets=Budgets(lambda: database)))
    with pytest.raises(BudgetExceeded, match=r"user local of 1 .*may cost 1.767, 1 are left"):
        door.choose(REQUEST, ONE, ("click",))
    assert double(model).requests == []
    cheap = priced("depot", Price(Decimal("0.0001"), Decimal("0.0001")))
    both = gateway(small, model, cheap, safeguards=Safeguards(budgets=Budgets(lambda: database)))
    assert both.choose(REQUEST, ONE, ("click",)).route.model == "depot"


def test_a_missing_price_denies_who_has_a_budget_and_nobody_else(database: Database) -> None:
    guards = Safeguards(budgets=Budgets(lambda: database))
    rules = policy(budgets=[{"scope": "user", "who": ["ann"], "limit": "10"}])
    door = gateway(rules, priced(price=None), safeguards=guards)
    assert door.choose(REQUEST, ONE, ("click",)).verb == "click"
    with pytest.raises(NoPermittedModel, match="it has no price"):
        door.choose(replace(REQUEST, principal=Principal("ann")), ONE, ("click",))


def test_a_budget_without_a_database_or_with_a_broken_one_refuses(tmp_path: Path) -> None:
    model = priced()
    with pytest.raises(BudgetExceeded, match="no database"):
        gateway(policy(budgets=BUDGET), model).choose(REQUEST, ONE, ("click",))

    def gone() -> Database:
        raise ToolError("the database is locked")

    guards = Safeguards(budgets=Budgets(gone))
    with pytest.raises(ToolError, match="locked"):
        gateway(policy(budgets=BUDGET), model, safeguards=guards).choose(REQUEST, ONE, ("click",))
    assert double(model).requests == []


@pytest.mark.parametrize(
    ("error", "charged"),
    [
        (ModelFailure("busy", status=503), "0"),
        (ToolError("cannot be reached"), "0"),
        (ModelFailure("nonsense"), "1.767"),
        (KeyboardInterrupt(), "1.767"),
    ],
)
def test_what_a_failure_is_charged(error: BaseException, charged: str, database: Database) -> None:
    def fail(*_: object) -> Choice:
        raise error

    budgets = Budgets(lambda: database)
    model = deployment("here", answer=fail, price=TOKENS)
    door = gateway(policy(budgets=BUDGET), model, safeguards=Safeguards(budgets=budgets))
    with pytest.raises(type(error)):
        door.choose(REQUEST, ONE, ("click",))
    assert budgets.left(ROOM) == 10 - Decimal(charged)


@pytest.mark.parametrize("usage", [Usage(), Usage(2, 0, 1)])
def test_a_usage_that_cannot_be_true_is_not_believed(usage: Usage, database: Database) -> None:
    budgets = Budgets(lambda: database)
    model = deployment("here", answer=lambda *_: choice("click", 0, of=1, usage=usage), price=TOKENS)
    door = gateway(policy(budgets=BUDGET), model, safeguards=Safeguards(budgets=budgets))
    door.choose(REQUEST, ONE, ("click",))
    assert budgets.left(ROOM) == 10 - Decimal("1.767")


def test_a_refused_intent_gives_the_money_back(database: Database) -> None:
    budgets = Budgets(lambda: database)
    guards = Safeguards(budgets=budgets, audit=Audit(intent_fails=OSError()))
    with pytest.raises(ToolError):
        gateway(policy(budgets=BUDGET), priced(), safeguards=guards).choose(REQUEST, ONE, ("click",))
    assert budgets.left(ROOM) == 10
