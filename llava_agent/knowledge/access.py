"""Who may see which documents: one condition, inside every query that reads passages."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from llava_agent.gateway.data_class import DATA_CLASSES, DataClass, rank
from llava_agent.gateway.principal import Principal, Role
from llava_agent.knowledge.tables import documents

#: Roles that read content. The others keep the house and read none (an admin who needs to is also a member).
READERS: frozenset[Role] = frozenset({"member", "agent_service"})


def visible(
    principal: Principal,
    collections: Collection[str] = (),
    highest: DataClass = "restricted",
) -> sa.ColumnElement[bool]:
    """The condition on `documents` that holds for what `principal` may see.

    A document without a department is everybody's in its tenant, one with a department is that department's
    alone.

    Args:
        collections: only these; all where there are none.
        highest: most sensitive class that the answer may have, such as `public` for a model elsewhere.
    """
    if not READERS & principal.roles:
        return sa.false()
    permitted = [one for one in DATA_CLASSES if rank(one) <= rank(highest)]
    condition = sa.and_(
        documents.c.tenant == principal.tenant,
        documents.c.department.in_(sorted({"", principal.department})),
        documents.c.data_class.in_(permitted),
    )
    if collections:
        condition = sa.and_(condition, documents.c.collection.in_(sorted(collections)))
    return condition
