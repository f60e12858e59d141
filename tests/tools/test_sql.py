"""SQL: reading works, writing is refused by the database itself, and a query that takes too long ends."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from llava_agent.errors import ConfigError, ToolError
from tools.sql import DescribeDatabase, QueryDatabase, ReadOnlyDatabase, SqlLimits, open_read_only
from tools.tool import Toolbox
from tools.typed import BadArguments

_SCHEMA = (
    "CREATE TABLE pumps (tag VARCHAR(20) PRIMARY KEY, bar REAL, note TEXT)",
    "INSERT INTO pumps VALUES ('P-1', 6.4, 'ok'), ('P-2', 2.0, NULL), ('P-3', 9.9, 'high')",
)
LIMITS = SqlLimits(rows=2, seconds=0.5)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "plant.db"
    connection = sqlite3.connect(path)
    for statement in _SCHEMA:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, file: Path) -> ReadOnlyDatabase:
    if request.param == "sqlite":
        return open_read_only(str(file), LIMITS)
    url = str(request.getfixturevalue("postgres_url"))
    import sqlalchemy as sa

    engine = sa.create_engine(url.replace("postgresql:", "postgresql+pg8000:"))
    with engine.begin() as connection:
        for statement in _SCHEMA:
            connection.exec_driver_sql(statement)
    engine.dispose()
    return open_read_only(url, LIMITS)


def _count(database: ReadOnlyDatabase) -> object:
    return database.query("SELECT count(*) FROM pumps").rows[0][0]


_WRITES = (
    "DELETE FROM pumps",
    "INSERT INTO pumps VALUES ('X', 1, NULL)",
    "UPDATE pumps SET bar = 0",
    "DROP TABLE pumps",
    "CREATE TABLE more (a INTEGER)",
    "SELECT 1; DELETE FROM pumps",
    "SELECT 1) AS a; COMMIT; DELETE FROM pumps; --",
    "COMMIT",
    "ROLLBACK; DELETE FROM pumps",
    "PRAGMA writable_schema = 1",
    "ATTACH DATABASE 'other.db' AS other",
    "VACUUM INTO 'copy.db'",
    "SELECT load_extension('x')",
    "SET TRANSACTION READ WRITE",
    "SELECT set_config('transaction_read_only', 'off', false)",
    "WITH gone AS (DELETE FROM pumps RETURNING *) SELECT * FROM gone",
    "COPY pumps TO '/tmp/stolen'",
    "",
    "nonsense",
)


def test_reading_and_every_way_of_writing(
    database: ReadOnlyDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = database.query("SELECT tag, bar, note FROM pumps ORDER BY tag; ")
    assert found.columns == ("tag", "bar", "note")
    assert found.rows[0] == ("P-1", 6.4, "ok") and found.rows[1][2] is None
    assert found.more and "only the first 2 rows" in found.as_text()
    for statement in _WRITES:
        with pytest.raises(BadArguments):
            database.query(statement)
    assert _count(database) == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plant.db"]
    assert ("pumps", "bar") in {
        (str(row[0]).rpartition(".")[2], row[1]) for row in database.tables().rows[:3]
    }


def test_a_query_that_takes_too_long_is_ended(database: ReadOnlyDatabase) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    with pytest.raises(BadArguments, match=r"longer than 0\.5 seconds"):
        database.query(endless)


def test_databases_that_are_not_there(tmp_path: Path) -> None:
    for url in (str(tmp_path / "absent.db"), "mysql://localhost/x"):
        with pytest.raises(ConfigError):
            open_read_only(url)
    broken = tmp_path / "broken.db"
    broken.write_text("no database")
    with pytest.raises(BadArguments, match="not a database"):
        open_read_only(str(broken)).query("SELECT * FROM a")
    with pytest.raises(ToolError, match="cannot be reached"):
        open_read_only("postgresql://nobody@127.0.0.1:1/x").query("SELECT 1")


async def test_as_tools(file: Path) -> None:
    database = open_read_only(f"sqlite:///{file}")
    box = Toolbox(
        [QueryDatabase(database, "plant", "the plant's pumps"), DescribeDatabase(database, "plant")]
    )
    outcome = await box.call("plant.query", {"sql": "SELECT tag FROM pumps WHERE bar > 9"})
    assert outcome.data["text"] == "tag\nP-3"
    described = await box.call("plant.tables", {})
    assert described.data["text"] == "pumps(tag VARCHAR(20), bar REAL, note TEXT)"
    refused = await box.call("plant.query", {"sql": "DELETE FROM pumps"})
    assert not refused.ok and "refused" in refused.detail
