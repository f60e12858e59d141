"""Reading from a configured database: that nothing is written is enforced by the database itself."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from pydantic import Field

from llava_agent.errors import ConfigError, ToolError
from tools.tool import ToolResult
from tools.typed import Arguments, BadArguments, TypedTool

_LONGEST = 5_000
#: Characters of a cell that are shown.
_CELL = 500


@dataclass(frozen=True, slots=True)
class SqlLimits:
    """Bounds of one query."""

    rows: int = 200
    seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class Rows:
    """What a query gave; `more` where rows were left out."""

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    more: bool = False

    def as_text(self) -> str:
        lines = [" | ".join(self.columns), *(" | ".join(map(_cell, row)) for row in self.rows)]
        if self.more:
            lines.append(f"(only the first {len(self.rows)} rows are shown)")
        return "\n".join(lines) if self.rows else f"{lines[0]}\n(no rows)"


class ReadOnlyDatabase(Protocol):
    """A database that can only be read."""

    def query(self, sql: str) -> Rows:
        """Raises BadArguments for SQL that is wrong or may not be run, ToolError for a broken database."""
        ...

    def tables(self) -> Rows:
        """Table and column names with types."""
        ...


def open_read_only(url: str, limits: SqlLimits | None = None) -> ReadOnlyDatabase:
    """`sqlite:///FILE` (or a path) or `postgresql://USER:PASSWORD@HOST/NAME`.

    Raises:
        ConfigError: another kind of URL, or no such file.
    """
    kind = urlsplit(url).scheme if "://" in url else "sqlite"
    if kind in ("postgresql", "postgres"):
        return PostgresReader(url, limits or SqlLimits())
    if kind == "sqlite":
        return SqliteReader(Path(url.removeprefix("sqlite:///")).expanduser(), limits or SqlLimits())
    raise ConfigError(
        f"a database of the kind {kind!r} is not supported", "use sqlite:///FILE or postgresql://"
    )


class SqliteReader:
    """An SQLite file, opened read-only, with an authorizer that permits reading alone."""

    def __init__(self, path: Path, limits: SqlLimits) -> None:
        if not path.is_file():
            raise ConfigError(f"there is no database {path}", "check the path")
        self._path, self._limits = path.resolve(), limits

    def query(self, sql: str) -> Rows:
        try:
            connection = sqlite3.connect(f"{self._path.as_uri()}?mode=ro", uri=True, isolation_level=None)
        except sqlite3.Error as error:
            raise ToolError(
                f"the database {self._path.name} cannot be opened ({error})", "check it"
            ) from error
        try:
            connection.set_authorizer(_reads_only)
            until = time.monotonic() + self._limits.seconds
            connection.set_progress_handler(lambda: int(time.monotonic() > until), 1000)
            cursor = connection.execute(sql)
            found = cursor.fetchmany(self._limits.rows + 1)
            if cursor.description is None:
                raise BadArguments("the query asks for nothing", "give one SELECT")
            columns = tuple(column[0] for column in cursor.description)
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise _refused(str(error), self._limits) from error
        finally:
            connection.close()
        return _limited(columns, found, self._limits)

    def tables(self) -> Rows:
        names = self.query(
            "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'"
        )
        rows: list[tuple[object, ...]] = []
        for (name,) in names.rows:
            quoted = str(name).replace('"', '""')
            # cid, name, type, ...
            rows += [(name, row[1], row[2]) for row in self.query(f'PRAGMA table_info("{quoted}")').rows]
        return Rows(("tab", "col", "type"), tuple(rows), names.more)


def _reads_only(action: int, first: str | None, second: str | None, *_: object) -> int:
    """SQLite asks for every part of a statement before it is run."""
    permitted = action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE)
    permitted |= action == sqlite3.SQLITE_FUNCTION and second not in _DANGEROUS
    permitted |= action == sqlite3.SQLITE_PRAGMA and first == "table_info"
    return sqlite3.SQLITE_OK if permitted else sqlite3.SQLITE_DENY


#: Functions that reach beyond the database or take memory at will.
_DANGEROUS = frozenset(
    {"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer", "zeroblob", "randomblob"}
)


class PostgresReader:
    """A PostgreSQL database: each query is one statement in a read-only transaction that is rolled back.

    The extended protocol takes one statement at a time, so nothing can end the transaction and go on. Give a
    role that may read only what is meant: functions that reach the server's files need rights of their own.
    """

    def __init__(self, url: str, limits: SqlLimits) -> None:
        parts = urlsplit(url)
        self._options: dict[str, Any] = {
            "user": unquote(parts.username or "postgres"),
            "password": unquote(parts.password) if parts.password else None,
            "host": parts.hostname or "localhost",
            "port": parts.port or 5432,
            "database": parts.path.lstrip("/") or None,
        }
        self._limits = limits

    def query(self, sql: str) -> Rows:
        wrapped = f"SELECT * FROM (\n{sql.strip().rstrip(';')}\n) AS asked LIMIT {self._limits.rows + 1}"
        return self._run(wrapped)

    def tables(self) -> Rows:
        return self.query(
            "SELECT table_schema || '.' || table_name AS tab, column_name AS col, data_type AS type"
            " FROM information_schema.columns WHERE table_schema NOT IN ('pg_catalog', 'information_schema')"
            " ORDER BY 1, ordinal_position"
        )

    def _run(self, sql: str) -> Rows:
        try:
            from pg8000 import native
        except ImportError:
            raise ToolError(
                "the package pg8000 is not installed", "run `pip install llava-agent[postgres]`"
            ) from None
        try:
            connection = native.Connection(**self._options, timeout=self._limits.seconds + 5)
        except (native.InterfaceError, native.DatabaseError, OSError) as error:
            raise ToolError(
                f"the database cannot be reached ({_message(error)})", "check its address"
            ) from error
        try:
            connection.run("START TRANSACTION READ ONLY")
            connection.run(f"SET LOCAL statement_timeout = {round(self._limits.seconds * 1000)}")
            statement = connection.prepare(sql)
            found = statement.run()
            columns = tuple(str(column["name"]) for column in statement.columns or ())
        except (native.InterfaceError, native.DatabaseError, OSError) as error:
            raise _refused(_message(error), self._limits) from error
        finally:
            connection.close()
        return _limited(columns, found or [], self._limits)


def _message(error: Exception) -> str:
    """The server's own words."""
    first = error.args[0] if error.args else error
    return str(first.get("M", first)) if isinstance(first, dict) else str(first)


