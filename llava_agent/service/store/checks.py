"""UI checks: specs with their pictures and baselines, and what their runs found over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from llava_agent.checks.verdict import SpecResult, Status
from llava_agent.database import Database
from llava_agent.errors import Conflict, NotFound
from llava_agent.gateway.principal import Principal
from llava_agent.service.store.artifacts import Artifact, Artifacts
from llava_agent.service.store.idempotency import RequestKey, once
from llava_agent.service.store.ids import in_utc, new_id, now
from llava_agent.service.store.own import own
from llava_agent.service.store.page import USUAL, Page, page_of
from llava_agent.service.store.tables import check_baselines as accepted
from llava_agent.service.store.tables import check_verdicts as verdicts
from llava_agent.service.store.tables import checks as table
from llava_agent.service.store.tables import holds
from llava_agent.service.store.tables import runs as runs_table

#: Names under which a check holds its files begin with these.
PICTURE, BASELINE = "picture/", "baseline/"


@dataclass(frozen=True, slots=True)
class StoredCheck:
    """One check.

    Attributes:
        version: counts the changes of the text.
        text: the spec, as YAML.
    """

    id: str
    owner: str
    created: datetime
    changed: datetime
    version: int
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Baseline:
    """A picture that somebody accepted as right.

    Attributes:
        run: in which it was seen.
        accepter: who accepted it.
    """

    name: str
    sha256: str
    run: str
    accepter: str
    accepted: datetime


@dataclass(frozen=True, slots=True)
class PastRun:
    """What one run found: the status of each expectation by (variant, words)."""

    run: str
    created: datetime
    found: Mapping[tuple[str, str], Status]


class Checks:
    """The checks of everybody; a call sees the caller's own alone."""

    def __init__(self, database: Database, artifacts: Artifacts) -> None:
        self.database, self.artifacts = database, artifacts

    def add(
        self,
        who: Principal,
        name: str,
        text: str,
        pictures: Mapping[str, Artifact],
        key: RequestKey | None = None,
    ) -> tuple[StoredCheck, bool]:
        """Store a check; with a key that was seen before, the check that it made then.

        Returns:
            The check, and whether it is new.

        Raises:
            Conflict: the key was used for another one.
        """

        def make(connection: sa.Connection) -> str:
            id, time = new_id("check"), now()
            values = {"created": time, "changed": time, "version": 1, "name": name[:200], "text": text}
            connection.execute(table.insert().values(id=id, tenant=who.tenant, owner=who.user, **values))
            for file, artifact in pictures.items():
                self.artifacts.hold(connection, artifact, id, PICTURE + file)
            return id

        id, new = once(self.database, who, key, make)
        return self.get(who, id), new

    def get(self, who: Principal, id: str) -> StoredCheck:
        """Raises NotFound."""
        query = sa.select(table).where(own(table, who), table.c.id == id)
        with self.database.reading() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise NotFound(f"there is no check {id}", "list the checks")
        return _check(row)

    def list(self, who: Principal, *, cursor: str | None = None, limit: int = USUAL) -> Page[StoredCheck]:
        """The newest first."""
        query = sa.select(table).where(own(table, who))
        with self.database.reading() as connection:
            rows, after = page_of(connection, query, table.c.id, cursor, limit)
        return Page(tuple(map(_check, rows)), after)

    def change(
        self, who: Principal, id: str, version: int, name: str, text: str, pictures: Mapping[str, Artifact]
    ) -> StoredCheck:
        """Replace the text and add pictures.

        Raises:
            NotFound: no such check.
            Conflict: somebody changed it since that version.
        """
        mine = own(table, who) & (table.c.id == id)
        with self.database.writing() as connection:
            values = {"version": version + 1, "name": name[:200], "text": text, "changed": now()}
            changed = table.update().where(mine, table.c.version == version).values(**values)
            if connection.execute(changed).rowcount == 1:
                for file, artifact in pictures.items():
                    self.artifacts.hold(connection, artifact, id, PICTURE + file)
                return _check(connection.execute(sa.select(table).where(mine)).one())
        found = self.get(who, id)
        raise Conflict(f"the check {id} is at version {found.version}, not {version}", "read it again")

    def delete(self, who: Principal, id: str) -> None:
        """Remove a check with its history; the reports of its runs stay. Raises NotFound."""
        self.get(who, id)
        with self.database.writing() as connection:
            for kept in (verdicts, accepted):
                connection.execute(kept.delete().where(kept.c.check == id))
            connection.execute(holds.delete().where(holds.c.tenant == who.tenant, holds.c.holder == id))
            connection.execute(table.delete().where(own(table, who), table.c.id == id))

    def files(self, who: Principal, id: str, kind: str) -> dict[str, Artifact]:
        """Its pictures or baselines by their own names.

        Args:
            kind: `PICTURE` or `BASELINE`.
        """
        held = self.artifacts.held(who.tenant, self.get(who, id).id)
        return {name.removeprefix(kind): one for name, one in held.items() if name.startswith(kind)}

    def baselines(self, who: Principal, id: str) -> tuple[Baseline, ...]:
        """What was accepted, by name."""
        self.get(who, id)
        query = sa.select(accepted).where(accepted.c.check == id).order_by(accepted.c.name)
        with self.database.reading() as connection:
            return tuple(_baseline(row) for row in connection.execute(query))

    def accept(
        self, who: Principal, id: str, run: str, name: str, picture: Artifact, compared: str
    ) -> Baseline:
        """Take what a run saw as right from now on. Doing it twice changes nothing.

        Args:
            compared: sha256 (hex) of the baseline that the run compared with; empty for none.

        Raises:
            NotFound: no such check.
            Conflict: another picture was accepted since that run.
        """
        self.get(who, id)
        mine = (accepted.c.check == id) & (accepted.c.name == name)
        values = {"sha256": picture.sha256, "run": run, "accepter": who.user, "accepted": now()}
        with self.database.writing() as connection:
            held = connection.execute(sa.select(accepted).where(mine).with_for_update()).first()
            if held is not None and held.sha256 == picture.sha256:
                return _baseline(held)
            if (held.sha256 if held is not None else "") != compared:
                raise Conflict(
                    f"another picture was accepted as {name} since this run", "run the check again"
                )
            connection.execute(accepted.delete().where(mine))
            connection.execute(accepted.insert().values(check=id, name=name, **values))
            self.artifacts.hold(connection, picture, id, BASELINE + name)
            return _baseline(connection.execute(sa.select(accepted).where(mine)).one())

    def note(
        self, connection: sa.Connection, check: str, run: str, results: Sequence[tuple[str, SpecResult]]
    ) -> None:
        """Keep what a run found, in the transaction that ends it; nothing where the check is gone.

        Args:
            results: with the names of their variants.
        """
        if connection.execute(sa.select(table.c.id).where(table.c.id == check)).first() is None:
            return
        found: list[tuple[str, str, str]] = []
        for variant, result in results:
            found.append((variant, RUNS, "error" if result.problem else "pass"))
            found += [(variant, verdict.words, verdict.status) for verdict in result.verdicts]
        if found:
            names = ("variant", "words", "status")
            rows = [
                {"run": run, "position": at, "check": check, **dict(zip(names, one, strict=True))}
                for at, one in enumerate(found)
            ]
            connection.execute(verdicts.insert(), rows)

    def history(self, who: Principal, id: str, most: int) -> tuple[PastRun, ...]:
        """What its last runs found, the oldest first."""
        self.get(who, id)
        last = sa.select(verdicts.c.run).where(verdicts.c.check == id).distinct()
        last = last.order_by(verdicts.c.run.desc()).limit(most)
        query = (
            sa.select(verdicts, runs_table.c.created)
            .join(runs_table, runs_table.c.id == verdicts.c.run)
            .where(verdicts.c.check == id, verdicts.c.run.in_(last))
            .order_by(verdicts.c.run, verdicts.c.position)
        )
        past: dict[str, tuple[datetime, dict[tuple[str, str], Status]]] = {}
        with self.database.reading() as connection:
            for row in connection.execute(query):
                created = in_utc(row.created)
                assert created is not None
                past.setdefault(row.run, (created, {}))[1][row.variant, row.words] = row.status
        return tuple(PastRun(run, created, found) for run, (created, found) in past.items())


#: Stands in the history for the run of a variant as such.
RUNS = "the check can be run"


def _check(row: sa.Row[Any]) -> StoredCheck:
    created, changed = in_utc(row.created), in_utc(row.changed)
    assert created is not None and changed is not None
    return StoredCheck(row.id, row.owner, created, changed, row.version, row.name, row.text)


def _baseline(row: sa.Row[Any]) -> Baseline:
    time = in_utc(row.accepted)
    assert time is not None
    return Baseline(row.name, row.sha256, row.run, row.accepter, time)
