"""Revisions: the same schema as the tables in code, several processes at once, a kill in the middle."""

from __future__ import annotations

import os
import pkgutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

import llava_agent
from llava_agent.database import Database
from llava_agent.database.tables import TABLE_MODULES, whole_metadata
from llava_agent.database.upgrade import HEAD, current, scripts
from llava_agent.errors import ConfigError

#: Stops in the middle of the upgrade, after some tables were made, until it is killed.
_HANGING = """
import sys, time
import sqlalchemy as sa
from llava_agent.database import Database

database = Database(sys.argv[1])
seen = []

@sa.event.listens_for(database.engine, "after_cursor_execute")
def count(connection, cursor, statement, *rest):
    if statement.lstrip().startswith("CREATE TABLE"):
        seen.append(statement)
        if len(seen) == 4:
            print("half", flush=True)
            time.sleep(600)

database.prepare()
"""


def test_the_revisions_make_the_tables_in_code(prepared: Database) -> None:
    with prepared.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found = compare_metadata(context, whole_metadata())
    assert found == [], "run python -m llava_agent.database.draft (see CONTRIBUTING.md)"


def test_every_module_with_tables_is_named() -> None:
    named = set()
    for module in pkgutil.walk_packages(llava_agent.__path__, "llava_agent."):
        if module.ispkg or ".migrations." in module.name or module.name == "llava_agent.database.engine":
            continue
        path = Path(llava_agent.__path__[0]).parent / (module.name.replace(".", "/") + ".py")
        source = path.read_text(encoding="utf-8")
        if "sa.Table(" in source:
            import_module(module.name)
            named.add(module.name)
    assert named == set(TABLE_MODULES), "name it in llava_agent/database/tables.py"


def test_a_second_time_nothing_is_written(prepared: Database) -> None:
    written = []
    sa.event.listen(prepared.engine, "begin", lambda _: written.append(1), insert=True)
    prepared.prepare()
    with prepared.reading() as connection:
        assert current(connection) == HEAD
    assert len(written) == 2  # the look of `prepare`, and this test's


def test_the_way_back_leaves_nothing(prepared: Database) -> None:
    from alembic import command

    with prepared.writing() as connection:
        command.downgrade(scripts(connection), "base")
    assert set(sa.inspect(prepared.engine).get_table_names()) <= {"alembic_version"}


def test_several_starts_at_once(database_url: str) -> None:
    def start(_: int) -> None:
        database = Database(database_url)
        database.prepare()
        database.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(start, range(4)))
    database = Database(database_url)
    assert "runs" in sa.inspect(database.engine).get_table_names()
    database.close()


def test_a_kill_in_the_middle_is_taken_up(database_url: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _HANGING, database_url],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(llava_agent.__path__[0]).parent)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "half\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    database = Database(database_url)
    assert sa.inspect(database.engine).get_table_names() == []
    database.prepare()
    with database.reading() as connection:
        assert current(connection) == HEAD
    database.close()


def test_a_database_of_a_newer_version_is_refused(prepared: Database) -> None:
    with prepared.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigError, match="9999"):
        prepared.prepare()


def test_the_newest_revision_is_the_one_that_is_named() -> None:
    from alembic.script import ScriptDirectory

    assert ScriptDirectory.from_config(scripts()).get_current_head() == HEAD
