"""What the photo desk works with: its store, and the worker that does what takes long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from llava_agent.assembly import Core
from llava_agent.database import Database
from llava_agent.service.settings import Settings
from llava_agent.service.store.artifacts import Artifacts
from llava_agent.service.store.idempotency import forget_old
from llava_agent.service.store.ids import now
from llava_agent.service.store.photos import Photos
from llava_agent.service.store.records import Records
from llava_agent.service.store.runs import Runs
from llava_agent.service.work import inspect, task
from llava_agent.service.work.worker import Worker

#: A record that is under way to another system for longer than this never arrived, or nobody will know.
_FILING = timedelta(minutes=10)
_CUT_OFF = (
    "the service stopped while the record was being filed: look in the other system before you file it again"
)


@dataclass(frozen=True, slots=True)
class Desk:
    """The store and the worker of one server."""

    artifacts: Artifacts
    photos: Photos
    records: Records
    runs: Runs
    worker: Worker

    @classmethod
    def make(cls, settings: Settings, database: Database, core: Callable[[], Core]) -> Desk:
        """Over a database that is ready; the worker is not started yet.

        Raises:
            ToolError: the folder for files cannot be made.
        """
        from llava_agent.encryption import open_vault

        vault = open_vault(database) if settings.encrypt else None
        artifacts = Artifacts(database, settings.files or files_beside(database), vault)
        photos, records, runs = Photos(database, artifacts), Records(database), Runs(database)
        handlers = {
            inspect.KIND: inspect.inspector(core, photos, records),
            task.KIND: task.tasks(core, photos, artifacts, settings.runs.absolute()),
        }
        return cls(artifacts, photos, records, runs, Worker(runs, handlers))

    def open(self) -> None:
        """Note what an earlier process left half, drop what nobody needs, and begin to work."""
        self.records.cut_off(_CUT_OFF, now() - _FILING)
        with self.runs.database.writing() as connection:
            forget_old(connection)
        self.artifacts.collect()
        self.worker.start()

    def close(self) -> None:
        self.worker.stop()


def files_beside(database: Database) -> Path:
    """The folder `files` beside an SQLite database; in the user's data folder for a server's."""
    from platformdirs import user_data_path

    file = database.engine.url.database
    if database.sqlite and file and file != ":memory:":
        return Path(file).absolute().parent / "files"
    return user_data_path("llava-agent") / "files"
