"""What the plan says to do next, before it is decided by whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from llava_agent.agent.plan.match import Match
from llava_agent.agent.plan.part import Plan
from tools.action import Action, Click, Target
from tools.mark import Mark

#: A part is tried on the same mark this often before it is left to the model.
TRIES = 2


@dataclass(frozen=True, slots=True)
class Move:
    """The next action for the part in work, or the few marks that it may mean.

    Attributes:
        action: None where the model has to choose among `marks`.
        reason: how the target was found, one clause.
        note: under which name the attempt is remembered.
        ends: the part is done once the action is verified.
        marks: those that the part may mean, for the model.
        make: the action on the mark that the model chooses.
    """

    action: Action | None
    reason: str
    note: str = ""
    ends: bool = True
    marks: tuple[Mark, ...] = ()
    make: Callable[[Mark], Action] | None = None


def move_on(found: Match, make: Callable[[Mark], Action], plan: Plan, *, ends: bool = True) -> Move | None:
    """The action on the only mark, the model's choice among several; None where all were tried before."""
    fresh = tuple(
        mark for mark in found.marks if plan.used.count(mark.ref) < TRIES and "disabled" not in mark.states
    )
    if not fresh:
        return None
    if len(fresh) == 1:
        return Move(make(fresh[0]), f"its words name one mark ({found.tier})", fresh[0].ref, ends)
    return Move(None, f"its words leave {len(fresh)} marks", ends=ends, marks=fresh, make=make)


def click(mark: Mark) -> Click:
    return Click(target=Target(ref=mark.ref))
