"""Tickets in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from examples.maintenance.ticket import NewTicket, Ticket

_SCHEMA = """
CREATE TABLE IF NOT EXISTS tickets (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    asset_tag TEXT NOT NULL,
    serial_number TEXT NOT NULL,
    model TEXT,
    pressure_bar REAL,
    priority TEXT NOT NULL CHECK (priority IN ('low', 'normal', 'high')),
    condition TEXT NOT NULL,
    machine_stopped INTEGER NOT NULL CHECK (machine_stopped IN (0, 1)),
    created_at TEXT NOT NULL,
    source TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS tickets_serial ON tickets (serial_number COLLATE NOCASE);
"""
_GIVEN = ("asset_tag", "serial_number", "model", "pressure_bar", "priority", "condition", "machine_stopped")
_SEARCHED = ("asset_tag", "serial_number", "model", "condition")


class Store:
    """The tickets of one database file, which is made if absent. Every call opens its own connection."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._connection() as connection:
            connection.executescript(_SCHEMA)

    def add(self, new: NewTicket, source: str) -> Ticket:
        """Store a ticket and give it a number."""
        values = [getattr(new, name) for name in _GIVEN]
        columns = ", ".join((*_GIVEN, "created_at", "source"))
        marks = ", ".join("?" * (len(_GIVEN) + 2))
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with self._connection() as connection:
            row = connection.execute(
                f"INSERT INTO tickets ({columns}) VALUES ({marks}) RETURNING *", [*values, now, source]
            ).fetchone()
        return _ticket(row)

    def get(self, number: int) -> Ticket | None:
        if abs(number) >= 2**63:  # no such number fits into a column
            return None
        with self._connection() as connection:
            row = connection.execute("SELECT * FROM tickets WHERE id = ?", [number]).fetchone()
        return _ticket(row) if row else None

    def find(self, words: str = "", serial_number: str | None = None, limit: int = 200) -> list[Ticket]:
        """Newest first; every one of `words` occurs in some field, and the serial number is the given one."""
        where, values = [], []
        for word in words.split():
            pattern = "%" + word.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
            where.append("(" + " OR ".join(f"{name} LIKE ? ESCAPE '\\'" for name in _SEARCHED) + ")")
            values += [pattern] * len(_SEARCHED)
        if serial_number is not None:
            where.append("serial_number = ? COLLATE NOCASE")
            values.append(serial_number.strip())
        condition = f"WHERE {' AND '.join(where)}" if where else ""
        with self._connection() as connection:
            rows = connection.execute(
                f"SELECT * FROM tickets {condition} ORDER BY id DESC LIMIT {limit:d}", values
            ).fetchall()
        return [_ticket(row) for row in rows]

    def add_examples(self) -> None:
        """Put a few tickets into an empty database, so that lists and searches have something to show."""
        if not self.find(limit=1):
            for new in _EXAMPLES:
                self.add(new, "example")

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.path, timeout=10)) as connection, connection:
            connection.row_factory = sqlite3.Row
            yield connection


def tickets(path: Path) -> list[Ticket]:
    """All tickets in a database file, oldest first, read without the application and without writing.

    Raises:
        FileNotFoundError: there is no such file.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no database at {path}")
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=10)) as connection:
        connection.row_factory = sqlite3.Row
        return [_ticket(row) for row in connection.execute("SELECT * FROM tickets ORDER BY id")]


def _ticket(row: sqlite3.Row) -> Ticket:
    return Ticket.model_validate({name: row[name] for name in row.keys()})  # noqa: SIM118 (a Row iterates values)


_EXAMPLES = (
    NewTicket(
        asset_tag="COMP-02",
        serial_number="AK-77310",
        model="GA 22",
        pressure_bar=7.1,
        priority="low",
        condition="Belt guard rattles at start-up, bolts retightened once already.",
    ),
    NewTicket(
        asset_tag="PUMP-11",
        serial_number="NB-20418",
        model="NB 50-160",
        pressure_bar=3.4,
        condition="Shaft seal drips about once a minute.",
    ),
    NewTicket(
        asset_tag="BOIL-01",
        serial_number="VK-00952",
        model="Vitomax 200",
        pressure_bar=9.8,
        priority="high",
        condition="Safety valve lifted twice during the night shift.",
        machine_stopped=True,
    ),
)
