"""Keys of the client's that make a repeated request the same request.

The answer is written in the transaction that does the work: either both are there or neither, so a request
that was cut off may be sent again, and one that was acknowledged is never done twice.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from llava_agent.database import Database
from llava_agent.errors import ConfigError, Conflict
from llava_agent.gateway.principal import Principal
from llava_agent.service.store.ids import now
from llava_agent.service.store.tables import idempotency as table

#: How long a key is remembered.
KEPT = timedelta(days=2)
LONGEST = 200


@dataclass(frozen=True, slots=True)
class RequestKey:
    """A key and what it was sent with.

    Attributes:
        key: sha256 (hex) of the client's `Idempotency-Key`, which may be anything, content too.
        request: sha256 (hex) of what is asked; another request under the same key is refused.
    """

    key: str
    request: str

    @classmethod
    def of(cls, key: str, what: Mapping[str, object], content: bytes = b"") -> RequestKey:
        """The key of a request with JSON fields and, perhaps, a file.

        Raises:
            ConfigError: an empty or overlong key.
        """
        if not 0 < len(key) <= LONGEST:
            raise ConfigError(
                f"an idempotency key has 1 to {LONGEST} characters, not {len(key)}", "send a shorter one"
            )
        fields = json.dumps(what, sort_keys=True, default=str).encode()
        name = hashlib.sha256(key.encode()).hexdigest()
        return cls(name, hashlib.sha256(fields + b"\n" + hashlib.sha256(content).digest()).hexdigest())


def once(
    database: Database, who: Principal, key: RequestKey | None, make: Callable[[sa.Connection], str]
) -> tuple[str, bool]:
    """Do the work of a request once for its key.

    Args:
        make: does it in the transaction that it is given, and gives the id of what it made.

    Returns:
        The id, and whether it was made now.

    Raises:
        Conflict: the key was used for another request.
    """
    for last in (False, True):
        try:
            with database.writing() as connection:
                known = _recall(connection, who, key)
                if known is not None:
                    return known, False
                made = make(connection)
                _remember(connection, who, key, made)
                return made, True
        except sa.exc.IntegrityError:
            # The same key came twice at the same time and the other one was first: its answer is there now.
            if key is None or last:
                raise
    raise AssertionError("unreachable")


def _recall(connection: sa.Connection, who: Principal, key: RequestKey | None) -> str | None:
    if key is None:
        return None
    row = connection.execute(
        sa.select(table.c.request, table.c.answer).where(
            table.c.tenant == who.tenant, table.c.owner == who.user, table.c.key == key.key
        )
    ).first()
    if row is None:
        return None
    if row.request != key.request:
        raise Conflict("this idempotency key was used for another request", "take a new key for this one")
    answer: Any = row.answer
    return str(answer["id"])


def _remember(connection: sa.Connection, who: Principal, key: RequestKey | None, id: str) -> None:
    if key is None:
        return
    connection.execute(
        table.insert().values(
            tenant=who.tenant,
            owner=who.user,
            key=key.key,
            request=key.request,
            answer={"id": id},
            created=now(),
        )
    )


def forget_old(connection: sa.Connection) -> int:
    """Drop the keys that are older than `KEPT`; gives how many."""
    return connection.execute(table.delete().where(table.c.created < now() - KEPT)).rowcount
