"""Dragging: onto something, to an end of a list, or some way in a direction."""

from __future__ import annotations

from llava_agent.agent.plan.match import match
from llava_agent.agent.plan.move import Move
from llava_agent.agent.plan.part import Part, Phrase, Plan
from tools.action import Drag, Point, Target
from tools.geometry import Box
from tools.mark import Mark
from tools.observation import Observation

#: Part of the picture's width or height that something is dragged in a direction.
_FAR = 0.2
_WAYS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}


def drag(part: Part, plan: Plan, seen: Observation) -> Move | None:
    """The drag that the part asks for; None where one of its ends is not on the page."""
    mark = match(part.target, seen.marks, plan.used).only
    if mark is None or mark.box is None:
        return None
    to = _goal(part.to, mark, mark.box, seen)
    if to is None:
        return None
    action = Drag(target=Target(ref=mark.ref), to=to)
    return Move(action, "the goal says what and where", mark.ref, ends=not part.target.every)


def _goal(to: Phrase | str, mark: Mark, box: Box, seen: Observation) -> Target | None:
    if isinstance(to, Phrase) and to.role == "item" and to.ordinal is not None:
        alike = [one for one in seen.marks if one.role == mark.role and one.box]
        held = -len(alike) <= to.ordinal < len(alike)
        return Target(ref=alike[to.ordinal].ref) if held and alike[to.ordinal] is not mark else None
    if isinstance(to, Phrase):
        goal = match(to, [one for one in seen.marks if one.ref != mark.ref]).only
        return Target(ref=goal.ref) if goal else None
    if to in _WAYS:
        return _away(to, box, seen)
    end = _end(to, mark, seen)
    return Target(ref=end.ref) if end else None


def _away(way: str, box: Box, seen: Observation) -> Target | None:
    size = _size(seen)
    if size is None:
        return None
    (across, down), (x, y) = _WAYS[way], box.centre
    x, y = x / size[0] + _FAR * across, y / size[1] + _FAR * down
    inside = (round(1000 * min(0.99, max(0.01, part))) for part in (x, y))
    return Target(point=Point(x=next(inside), y=next(inside)))


def _size(seen: Observation) -> tuple[int, int] | None:
    """Width and height of the screenshot, from the head of its PNG."""
    shot = seen.screenshot
    if shot is None or shot[12:16] != b"IHDR":
        return None
    return int.from_bytes(shot[16:20], "big"), int.from_bytes(shot[20:24], "big")


def _end(way: str, mark: Mark, seen: Observation) -> Mark | None:
    """The mark at that end of those that are alike."""
    alike = [one for one in seen.marks if one.role == mark.role and one.box and one.ref != mark.ref]
    x = -1 if "right" in way else 1
    y = -1 if way.startswith("bottom") or way == "end" else 1

    def place(one: Mark) -> tuple[float, float]:
        assert one.box is not None
        return y * round(one.box.centre[1]), x * one.box.centre[0]

    return min(alike, key=place, default=None)
