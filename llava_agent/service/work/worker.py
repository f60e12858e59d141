"""Takes runs from the database one by one, says that it lives, and takes up what dead workers left."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable, Mapping

from llava_agent.errors import Conflict, LlavaAgentError
from llava_agent.service.store.ids import now
from llava_agent.service.store.runs import LEASE, Runs, StoredRun
from llava_agent.service.work.job import Done, Handler, Job, Stopped

#: Seconds between two signs of life, between two looks for work, and between two looks for dead workers.
_BEAT_S, _LOOK_S, _BURY_S = 5.0, 1.0, 20.0
#: A run that was begun this often and never ended is not begun again: it may be what kills the process.
MOST_ATTEMPTS = 3

log = logging.getLogger("llava_agent.service.work")


class Worker:
    """Threads that do runs.

    Args:
        handlers: what does a run of each kind; runs of other kinds are left to others.
        threads: runs at the same time.
    """

    def __init__(self, runs: Runs, handlers: Mapping[str, Handler], threads: int = 1) -> None:
        self.runs, self.handlers = runs, dict(handlers)
        self.name = own_name()
        self._stop, self._wake = threading.Event(), threading.Event()
        self._threads: list[threading.Thread] = []
        self._at_once = threads
        self._going: dict[str, Job] = {}
        #: Called now and then while it works.
        self.upkeep: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Take up what dead workers of this machine left, then begin."""
        self.bury()
        self._stop.clear()
        tasks = [self._watch, *[self._work] * self._at_once]
        self._threads = [threading.Thread(target=task, name="runs", daemon=True) for task in tasks]
        for thread in self._threads:
            thread.start()

    def stop(self, seconds: float = 5.0) -> None:
        """Begin no more; what goes on is asked to end and given back."""
        self._stop.set()
        self._wake.set()
        for job in list(self._going.values()):
            job.stop.set()
        for thread in self._threads:
            thread.join(seconds)

    def wake(self) -> None:
        """There is something to do."""
        self._wake.set()

    def bury(self) -> None:
        """Queue the runs of dead workers again, or end those that were begun too often."""
        for run in self.runs.running():
            why = self._dead(run)
            if not why:
                continue
            if run.attempt >= MOST_ATTEMPTS:
                self.runs.cut_off(
                    run, f"{why} for the {run.attempt}. time during this run, so it was given up"
                )
            elif run.kind in self.handlers:
                self.runs.give_back(run, f"{why}; the run was taken up again")

    def _dead(self, run: StoredRun) -> str:
        """Why the worker of a run is dead, as a clause; empty where it may live."""
        if run.worker == self.name:
            return "" if run.id in self._going else "the service lost it"
        if same_host(run.worker) and not lives(run.worker):
            return "the service stopped"
        if run.alive is not None and now() - run.alive > LEASE:
            return "its worker was not heard of"
        return ""

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                run = self.runs.claim(self.name, list(self.handlers))
            except LlavaAgentError as error:  # the database is gone: it may come back
                log.warning("no work can be taken: %s", error)
                run = None
            if run is None:
                self._wake.wait(_LOOK_S)
                self._wake.clear()
                continue
            self._do(run)

    def _do(self, run: StoredRun) -> None:
        job = Job(run, self.runs)
        self._going[run.id] = job
        try:
            self._end(run, self.handlers[run.kind](job))
        except Stopped:
            self._stopped(run)
        except Conflict as error:
            log.info("run %s: %s", run.id, error)
        except LlavaAgentError as error:
            self._fail(run, str(error))
        except Exception as error:  # a bug must not take the worker with it; the log says where it is
            log.exception("run %s ended by %s", run.id, type(error).__name__)
            self._fail(run, f"an internal error ({type(error).__name__}); the log of the service has more")
        finally:
            self._going.pop(run.id, None)

    def _end(self, run: StoredRun, done: Done) -> None:
        """What was made and the end of the run, in one transaction."""
        with self.runs.database.writing() as connection:
            more = done.write(connection) if done.write else {}
            self.runs.finish(run, "done", result={**done.result, **more}, connection=connection)
        if done.after:
            done.after()

    def _stopped(self, run: StoredRun) -> None:
        try:
            if self._stop.is_set():
                self.runs.give_back(_fresh(self.runs, run), "the service stopped; the run is taken up again")
            else:
                self.runs.finish(run, "cancelled", "cancelled by its owner")
        except LlavaAgentError as error:
            log.info("run %s: %s", run.id, error)

    def _fail(self, run: StoredRun, reason: str) -> None:
        try:
            self.runs.finish(run, "failed", reason)
        except LlavaAgentError as error:
            log.warning("run %s failed (%s), and that could not be noted: %s", run.id, reason, error)

    def _watch(self) -> None:
        since_burial = 0.0
        while not self._stop.wait(_BEAT_S):
            since_burial += _BEAT_S
            try:
                for job in list(self._going.values()):
                    if not self.runs.beat(job.run):
                        job.stop.set()
                if since_burial >= _BURY_S:
                    since_burial = 0.0
                    self.bury()
                    self.upkeep()
            except LlavaAgentError as error:
                log.warning("no sign of life could be given: %s", error)


def _fresh(runs: Runs, run: StoredRun) -> StoredRun:
    """The run with its latest sign of life, which `give_back` goes by."""
    return next((one for one in runs.running() if one.id == run.id and one.attempt == run.attempt), run)


def own_name() -> str:
    """Host, process and when it started, so that a later process of the same number is told apart."""
    import psutil

    return f"{socket.gethostname()}:{os.getpid()}:{psutil.Process().create_time():.2f}"


def same_host(worker: str) -> bool:
    return worker.rsplit(":", 2)[0] == socket.gethostname()


def lives(worker: str) -> bool:
    """Whether the process of a worker on this machine is still there."""
    import psutil

    try:
        _, process, started = worker.rsplit(":", 2)
        return abs(psutil.Process(int(process)).create_time() - float(started)) < 0.1
    except (psutil.NoSuchProcess, ValueError):
        return False
    except psutil.AccessDenied:
        return True
