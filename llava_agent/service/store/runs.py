"""Background work in the database: queued, claimed by one worker, heard of, ended once.

`attempt` fences: whoever was taken for dead and comes back cannot write over the one who took its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa

from llava_agent.database import Database
from llava_agent.errors import Conflict, NotFound
from llava_agent.gateway.principal import Principal
from llava_agent.service.store.idempotency import RequestKey, once
from llava_agent.service.store.ids import in_utc, new_id, now
from llava_agent.service.store.own import own
from llava_agent.service.store.page import USUAL, Page, page_of
from llava_agent.service.store.tables import run_events
from llava_agent.service.store.tables import runs as table

State = Literal["queued", "running", "done", "failed", "cancelled", "cut_off"]
ENDED: frozenset[State] = frozenset({"done", "failed", "cancelled", "cut_off"})
#: A worker that was not heard of for this long is dead.
LEASE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class StoredRun:
    """One run.

    Attributes:
        kind: what is done (`inspect`, ...); `request` is what with.
        reason: why it is in its state, as a sentence; empty where that needs none.
        attempt: how often it was begun.
        cancel: whether somebody asked to end it.
        worker: who does it: host, process and when that started.
    """

    id: str
    tenant: str
    owner: str
    kind: str
    state: State
    reason: str
    request: dict[str, Any]
    result: dict[str, Any] | None
    attempt: int
    cancel: bool
    worker: str
    created: datetime
    started: datetime | None
    ended: datetime | None
    alive: datetime | None = None

    @property
    def over(self) -> bool:
        return self.state in ENDED


@dataclass(frozen=True, slots=True)
class Event:
    """What a run said; `number` counts from 1."""

    number: int
    time: datetime
    kind: str
    body: dict[str, Any]


class Runs:
    """The runs of all tenants. A call with a principal sees that one's own; the others are for workers."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def add(
        self, who: Principal, kind: str, request: Mapping[str, Any], *, key: RequestKey | None = None
    ) -> tuple[StoredRun, bool]:
        """Queue a run; with a key that was seen before, the run that it made then."""

        def make(connection: sa.Connection) -> str:
            id = new_id("run")
            connection.execute(
                table.insert().values(
                    id=id,
                    tenant=who.tenant,
                    owner=who.user,
                    kind=kind,
                    state="queued",
                    reason="",
                    request=dict(request),
                    result=sa.null(),
                    attempt=0,
                    cancel=False,
                    worker="",
                    created=now(),
                )
            )
            return id

        id, new = once(self.database, who, key, make)
        return self.get(who, id), new

    def get(self, who: Principal, id: str) -> StoredRun:
        """Raises NotFound."""
        query = sa.select(table).where(own(table, who), table.c.id == id)
        with self.database.reading() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise NotFound(f"there is no run {id}", "list the runs")
        return _run(row)

    def list(
        self, who: Principal, *, kind: str | None = None, cursor: str | None = None, limit: int = USUAL
    ) -> Page[StoredRun]:
        """The newest first, of one kind or of all."""
        query = sa.select(table).where(own(table, who))
        if kind is not None:
            query = query.where(table.c.kind == kind)
        with self.database.reading() as connection:
            rows, after = page_of(connection, query, table.c.id, cursor, limit)
        return Page(tuple(map(_run, rows)), after)

    def waiting(self) -> int:
        """How many runs are queued, of all tenants: what back-pressure goes by."""
        query = sa.select(sa.func.count()).select_from(table).where(table.c.state == "queued")
        with self.database.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def cancel(self, who: Principal, id: str) -> StoredRun:
        """End a queued run at once, and ask a running one to end.

        Raises:
            NotFound: no such run.
            Conflict: it has ended.
        """
        mine = own(table, who) & (table.c.id == id)
        with self.database.writing() as connection:
            ended = table.update().where(mine, table.c.state == "queued")
            values = {"state": "cancelled", "reason": f"cancelled by {who.user}", "ended": now()}
            if connection.execute(ended.values(**values, cancel=True)).rowcount == 0:
                asked = table.update().where(mine, table.c.state == "running").values(cancel=True)
                done = connection.execute(asked).rowcount
            else:
                done = 1
        found = self.get(who, id)
        if not done:
            raise Conflict(f"the run {id} is {found.state}", "only a run that has not ended can be cancelled")
        return found

    def events(self, who: Principal, id: str, after: int = 0) -> tuple[Event, ...]:
        """What a run said after an event of that number."""
        self.get(who, id)
        query = (
            sa.select(run_events)
            .where(run_events.c.run == id, run_events.c.number > after)
            .order_by(run_events.c.number)
        )
        with self.database.reading() as connection:
            return tuple(_event(row) for row in connection.execute(query))

    def order(self, who: Principal, id: str, kind: str, body: Mapping[str, Any]) -> int:
        """Add an event of the owner's, which whoever does the run acts on; gives its number.

        Raises:
            NotFound: no such run.
            Conflict: it has ended.
        """
        mine = sa.select(table.c.state).where(own(table, who), table.c.id == id).with_for_update()
        with self.database.writing() as connection:
            state = connection.execute(mine).scalar_one_or_none()
            if state is not None and state not in ENDED:
                return _say(connection, id, kind, body)
        self.get(who, id)
        raise Conflict(f"the run {id} is {state}", "only a run that has not ended can be steered")

    def claim(self, worker: str, kinds: Sequence[str]) -> StoredRun | None:
        """The oldest queued run of these kinds, for this worker alone; None where nothing waits."""
        oldest = (
            sa.select(table.c.id)
            .where(table.c.state == "queued", table.c.kind.in_(kinds))
            .order_by(table.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        with self.database.writing() as connection:
            id = connection.execute(oldest).scalar_one_or_none()
            if id is None:
                return None
            time = now()
            connection.execute(
                table.update()
                .where(table.c.id == id)
                .values(
                    state="running",
                    attempt=table.c.attempt + 1,
                    worker=worker,
                    alive=time,
                    started=time,
                    reason="",
                )
            )
            return _run(connection.execute(sa.select(table).where(table.c.id == id)).one())

    def beat(self, run: StoredRun) -> bool:
        """Say that the worker lives; False where the run was asked to end, or is no longer this worker's."""
        with self.database.writing() as connection:
            connection.execute(table.update().where(_mine(run)).values(alive=now()))
            row = connection.execute(sa.select(table.c.cancel).where(_mine(run))).first()
        return row is not None and not row.cancel

    def say(self, run: StoredRun, kind: str, body: Mapping[str, Any]) -> int:
        """Add an event; gives its number.

        Raises:
            Conflict: the run is no longer this worker's.
        """
        with self.database.writing() as connection:
            self._check(connection, run)
            return _say(connection, run.id, kind, body)

    def finish(
        self,
        run: StoredRun,
        state: Literal["done", "failed", "cancelled"],
        reason: str = "",
        result: Mapping[str, Any] | None = None,
        connection: sa.Connection | None = None,
    ) -> None:
        """End a run, with its last event, once.

        Args:
            connection: the transaction that also writes what the run made; one of its own if None.

        Raises:
            Conflict: the run is no longer this worker's; nothing of the transaction may be kept then.
        """
        if connection is None:
            with self.database.writing() as own:
                return self.finish(run, state, reason, result, own)
        values: dict[str, Any] = {"state": state, "reason": reason, "ended": now()}
        values["result"] = dict(result) if result is not None else sa.null()
        if connection.execute(table.update().where(_mine(run)).values(**values)).rowcount != 1:
            raise _lost(run)
        _say(connection, run.id, "end", {"state": state, "reason": reason})
        return None

    def running(self) -> tuple[StoredRun, ...]:
        """What workers of any host are at, by their own account."""
        with self.database.reading() as connection:
            rows = connection.execute(sa.select(table).where(table.c.state == "running").order_by(table.c.id))
            return tuple(map(_run, rows))

    def give_back(self, run: StoredRun, reason: str) -> bool:
        """Queue a dead worker's run again; False where another one did so or it was heard of meanwhile."""
        again = {"state": "queued", "worker": "", "reason": reason}
        return self._bury(run, again, "again", {"reason": reason})

    def cut_off(self, run: StoredRun, reason: str) -> bool:
        """End a dead worker's run that cannot be taken up; False as for `give_back`."""
        values = {"state": "cut_off", "reason": reason, "ended": now()}
        return self._bury(run, values, "end", {"state": "cut_off", "reason": reason})

    def _bury(self, run: StoredRun, values: dict[str, Any], kind: str, body: Mapping[str, Any]) -> bool:
        with self.database.writing() as connection:
            silent = _mine(run) & (table.c.alive == run.alive)
            if connection.execute(table.update().where(silent).values(**values)).rowcount != 1:
                return False
            _say(connection, run.id, kind, body)
            return True

    def _check(self, connection: sa.Connection, run: StoredRun) -> None:
        query = sa.select(table.c.id).where(_mine(run)).with_for_update()
        if connection.execute(query).first() is None:
            raise _lost(run)


def _mine(run: StoredRun) -> sa.ColumnElement[bool]:
    return (table.c.id == run.id) & (table.c.state == "running") & (table.c.attempt == run.attempt)


def _lost(run: StoredRun) -> Conflict:
    return Conflict(f"the run {run.id} was given to another worker", "nothing of this attempt is kept")


def _say(connection: sa.Connection, run: str, kind: str, body: Mapping[str, Any]) -> int:
    last = sa.select(sa.func.coalesce(sa.func.max(run_events.c.number), 0)).where(run_events.c.run == run)
    number = int(connection.execute(last).scalar_one()) + 1
    connection.execute(
        run_events.insert().values(run=run, number=number, time=now(), kind=kind, body=dict(body))
    )
    return number


def _event(row: sa.Row[Any]) -> Event:
    time = in_utc(row.time)
    assert time is not None
    return Event(row.number, time, row.kind, row.body)


def _run(row: sa.Row[Any]) -> StoredRun:
    created = in_utc(row.created)
    assert created is not None
    return StoredRun(
        row.id,
        row.tenant,
        row.owner,
        row.kind,
        row.state,
        row.reason,
        row.request,
        row.result,
        row.attempt,
        row.cancel,
        row.worker,
        created,
        in_utc(row.started),
        in_utc(row.ended),
        in_utc(row.alive),
    )
