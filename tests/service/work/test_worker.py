"""The worker: takes up what a killed one left, does nothing twice, ends what is asked to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import llava_agent
from llava_agent.errors import ConfigError
from llava_agent.service.store.runs import Runs, StoredRun
from llava_agent.service.work import worker as module
from llava_agent.service.work.job import Done, Job
from llava_agent.service.work.worker import MOST_ATTEMPTS, Worker, lives, own_name
from tests.service.stores import ADA, Store, picture

_PATIENCE_S = 60

#: Begins a run and says so, then hangs until it is killed; what it made is never written.
_HANGING = """
import sys, time
from llava_agent.database import Database
from llava_agent.service.store.runs import Runs
from llava_agent.service.work.worker import Worker

def hang(job):
    job.say("begun", {})
    print("begun", flush=True)
    time.sleep(600)

worker = Worker(Runs(Database(sys.argv[1])), {"inspect": hang})
worker.start()
time.sleep(600)
"""


def until(runs: Runs, id: str, fits: Callable[[StoredRun], bool]) -> StoredRun:
    """The run once it fits."""
    ends = time.monotonic() + _PATIENCE_S
    while time.monotonic() < ends:
        run = runs.get(ADA, id)
        if fits(run):
            return run
        time.sleep(0.02)
    raise AssertionError(f"{runs.get(ADA, id)} never came so far")


def test_what_a_killed_worker_left_is_done_once(store: Store, database_url: str) -> None:
    photo, _ = store.photos.add(ADA, picture(), name="a.png")
    run, _ = store.runs.add(ADA, "inspect", {"photos": [photo.id]})
    process = subprocess.Popen(
        [sys.executable, "-c", _HANGING, database_url],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(llava_agent.__path__[0]).parent)},
    )
    assert process.stdout is not None and process.stdout.readline() == "begun\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()

    add = store.records.insert

    def handler(job: Job) -> Done:
        return Done({}, lambda connection: {"record": add(connection, ADA, {}, [photo.id], "")})

    worker = Worker(store.runs, {"inspect": handler})
    worker.start()
    done = until(store.runs, run.id, lambda one: one.over)
    worker.stop()
    assert done.state == "done" and done.attempt == 2
    assert [one.id for one in store.records.list(ADA).items] == [(done.result or {})["record"]]
    assert [one.kind for one in store.runs.events(ADA, run.id)] == ["begun", "again", "end"]


def test_a_run_that_kills_its_workers_is_given_up(store: Store) -> None:
    run, _ = store.runs.add(ADA, "inspect", {})
    worker = Worker(store.runs, {"inspect": lambda job: Done({})})
    dead = own_name().rsplit(":", 1)[0] + ":1.00"
    for _ in range(MOST_ATTEMPTS):
        assert store.runs.claim(dead, ["inspect"]) is not None
        worker.bury()
    ended = store.runs.get(ADA, run.id)
    assert ended.state == "cut_off" and "given up" in ended.reason


def test_a_living_worker_is_left_alone(store: Store) -> None:
    store.runs.add(ADA, "inspect", {})
    run = store.runs.claim("elsewhere:1:1.0", ["inspect"])
    assert run is not None
    Worker(store.runs, {"inspect": lambda job: Done({})}).bury()
    assert store.runs.get(ADA, run.id).state == "running"
    assert lives(own_name()) and not lives("here:1:0.0") and not lives("nonsense")


def test_what_was_made_and_the_end_are_one(store: Store) -> None:
    """A worker that was taken for dead writes nothing of what it made."""
    photo, _ = store.photos.add(ADA, picture(), name="a.png")
    run, _ = store.runs.add(ADA, "inspect", {})

    add = store.records.insert

    def slow(job: Job) -> Done:
        alive = replace(job.run, alive=store.runs.running()[0].alive)
        assert store.runs.give_back(alive, "taken for dead")
        return Done({}, lambda connection: {"record": add(connection, ADA, {}, [photo.id], "")})

    worker = Worker(store.runs, {"inspect": slow})
    claimed = store.runs.claim(worker.name, ["inspect"])
    assert claimed is not None
    worker._do(claimed)
    assert store.records.list(ADA).items == ()
    assert store.runs.get(ADA, run.id).state == "queued"


@pytest.mark.parametrize(
    ("error", "said"),
    [(ConfigError("no photo", "choose one"), "no photo: choose one"), (KeyError("secret"), "KeyError")],
)
def test_a_failure_is_a_reason(store: Store, error: Exception, said: str) -> None:
    run, _ = store.runs.add(ADA, "inspect", {})

    def fail(job: Job) -> Done:
        raise error

    worker = Worker(store.runs, {"inspect": fail})
    worker.start()
    ended = until(store.runs, run.id, lambda one: one.over)
    worker.stop()
    assert ended.state == "failed" and said in ended.reason and "secret" not in ended.reason


def test_cancelling_and_stopping(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BEAT_S", 0.05)
    begun = threading.Event()

    def wait(job: Job) -> Done:
        begun.set()
        while True:
            job.check()
            time.sleep(0.01)

    first, _ = store.runs.add(ADA, "inspect", {"n": 1})
    worker = Worker(store.runs, {"inspect": wait})
    worker.start()
    assert begun.wait(_PATIENCE_S)
    store.runs.cancel(ADA, first.id)
    assert until(store.runs, first.id, lambda one: one.over).state == "cancelled"
    begun.clear()
    second, _ = store.runs.add(ADA, "inspect", {"n": 2})
    worker.wake()
    assert begun.wait(_PATIENCE_S)
    worker.stop(_PATIENCE_S)
    waiting = store.runs.get(ADA, second.id)
    assert waiting.state == "queued" and "taken up again" in waiting.reason
