"""Ticks the parts of a plan: only a verified action does, whoever decided on it."""

from __future__ import annotations

from llava_agent.agent.decision import Aim
from llava_agent.agent.plan.match import match
from llava_agent.agent.plan.part import Part, Plan
from llava_agent.agent.turn import Turn
from tools.action import Action
from tools.observation import Observation

#: How a step is remembered that the model decided freely while a part was in work.
LEFT_TO_MODEL = "left to the model"
#: After so many of them the part counts as tried, and the next one has its turn.
_PATIENCE = 3


def ticked(aim: Aim, turn: Turn) -> Plan:
    """The plan after the action: the attempt is remembered, and the part is ticked where it is done.

    A part whose action was carried out and changed nothing that can be seen is `tried`, so that the next one
    has its turn; one that was refused stays open.
    """
    plan = aim.plan.using(aim.note) if aim.note else aim.plan
    if plan.used.count(LEFT_TO_MODEL) >= _PATIENCE and plan.parts[aim.part].kind != "free":
        return plan.ticked(aim.part, "tried")
    if plan.parts[aim.part].kind == "scroll" and turn.outcome.ok and turn.verification.status == "failed":
        return plan.ticked(aim.part, "held")  # there is nothing left to scroll
    if not turn.outcome.ok or not aim.ends:
        return plan
    if turn.verification.held:
        return _before(plan, aim.part).ticked(aim.part, "held")
    if turn.verification.status == "uncertain" or turn.verification.by == "page":
        return _before(plan, aim.part).ticked(aim.part, "tried")
    return plan


def served(action: Action | None, plan: Plan, seen: Observation) -> Aim | None:
    """The open part that a free decision of the model is for; the plan as it is where it is for none."""
    for index, part in enumerate(plan.parts):
        if plan.ticks[index] == "open" and action is not None and _serves(action, part, seen):
            return Aim(plan, index, "", True)
    at = plan.at
    return None if at is None else Aim(plan, at, LEFT_TO_MODEL, False)


def _serves(action: Action, part: Part, seen: Observation) -> bool:
    if part.kind == "press" and action.verb == "click" and not part.target.every:
        return any(mark.ref == action.target.ref for mark in match(part.target, seen.marks).marks)
    if part.kind == "fill" and action.verb == "type":
        return action.text == part.value
    return part.kind == "choose" and action.verb == "select" and action.option == part.value


def _before(plan: Plan, index: int) -> Plan:
    """The plan with the free parts before a part that was done no longer waited for."""
    for earlier in range(index):
        if plan.ticks[earlier] == "open" and plan.parts[earlier].kind == "free":
            plan = plan.ticked(earlier, "tried")
    return plan
