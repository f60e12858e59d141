"""How each budget stands now: limit, spent, held back, left."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa

from llava_agent.database import Database
from llava_agent.gateway.budget import Account, period_of
from llava_agent.gateway.budget_store import ACCOUNTS, money
from llava_agent.gateway.policy import Budget

#: Accounts of one budget that are shown; those that spent most.
MOST = 200


@dataclass(frozen=True, slots=True)
class Standing:
    """One account under its limit; amounts in the policy's currency."""

    account: Account
    limit: Decimal
    spent: Decimal = Decimal(0)
    held: Decimal = Decimal(0)

    @property
    def left(self) -> Decimal:
        """Negative where a call cost more than was held back for it."""
        return self.limit - self.spent - self.held

    def as_dict(self) -> dict[str, str]:
        amounts = {name: f"{getattr(self, name):f}" for name in ("limit", "spent", "held", "left")}
        return {
            "scope": self.account.scope,
            "who": self.account.who,
            "period": self.account.period,
            **amounts,
        }


def standings(database: Database, budgets: Iterable[Budget], now: datetime) -> list[Standing]:
    """The accounts of each budget in its present period; who is named stands there without having spent, too.

    Where two budgets mean the same account the smaller limit counts.

    Raises:
        ToolError: the database cannot be read.
    """
    found: dict[Account, Standing] = {}
    for budget in budgets:
        for one in _of(database, budget, period_of(budget.per, now)):
            known = found.get(one.account)
            if known is None or one.limit < known.limit:
                found[one.account] = one
    return [found[account] for account in sorted(found)]


def _of(database: Database, budget: Budget, period: str) -> list[Standing]:
    where = sa.and_(ACCOUNTS.c.scope == budget.scope, ACCOUNTS.c.period == period)
    named: tuple[str, ...] = () if budget.who == "all" else budget.who
    if budget.scope == "everyone":
        named = ("everyone",)
    if named:
        where = sa.and_(where, ACCOUNTS.c.who.in_(named))
    query = sa.select(ACCOUNTS).where(where).order_by(ACCOUNTS.c.spent.desc()).limit(MOST)
    with database.reading() as connection:
        rows = {row.who: row for row in connection.execute(query)}
    accounts = {who: Account(budget.scope, who, period) for who in (*named, *rows)}
    return [
        Standing(account, budget.limit, money(rows[who].spent), money(rows[who].held))
        if who in rows
        else Standing(account, budget.limit)
        for who, account in accounts.items()
    ]