def _refused(reason: str, limits: SqlLimits) -> BadArguments:
    if "interrupted" in reason or "statement timeout" in reason:
        return BadArguments(f"the query took longer than {limits.seconds:g} seconds", "ask for less")
    return BadArguments(
        f"the query was refused ({' '.join(reason.split())})", "one SELECT over the known tables"
    )


def _limited(columns: Sequence[str], found: Sequence[Sequence[object]], limits: SqlLimits) -> Rows:
    rows = tuple(tuple(map(_plain, row)) for row in found[: limits.rows])
    return Rows(tuple(columns), rows, len(found) > limits.rows)


def _plain(value: object) -> object:
    """As JSON can carry it."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return f"({len(value)} bytes)"
    text = str(value)
    return text if len(text) <= _CELL else f"{text[:_CELL]}…"


def _cell(value: object) -> str:
    return "" if value is None else str(value).replace("\n", " ")


class Query(Arguments):
    """One SELECT."""

    sql: str = Field(min_length=1, max_length=_LONGEST, description="one SELECT statement")


class NoArguments(Arguments):
    """Nothing."""


class QueryDatabase(TypedTool[Query]):
    """Reads rows with SQL.

    Args:
        label: what the database holds, in a few words; the model chooses by it.
    """

    description = ""
    arguments = Query

    def __init__(self, database: ReadOnlyDatabase, name: str = "sql", label: str = "the database") -> None:
        self._database = database
        self.name = f"{name}.query"
        self.description = f"Read {label} with one SQL SELECT; nothing can be changed."

    async def run(self, given: Query) -> ToolResult:
        found = await asyncio.to_thread(self._database.query, given.sql)
        data = {"columns": list(found.columns), "rows": [list(row) for row in found.rows], "more": found.more}
        return ToolResult(found.as_text(), data)


class DescribeDatabase(TypedTool[NoArguments]):
    """Names of tables and columns."""

    arguments = NoArguments

    def __init__(self, database: ReadOnlyDatabase, name: str = "sql", label: str = "the database") -> None:
        self._database = database
        self.name = f"{name}.tables"
        self.description = f"List the tables and columns of {label}."

    async def run(self, given: NoArguments) -> ToolResult:
        found = await asyncio.to_thread(self._database.tables)
        tables: dict[str, list[str]] = {}
        for table, column, kind in found.rows:
            tables.setdefault(str(table), []).append(f"{column} {kind}".strip())
        text = "\n".join(f"{name}({', '.join(columns)})" for name, columns in tables.items())
        return ToolResult(text or "there are no tables", {"tables": tables})
