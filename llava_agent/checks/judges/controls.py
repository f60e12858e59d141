"""`count` and `state`: controls, by the page's structure."""

from __future__ import annotations

from llava_agent.checks.expectation import Count, State
from llava_agent.checks.sighting import Part, Sighting
from llava_agent.checks.spans import folded, spans, words_in
from llava_agent.checks.things import TEXTS, TOO_LONG, means
from llava_agent.checks.verdict import Verdict
from tools.mark import Mark


def count(wanted: Count, seen: Sighting) -> Verdict:
    """So many have this role and hold this name."""
    kind = wanted.role or "mark"
    words = f"{wanted.equals} of {kind}" + (f' named "{wanted.name}"' if wanted.name else "")
    found = [
        (part, mark)
        for part, mark in seen.marks()
        if (not wanted.role or mark.role == wanted.role)
        and folded(wanted.name) in folded(mark.text)
        and legible(part, mark)
    ]
    last = found[min(len(found) - 1, wanted.equals)] if found else None
    box, picture = (last[1].box, last[0].screenshot) if last else (None, seen.parts[0].screenshot)
    if len(found) == wanted.equals:
        return Verdict("pass", words, means(seen), "", str(len(found)), box, picture)
    if not seen.whole:
        return Verdict("uncertain", words, means(seen), TOO_LONG, str(len(found)), box, picture)
    return Verdict("fail", words, means(seen), f"there are {len(found)}", str(len(found)), box, picture)


def state(wanted: State, seen: Sighting) -> Verdict:
    """The control of that name has this state."""
    words, first = f'"{wanted.name}" is {wanted.is_}', seen.parts[0].screenshot
    if not seen.exact:
        return _on_a_picture(wanted, seen, words)
    named = [
        one
        for one in seen.marks()
        if (not wanted.role or one[1].role == wanted.role)
        and folded(wanted.name) in folded(one[1].text)
        and one[1].role not in TEXTS
        and one[1].box is not None
    ]
    same = [one for one in named if folded(one[1].text) == folded(wanted.name)] or named
    if not same:
        return Verdict("fail", words, "dom", f'there is no control "{wanted.name}"', "", None, first)
    if len(same) > 1:
        detail = f'{len(same)} controls are named "{wanted.name}"; add a role'
        return Verdict("uncertain", words, "dom", detail, "", same[1][1].box, same[1][0].screenshot)
    part, mark = same[0]
    opposite = {"enabled": "disabled", "unchecked": "checked"}.get(wanted.is_)
    held = opposite not in mark.states if opposite else wanted.is_ in mark.states
    read = mark.line()
    if held and not legible(part, mark):
        return Verdict("fail", words, "pixels", "its name cannot be read", read, mark.box, part.screenshot)
    detail = "" if held else f"it is: {read}"
    return Verdict("pass" if held else "fail", words, "dom", detail, read, mark.box, part.screenshot)


def legible(part: Part, mark: Mark) -> bool:
    """What stands on the control can be seen; a control without text on it is judged by its place alone."""
    if mark.box is None:
        return False
    inside = words_in(part, mark.box)
    return not inside or any(word.seen for word in inside)


def _on_a_picture(wanted: State, seen: Sighting, words: str) -> Verdict:
    found = next(spans(wanted.name, seen), None)
    box = found.box if found is not None else None
    detail = "a picture does not tell states"
    return Verdict("uncertain", words, "none", detail, "", box, seen.parts[0].screenshot)
