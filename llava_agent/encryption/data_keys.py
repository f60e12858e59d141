"""The tenants' data keys, wrapped, in the database."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import sqlalchemy as sa

from llava_agent.database import Database, metadata
from llava_agent.encryption.errors import KeyUnavailable
from llava_agent.encryption.master import MasterKey

State = Literal["active", "retired", "erased"]

#: A tenant has at most one active key, which seals; retired ones still open; erased ones are only names.
data_keys = sa.Table(
    "data_keys",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("tenant", sa.String(200), nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("master", sa.String(40), nullable=False),
    sa.Column("wrapped", sa.LargeBinary, nullable=True),
    sa.Column("made", sa.String(40), nullable=False),
    sa.Column("ended", sa.String(40), nullable=True),
    sa.Index("ix_data_keys_tenant", "tenant", "state"),
    sa.Index(
        "uq_data_keys_active",
        "tenant",
        unique=True,
        sqlite_where=sa.text("state = 'active'"),
        postgresql_where=sa.text("state = 'active'"),
    ),
)


@dataclass(frozen=True, slots=True)
class DataKey:
    """One row, without the key itself.

    Attributes:
        id: 32 hex digits; it stands in the header of what was sealed with the key.
        master: id of the master key that wraps it.
        wrapped: None once erased.
        made, ended: UTC, ISO 8601.
    """

    id: str
    tenant: str
    state: State
    master: str
    wrapped: bytes | None
    made: str
    ended: str | None


class DataKeys:
    """The rows of `data_keys`."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def any(self) -> bool:
        """Whether any key was ever made: then the master key must exist already."""
        with self.database.reading() as connection:
            return connection.execute(sa.select(data_keys.c.id).limit(1)).first() is not None

    def list(self, tenant: str | None = None) -> list[DataKey]:
        """All, oldest first, or those of one tenant."""
        query = sa.select(data_keys).order_by(data_keys.c.made, data_keys.c.id)
        if tenant is not None:
            query = query.where(data_keys.c.tenant == tenant)
        with self.database.reading() as connection:
            return [DataKey(**row._mapping) for row in connection.execute(query)]

    def get(self, id: str) -> DataKey | None:
        with self.database.reading() as connection:
            row = connection.execute(sa.select(data_keys).where(data_keys.c.id == id)).first()
        return DataKey(**row._mapping) if row else None

    def active(self, tenant: str) -> DataKey | None:
        with self.database.reading() as connection:
            return _active(connection, tenant)

    def make(self, tenant: str, master: MasterKey, *, rotate: bool) -> DataKey:
        """A new active key.

        Args:
            rotate: retire the active one; else the one that is there, perhaps made by another process just
                now, is given back.
        """
        id = secrets.token_hex(16)
        # Wrapped before the transaction: a KMS may take seconds, and nobody should wait for it at a lock.
        wrapped = master.wrap(secrets.token_bytes(32), bound(tenant, id))
        fresh = DataKey(id, tenant, "active", master.id, wrapped, _now(), None)
        with self.database.writing() as connection:
            there = _active(connection, tenant)
            if there and not rotate:
                return there
            if any(key.master != master.id for key in _living(connection)):
                raise KeyUnavailable(
                    f"the data keys are no longer wrapped under the master key {master.id}",
                    "give the present master key",
                )
            if there:
                _end(connection, data_keys.c.id == there.id, "retired")
            connection.execute(data_keys.insert().values(**_values(fresh)))
        return fresh

    def rewrap(self, old: MasterKey, new: MasterKey) -> int:
        """Wrap every living key under another master key, all or none; gives how many.

        Raises:
            KeyUnavailable: a key is not wrapped under `old`.
        """
        with self.database.reading() as connection:
            living = [key for key in _living(connection) if key.master != new.id]
        changed = [
            (
                key,
                new.wrap(
                    old.unwrap(key.wrapped or b"", bound(key.tenant, key.id)), bound(key.tenant, key.id)
                ),
            )
            for key in living
        ]
        with self.database.writing() as connection:
            if [key for key in _living(connection) if key.master != new.id] != living:
                raise KeyUnavailable("the data keys changed while they were wrapped anew", "try again")
            for key, wrapped in changed:
                row = data_keys.update().where(data_keys.c.id == key.id)
                connection.execute(row.values(wrapped=wrapped, master=new.id))
        return len(changed)

    def erase(self, tenant: str) -> int:
        """Destroy the tenant's keys, active and retired; gives how many. Their names stay."""
        with self.database.writing() as connection:
            ended = _end(
                connection, (data_keys.c.tenant == tenant) & (data_keys.c.state != "erased"), "erased"
            )
        # Also where nothing was left to end: an earlier try may have failed here.
        self.database.scrub()
        return ended


def bound(tenant: str, id: str) -> bytes:
    """What a wrapped data key is bound to."""
    return f"llava-agent data key\n{id}\n{tenant}".encode()


def _living(connection: sa.Connection) -> list[DataKey]:
    query = (
        sa.select(data_keys).where(data_keys.c.state != "erased").order_by(data_keys.c.made, data_keys.c.id)
    )
    return [DataKey(**row._mapping) for row in connection.execute(query)]


def _active(connection: sa.Connection, tenant: str) -> DataKey | None:
    query = sa.select(data_keys).where(data_keys.c.tenant == tenant, data_keys.c.state == "active")
    row = connection.execute(query).first()
    return DataKey(**row._mapping) if row else None


def _end(connection: sa.Connection, which: sa.ColumnElement[bool], state: State) -> int:
    values: dict[str, object] = {"state": state, "ended": _now()}
    if state == "erased":
        values["wrapped"] = None
    return connection.execute(data_keys.update().where(which).values(**values)).rowcount


def _values(key: DataKey) -> dict[str, object]:
    return {column.name: getattr(key, column.name) for column in data_keys.columns}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
