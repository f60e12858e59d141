"""Sliders and spinners: focused, then moved by as many arrow keys as are missing."""

from __future__ import annotations

from llava_agent.agent.plan.match import number_in
from llava_agent.agent.plan.move import TRIES, Move, click
from llava_agent.agent.plan.part import Part, Plan
from tools.action import Press
from tools.mark import Mark
from tools.observation import Observation

_ROLES = ("slider", "spinbutton")
#: Keys that one step presses at most.
_KEYS = 200


def stands_at(part: Part, seen: Observation) -> bool:
    """It shows the wanted number already."""
    shown = _shown(part, seen)
    return shown is not None and shown == _wanted(part)


def slide(part: Part, plan: Plan, seen: Observation) -> Move | None:
    """Focus the handle, then press the keys; None where there is no handle or no number to go by."""
    wanted, now, handle = _wanted(part), _shown(part, seen), _handle(part, seen)
    if wanted is None or now is None or handle is None or len(plan.used) > 3 * TRIES:
        return None
    if "focused" not in handle.states:
        return Move(click(handle), "it is moved by its handle", handle.ref, ends=False)
    more, less = ("ArrowUp", "ArrowDown") if handle.role == "spinbutton" else ("ArrowRight", "ArrowLeft")
    count = min(_KEYS, max(1, round(abs(wanted - now))))
    key = more if wanted > now else less
    return Move(Press(key=key, count=count), f"it shows {now:g}", f"shows {now:g}", ends=False)


def _wanted(part: Part) -> float | None:
    return number_in(part.value) if isinstance(part.value, str) else None


def _handle(part: Part, seen: Observation) -> Mark | None:
    """The control itself, or the nameless handle of one that tells no role."""
    own = [mark for mark in seen.marks if mark.role in _ROLES]
    own = own or [mark for mark in seen.marks if mark.role == "button" and not mark.text.strip()]
    place = part.target.ordinal or 0
    return own[place] if place < len(own) else None


def _shown(part: Part, seen: Observation) -> float | None:
    """The number that it shows, itself or in a text."""
    own = [mark.value or "" for mark in seen.marks if mark.role in _ROLES]
    texts = [mark.text for mark in seen.marks if mark.role == "text" and number_in(mark.text) is not None]
    numbers, place = own or texts, part.target.ordinal or 0
    return number_in(numbers[place]) if place < len(numbers) else None
