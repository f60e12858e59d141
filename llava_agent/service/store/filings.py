"""The history of filings: what was sent where, who approved it, and what is known of its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from llava_agent.database import Database
from llava_agent.errors import Conflict, NotFound
from llava_agent.filing.destination import Receipt
from llava_agent.filing.parcel import Parcel
from llava_agent.gateway.principal import Principal
from llava_agent.service.store.ids import in_utc, new_id, now
from llava_agent.service.store.own import own
from llava_agent.service.store.tables import filings as table

#: `waiting` for an approval; `ready` to be sent; `sending` since `started`, nobody knows yet how it ended.
State = Literal["waiting", "ready", "sending", "filed", "failed", "unknown"]
#: Filings that may still send something.
OPEN: tuple[State, ...] = ("waiting", "ready", "sending")


@dataclass(frozen=True, slots=True)
class Filing:
    """One attempt to file a record.

    Attributes:
        content: sha256 (hex) of exactly what is sent, and where; what the approval is bound to.
        sent: the values as people are shown them.
        photos: sha256 (hex) of the photos of the record.
        approval: id; empty where the policy asked for none.
        audit: sequence of the intent in the audit log; None before.
        reference, link, verified, differences, evidence: see `filing.destination.Receipt`.
    """

    id: str
    tenant: str
    owner: str
    record: str
    destination: str
    title: str
    state: State
    reason: str
    content: str
    sent: dict[str, Any]
    photos: list[str]
    approval: str
    approved_by: str
    run: str
    audit: int | None
    reference: str
    link: str
    verified: bool | None
    differences: list[dict[str, Any]]
    evidence: dict[str, Any]
    asked: datetime
    started: datetime | None
    ended: datetime | None

    def as_dict(self) -> dict[str, Any]:
        """For the API, the command line and exports."""
        times = ("asked", "started", "ended")
        whole = {key: value for key, value in asdict(self).items() if key not in ("tenant", *times)}
        for key in times:
            time: datetime | None = getattr(self, key)
            whole[key] = time.isoformat(timespec="milliseconds") if time else None
        return whole


class Filings:
    """The filings of all tenants. A call with a principal sees that one's own; the others are for workers."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def insert(
        self,
        connection: sa.Connection,
        who: Principal,
        parcel: Parcel,
        *,
        title: str,
        content: str,
        approval: str,
    ) -> str:
        """Note that a record is to be filed, in a transaction that does more than this; gives the id."""
        id = new_id("filing")
        connection.execute(
            table.insert().values(
                id=id,
                tenant=who.tenant,
                owner=who.user,
                record=parcel.record,
                destination=parcel.destination,
                title=title,
                state="waiting" if approval else "ready",
                reason="",
                content=content,
                sent=parcel.shown(),
                photos=list(parcel.photos),
                approval=approval,
                approved_by="",
                run="",
                audit=sa.null(),
                reference="",
                link="",
                verified=sa.null(),
                differences=[],
                evidence={},
                asked=now(),
            )
        )
        return id

    def get(self, who: Principal, id: str) -> Filing:
        """Raises NotFound."""
        query = sa.select(table).where(own(table, who), table.c.id == id)
        with self.database.reading() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise NotFound(f"there is no filing {id}", "list those of the record")
        return _filing(row)

    def of(self, who: Principal, record: str) -> tuple[Filing, ...]:
        """All of a record, the newest first."""
        query = sa.select(table).where(own(table, who), table.c.record == record).order_by(table.c.id.desc())
        with self.database.reading() as connection:
            return tuple(map(_filing, connection.execute(query)))

    def in_state(self, *states: State) -> tuple[Filing, ...]:
        """Of everybody, the oldest first."""
        query = sa.select(table).where(table.c.state.in_(states)).order_by(table.c.id)
        with self.database.reading() as connection:
            return tuple(map(_filing, connection.execute(query)))

    def move(
        self,
        filing: Filing,
        to: State,
        connection: sa.Connection | None = None,
        **values: Any,
    ) -> None:
        """One conditional update from the state that the filing had: of two at the same time, one wins.

        Raises:
            Conflict: it is no longer in that state.
        """
        fits = (table.c.id == filing.id) & (table.c.state == filing.state)
        update = table.update().where(fits).values(state=to, **values)
        if connection is None:
            with self.database.writing() as own_connection:
                done = own_connection.execute(update).rowcount
        else:
            done = connection.execute(update).rowcount
        if done != 1:
            raise Conflict(f"the filing {filing.id} is no longer {filing.state}", "look at it again")

    def note(self, filing: Filing, **values: Any) -> None:
        """Change what is no state."""
        with self.database.writing() as connection:
            connection.execute(table.update().where(table.c.id == filing.id).values(**values))


def ended(receipt: Receipt) -> Mapping[str, Any]:
    """The columns that a receipt fills."""
    differences: Sequence[dict[str, Any]] = [
        {"field": one.field, "sent": one.sent, "there": one.there} for one in receipt.differences
    ]
    return {
        "reason": receipt.reason,
        "reference": receipt.reference[:200],
        "link": receipt.link,
        "verified": sa.null() if receipt.verified is None else receipt.verified,
        "differences": list(differences),
        "evidence": dict(receipt.evidence),
        "ended": now(),
    }


def _filing(row: sa.Row[Any]) -> Filing:
    given = dict(row._mapping)
    for name in ("asked", "started", "ended"):
        given[name] = in_utc(given[name])
    return Filing(**given)
