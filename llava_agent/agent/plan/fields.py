"""Filling fields: typed where they can be typed into, chosen in a calendar where they cannot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from llava_agent.agent.decision import FIELDS
from llava_agent.agent.fact import Fact
from llava_agent.agent.plan.calendar import toward
from llava_agent.agent.plan.match import Match, match
from llava_agent.agent.plan.move import Move, click, move_on
from llava_agent.agent.plan.part import Part, Plan, Source
from llava_agent.agent.plan.values import one_row, resolve
from tools.action import Action, Ask, Look, Target, Type
from tools.dates import read_date
from tools.mark import Mark
from tools.observation import Observation

_LOOKED, _ASKED = "looked for", "asked for"


@dataclass(frozen=True, slots=True)
class Known:
    """What a run knows beside the page.

    Attributes:
        looks: it has photos or manuals to look at.
    """

    facts: tuple[Fact, ...] = ()
    looks: bool = False


def filled(part: Part, seen: Observation) -> bool:
    """The only field that can be meant holds the value already."""
    fields = _fields(part, seen)
    if not isinstance(part.value, str) or len(fields) != 1 or fields[0].value is None:
        return False
    wanted, value = part.value.strip(), fields[0].value.strip()
    return value == wanted or (read_date(wanted) is not None and read_date(value) == read_date(wanted))


def fill(part: Part, plan: Plan, seen: Observation, known: Known) -> Move | None:
    """The next action on the way to the value; None where no field can be meant, or its text is not known."""
    fields = _fields(part, seen)
    day = _calendar(part, plan, seen, fields)
    if day is not None:
        return day
    free = [mark for mark in fields if "readonly" not in mark.states]
    left: list[Mark] = []
    if part.target.every:
        left = [mark for mark in free if mark.ref not in plan.used]
        free = left[:1]
    text = part.value
    if isinstance(text, Source):
        free = [mark for mark in free if not mark.value] or free
        found = resolve(text, seen.marks, free[0] if len(free) == 1 else None, known.facts)
        if found is None and text.take == "fact" and free:
            return _asked(text.of.names[0], plan, known)
        text = found or ""
    if not free or not text:
        return None
    value = text

    def typed(mark: Mark) -> Action:
        return Type(target=Target(ref=mark.ref), text=value)

    tier = "name" if len(free) == 1 else "role"
    move = move_on(Match(tuple(free), tier), typed, plan)
    return replace(move, ends=len(left) < 2) if move else None


def _asked(name: str, plan: Plan, known: Known) -> Move | None:
    """A value that nothing on the page says: look for it where the run can, then ask the user."""
    if known.looks and _LOOKED not in plan.used:
        return Move(Look(question=name), "the goal names a value and does not say it", _LOOKED, ends=False)
    if _ASKED in plan.used:
        return None
    ask = Ask(question=f"What is the {name}?", about=name)
    return Move(ask, "nothing that can be seen says this value", _ASKED, ends=False)


def _fields(part: Part, seen: Observation) -> list[Mark]:
    """The fields that may be meant: those of that name, else all that can be filled."""
    found = match(replace(part.target, every=False), seen.marks).marks
    named = [mark for mark in found if mark.role in FIELDS]
    if named or part.target.ordinal is not None:
        return named
    free = [mark for mark in seen.marks if mark.role in FIELDS and "disabled" not in mark.states]
    return free or _boxes(part, found, seen)


def _boxes(part: Part, labels: Sequence[Mark], seen: Observation) -> list[Mark]:
    """Where only pixels tell: wide empty boxes; where the goal names the field, the one at that label."""
    boxes = [
        mark
        for mark in seen.marks
        if mark.source == "pixels" and not mark.text and mark.box and mark.box.width > 2 * mark.box.height
    ]
    if not part.target.names:
        return boxes
    at = (_at(label, boxes) for label in labels)
    return [box for box in at if box is not None][:1]


def _at(label: Mark, boxes: Sequence[Mark]) -> Mark | None:
    """The box that the label stands before in its row, else the one right below it."""
    row = [box for box in boxes if one_row(label, box)]
    if row:
        return min(row, key=lambda mark: mark.box.x0 if mark.box else 0)
    return next((box for box in boxes if _below(label, box)), None)


def _below(label: Mark, mark: Mark) -> bool:
    if label.box is None or mark.box is None:
        return False
    gap = mark.box.y0 - label.box.y1
    return -2 <= gap <= 1.5 * label.box.height and mark.box.x0 <= label.box.centre[0] <= mark.box.x1


def _calendar(part: Part, plan: Plan, seen: Observation, fields: list[Mark]) -> Move | None:
    """The way to a date in a calendar, which a field opens that cannot be typed into."""
    wanted = read_date(part.value) if isinstance(part.value, str) else None
    closed = [mark for mark in fields if "readonly" in mark.states]
    if wanted is None or len(closed) < len(fields):
        return None
    next_ = toward(wanted, seen.marks)
    if next_ is not None:
        ends = next_.text.strip() == str(wanted.day)
        return Move(click(next_), "the calendar is open", f"calendar {len(plan.used)}", ends)
    if closed and closed[0].ref not in plan.used:
        return Move(click(closed[0]), "the date is chosen, not typed", closed[0].ref, ends=False)
    return None
