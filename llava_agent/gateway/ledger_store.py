"""The ledger of all runs, in the database: one row a call, fast to page through and to add up.

Columns are what is searched and summed; the entry as it was written is kept beside them, so a field that
later versions add needs no column. Texts are masked before they are written.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from llava_agent.database import Database, metadata
from llava_agent.gateway.ledger import Entry, masked_entry

#: Money is summed in whole billionths, so that no rounding of floats gets into it.
_BILLION = Decimal(10**9)
_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")

_SUMMED = ("prompt_tokens", "image_tokens", "output_tokens", "cost")

ledger_entries = sa.Table(
    "ledger_entries",
    metadata,
    sa.Column("id", _ID, primary_key=True, autoincrement=True),
    sa.Column("time", sa.Float, nullable=False),
    sa.Column("run", sa.String(200), nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("model", sa.String(200), nullable=False),
    sa.Column("user", sa.String(200), nullable=False),
    sa.Column("department", sa.String(200), nullable=False),
    sa.Column("outcome", sa.String(10), nullable=False),
    sa.Column("shadow", sa.Boolean, nullable=False),
    sa.Column("prompt_tokens", sa.Integer, nullable=False),
    sa.Column("image_tokens", sa.Integer, nullable=False),
    sa.Column("output_tokens", sa.Integer, nullable=False),
    sa.Column("ms", sa.Float, nullable=False),
    sa.Column("cost", sa.BigInteger, nullable=True),
    sa.Column("entry", sa.Text, nullable=False),
    # A page of one run, user or model is read from its index in the order of ids, and never sorted.
    sa.Index("ix_ledger_entries_run", "run", "id"),
    sa.Index("ix_ledger_entries_user", "user", "id"),
    sa.Index("ix_ledger_entries_model", "model", "id"),
    # Covers `usage`, which then touches no row of the table.
    sa.Index("ix_ledger_entries_usage", "shadow", "model", "kind", "ms", *_SUMMED, "outcome", "time"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """An entry with its number."""

    id: int
    entry: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Usage:
    """What one model did in one kind of step.

    Attributes:
        success: share of calls that ended well, 0 to 1.
        p50, p95, p99: wall time in milliseconds that so many calls did not exceed (nearest rank).
        cost: a decimal string; None where no call had a price.
    """

    model: str
    kind: str
    calls: int
    success: float
    prompt_tokens: int
    image_tokens: int
    output_tokens: int
    cost: str | None
    p50: float
    p95: float
    p99: float


class LedgerStore:
    """Writes entries and reads them again. Safe to share between threads and processes.

    Args:
        database: with its tables made; or what opens it, at the first use.
    """

    def __init__(self, database: Database | Callable[[], Database]) -> None:
        self._open = database if callable(database) else lambda: database

    @property
    def database(self) -> Database:
        return self._open()

    def write(self, entry: Entry) -> None:
        """Append one call. Raises ToolError where the database cannot be used."""
        self.write_all([entry])

    def write_all(self, entries: Sequence[Entry]) -> None:
        """Append many in one transaction."""
        rows = [_row(masked_entry(entry)) for entry in entries]
        with self.database.writing() as connection:
            connection.execute(ledger_entries.insert(), rows)

    def page(
        self, *, before: int | None = None, run: str = "", user: str = "", model: str = "", size: int = 50
    ) -> list[Row]:
        """The newest entries, newest first.

        Args:
            before: only those with a smaller number: that of the last one on the page before.
        """
        table = ledger_entries.c
        query = sa.select(table.id, table.entry).order_by(table.id.desc()).limit(size)
        for column, value in ((table.run, run), (table.user, user), (table.model, model)):
            if value:
                query = query.where(column == value)
        if before is not None:
            query = query.where(table.id < before)
        with self.database.reading() as connection:
            return [Row(row.id, json.loads(row.entry)) for row in connection.execute(query)]

    def usage(self, since: datetime | None = None) -> list[Usage]:
        """By model and kind of step, shadow calls left out."""
        table = ledger_entries.c
        where: sa.ColumnElement[bool] = table.shadow.is_(False)
        if since is not None:
            where &= table.time >= since.timestamp()
        columns = (table.model, table.kind, table.ms, *(table[name] for name in _SUMMED), table.outcome)
        # In the order of the index that holds all of them, so each group comes sorted by its times.
        query = sa.select(*columns).where(where).order_by(table.model, table.kind, table.ms)
        with self.database.reading() as connection:
            rows = connection.execution_options(yield_per=10_000).execute(query)
            return [
                _usage(model, kind, list(calls))
                for (model, kind), calls in groupby(rows, lambda row: (row[0], row[1]))
            ]


def _usage(model: str, kind: str, calls: list[Any]) -> Usage:
    """Sums and nearest-rank percentiles of calls that are sorted by time."""
    prices = [row[6] for row in calls if row[6] is not None]
    cost = f"{(Decimal(sum(prices)) / _BILLION).normalize():f}" if prices else None
    prompt, image, output = (sum(row[place] for row in calls) for place in (3, 4, 5))
    good = sum(row[7] == "ok" for row in calls)
    times = [round(calls[-(-percent * len(calls) // 100) - 1][2], 2) for percent in (50, 95, 99)]
    return Usage(model, kind, len(calls), round(good / len(calls), 4), prompt, image, output, cost, *times)


def _row(entry: Entry) -> dict[str, Any]:
    whole = asdict(entry)
    return {
        "time": datetime.fromisoformat(entry.time).timestamp(),
        "run": entry.run,
        "kind": entry.kind,
        "model": entry.model,
        "user": whole.get("user", ""),
        "department": whole.get("department", ""),
        "outcome": entry.outcome,
        "shadow": entry.shadow,
        "prompt_tokens": entry.prompt_tokens,
        "image_tokens": entry.image_tokens,
        "output_tokens": entry.output_tokens,
        "ms": entry.ms.get("total", 0.0),
        "cost": None if entry.cost is None else int(Decimal(entry.cost) * _BILLION),
        "entry": json.dumps(whole, ensure_ascii=False),
    }
