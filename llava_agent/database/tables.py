"""Every module that defines tables, named in one place, so that `metadata` is whole wherever it is needed."""

from __future__ import annotations

from importlib import import_module

import sqlalchemy as sa

#: A module with tables that is not named here fails `tests/database/test_migrations.py`.
TABLE_MODULES: tuple[str, ...] = (
    "llava_agent.encryption.data_keys",
    "llava_agent.gateway.approvals",
    "llava_agent.gateway.budget_store",
    "llava_agent.service.auth.tables",
    "llava_agent.knowledge.tables",
    "llava_agent.gateway.audit.record",
    "llava_agent.gateway.ledger_store",
    "llava_agent.service.store.tables",
)


def whole_metadata() -> sa.MetaData:
    """The tables of all rooms."""
    from llava_agent.database.engine import metadata

    for name in TABLE_MODULES:
        import_module(name)
    return metadata
