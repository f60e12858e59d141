"""Which budgets a call has to fit into, and what keeps them.

Money is held back before a call and settled after it, so that no budget is overspent. `budget_store` keeps
the accounts in the database.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from llava_agent.errors import BudgetExceeded
from llava_agent.gateway.policy import Budget, Period, Scope
from llava_agent.gateway.principal import Principal


@dataclass(frozen=True, slots=True, order=True)
class Account:
    """One budget of one person, department, key or run, in one period (`2026-11`, `2026-11-24`, `total`)."""

    scope: Scope
    who: str
    period: str


@dataclass(frozen=True, slots=True)
class Room:
    """An account and its limit."""

    account: Account
    limit: Decimal


@dataclass(frozen=True, slots=True)
class Hold:
    """Money that is held back for one call."""

    id: str
    accounts: tuple[Account, ...]
    amount: Decimal


class Accounts(Protocol):
    """Keeps what was spent and what is held back."""

    def now(self) -> datetime: ...

    def left(self, room: Room) -> Decimal:
        """What is neither spent nor held back; negative where a call cost more than its hold."""
        ...

    def hold(self, rooms: Iterable[Room], amount: Decimal, seconds: float) -> Hold:
        """Hold `amount` back in every account, or in none; BudgetExceeded where one has no room for it."""
        ...

    def settle(self, hold: Hold, cost: Decimal) -> None:
        """Put what the call really cost in the place of what was held back; once for each hold."""
        ...


def rooms_for(budgets: Iterable[Budget], principal: Principal, run: str, now: datetime) -> tuple[Room, ...]:
    """Every budget that applies to a call; where two mean the same account, the smaller limit counts."""
    subjects: dict[Scope, str] = {
        "everyone": "everyone",
        "department": principal.department,
        "user": principal.user,
        "key": principal.key,
        "run": run,
    }
    limits: dict[Account, Decimal] = {}
    for budget in budgets:
        who = subjects[budget.scope]
        if not who or (budget.who != "all" and who not in budget.who):
            continue
        account = Account(budget.scope, who, period_of(budget.per, now))
        limits[account] = min(budget.limit, limits.get(account, budget.limit))
    return tuple(Room(account, limits[account]) for account in sorted(limits))


def exceeded(room: Room, amount: Decimal, left: Decimal | None = None) -> BudgetExceeded:
    """The sentence says whose budget, how much, and when there will be more."""
    account = room.account
    whose = {"everyone": "of everyone", "run": "of the run"}.get(account.scope, f"of the {account.scope}")
    name = f" {account.who}" if account.scope not in ("everyone", "run") else ""
    rest = f", {left.normalize():f} are left" if left is not None else ""
    again = "raise the limit in the policy"
    if account.period != "total":
        again = f"wait for the next {'month' if len(account.period) == 7 else 'day'}, or {again}"
    return BudgetExceeded(
        f"the budget {whose}{name} of {room.limit:f} ({account.period}) has no room for a call that may cost "
        f"{amount.normalize():f}{rest}",
        again,
    )


def period_of(per: Period, now: datetime) -> str:
    """The name of the period that `now` (in UTC) lies in: `2026-11-24`, `2026-11` or `total`."""
    return {"day": now.strftime("%Y-%m-%d"), "month": now.strftime("%Y-%m"), "total": "total"}[per]
