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
from typing import Any

import sqlalchemy as sa

from llava_agent.database import Database, metadata
from llava_agent.gateway.ledger import Entry, masked_entry

#: Money is summed in whole billionths, so that no rounding of floats gets into it.
BILLION = Decimal(10**9)
_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")

_SUMMED = ("prompt_tokens", "image_tokens", "output_tokens", "cost")
_USAGE = ("shadow", "model", "kind", "ms", *_SUMMED, "outcome", "time")

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
    # Covers the usual usage (by model and kind of step), which then touches no row of the table.
    sa.Index("ix_ledger_entries_usage", *_USAGE),
)


@dataclass(frozen=True, slots=True)
class Row:
    """An entry with its number."""

    id: int
    entry: dict[str, Any]


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
        "cost": None if entry.cost is None else int(Decimal(entry.cost) * BILLION),
        "entry": json.dumps(whole, ensure_ascii=False),
    }
