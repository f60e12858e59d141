"""A backup of a server's content while it runs, and a restore that is checked before it counts.

First the database as it is at one moment, then the files that its rows speak of: a file is never changed,
and one that nobody needs any more is kept for an hour. Keys are left out: nobody should get both at once.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from llava_agent.database import Database
from llava_agent.errors import ConfigError, ToolError
from llava_agent.service.store.artifacts import Artifacts

STATE, FILES, MANIFEST = "state.db", "files", "backup.json"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds.

    Attributes:
        revision: of the tables.
        files, bytes: of the files beside the database.
        sealed: whether some of them need the master key.
        missing: names of files that the database speaks of and that are not there.
    """

    folder: str
    made: str
    revision: str
    files: int
    bytes: int
    sealed: bool
    missing: tuple[str, ...] = ()


def back_up(database: Database, files: Path, folder: Path) -> Backup:
    """Write a backup to a folder that is not there yet; the server may go on.

    Args:
        files: where the server keeps photos and other files.

    Raises:
        ConfigError: the folder is there, or the database is a server's.
        ToolError: it cannot be written.
    """
    if not database.sqlite:
        raise ConfigError(
            "a PostgreSQL database is backed up by its own tools",
            "use pg_dump first, then copy the folder of files (docs/deploy.md)",
        )
    if folder.exists():
        raise ConfigError(f"{folder} is there already", "name a new folder for each backup")
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir(parents=True, mode=0o700)
        _copy_database(database, part / STATE)
        copied = _copy_files(part / STATE, files, part / FILES)
        made = Backup(str(folder), datetime.now(UTC).isoformat(timespec="seconds"), *copied)
        told = {
            "format": _FORMAT,
            "made": made.made,
            "sha256": _sha256(part / STATE),
            "revision": made.revision,
        }
        (part / MANIFEST).write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
        part.replace(folder)
    except (OSError, sqlite3.Error) as error:
        shutil.rmtree(part, ignore_errors=True)
        raise ToolError(f"the backup cannot be written ({error})", "check the disk and the folder") from error
    return made


def check(folder: Path) -> Backup:
    """Read a backup whole.

    Raises:
        ConfigError: it is none, or not what was written.
    """
    try:
        told = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        whole = told["format"] == _FORMAT and told["sha256"] == _sha256(folder / STATE)
        made = str(told["made"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ConfigError(f"{folder} holds no backup ({error})", "name the folder of a backup") from error
    if not whole:
        raise ConfigError(f"the database in {folder} is not the one that was written", "take another backup")
    revision, count, size, sealed, missing = _counted(folder / STATE, folder / FILES)
    return Backup(str(folder), made, revision, count, size, sealed, missing)


def restore(folder: Path, state: Path, files: Path) -> Backup:
    """Put a checked backup where a server that is stopped will look for it; nothing is written over.

    Raises:
        ConfigError: it is no whole backup, or there is something already.
        ToolError: it cannot be written.
    """
    found = check(folder)
    if found.missing:
        raise ConfigError(f"{len(found.missing)} files are missing in {folder}", "take another backup")
    for place in (state, state.with_name(state.name + "-wal"), files):
        if place.exists() and (place.is_file() or any(place.iterdir())):
            raise ConfigError(f"{place} is there already", "move it away first")
    try:
        state.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if (folder / FILES).is_dir():
            shutil.copytree(folder / FILES, files, dirs_exist_ok=True)
        part = state.with_name(f".{state.name}.part")
        shutil.copyfile(folder / STATE, part)
        part.chmod(0o600)
        part.replace(state)  # last: a restore that was cut off leaves no database
    except OSError as error:
        raise ToolError(f"the backup cannot be restored ({error.strerror})", "check the disk") from error
    return found


def _copy_database(database: Database, to: Path) -> None:
    """SQLite's online backup: one moment, while others write."""
    with (
        closing(sqlite3.connect(str(database.engine.url.database))) as source,
        closing(sqlite3.connect(to)) as target,
    ):
        source.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")
    to.chmod(0o600)


def _copy_files(state: Path, files: Path, to: Path) -> tuple[str, int, int, bool, tuple[str, ...]]:
    with closing(sqlite3.connect(state)) as connection:
        for path in _paths(connection):
            if (files / path).is_file():
                (to / path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                shutil.copyfile(files / path, to / path)
    return _counted(state, to)


def _counted(state: Path, files: Path) -> tuple[str, int, int, bool, tuple[str, ...]]:
    """Revision, number and bytes of files, whether any is sealed, what is missing or damaged."""
    from llava_agent.encryption.vault import is_sealed

    count, size, sealed, missing = 0, 0, False, []
    with closing(sqlite3.connect(state)) as connection:
        (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        for path in _paths(connection):
            try:
                content = (files / path).read_bytes()
            except OSError:
                missing.append(path.name)
                continue
            closed = is_sealed(content)
            if not closed and hashlib.sha256(content).hexdigest() != path.name:
                missing.append(path.name)
                continue
            count, size, sealed = count + 1, size + len(content), sealed or closed
    return str(revision), count, size, sealed, tuple(missing)


def _paths(connection: sqlite3.Connection) -> Iterator[Path]:
    """Where the files lie that somebody needs, below the folder of files."""
    held = "SELECT DISTINCT tenant, sha256 FROM artifact_holds ORDER BY tenant, sha256"
    for tenant, sha256 in connection.execute(held):
        yield Artifacts.place(str(tenant), str(sha256))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
