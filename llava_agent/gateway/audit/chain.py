"""Appending to the chain: one transaction a record, whoever else writes at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

import sqlalchemy as sa

from llava_agent.database import Database
from llava_agent.errors import ToolError
from llava_agent.gateway.audit.heads import EVERY, Heads
from llava_agent.gateway.audit.keys import AuditKeys, find_keys
from llava_agent.gateway.audit.record import (
    FIRST,
    VERSION,
    Kind,
    audit_records,
    canonical,
    without_content,
)

#: PostgreSQL's advisory lock that writers queue at; any number that nothing else takes.
_LOCK = 0x11A7B


class Audit:
    """Implements `gateway.screen.AuditLog`. Safe to share between threads and processes.

    Args:
        database: with its tables made; or what opens it, at the first record.
        keys: those of this installation if None, looked up at the first record.
        heads: where the heads are kept.
        now: the time, for tests.
    """

    def __init__(
        self,
        database: Database | Callable[[], Database],
        keys: AuditKeys | None = None,
        heads: Heads | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._open = database if callable(database) else lambda: database
        self.heads = heads or Heads()
        self._keys = keys
        self._now = now
        self._lock = threading.Lock()

    @property
    def database(self) -> Database:
        return self._open()

    @property
    def keys(self) -> AuditKeys:
        """Raises KeyUnavailable where they are lost."""
        with self._lock:
            if self._keys is None:
                self._keys = find_keys(make=self.last() is None)
            return self._keys

    def intent(self, record: Mapping[str, object]) -> int:
        """Commit what is about to be done; gives its sequence number.

        Raises:
            ToolError: it could not be written, so it may not be done.
            KeyUnavailable: the keys are lost; likewise.
        """
        return self._append("intent", record)

    def outcome(self, sequence: int, record: Mapping[str, object]) -> None:
        """Commit how the intent with this number ended. Raises as `intent` does."""
        self._append("outcome", record, of=sequence)

    def event(self, record: Mapping[str, object]) -> int:
        """Commit something that has no outcome of its own: a role given, a class lowered, a key erased."""
        return self._append("event", record)

    def last(self) -> tuple[int, str] | None:
        """Sequence and mac of the last record."""
        with self.database.reading() as connection:
            return _last(connection)

    def rows(self, after: int = 0) -> Iterator[tuple[int, str, str]]:
        """(sequence, record, mac) in order, read in pieces."""
        query = sa.select(audit_records).order_by(audit_records.c.sequence).limit(1000)
        while True:
            with self.database.reading() as connection:
                found = connection.execute(query.where(audit_records.c.sequence > after)).all()
            if not found:
                return
            for row in found:
                yield row.sequence, row.record, row.mac
            after = found[-1].sequence

    def sign_head(self) -> None:
        """Sign where the chain stands now. Nothing is signed where it is empty."""
        if last := self.last():
            self.heads.sign(self.keys, *last)

    def _append(self, kind: Kind, record: Mapping[str, object], of: int | None = None) -> int:
        body, keys = without_content(record), self.keys
        with self.database.writing() as connection:
            if not self.database.sqlite:
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            last, previous = _last(connection) or (0, FIRST)
            sequence = last + 1
            whole: dict[str, object] = {
                "v": VERSION,
                "sequence": sequence,
                "time": self._now().isoformat(timespec="milliseconds"),
                "kind": kind,
                "body": body,
            }
            if of is not None:
                whole["of"] = of
            try:
                text = canonical(whole)
            except ValueError as error:
                raise ToolError(
                    f"an audit record is no canonical JSON ({type(error).__name__})", "report this"
                ) from error
            mac = keys.mac(previous, text)
            connection.execute(
                audit_records.insert().values(sequence=sequence, record=text.decode(), mac=mac)
            )
        self.heads.mark(sequence, mac)
        if sequence % EVERY == 0:
            self.heads.sign(keys, sequence, mac)
        return sequence


def open_audit(database: Database) -> Audit:
    """The audit log of this installation."""
    return Audit(database)


def _last(connection: sa.Connection) -> tuple[int, str] | None:
    query = sa.select(audit_records.c.sequence, audit_records.c.mac)
    row = connection.execute(query.order_by(audit_records.c.sequence.desc()).limit(1)).first()
    return (row.sequence, row.mac) if row else None
