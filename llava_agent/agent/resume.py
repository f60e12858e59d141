"""Picking a run up after a kill: what is known is kept, what may have been done is not done again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from llava_agent.agent.effects import submits
from llava_agent.agent.fact import Evidence, Fact
from llava_agent.agent.plan.part import Plan
from llava_agent.agent.plan.read import read_plan
from llava_agent.agent.record import Intent, Resumed, StepRecord, StoredFact
from llava_agent.agent.repeats import Repeats
from llava_agent.agent.state import Counters, Spent, State
from llava_agent.agent.trace import Trace
from llava_agent.gateway.ledger import read as read_ledger
from llava_agent.gateway.ledger import total
from tools.action import effect
from tools.geometry import Box
from tools.mark import Mark
from tools.observation import Observation


@dataclass(frozen=True, slots=True)
class Restored:
    """A run as it can go on.

    Attributes:
        address: where to look again.
        withheld: lines of irreversible actions whose outcome is unknown.
        note: what was found, one sentence for the user.
    """

    state: State
    repeats: Repeats
    address: str
    withheld: frozenset[str]
    note: str


def restore(trace: Trace, photos: tuple[Path, ...]) -> Restored:
    """State, counts and budgets of a begun run, from its trace.

    A page that is opened again has lost what was typed into it, so the history of what was done on the page
    since it was last opened or sent is forgotten; what was looked up and what was sent is not.
    """
    steps, unknown = _read(trace)
    calls = read_ledger(trace.ledger_path) if trace.ledger_path.exists() else []
    used = total(call for call in calls if not call.shadow)
    spent = Spent(
        steps=steps[-1].step + 1 if steps else 0,
        seconds=steps[-1].seconds if steps else 0.0,
        tokens=used.tokens,
        image_tokens=used.image_tokens,
        money=used.money,
    )
    state = State(
        goal=trace.settings.goal,
        run=trace.settings.id,
        photos=photos,
        plan=_plan(trace.settings.goal, steps),
        history=_history(steps),
        banned=frozenset(step.banned for step in steps if step.banned),
        spent=spent,
        counters=_counters(steps),
    )
    for step in steps:
        if step.fact:
            state = state.learned(_fact(step.fact))
    note = f"resumed after {spent.steps} steps"
    for intent in unknown:
        note += f"; the outcome of step {intent.step} ({intent.line}) is unknown, so it is not repeated"
    address = steps[-1].observation.address if steps else trace.settings.address
    withheld = frozenset(intent.line for intent in unknown)
    return Restored(state, _repeats(steps), address, withheld, note)


def _read(trace: Trace) -> tuple[list[StepRecord], list[Intent]]:
    """The steps, and the intents that no step followed before the run was killed."""
    steps: list[StepRecord] = []
    pending: list[Intent] = []
    unknown: list[Intent] = []
    for record in trace.records():
        match record:
            case Intent():
                pending = [record]
            case StepRecord():
                pending = []
                steps.append(record)
            case Resumed():
                unknown += pending
                pending = []
    return steps, unknown + pending


def _plan(goal: str, steps: list[StepRecord]) -> Plan:
    """The plan with the ticks that are still true of a page that is opened again."""
    plan, lasting = read_plan(goal), _lasting(steps)
    ticks = steps[lasting - 1].ticks if lasting else ()
    return replace(plan, ticks=ticks) if len(ticks) == len(plan.parts) else plan


def _history(steps: list[StepRecord]) -> tuple[str, ...]:
    """Lines that are still true of a page that is opened again."""
    lasting = _lasting(steps)
    return tuple(
        step.line
        for position, step in enumerate(steps)
        if position < lasting or (step.action is not None and step.action.verb == "look")
    )


def _lasting(steps: list[StepRecord]) -> int:
    """How many of the first steps are still true of a page that is opened again."""
    lasting = 0
    for position, step in enumerate(steps):
        moved = position > 0 and step.observation.address != steps[position - 1].observation.address
        if moved:
            lasting = position
        if step.action is not None and step.outcome == "ok":
            seen = seen_at(step)
            if effect(step.action, submits=submits(step.action, seen)) == "irreversible":
                lasting = position + 1
    return lasting


def seen_at(step: StepRecord) -> Observation:
    """What the step saw, without its pixels."""
    stored = step.observation
    marks = tuple(
        Mark(
            ref=mark.ref,
            role=mark.role,
            text=mark.text,
            box=Box(*mark.box) if mark.box else None,
            source=mark.source,  # type: ignore[arg-type]
            value=mark.value,
            states=mark.states,
        )
        for mark in stored.marks
    )
    return Observation(stored.id, stored.surface, stored.address, stored.title, marks, scroll=stored.scroll)


def _repeats(steps: list[StepRecord]) -> Repeats:
    repeats = Repeats()
    for step in steps:
        if step.action is not None:
            repeats.seen[step.observation.fingerprint, step.action.model_dump_json()] += 1
        repeats.bans += step.banned is not None
    return repeats


def _counters(steps: list[StepRecord]) -> Counters:
    return Counters(
        refused=sum(step.outcome != "ok" for step in steps),
        unconfirmed=sum(step.outcome == "ok" and step.verification.status == "failed" for step in steps),
        escalated=sum(step.escalated for step in steps),
        banned=sum(step.banned is not None for step in steps),
        unparsed=sum(step.action is None for step in steps),
        retried=sum(step.retried for step in steps),
        denied=sum(step.permission is not None and not step.permission.allowed for step in steps),
        approved=sum(step.permission is not None and bool(step.permission.by) for step in steps),
    )


def _fact(stored: StoredFact) -> Fact:
    evidence = tuple(Evidence(one.image, one.box, one.text, one.source) for one in stored.evidence)
    return Fact(stored.name, stored.value, stored.confidence, evidence)
