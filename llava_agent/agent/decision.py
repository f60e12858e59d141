"""From what is seen to what may be chosen, and from a choice to one typed action."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from llava_agent.agent.candidate import READ_ONLY
from llava_agent.agent.plan.part import Plan
from llava_agent.agent.state import State
from llava_agent.gateway.request import Choice
from tools.action import Action, Click, Done, Look, Press, Scroll, Select, Target, Type
from tools.mark import Mark
from tools.observation import Observation

FIELDS = frozenset({"textbox", "searchbox", "spinbutton", "combobox", "textarea", "argument"})
LISTS = frozenset({"combobox", "listbox", "select", "argument"})
#: More candidates cost more than they help; what can be acted on is kept before what is only read.
MOST_CANDIDATES = 80


@dataclass(frozen=True, slots=True)
class Aim:
    """The part of the plan that an action is for.

    Attributes:
        plan: with what holds already ticked.
        part: index of the part.
        note: under which name the attempt is remembered.
        ends: the part is done once the action is verified.
    """

    plan: Plan
    part: int
    note: str
    ends: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """What a policy wants to do.

    Attributes:
        action: None where the model's answer names no possible action; `problem` says why.
        reason: why this action or this model, as a sentence.
        choice: the model's distribution; None for a policy without a model.
        refs: refs of the offered marks, in the order of the choice's distribution.
        confidence: of the whole action, 0 to 1.
        escalated: the larger model decided after the smaller one was unsure or had failed.
        aim: which part of the plan the action is for; None where it is for none.
    """

    action: Action | None
    reason: str
    choice: Choice | None = None
    refs: tuple[str, ...] = ()
    confidence: float = 1.0
    escalated: bool = False
    problem: str = ""
    aim: Aim | None = None


def offered_marks(state: State, observation: Observation) -> tuple[Mark, ...]:
    """Marks that may be chosen, in reading order: not banned, not disabled, at most `MOST_CANDIDATES`."""
    marks = [
        mark for mark in observation.marks if mark.ref not in state.banned and "disabled" not in mark.states
    ]
    if len(marks) > MOST_CANDIDATES:
        first = [mark for mark in marks if mark.role not in READ_ONLY]
        rest = [mark for mark in marks if mark.role in READ_ONLY]
        kept = {mark.ref for mark in [*first, *rest][:MOST_CANDIDATES]}
        marks = [mark for mark in marks if mark.ref in kept]
    return tuple(marks)


def offered_verbs(state: State, observation: Observation, marks: Sequence[Mark]) -> tuple[str, ...]:
    """Verbs that make sense here, so that an impossible action cannot be chosen at all.

    `done` is none of them while a part of an understood plan is open, and right after it was refused on this
    page; where nothing else is left, it is.
    """
    verbs = []
    if marks:
        verbs.append("click")
    if targets("type", marks):
        verbs.append("type")
    if targets("select", marks):
        verbs.append("select")
    if observation.surface == "page":
        verbs.append("press")
    if observation.scroll is not None and observation.scroll < 1:
        verbs.append("scroll")
    if state.photos or state.manuals:
        verbs.append("look")
    possible = [verb for verb in verbs if verb not in state.banned]
    if not possible or not ("done" in state.banned or _unfinished(state) or _refused_done(state)):
        possible.append("done")
    return tuple(possible)


def _unfinished(state: State) -> bool:
    return state.plan.guides and state.plan.at is not None


def _refused_done(state: State) -> bool:
    last = state.history[-1] if state.history else ""
    return bool(state.trouble) and (last == "done" or last.startswith(("done ", "done:")))


def targets(verb: str, marks: Sequence[Mark]) -> list[int]:
    """Positions of the marks that `verb` can act on. Where pixels tell no roles, any may be it."""
    roles = {"type": FIELDS, "select": LISTS}.get(verb)
    if roles is None:
        return list(range(len(marks)))
    known = [
        position
        for position, mark in enumerate(marks)
        if mark.role in roles and not (verb == "type" and "readonly" in mark.states)
    ]
    blind = all(mark.source in ("pixels", "ocr") for mark in marks)
    return list(range(len(marks))) if blind and not known else known


def aim(choice: Choice, marks: Sequence[Mark]) -> Choice:
    """The choice with its target among the marks that its verb can act on.

    Where the most probable mark cannot take the verb, the most probable one that can is taken instead, and
    the confidence falls with it.
    """
    if choice.verb not in ("type", "select") or choice.index is None:
        return choice
    possible = targets(choice.verb, marks)
    if not possible or choice.index in possible:
        return choice
    best = max(possible, key=lambda position: choice.distribution[position])
    was = choice.distribution[choice.index] or 1.0
    return replace(choice, index=best, confidence=choice.confidence * choice.distribution[best] / was)


def to_action(choice: Choice, marks: Sequence[Mark]) -> tuple[Action | None, str]:
    """The action that a choice means, or None and the sentence that says what is missing."""
    verb, span = choice.verb, choice.span.text.strip() if choice.span else ""
    if verb == "press":
        return Press(key="Enter"), ""
    if verb == "scroll":
        return Scroll(direction="down"), ""
    if verb == "done":
        return Done(answer=span or None), ""
    if verb == "look":
        return (Look(question=span), "") if span else (None, "look names nothing to look for")
    if choice.index is None:
        return None, f"{verb} has no target: none of the marks was chosen"
    target = Target(ref=marks[choice.index].ref)
    if verb == "click":
        return Click(target=target), ""
    if not span:
        return None, f"{verb} has no text"
    if verb == "type":
        return Type(target=target, text=span), ""
    if verb == "select":
        return Select(target=target, option=span), ""
    return None, f"{verb} is not an action"
