"""A run as the desk shows it: read from its events and its folder, so that any process can show it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llava_agent.agent.record import StepRecord
from llava_agent.agent.trace import Trace, read_records
from llava_agent.errors import ConfigError
from llava_agent.service.routes.reports import report_address
from llava_agent.ui.agent import words
from llava_agent.ui.cards import (
    failed_card,
    going_card,
    hint_card,
    plan_list,
    result_card,
    steps_list,
    stopped_card,
    waiting_card,
)

if TYPE_CHECKING:
    from PIL import Image

    from llava_agent.gateway.principal import Principal
    from llava_agent.service.desk import Desk
    from llava_agent.service.store.runs import Event, StoredRun

#: Seconds between two looks at a run.
LOOK_S = 0.4


@dataclass(frozen=True, slots=True)
class Wait:
    """What a run waits for: a question by the number of its event, or an approval by its id."""

    key: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class View:
    """One state of the desk.

    Attributes:
        picture: the newest screenshot; None where it is the one of the view before, or there is none.
        question, approval: what the run waits for.
        passed: it can be replayed.
    """

    run: str
    card: str
    steps: str = ""
    picture: Image.Image | None = None
    over: bool = False
    paused: bool = False
    question: Wait | None = None
    approval: Wait | None = None
    passed: bool = False


async def watch(desk: Desk, who: Principal, id: str) -> AsyncIterator[View]:
    """The run each time that something about it changes, until it is over.

    Raises:
        NotFound: no such run of this caller.
    """
    drawn, last = -1, None
    events: list[Event] = []
    while True:
        # The state first: what was said before the end is then surely among the events.
        run = await asyncio.to_thread(desk.runs.get, who, id)
        events += await asyncio.to_thread(desk.runs.events, who, id, events[-1].number if events else 0)
        now = (run.state, run.cancel, len(events))
        if now != last:
            last = now
            steps = await asyncio.to_thread(_steps, desk.folder / id)
            plan = await asyncio.to_thread(_plan, desk.folder / id)
            picture = None
            if len(steps) > max(drawn, 0):
                drawn = len(steps)
                picture = await asyncio.to_thread(_picture, desk.folder / id, steps[-1])
            yield _view(run, events, plan, steps, picture)
        if run.over:
            return
        await asyncio.sleep(LOOK_S)


def waits(events: list[Event]) -> tuple[Wait | None, Wait | None]:
    """The question and the approval that are open; a worker that died took its own with it."""
    question = approval = None
    for event in events:
        if event.kind == "question":
            question = Wait(str(event.number), event.body)
        elif event.kind == "approval":
            approval = Wait(event.body["id"], event.body)
        elif event.kind in ("answered", "again", "end"):
            question = None
        if event.kind in ("decided", "again", "end"):
            approval = None
    return question, approval


def paused(events: list[Event]) -> bool:
    """Whether the owner's last word was to hold it."""
    orders = [event.kind for event in events if event.kind in ("pause", "resume")]
    return bool(orders) and orders[-1] == "pause"


def _view(
    run: StoredRun,
    events: list[Event],
    plan: tuple[str, ...],
    steps: list[StepRecord],
    picture: Image.Image | None,
) -> View:
    question, approval = waits(events)
    held = paused(events) and not run.over
    passed = run.state == "done" and (run.result or {}).get("status") == "passed"
    return View(
        run.id,
        _card(run, steps, held),
        plan_list(plan, steps[-1].ticks if steps else ()) + steps_list(steps),
        picture,
        run.over,
        held,
        question,
        approval,
        passed,
    )


def _card(run: StoredRun, steps: list[StepRecord], held: bool) -> str:
    report = report_address(run.id)
    if run.state == "done" and run.result is not None:
        return result_card(run.result, report)
    if run.state == "cancelled":
        return stopped_card(len(steps), report) if run.started else hint_card(words.NOT_BEGUN)
    if run.over:
        return failed_card(run.reason)
    if run.cancel:
        return waiting_card(words.STOPPING)
    if run.state == "queued":
        return waiting_card(words.WAITING)
    if held:
        return waiting_card(words.PAUSED)
    return going_card(steps)


def _plan(folder: Path) -> tuple[str, ...]:
    """The parts of the run's plan in words; none before the run has begun."""
    try:
        return Trace.open(folder).settings.plan
    except ConfigError:
        return ()


def _steps(folder: Path) -> list[StepRecord]:
    return [record for record in read_records(folder) if isinstance(record, StepRecord)]


def _picture(folder: Path, step: StepRecord) -> Image.Image | None:
    """The screenshot that a step was decided on, with its marks and its target drawn on it."""
    from llava_agent.evidence import drawn_step

    return drawn_step(folder, step)
