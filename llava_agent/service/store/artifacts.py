"""Files by the hash of their content: photos, reports, exports. Sealed where the installation has a vault.

A file is whole on disk before a row speaks of it, and a row is in the database before anyone is told. What a
killed process leaves (a part, a file without a row, a row that nobody holds) is collected later.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa

from llava_agent.database import Database
from llava_agent.encryption.vault import is_sealed
from llava_agent.errors import NotFound, ToolError
from llava_agent.service.store.ids import now
from llava_agent.service.store.insert import insert
from llava_agent.service.store.tables import artifacts as table
from llava_agent.service.store.tables import holds

#: Seconds that a file without a holder is kept: its holder may be on its way.
GRACE_S = 3600.0


class Sealing(Protocol):
    """What the store asks of a vault."""

    def seal(self, tenant: str, name: str, content: bytes) -> bytes: ...
    def open(self, tenant: str, name: str, sealed: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file.

    Attributes:
        sha256: of the plain content.
        size: of the plain content, in bytes.
    """

    tenant: str
    sha256: str
    size: int
    media_type: str


class Artifacts:
    """The files of an installation. Safe between threads and processes of one machine.

    Args:
        folder: made here, for its owner only.
        vault: seals what is written; None writes plain files.

    Raises:
        ToolError: the folder cannot be made.
    """

    def __init__(self, database: Database, folder: Path, vault: Sealing | None = None) -> None:
        self.database, self.folder, self.vault = database, folder, vault
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise ToolError(
                f"the folder {folder} cannot be made ({error.strerror})", "check the path"
            ) from error

    def write(self, tenant: str, content: bytes, media_type: str) -> Artifact:
        """The file on disk, whole and synced; `hold` it in a transaction, or it is collected.

        Raises:
            ToolError: the disk is full or cannot be written.
            KeyUnavailable: there is a vault without a key; nothing is written then.
        """
        made = Artifact(tenant, hashlib.sha256(content).hexdigest(), len(content), media_type)
        path = self.path(made.tenant, made.sha256)
        try:
            with self._lock(fcntl.LOCK_SH):
                if path.exists():
                    os.utime(path)
                else:
                    sealed = self.vault.seal(tenant, made.sha256, content) if self.vault else content
                    _write_whole(path, sealed)
        except OSError as error:
            raise ToolError(
                f"a file of {len(content)} bytes cannot be stored ({error.strerror})",
                "free some space and send it again",
            ) from error
        return made

    def hold(self, connection: sa.Connection, made: Artifact, holder: str, name: str) -> None:
        """Say, in the holder's own transaction, that it needs the file under `name` (replaces the last)."""
        values = {
            "tenant": made.tenant,
            "sha256": made.sha256,
            "size": made.size,
            "media_type": made.media_type,
            "created": now(),
        }
        # Touching the row that is there keeps the collector, which looks at its age, away from it.
        row = insert(connection, table).values(values)
        connection.execute(
            row.on_conflict_do_update(
                index_elements=["tenant", "sha256"], set_={"created": values["created"]}
            )
        )
        mine = (holds.c.tenant == made.tenant) & (holds.c.holder == holder) & (holds.c.name == name)
        connection.execute(holds.delete().where(mine))
        connection.execute(
            holds.insert().values(tenant=made.tenant, holder=holder, name=name, sha256=made.sha256)
        )

    def held(self, tenant: str, holder: str) -> dict[str, Artifact]:
        """The files of a holder by their names."""
        query = (
            sa.select(holds.c.name, table)
            .join(table, (table.c.tenant == holds.c.tenant) & (table.c.sha256 == holds.c.sha256))
            .where(holds.c.tenant == tenant, holds.c.holder == holder)
            .order_by(holds.c.name)
        )
        with self.database.reading() as connection:
            rows = connection.execute(query).all()
        return {row.name: Artifact(row.tenant, row.sha256, row.size, row.media_type) for row in rows}

    def read(self, tenant: str, sha256: str) -> bytes:
        """The plain content.

        Raises:
            NotFound: no such file of this tenant.
            ToolError: the file on disk is not what was written.
        """
        try:
            content = self.path(tenant, sha256).read_bytes()
        except FileNotFoundError:
            raise NotFound(f"there is no file {sha256[:12]}", "it may have been deleted") from None
        if is_sealed(content):
            if self.vault is None:
                raise ToolError(f"the file {sha256[:12]} is sealed", "start the service with encryption")
            content = self.vault.open(tenant, sha256, content)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ToolError(f"the file {sha256[:12]} was changed on disk", "restore it from a backup")
        return content

    def path(self, tenant: str, sha256: str) -> Path:
        """Where a file lies."""
        return self.folder / self.place(tenant, sha256)

    @staticmethod
    def place(tenant: str, sha256: str) -> Path:
        """The same below the folder; a tenant's name is hashed, since it may hold any character."""
        home = hashlib.sha256(tenant.encode()).hexdigest()[:16]
        return Path(home, sha256[:2], sha256)

    def collect(self, grace: float = GRACE_S) -> int:
        """Delete what nobody holds and what a killed process left; gives how many files.

        Args:
            grace: seconds for which such a file is kept all the same.
        """
        before = time.time() - grace
        held = sa.exists().where(holds.c.tenant == table.c.tenant, holds.c.sha256 == table.c.sha256)
        old = table.c.created < datetime.fromtimestamp(before, UTC)
        gone = 0
        with self._lock(fcntl.LOCK_EX):
            with self.database.writing() as connection:
                connection.execute(table.delete().where(old, ~held))
                rows = connection.execute(sa.select(table.c.tenant, table.c.sha256)).all()
            known = {self.path(row.tenant, row.sha256) for row in rows}
            for path in self.folder.glob("*/*/*"):
                if path not in known and path.stat().st_mtime < before:
                    path.unlink()
                    gone += 1
        return gone

    @contextlib.contextmanager
    def _lock(self, kind: int) -> Iterator[None]:
        """Writers of files go side by side; the collector goes alone."""
        with (self.folder / ".lock").open("w") as lock:
            fcntl.flock(lock, kind)
            yield


def _write_whole(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(f".{path.name[:16]}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
