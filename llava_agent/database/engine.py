"""Connections to the database, and the tables in it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from llava_agent.errors import ConfigError, ToolError

#: Every table of the product; the names of constraints are stable, so that migrations can speak of them.
metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: Seconds that a writer of SQLite waits for another one.
_PATIENCE_S = 10

#: Classes of PostgreSQL's codes: connection, authorization, resources (a full disk), state, operator, system.
#: The driver makes most of them errors of the program.
_AWAY = frozenset({"08", "28", "53", "55", "57", "58"})

_DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+pg8000", "postgres": "postgresql+pg8000"}


class Database:
    """An engine with the product's settings. Safe to share between threads.

    Args:
        url: `sqlite:///FILE`, `postgresql://USER:PASSWORD@HOST/NAME`, or the path of an SQLite file.

    Raises:
        ConfigError: a URL of another kind.
    """

    def __init__(self, url: str | Path) -> None:
        # Parameters may be content, and errors are logged.
        self.engine = sa.create_engine(_address(url), pool_pre_ping=True, hide_parameters=True)
        if self.sqlite:
            sa.event.listen(self.engine, "connect", _set_pragmas)
            sa.event.listen(self.engine, "begin", _begin_immediate)
        else:
            sa.event.listen(self.engine, "handle_error", _note_end)

    @property
    def sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    def prepare(self) -> None:
        """Bring the tables to the newest revision. Several processes may do so at once.

        Raises:
            ToolError: the database cannot be reached or written.
            ConfigError: a newer version of the product made it.
        """
        from llava_agent.database.upgrade import HEAD, current, upgrade

        try:
            with self.reading() as connection:
                if current(connection) == HEAD:
                    return
            with self.writing() as connection:
                upgrade(connection)
        except sa.exc.SQLAlchemyError as error:
            raise _unusable(error) from error

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """One transaction that may write: committed at the end, rolled back by any exception.

        Raises:
            ToolError: the database is locked, full, read-only or gone.
        """
        try:
            with self.engine.begin() as connection:
                yield connection
        except sa.exc.DBAPIError as error:
            if not _is_away(error):
                raise
            raise _unusable(error) from error

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """One transaction that only reads.

        Raises:
            ToolError: the database is locked or gone.
        """
        try:
            with self.engine.connect().execution_options(llava_agent_reads=True) as connection:
                yield connection
        except sa.exc.DBAPIError as error:
            if not _is_away(error):
                raise
            raise _unusable(error) from error

    def scrub(self) -> None:
        """Remove deleted or overwritten content from the files of an SQLite database.

        PostgreSQL removes it at its next vacuum; its log and every backup keep it until they are rotated.

        Raises:
            ToolError: the database cannot be used.
        """
        if not self.sqlite:
            return
        try:
            connection = self.engine.raw_connection()
            try:
                busy = connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            finally:
                connection.close()
        except (sa.exc.SQLAlchemyError, sqlite3.Error) as error:
            raise _unusable(error) from error
        if busy:
            raise ToolError(
                "deleted content is still in the database's log, because others read from it",
                "stop them and do it again",
            )

    def close(self) -> None:
        self.engine.dispose()


def _address(url: str | Path) -> sa.URL:
    if isinstance(url, Path) or "://" not in url:
        return sa.URL.create("sqlite", database=str(url))
    found = sa.make_url(url)
    kind = found.drivername.split("+")[0]
    if kind not in _DRIVERS:
        raise ConfigError(
            f"a database of the kind {kind!r} is not supported",
            "use sqlite:///FILE or postgresql://HOST/NAME",
        )
    return found.set(drivername=_DRIVERS[kind])


def _set_pragmas(connection: sqlite3.Connection, _record: Any) -> None:
    # The driver's own BEGIN is late and deferred; SQLAlchemy's `begin` event takes its place.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout={_PATIENCE_S * 1000}")
    _write_ahead(connection)
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    # Erased keys and deleted content must not stay readable in free pages.
    connection.execute("PRAGMA secure_delete=ON")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log; SQLite refuses at once where another process opens the file too."""
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.02)


def _begin_immediate(connection: sa.Connection) -> None:
    # A transaction that reads first and writes later cannot be queued by SQLite; it would fail as locked.
    reads = connection.get_execution_options().get("llava_agent_reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _is_away(error: sa.exc.DBAPIError) -> bool:
    """Whether it is the database that failed, and not what was asked of it."""
    away = isinstance(error, (sa.exc.OperationalError, sa.exc.InterfaceError))
    return away or error.connection_invalidated or _told(error.orig, "C")[:2] in _AWAY


def _note_end(context: sa.engine.ExceptionContext) -> None:
    """A connection that PostgreSQL ended is of no more use, which the driver does not say."""
    if _told(context.original_exception, "V") in ("FATAL", "PANIC"):
        context.is_disconnect = True


def _told(error: BaseException | None, field: str) -> str:
    """A field of what a PostgreSQL server said (`V`: severity, `C`: code); empty where it said nothing."""
    said = error.args[0] if error is not None and error.args else None
    return str(said.get(field, "")) if isinstance(said, dict) else ""


def _unusable(error: Exception) -> ToolError:
    reason = " ".join(str(getattr(error, "orig", None) or error).split())
    return ToolError(
        f"the database cannot be used ({reason})", "check that it is there, writable and not full"
    )
