"""What the desks work with: the store, and the worker that does what takes long."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from llava_agent.assembly import Core
from llava_agent.database import Database
from llava_agent.egress import Reach
from llava_agent.errors import Conflict
from llava_agent.gateway.approvals import Approvals
from llava_agent.gateway.audit import Audit
from llava_agent.gateway.principal import Principal
from llava_agent.inspection.guidance import Search
from llava_agent.inspection.intake import IntakePolicy
from llava_agent.inspection.manuals import Manuals
from llava_agent.lab.models import Models
from llava_agent.service.auth.rights import rights
from llava_agent.service.auth.users import Users
from llava_agent.service.desk_config import desk_path, read_desk
from llava_agent.service.errors import Busy
from llava_agent.service.filing.desk import FilingDesk, owner
from llava_agent.service.filing.target import Target
from llava_agent.service.settings import Settings
from llava_agent.service.store.artifacts import Artifacts
from llava_agent.service.store.checks import Checks
from llava_agent.service.store.filings import Filing, Filings
from llava_agent.service.store.idempotency import RequestKey, forget_old
from llava_agent.service.store.ids import now
from llava_agent.service.store.photos import Photos
from llava_agent.service.store.records import Records
from llava_agent.service.store.runs import Runs, StoredRun
from llava_agent.service.work import check, explain, file, inspect, task
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
        filing: sends confirmed records to other systems.
        intake: what is kept of a photo.
        manuals: what is known, for inspections and for questions.
        folder: each run of the agent has a folder of its own in it.
        reach: which addresses pages may lead to that callers name.
    """

    artifacts: Artifacts
    photos: Photos
    records: Records
    runs: Runs
    worker: Worker
    approvals: Approvals
    filing: FilingDesk
    intake: IntakePolicy
    manuals: Manuals
    folder: Path
    checks: Checks
    reach: Reach

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
        audit = Audit(database)
        approvals = Approvals(database, audit=audit)
        folder, manuals = settings.runs.absolute(), Manuals(lambda: database)
        checks = Checks(database, artifacts)
        checker = check.Checker(core, checks, artifacts, folder, settings.reach)
        handlers = {
            check.KIND: checker.check,
            check.DRAFT: checker.draft,
            task.KIND: task.tasks(core, photos, artifacts, approvals, folder, settings.reach),
            inspect.KIND: inspect.inspector(core, photos, records, partial(_manuals, database, manuals)),
        }
        named = Models(core, settings.training_runs)
        handlers[explain.EXPLAIN] = explain.explainer(named, photos, artifacts)
        handlers[explain.COMPARE] = explain.comparer(named, photos, artifacts)
        place = desk_path(settings.desk)
        config = read_desk(place)
        filing = FilingDesk(
            records,
            photos,
            artifacts,
            Filings(database),
            approvals,
            audit,
            tuple(Target.read(place.absolute().parent / name) for name in config.filing),
            folder,
        )
        handlers[file.KIND] = file.filer(filing)
        worker = Worker(runs, handlers, _AT_ONCE)
        intake = config.photos.policy()
        desk = cls(
            artifacts,
            photos,
            records,
            runs,
            worker,
            approvals,
            filing,
            intake,
            manuals,
            folder,
            checks,
            settings.reach,
        )
        worker.upkeep = desk.upkeep
        return desk

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

    def replay(self, who: Principal, id: str, key: str | None = None) -> StoredRun:
        """Queue the recorded steps of one's run again: no model decides, and what asks is asked anew.

        Raises:
            NotFound: there is no such run.
            Conflict: it is no run of the agent that passed.
        """
        run = self.runs.get(who, id)
        ended = (run.result or {}).get("status", run.state)
        if run.kind != task.KIND or ended != "passed":
            raise Conflict(f"the run {id} is {ended}", "only a run of the agent that passed can be replayed")
        return self.begin(who, task.KIND, {**run.request, "photos": [], "replay": id}, key)

    def open(self) -> None:
        """Note what an earlier process left half, drop what nobody needs, and begin to work."""
        self.upkeep()
        with self.runs.database.writing() as connection:
            forget_old(connection)
        self.artifacts.collect()
        self.worker.start()

    def upkeep(self) -> None:
        """What a living server does from time to time: filings whose sender is gone, and those now approved.

        Raises:
            ToolError: the database cannot be used.
        """
        self.records.cut_off(_CUT_OFF, now() - _FILING)
        filings = self.filing.filings
        for one in filings.in_state("sending"):
            if self.records.get(owner(one), one.record).state == "unknown":
                filings.move(one, "unknown", reason=_CUT_OFF, ended=now())
                self.look(owner(one), one.id)
        for one in filings.in_state("waiting", "ready"):
            with suppress(Conflict):  # another process was first
                self.start_filing(self.filing.decided(one))

    def file(self, who: Principal, record: str, to: str = "", content: str = "") -> Filing:
        """File a record: at once where the policy lets it, else once approved. See `FilingDesk.begin`."""
        return self.start_filing(self.filing.begin(who, record, to, content)[0])

    def start_filing(self, filing: Filing) -> Filing:
        """Queue a filing that is ready; a run that ended without sending it ends it, too."""
        who = owner(filing)
        if filing.state != "ready":
            return filing
        if filing.run:
            run = self.runs.get(who, filing.run)
            if run.over:
                reason = f"its run ended as {run.state} before anything was sent"
                self.filing.filings.move(filing, "failed", reason=reason, ended=now())
            return self.filing.filings.get(who, filing.id)
        request = {"filing": filing.id}
        # Under the filing's own key: two that see it ready at the same time queue one run.
        run, _ = self.runs.add(who, file.KIND, request, key=RequestKey.of(f"file {filing.id}", request))
        self.filing.filings.note(filing, run=run.id)
        self.worker.wake()
        return self.filing.filings.get(who, filing.id)

    def look(self, who: Principal, id: str) -> StoredRun:
        """Queue a look-up of a filing of unknown fate.

        Raises:
            NotFound: there is no such filing.
            Conflict: its fate is known.
        """
        filing = self.filing.filings.get(who, id)
        if filing.state != "unknown":
            raise Conflict(f"the filing {id} is {filing.state}", "only one of unknown fate is looked for")
        return self.begin(who, file.KIND, {"filing": id})

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
