"""The database: transactions, writers side by side, and what a user reads when it cannot be used."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from llava_agent.database import Database
from llava_agent.errors import ConfigError, ToolError


@pytest.fixture
def database(tmp_path: Path) -> Database:
    found = Database(tmp_path / "state.db")
    with found.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE counter (value INTEGER)")
        connection.exec_driver_sql("INSERT INTO counter VALUES (0)")
    return found


def test_writers_side_by_side_lose_nothing(database: Database) -> None:
    def add(_: int) -> None:
        with database.writing() as connection:
            value = connection.exec_driver_sql("SELECT value FROM counter").scalar_one()
            connection.execute(sa.text("UPDATE counter SET value = :value"), {"value": value + 1})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(80)))
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT value FROM counter").scalar_one() == 80


def test_an_exception_rolls_back(database: Database) -> None:
    with pytest.raises(KeyError), database.writing() as connection:
        connection.exec_driver_sql("UPDATE counter SET value = 7")
        raise KeyError
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT value FROM counter").scalar_one() == 0


def test_a_database_that_cannot_be_used_says_so(tmp_path: Path) -> None:
    broken = tmp_path / "state.db"
    broken.mkdir()
    with pytest.raises(ToolError, match="cannot be used"):
        Database(broken).prepare()


def test_other_kinds_are_refused() -> None:
    with pytest.raises(ConfigError, match="mysql"):
        Database("mysql://localhost/x")
