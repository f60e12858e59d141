"""Content is its owner's: nobody else of the tenant sees it."""

from __future__ import annotations

import sqlalchemy as sa

from llava_agent.gateway.principal import Principal


def own(table: sa.Table, who: Principal) -> sa.ColumnElement[bool]:
    """The rows of a table with `tenant` and `owner` that belong to the caller."""
    return (table.c.tenant == who.tenant) & (table.c.owner == who.user)
