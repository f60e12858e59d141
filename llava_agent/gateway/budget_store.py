"""Budgets in the database: held back before a call and settled after it, so that none is overspent.

Amounts are whole billionths of the currency, rounded up; a float never touches them.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from llava_agent.database import Database, metadata
from llava_agent.gateway.budget import Account, Hold, Room, exceeded

_UNIT = Decimal("0.000000001")

#: How long a hold outlives the time that its call was allowed, in seconds.
_GRACE = 60.0

ACCOUNTS = sa.Table(
    "budget_accounts",
    metadata,
    sa.Column("scope", sa.String(16), primary_key=True),
    sa.Column("who", sa.String(200), primary_key=True),
    sa.Column("period", sa.String(10), primary_key=True),
    sa.Column("spent", sa.BigInteger, nullable=False),
    sa.Column("held", sa.BigInteger, nullable=False),
)

HOLDS = sa.Table(
    "budget_holds",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("accounts", sa.JSON, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("expires", sa.Float, nullable=False, index=True),
)


class Budgets:
    """The accounts in the database. Safe to share between threads and processes.

    Args:
        database: opens it; called when a budget first applies, never before.
        clock: seconds since the epoch; another one for tests.
    """

    def __init__(self, database: Callable[[], Database], clock: Callable[[], float] = time.time) -> None:
        self._opening, self._clock = database, clock
        self._lock = threading.Lock()
        self._opened: Database | None = None

    @property
    def _database(self) -> Database:
        with self._lock:
            if self._opened is None:
                self._opened = self._opening()
            return self._opened

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)

    def left(self, room: Room) -> Decimal:
        """What is neither spent nor held back; negative where a call cost more than its hold.

        Raises:
            ToolError: the database is locked or gone.
        """
        self._let_go_of_orphans()
        with self._database.reading() as connection:
            row = connection.execute(sa.select(ACCOUNTS).where(_is(room.account))).first()
        return room.limit - (money(row.spent + row.held) if row else 0)

    def hold(self, rooms: Iterable[Room], amount: Decimal, seconds: float) -> Hold:
        """Hold `amount` back in every account, or in none.

        Args:
            seconds: how long the call may take; a hold that is not settled long after that is let go.

        Raises:
            BudgetExceeded: an account has no room for it.
            ToolError: the database is locked, full or gone; nothing is held back then.
        """
        rooms, units = tuple(rooms), _units(amount)
        expires = self._clock() + seconds + _GRACE
        identity = uuid.uuid4().hex
        self._let_go_of_orphans()
        with self._database.writing() as connection:
            for room in rooms:
                self._open(connection, room.account)
                most = _units(room.limit, ROUND_FLOOR)
                # The condition is part of the update, so that two at once cannot both see the same room.
                taken = connection.execute(
                    sa.update(ACCOUNTS)
                    .where(_is(room.account), ACCOUNTS.c.spent + ACCOUNTS.c.held <= most - units)
                    .values(held=ACCOUNTS.c.held + units)
                )
                if taken.rowcount != 1:
                    raise exceeded(room, amount)
            accounts = tuple(room.account for room in rooms)
            stored = [[account.scope, account.who, account.period] for account in accounts]
            connection.execute(
                sa.insert(HOLDS).values(id=identity, accounts=stored, amount=units, expires=expires)
            )
        return Hold(identity, accounts, amount)

    def settle(self, hold: Hold, cost: Decimal) -> None:
        """Put what the call really cost in the place of what was held back; once for each hold.

        A hold that was let go in the meantime is charged all the same.

        Raises:
            ToolError: the database is locked, full or gone; the money stays held back until the hold expires.
        """
        units = _units(cost)
        with self._database.writing() as connection:
            kept = connection.execute(sa.delete(HOLDS).where(HOLDS.c.id == hold.id)).rowcount == 1
            held = _units(hold.amount) if kept else 0
            for account in hold.accounts:
                connection.execute(
                    sa.update(ACCOUNTS)
                    .where(_is(account))
                    .values(held=ACCOUNTS.c.held - held, spent=ACCOUNTS.c.spent + units)
                )

    @staticmethod
    def _open(connection: sa.Connection, account: Account) -> None:
        """Make the account where it is not there; two at once make one."""
        insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        row = insert(ACCOUNTS).values(
            scope=account.scope, who=account.who, period=account.period, spent=0, held=0
        )
        connection.execute(row.on_conflict_do_nothing())

    def _let_go_of_orphans(self) -> None:
        """Give back what is held for calls that never came back."""
        with self._database.reading() as connection:
            orphans = connection.execute(sa.select(HOLDS).where(HOLDS.c.expires < self._clock())).all()
        for orphan in orphans:
            with self._database.writing() as connection:
                # Others may see the same orphan at the same time; whoever deletes the row gives back.
                if connection.execute(sa.delete(HOLDS).where(HOLDS.c.id == orphan.id)).rowcount != 1:
                    continue
                for scope, who, period in sorted(orphan.accounts):
                    connection.execute(
                        sa.update(ACCOUNTS)
                        .where(_is(Account(scope, who, period)))
                        .values(held=ACCOUNTS.c.held - orphan.amount)
                    )


def _is(account: Account) -> sa.ColumnElement[bool]:
    return sa.and_(
        ACCOUNTS.c.scope == account.scope, ACCOUNTS.c.who == account.who, ACCOUNTS.c.period == account.period
    )


def _units(amount: Decimal, rounding: str = ROUND_CEILING) -> int:
    """Billionths, rounded up: what is spent is never less than what it cost."""
    return int((amount / _UNIT).to_integral_value(rounding))


def money(units: int) -> Decimal:
    """Billionths, as the tables hold them, as an amount."""
    return units * _UNIT
