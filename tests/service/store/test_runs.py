"""Runs: claimed by one worker, fenced by their attempt, ended once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from llava_agent.errors import Conflict, NotFound
from llava_agent.service.store.idempotency import RequestKey
from tests.service.stores import ADA, BOB, Store


def test_each_run_is_claimed_once(store: Store) -> None:
    made = [store.runs.add(ADA, "inspect", {"n": n})[0].id for n in range(12)]
    store.runs.add(ADA, "other", {})

    def work(worker: int) -> list[str]:
        claimed = []
        while (run := store.runs.claim(f"w{worker}", ["inspect"])) is not None:
            claimed.append(run.id)
        return claimed

    with ThreadPoolExecutor(4) as pool:
        claimed = [id for ids in pool.map(work, range(4)) for id in ids]
    assert sorted(claimed) == sorted(made)
    assert store.runs.waiting() == 1


def test_a_run_ends_once_with_its_events_in_order(store: Store) -> None:
    store.runs.add(ADA, "inspect", {"n": 1})
    run = store.runs.claim("w", ["inspect"])
    assert run is not None and run.attempt == 1
    assert [store.runs.say(run, "look", {"at": n}) for n in (1, 2)] == [1, 2]
    store.runs.finish(run, "done", result={"record": "r"})
    with pytest.raises(Conflict, match="another worker"):
        store.runs.finish(run, "failed", "late")
    ended = store.runs.get(ADA, run.id)
    assert ended.state == "done" and ended.over and ended.result == {"record": "r"}
    events = store.runs.events(ADA, run.id, after=1)
    assert [(one.number, one.kind) for one in events] == [(2, "look"), (3, "end")]
    with pytest.raises(NotFound):
        store.runs.events(BOB, run.id)


def test_who_was_taken_for_dead_changes_nothing(store: Store) -> None:
    store.runs.add(ADA, "inspect", {})
    dead = store.runs.claim("w1", ["inspect"])
    assert dead is not None
    assert store.runs.give_back(dead, "worker w1 ended")
    assert not store.runs.give_back(dead, "again")
    alive = store.runs.claim("w2", ["inspect"])
    assert alive is not None and alive.attempt == 2
    assert not store.runs.beat(dead)
    with pytest.raises(Conflict):
        store.runs.say(dead, "look", {})
    with pytest.raises(Conflict):
        store.runs.finish(dead, "done")
    assert store.runs.beat(alive)
    assert not store.runs.cut_off(alive, "it was heard of since then")
    heard = store.runs.running()[0]
    assert store.runs.cut_off(heard, "the machine went down")
    ended = store.runs.get(ADA, alive.id)
    assert ended.state == "cut_off" and ended.reason == "the machine went down"


def test_cancelling(store: Store) -> None:
    queued = store.runs.add(ADA, "inspect", {})[0]
    assert store.runs.cancel(ADA, queued.id).state == "cancelled"
    store.runs.add(ADA, "inspect", {})
    run = store.runs.claim("w", ["inspect"])
    assert run is not None and store.runs.beat(run)
    assert store.runs.cancel(ADA, run.id).cancel
    assert not store.runs.beat(run)
    store.runs.finish(replace(run), "cancelled", "cancelled by ada")
    with pytest.raises(Conflict, match="cancelled"):
        store.runs.cancel(ADA, run.id)


def test_the_same_key_at_the_same_time_queues_one_run(store: Store) -> None:
    key = RequestKey.of("k", {"kind": "inspect"})
    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda _: store.runs.add(ADA, "inspect", {}, key=key), range(6)))
    assert len({run.id for run, _ in made}) == 1 and sum(new for _, new in made) == 1
