"""What the desks work with: the store, and the worker that does what takes long."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from llava_agent.assembly import Core
from llava_agent.database import Database
from llava_agent.gateway.approvals import Approvals
from llava_agent.gateway.principal import Principal
from llava_agent.inspection.guidance import Search
from llava_agent.inspection.manuals import Manuals
from llava_agent.service.auth.rights import rights
from llava_agent.service.auth.users import Users
from llava_agent.service.errors import Busy
from llava_agent.service.settings import Settings
from llava_agent.service.store.artifacts import Artifacts
from llava_agent.service.store.idempotency import RequestKey, forget_old
from llava_agent.service.store.ids import now
from llava_agent.service.store.photos import Photos
from llava_agent.service.store.records import Records
from llava_agent.service.store.runs import Runs, StoredRun
from llava_agent.service.work import inspect, task
from llava_agent.service.work.worker import Worker

#: A record that is under way to another system for longer than this never arrived, or nobody will know.
_FILING = timedelta(minutes=10)
#: Runs that may wait; more are refused, so that a client slows down instead of a queue without end.
MOST_WAITING = 200
#: Runs at the same time: one that waits for a person must not hold up the others.
_AT_ONCE = 4
_CUT_OFF = (
    "the service stopped while the record was being filed: look in the other system before you file it again"
)


@dataclass(frozen=True, slots=True)
class Desk:
    """The store and the worker of one server.

    Attributes:
        approvals: what runs ask before they act.
        folder: each run of the agent has a folder of its own in it.
    """

    artifacts: Artifacts
    photos: Photos
    records: Records
    runs: Runs
    worker: Worker
    approvals: Approvals
    folder: Path

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
        approvals, folder = Approvals(database), settings.runs.absolute()
        handlers = {
            task.KIND: task.tasks(core, photos, artifacts, approvals, folder),
            inspect.KIND: inspect.inspector(
                core, photos, records, partial(_manuals, database, Manuals(lambda: database))
            ),
        }
        worker = Worker(runs, handlers, _AT_ONCE)
        return cls(artifacts, photos, records, runs, worker, approvals, folder)

    def begin(
        self, who: Principal, kind: str, request: Mapping[str, Any], key: str | None = None
    ) -> StoredRun:
        """Queue a run; with a key that was seen before, give the run that it made then.

        Raises:
            NotFound: a photo that is not there.
            Busy: too many wait.
        """
        for id in request.get("photos", ()):
            self.photos.get(who, id)
        if self.runs.waiting() >= MOST_WAITING:
            raise Busy("too many runs wait already", "try again in a while", 30.0)
        known = RequestKey.of(key, {"kind": kind, **request}) if key else None
        made, _ = self.runs.add(who, kind, request, key=known)
        self.worker.wake()
        return made

    def open(self) -> None:
        """Note what an earlier process left half, drop what nobody needs, and begin to work."""
        self.records.cut_off(_CUT_OFF, now() - _FILING)
        with self.runs.database.writing() as connection:
            forget_old(connection)
        self.artifacts.collect()
        self.worker.start()

    def close(self) -> None:
        self.worker.stop()


def _manuals(database: Database, manuals: Manuals, owner: Principal) -> Search | None:
    """The manuals as the owner of a run may read them now, with the department of the account."""
    user = Users(database).find(owner.user)
    if user is None or user.tenant != owner.tenant:
        return manuals.of(owner)  # this machine's own user, who has no account
    return manuals.of(user.principal()) if "knowledge.read" in rights(user.roles, user.denied) else None


def files_beside(database: Database) -> Path:
    """The folder `files` beside an SQLite database; in the user's data folder for a server's."""
    from platformdirs import user_data_path

    file = database.engine.url.database
    if database.sqlite and file and file != ":memory:":
        return Path(file).absolute().parent / "files"
    return user_data_path("llava-agent") / "files"
