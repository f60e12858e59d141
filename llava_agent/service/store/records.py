"""Records: what was found on photos, as a person confirmed it, and where it was filed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from llava_agent.database import Database
from llava_agent.errors import Conflict, NotFound
from llava_agent.gateway.principal import Principal
from llava_agent.service.store.idempotency import RequestKey, once
from llava_agent.service.store.ids import in_utc, new_id, now
from llava_agent.service.store.own import own
from llava_agent.service.store.page import USUAL, Page, page_of
from llava_agent.service.store.tables import filings, holds, record_photos
from llava_agent.service.store.tables import photos as photo_table
from llava_agent.service.store.tables import records as table

#: `filing`: sent, and nobody knows yet how it ended. `unknown`: the process ended while it was being sent.
State = Literal["draft", "confirmed", "filing", "filed", "failed", "unknown"]
#: What may still be changed by hand, and what may be sent.
_OPEN: tuple[State, ...] = ("draft", "confirmed", "failed")
FILEABLE: tuple[State, ...] = ("confirmed", "failed")


@dataclass(frozen=True, slots=True)
class Record:
    """One record.

    Attributes:
        version: 1 at first, one more with each change; a change names the version that it was made on.
        reason: why it is in its state, as a sentence; empty where that needs none.
        body: the inspection as JSON (`Inspection.as_dict`).
        filed: what the other system answered; None before.
    """

    id: str
    owner: str
    created: datetime
    changed: datetime
    version: int
    asset: str
    state: State
    reason: str
    body: dict[str, Any]
    photos: tuple[str, ...] = ()
    filed: dict[str, Any] | None = None


class Records:
    """The records of everybody; a call sees the caller's own alone."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def add(
        self,
        who: Principal,
        body: dict[str, Any],
        photos: Sequence[str],
        *,
        asset: str = "",
        key: RequestKey | None = None,
    ) -> tuple[Record, bool]:
        """A draft that rests on photos.

        Raises:
            NotFound: one of the photos is not there.
        """

        def make(connection: sa.Connection) -> str:
            return self.insert(connection, who, body, photos, asset)

        id, new = once(self.database, who, key, make)
        return self.get(who, id), new

    def insert(
        self,
        connection: sa.Connection,
        who: Principal,
        body: dict[str, Any],
        photos: Sequence[str],
        asset: str,
    ) -> str:
        """As `add`, in a transaction that does more than this."""
        mine = sa.select(photo_table.c.id).where(own(photo_table, who), photo_table.c.id.in_(photos))
        missing = set(photos) - set(connection.execute(mine).scalars())
        if missing:
            raise NotFound(f"there is no photo {min(missing)}", "list the photos")
        id, time = new_id("record"), now()
        connection.execute(
            table.insert().values(
                id=id,
                tenant=who.tenant,
                owner=who.user,
                created=time,
                changed=time,
                version=1,
                asset=asset.strip()[:100],
                state="draft",
                reason="",
                body=body,
                filed=sa.null(),
            )
        )
        for position, photo in enumerate(dict.fromkeys(photos)):
            connection.execute(record_photos.insert().values(record=id, photo=photo, position=position))
        return id

    def get(self, who: Principal, id: str) -> Record:
        """Raises NotFound."""
        query = sa.select(table).where(own(table, who), table.c.id == id)
        with self.database.reading() as connection:
            row = connection.execute(query).first()
            if row is None:
                raise NotFound(f"there is no record {id}", "list the records")
            return _record(row, _photos_of(connection, [id]).get(id, ()))

    def extend(
        self,
        connection: sa.Connection,
        who: Principal,
        id: str,
        version: int,
        body: dict[str, Any],
        photos: Sequence[str],
    ) -> str:
        """An open record with a new inspection over more photos, in a transaction that does more than this.

        Raises:
            NotFound: no such record.
            Conflict: changed by another since `version`, or sent already.
        """
        values = {"version": version + 1, "changed": now(), "reason": "", "body": body, "state": "draft"}
        self._move(who, id, version, _OPEN, values, connection)
        there = _photos_of(connection, [id]).get(id, ())
        for position, photo in enumerate((one for one in photos if one not in there), start=len(there)):
            connection.execute(record_photos.insert().values(record=id, photo=photo, position=position))
        return id

    def list(
        self, who: Principal, *, asset: str | None = None, cursor: str | None = None, limit: int = USUAL
    ) -> Page[Record]:
        """The newest first, of one asset or of all."""
        query = sa.select(table).where(own(table, who))
        if asset is not None:
            query = query.where(table.c.asset == asset)
        with self.database.reading() as connection:
            rows, after = page_of(connection, query, table.c.id, cursor, limit)
            photos = _photos_of(connection, [row.id for row in rows])
        return Page(tuple(_record(row, photos.get(row.id, ())) for row in rows), after)

    def before(self, who: Principal, record: Record) -> Record | None:
        """The last earlier record of the same asset; None without one, or where the asset has no name."""
        if not record.asset:
            return None
        query = (
            sa.select(table)
            .where(own(table, who), table.c.asset == record.asset, table.c.id < record.id)
            .order_by(table.c.id.desc())
            .limit(1)
        )
        with self.database.reading() as connection:
            row = connection.execute(query).first()
            return _record(row, _photos_of(connection, [row.id]).get(row.id, ())) if row else None

    def change(
        self,
        who: Principal,
        id: str,
        version: int,
        *,
        body: dict[str, Any] | None = None,
        asset: str | None = None,
        confirmed: bool | None = None,
    ) -> Record:
        """Change what a person may change, if nobody else did meanwhile.

        Raises:
            NotFound: no such record.
            Conflict: changed by another since `version`, or sent already.
        """
        values: dict[str, Any] = {"version": version + 1, "changed": now(), "reason": ""}
        if body is not None:
            values["body"] = body
        if asset is not None:
            values["asset"] = asset.strip()[:100]
        if confirmed is not None:
            values["state"] = "confirmed" if confirmed else "draft"
        elif body is not None or asset is not None:
            values["state"] = "draft"  # what was confirmed is no longer what stands there
        self._move(who, id, version, _OPEN, values)
        return self.get(who, id)

    def begin_filing(
        self, who: Principal, id: str, version: int, connection: sa.Connection | None = None
    ) -> None:
        """Note on disk that a confirmed record is about to be sent; only one caller succeeds.

        One whose last sending failed is as confirmed as it was: a change would have taken that back.

        Args:
            connection: the transaction that notes more than this.

        Raises:
            NotFound: no such record.
            Conflict: it is not confirmed, was changed, or is sent already.
        """
        values = {"state": "filing", "version": version + 1, "changed": now(), "reason": ""}
        self._move(who, id, version, FILEABLE, values, connection)

    def end_filing(
        self,
        who: Principal,
        id: str,
        state: Literal["filed", "failed", "unknown"],
        reason: str,
        filed: dict[str, Any] | None,
        connection: sa.Connection | None = None,
    ) -> None:
        """Note how the sending ended, or what became of one of which nobody knew.

        Raises:
            Conflict: the record is not being sent.
        """
        record = self.get(who, id)
        values = {"state": state, "reason": reason, "changed": now(), "version": record.version + 1}
        values["filed"] = filed if filed is not None else sa.null()
        self._move(who, id, record.version, ("filing", "unknown"), values, connection)

    def cut_off(self, reason: str, before: datetime) -> int:
        """Mark what was being sent since before that time: nobody knows if it arrived. Gives how many."""
        stuck = (table.c.state == "filing") & (table.c.changed < before)
        with self.database.writing() as connection:
            done = connection.execute(
                table.update()
                .where(stuck)
                .values(state="unknown", reason=reason, version=table.c.version + 1, changed=now())
            )
        return done.rowcount

    def delete(self, who: Principal, id: str) -> None:
        """Remove a record and its exports; its photos stay.

        Raises:
            NotFound: no such record.
            Conflict: it is being sent.
        """
        if self.get(who, id).state == "filing":
            raise Conflict(f"the record {id} is being filed", "wait until that ended")
        with self.database.writing() as connection:
            connection.execute(holds.delete().where(holds.c.tenant == who.tenant, holds.c.holder == id))
            connection.execute(record_photos.delete().where(record_photos.c.record == id))
            connection.execute(filings.delete().where(filings.c.record == id))
            connection.execute(table.delete().where(own(table, who), table.c.id == id))

    def _move(
        self,
        who: Principal,
        id: str,
        version: int,
        from_states: Sequence[State],
        values: dict[str, Any],
        connection: sa.Connection | None = None,
    ) -> None:
        """One conditional update: of two that come at the same time, one wins."""
        fits = (
            own(table, who)
            & (table.c.id == id)
            & (table.c.version == version)
            & table.c.state.in_(from_states)
        )
        update = table.update().where(fits).values(**values)
        if connection is not None:
            done = connection.execute(update).rowcount
        else:
            with self.database.writing() as own_connection:
                done = own_connection.execute(update).rowcount
        if done == 1:
            return
        found = self.get(who, id)
        if found.version != version:
            raise Conflict(
                f"the record {id} was changed meanwhile (version {found.version}, not {version})",
                "load it again and repeat your change",
            )
        raise Conflict(f"the record {id} is {found.state}", f"it must be {' or '.join(from_states)} for this")


def _photos_of(connection: sa.Connection, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    query = (
        sa.select(record_photos.c.record, record_photos.c.photo)
        .where(record_photos.c.record.in_(ids))
        .order_by(record_photos.c.record, record_photos.c.position)
    )
    found: dict[str, tuple[str, ...]] = {}
    for record, photo in connection.execute(query):
        found[record] = (*found.get(record, ()), photo)
    return found


def _record(row: sa.Row[Any], photos: tuple[str, ...]) -> Record:
    created, changed = in_utc(row.created), in_utc(row.changed)
    assert created is not None and changed is not None
    return Record(
        row.id,
        row.owner,
        created,
        changed,
        row.version,
        row.asset,
        row.state,
        row.reason,
        row.body,
        photos,
        row.filed,
    )
