"""The next action for the part of the plan that is in work, where the page leaves no doubt about it."""

from __future__ import annotations

from dataclasses import dataclass

from llava_agent.agent.decision import FIELDS, LISTS
from llava_agent.agent.plan.drags import drag
from llava_agent.agent.plan.explore import SEARCHED, explore
from llava_agent.agent.plan.fields import Known, fill, filled
from llava_agent.agent.plan.match import Match, match
from llava_agent.agent.plan.move import TRIES, Move, click, move_on
from llava_agent.agent.plan.part import Part, Phrase, Plan
from llava_agent.agent.plan.sliders import slide, stands_at
from llava_agent.agent.plan.values import resolve
from tools.action import Action, Click, Press, Scroll, Select, Target
from tools.mark import Mark
from tools.observation import Observation

#: Screens that a box is scrolled towards its end.
_SCROLLS = 4
#: A name of more words describes a thing and does not call it: it is not searched for.
_LONGEST_NAME = 4
_ON = frozenset({"checked", "selected", "pressed"})
_TOGGLES = frozenset({"checkbox", "radio", "switch", "menuitemcheckbox", "menuitemradio", "option"})
#: Roles that an entry of a list may have, the best first.
_ENTRIES = ("option", "menuitem", "menuitemradio", "radio", "listitem", "button", "link", "text")


NOTHING_KNOWN = Known()


@dataclass(frozen=True, slots=True)
class Pursuit:
    """The plan with what holds already ticked, and the move; None leaves the step to the model."""

    plan: Plan
    move: Move | None


def pursue(plan: Plan, seen: Observation, known: Known = NOTHING_KNOWN) -> Pursuit:
    """Tick what the page shows to be done already, and say how to go on.

    Behind a part that is left to the model nothing is certain any more, and the model decides on.
    """
    while plan.part is not None and plan.at is not None:
        if any(part.kind == "free" for part in plan.parts[: plan.at + 1]):
            return Pursuit(plan, None)
        if not _holds(plan.part, plan, seen):
            return Pursuit(plan, _move(plan.part, plan, seen, known))
        plan = plan.ticked(plan.at, "held")
    return Pursuit(plan, None)


def _holds(part: Part, plan: Plan, seen: Observation) -> bool:
    """The page shows that the part is done."""
    if part.kind == "press":
        return _pressed(part, plan, seen)
    if part.kind == "fill":
        return stands_at(part, seen) if part.target.role == "slider" else filled(part, seen)
    if part.kind == "drag" and part.target.every:
        return bool(plan.used) and not match(part.target, seen.marks, plan.used).marks
    return False


def _pressed(part: Part, plan: Plan, seen: Observation) -> bool:
    found, phrase = match(part.target, seen.marks, plan.used), part.target
    if phrase.every:
        done = [note for note in plan.used if not note.startswith(SEARCHED)]
        if phrase.most is not None and len(done) >= phrase.most:
            return True
        return bool(plan.used) and not found.marks and seen.scroll in (None, 1.0)
    one = found.only
    return one is not None and one.role in _TOGGLES and bool(_ON & set(one.states))


def _move(part: Part, plan: Plan, seen: Observation, known: Known) -> Move | None:
    match part.kind:
        case "press":
            return _press(part, plan, seen)
        case "fill":
            move = slide(part, plan, seen) if part.target.role == "slider" else fill(part, plan, seen, known)
            gone = bool(plan.used) and not any(mark.role in FIELDS for mark in seen.marks)
            return move or (_search(plan, seen, covered=True) if gone else None)
        case "choose":
            return _choose(part, plan, seen)
        case "drag":
            return drag(part, plan, seen)
        case "scroll":
            return _scroll(part, plan, seen)
        case "highlight":
            return move_on(match(part.target, seen.marks), _triple, plan)
        case "free":
            return None


def _press(part: Part, plan: Plan, seen: Observation) -> Move | None:
    phrase = part.target
    found = match(phrase, seen.marks, plan.used)
    if found.marks:
        return move_on(found, click, plan, ends=not phrase.every)
    named = bool(phrase.names) and len(phrase.names[-1].split()) <= _LONGEST_NAME
    return _search(plan, seen, phrase.near) if named or phrase.every else None


def _search(plan: Plan, seen: Observation, near: str = "", covered: bool = False) -> Move | None:
    found = explore(plan, seen, near, covered)
    return Move(found[0], found[2], found[1], ends=False) if found else None


def _choose(part: Part, plan: Plan, seen: Observation) -> Move | None:
    """Click the entry that is in sight, select it in a native list, or open what may hold it."""
    wanted = part.value if isinstance(part.value, str) else resolve(part.value, seen.marks) or ""

    def chosen(mark: Mark) -> Action:
        return Select(target=Target(ref=mark.ref), option=wanted)

    options = [mark for mark in seen.marks if mark.role in ("option", "menuitem", "listitem")]
    entry = match(Phrase((wanted,)), options)
    lists = tuple(mark for mark in seen.marks if mark.role in LISTS and plan.used.count(mark.ref) < TRIES)
    if not entry.marks and lists:
        return move_on(Match(match(part.target, lists).marks or lists, "role"), chosen, plan)
    entry = entry if entry.marks else match(Phrase((wanted,)), seen.marks)
    if entry.marks:
        return move_on(Match((min(entry.marks, key=_rank),), entry.tier), click, plan)
    return _search(plan, seen)


def _rank(mark: Mark) -> int:
    return _ENTRIES.index(mark.role) if mark.role in _ENTRIES else len(_ENTRIES)


def _scroll(part: Part, plan: Plan, seen: Observation) -> Move:
    """A text field is scrolled to its end by its keys, anything else screen by screen."""
    found = [
        mark for mark in match(part.target, seen.marks).marks if mark.role in ("textbox", "listbox", "text")
    ]
    box = found[0] if found else None
    if box is not None and box.role == "textbox" and "disabled" not in box.states:
        if "focused" not in box.states and box.ref not in plan.used:
            return Move(click(box), "its keys scroll it", box.ref, ends=False)
        return Move(
            Press(key="Control+Home" if part.to == "up" else "Control+End"), "the goal says so", "scrolled"
        )
    action = Scroll(
        direction="up" if part.to == "up" else "down", target=Target(ref=box.ref) if box else None
    )
    return Move(action, "the goal says so", "scrolled", ends=len(plan.used) + 1 >= _SCROLLS)


def _triple(mark: Mark) -> Click:
    return Click(target=Target(ref=mark.ref), count=3)
