"""The newest records first, by who and what, for a person who looks something up."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from llava_agent.database import Database
from llava_agent.gateway.audit.record import audit_records

#: Records that one question looks at; the next one goes on from there.
LOOKED_AT = 20_000
_PIECE = 500


@dataclass(frozen=True, slots=True)
class Found:
    """Records, newest first.

    Attributes:
        next: what `before` is of the question that goes on; None where there is nothing before.
    """

    records: tuple[dict[str, Any], ...]
    next: int | None


def newest(
    database: Database,
    *,
    before: int | None = None,
    kind: str = "",
    user: str = "",
    run: str = "",
    size: int = 50,
) -> Found:
    """The newest records that fit.

    Args:
        before: only those with a smaller sequence number.
        kind: what happened, such as `model call`; an outcome has the kind `outcome`.
        user, run: exactly.

    Raises:
        ToolError: the database cannot be read.
    """
    found: list[dict[str, Any]] = []
    looked_at = 0
    while looked_at < LOOKED_AT:
        query = sa.select(audit_records).order_by(audit_records.c.sequence.desc()).limit(_PIECE)
        if before is not None:
            query = query.where(audit_records.c.sequence < before)
        with database.reading() as connection:
            rows = connection.execute(query).all()
        for row in rows:
            before = row.sequence
            record = json.loads(row.record)
            if _fits(record, kind, user, run):
                found.append(record)
                if len(found) == size:
                    return Found(tuple(found), before if before > 1 else None)
        if len(rows) < _PIECE:
            return Found(tuple(found), None)
        looked_at += len(rows)
    return Found(tuple(found), before)


def kind_of(record: dict[str, Any]) -> str:
    """What happened; an outcome tells only how the intent that it belongs to ended."""
    return "outcome" if record["kind"] == "outcome" else str(record["body"].get("kind", record["kind"]))


def _fits(record: dict[str, Any], kind: str, user: str, run: str) -> bool:
    body = record["body"]
    return (
        (not kind or kind_of(record) == kind)
        and (not user or body.get("user") == user)
        and (not run or body.get("run") == run)
    )
