"""Lists in pages: the newest first, continued by a cursor that stays right while others add."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from llava_agent.errors import ConfigError

Item = TypeVar("Item")
#: Items of a page, if not told otherwise, and at most.
USUAL, MOST = 50, 200


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some items of a list.

    Attributes:
        next: cursor of the page after; None at the end.
    """

    items: tuple[Item, ...]
    next: str | None = None


def page_of(
    connection: sa.Connection, query: sa.Select[Any], key: sa.Column[str], cursor: str | None, limit: int
) -> tuple[list[sa.Row[Any]], str | None]:
    """The rows of one page of `query` by falling `key`, and the cursor of the next.

    Raises:
        ConfigError: a limit out of range, or a cursor that was not given out.
    """
    if not 1 <= limit <= MOST:
        raise ConfigError(f"a page of {limit} items cannot be had", f"ask for 1 to {MOST}")
    if cursor:
        query = query.where(key < _last(cursor))
    rows = list(connection.execute(query.order_by(key.desc()).limit(limit + 1)))
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1]._mapping[key]
    return rows[:limit], base64.urlsafe_b64encode(last.encode()).decode().rstrip("=")


def _last(cursor: str) -> str:
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise ConfigError("the cursor was not given out by this list", "start from the first page") from None
