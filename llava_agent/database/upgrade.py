"""Bring a database to the newest revision, in one transaction, one process at a time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from llava_agent.errors import ConfigError

if TYPE_CHECKING:
    from alembic.config import Config

SCRIPTS = Path(__file__).with_name("migrations")
#: PostgreSQL's advisory lock that upgrades queue at; any number that nothing else takes.
_LOCK = 0x11A7A


def scripts(connection: sa.Connection | None = None) -> Config:
    """Alembic's settings for the revisions in this package; no ini file, no logging of its own."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


#: The newest revision in this package; a test compares it with the scripts, which take long to look through.
HEAD = "0001"


def current(connection: sa.Connection) -> str | None:
    """The revision that the database is at; None for an empty one."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()


def upgrade(connection: sa.Connection) -> None:
    """Run what is missing inside the transaction that is open on `connection`.

    Both kinds of database take back the making of tables, so a process that is killed in the middle leaves
    the revision that was there before, and the next one starts anew.

    Raises:
        ConfigError: a newer version of the product made this database.
    """
    from alembic import command
    from alembic.util import CommandError

    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    if current(connection) == HEAD:  # another process was faster
        return
    try:
        command.upgrade(scripts(connection), "head")
    except CommandError as error:
        raise ConfigError(
            f"the database is at revision {current(connection)!r}, which this version does not know",
            "run the version that made it, or a newer one",
        ) from error
