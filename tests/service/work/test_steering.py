"""A question gets its own reply, an approval its own action, and nobody decides what they asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from llava_agent.agent.attendant import Proposal, Question, Verdict
from llava_agent.errors import Conflict, NotFound, PermissionDenied
from llava_agent.gateway.approvals import Approvals
from llava_agent.gateway.principal import LOCAL, Principal
from llava_agent.service.work.job import Job
from llava_agent.service.work.steering import Steering
from tests.service.stores import ADA, BOB, Store

T = TypeVar("T")
BOSS = Principal("bob", roles=frozenset({"approver"}), tenant="north")


def begun(store: Store, who: Principal = ADA) -> tuple[Job, Approvals, Steering]:
    store.runs.add(who, "task", {})
    run = store.runs.claim("here:1:1.0", ["task"])
    assert run is not None
    approvals = Approvals(store.database)
    job = Job(run, store.runs)
    return job, approvals, Steering(job, approvals)


async def steered(steering: Steering, waits: Awaitable[T], act: Callable[[], bool]) -> T:
    """What it waited for, while `act` is tried until it could be done, and orders are looked for."""
    task, done = asyncio.ensure_future(waits), False
    while not task.done():
        done = done or await asyncio.to_thread(act)
        await steering.look()
        await asyncio.wait({task}, timeout=0.05)
    return task.result()


def last(job: Job, kind: str) -> int:
    return next((one.number for one in job.runs.events(job.who, job.run.id) if one.kind == kind), 0)


def proposal(run: str) -> Proposal:
    return Proposal(run, 3, {"verb": "click"}, "click Pay", "http://shop.example", "irreversible", "money")


def test_a_question_gets_the_reply_that_was_given_to_it(store: Store) -> None:
    job, _, steering = begun(store)
    with pytest.raises(NotFound):
        store.runs.order(BOB, job.run.id, "reply", {"question": 1, "text": "mine"})

    def reply() -> bool:
        if number := last(job, "question"):
            store.runs.order(ADA, job.run.id, "reply", {"question": number + 7, "text": "to another"})
            store.runs.order(ADA, job.run.id, "reply", {"question": number, "text": "P-101"})
        return bool(number)

    answer = asyncio.run(steered(steering, steering.answer(Question("r", 0, "Which?", "pump")), reply))
    assert answer == "P-101" and last(job, "answered")


def test_another_person_approves_and_the_approval_is_used_up(store: Store) -> None:
    job, approvals, steering = begun(store)
    asked = proposal(job.run.id)

    def approve() -> bool:
        waiting = approvals.waiting(BOSS)
        for one in waiting:
            with pytest.raises(PermissionDenied):
                approvals.approve(one.id, Principal("ada", roles=frozenset({"approver"}), tenant="north"))
            approvals.approve(one.id, BOSS, "seen")
        return bool(waiting)

    verdict = asyncio.run(steered(steering, steering.approve(asked), approve))
    assert verdict == Verdict(True, asked.hash, "bob", "seen")
    assert [one.state for one in map(approvals.get, _ids(job)) if one] == ["consumed"]


def test_the_person_at_this_machine_decides_what_the_agent_asks(store: Store) -> None:
    job, approvals, steering = begun(store, LOCAL)
    me = Principal(roles=frozenset({"member", "approver"}))

    def refuse() -> bool:
        return any(approvals.refuse(one.id, me, "no") for one in approvals.waiting(me))

    verdict = asyncio.run(steered(steering, steering.approve(proposal(job.run.id)), refuse))
    assert verdict is not None and not verdict.approved and (verdict.by, verdict.reason) == ("local", "no")


def test_an_approval_that_nobody_gave_in_time_is_none(store: Store) -> None:
    job, _, _ = begun(store)
    times = iter([0.0])
    late = Approvals(store.database, lambda: next(times, 10_000.0))
    assert asyncio.run(Steering(job, late).approve(proposal(job.run.id))) is None
    events = store.runs.events(ADA, job.run.id)
    assert [one.body["state"] for one in events if one.kind == "decided"] == ["expired"]


def test_pause_holds_also_for_the_worker_that_takes_it_up(store: Store) -> None:
    job, approvals, steering = begun(store)
    store.runs.order(ADA, job.run.id, "pause", {})
    asyncio.run(steering.look())
    again = Steering(job, approvals)
    asyncio.run(again.look())
    assert steering.control.phase == again.control.phase == "paused"
    store.runs.order(ADA, job.run.id, "resume", {})
    asyncio.run(again.look())
    assert again.control.phase == "running"
    store.runs.cancel(ADA, job.run.id)
    asyncio.run(again.look())
    assert job.stop.is_set()
    store.runs.finish(job.run, "cancelled")
    with pytest.raises(Conflict):
        store.runs.order(ADA, job.run.id, "pause", {})


def _ids(job: Job) -> list[str]:
    return [one.body["id"] for one in job.runs.events(job.who, job.run.id) if one.kind == "approval"]
