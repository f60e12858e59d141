"""A PostgreSQL server of the tests' own: made anew in a temporary folder, as an unprivileged user."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from llava_agent.database import Database

#: Who may run the server where the tests run as root, which PostgreSQL refuses.
_USERS = ("postgres", "nobody")
#: Nothing of a test has to outlive the machine.
_SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=60")


def server_programs() -> Path | None:
    """The folder with `initdb` and `pg_ctl`: on PATH, or where Debian puts the newest version."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).parent] if on_path else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))[
        ::-1
    ]
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


def _unprivileged() -> str | None:
    """The user to run as; None for the one who runs the tests."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next((user for user in _USERS if user in known), None)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a running server, up to the name of the database."""
    programs = server_programs()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed (Debian, Ubuntu: apt-get install postgresql)")
    user = _unprivileged()
    if os.geteuid() == 0 and user is None:
        pytest.skip("PostgreSQL does not run as root and there is no other user to run it")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    # Not pytest's folder: the other user may not enter that.
    folder = Path(tempfile.mkdtemp(prefix="llava-agent-postgres-"))
    if user:
        shutil.chown(folder, user)
    data = folder / "data"

    def call(*words: str) -> None:
        # Output to a file: the server inherits a pipe and would keep it open for ever.
        with tempfile.TemporaryFile() as said:
            done = subprocess.run(
                words, cwd="/", user=user, stdout=said, stderr=said, check=False, stdin=subprocess.DEVNULL
            )
            said.seek(0)
            assert done.returncode == 0, said.read().decode(errors="replace")

    call(str(programs / "initdb"), "-D", str(data), "-U", "tests", "-A", "trust", "-E", "UTF8", "--no-sync")
    options = f"-h 127.0.0.1 -p {port} -k {folder} " + " ".join(f"-c {one}" for one in _SETTINGS)
    log = folder / "log"
    try:
        call(str(programs / "pg_ctl"), "-D", str(data), "-l", str(log), "-o", options, "-w", "start")
        yield f"postgresql://tests@127.0.0.1:{port}"
    finally:
        call(str(programs / "pg_ctl"), "-D", str(data), "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """URL of an empty database of that server."""
    name = f"t{uuid.uuid4().hex}"
    server = sa.create_engine(
        f"{postgres_server}/postgres".replace("postgresql:", "postgresql+pg8000:"),
        isolation_level="AUTOCOMMIT",
    )
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    yield f"{postgres_server}/{name}"
    with server.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    server.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def prepared(database_url: str) -> Iterator[Database]:
    """A database of each kind with all tables."""
    database = Database(database_url)
    database.prepare()
    yield database
    database.close()
