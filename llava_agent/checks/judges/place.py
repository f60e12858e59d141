"""Where things are: `aligned`, `overlaps`, `no_overlap`, `order`, `above`, `below`, `left_of`, `right_of`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations, pairwise
from typing import Literal

from llava_agent.checks.expectation import Aligned, Edge, Named, thing
from llava_agent.checks.sighting import Part, Sighting, Word
from llava_agent.checks.spans import around
from llava_agent.checks.things import TEXTS, Found, several
from llava_agent.checks.verdict import Means, Verdict
from tools.geometry import Box
from tools.mark import Mark

_Test = Callable[[Box, Box], bool]
_Decided = Literal["pass", "fail"]
_Boxed = tuple[Box, str]

#: Text that was read from pixels has a box that is a few pixels wrong.
_READ_TOLERANCE = 6.0
#: Part of the smaller box that must be shared before two lie over each other.
_SHARED = 0.08


def aligned(wanted: Aligned, seen: Sighting) -> Verdict:
    words = f"{_list(wanted.things)} are aligned by {wanted.by}"
    found = several(wanted.things, seen, words)
    if isinstance(found, Verdict):
        return found
    tolerance = wanted.tolerance if seen.exact else max(wanted.tolerance, _READ_TOLERANCE)
    places = [_edge(one_.place, wanted.by) for one_ in found]
    read = ", ".join(f"{place:.0f}" for place in places)
    middle = sorted(places)[len(places) // 2]
    worst = max(found, key=lambda one_: abs(_edge(one_.place, wanted.by) - middle))
    if max(places) - min(places) <= tolerance:
        return _verdict("pass", words, seen, found, "", read)
    detail = f"their {wanted.by} is at {read} pixels"
    if len(found) == 2:  # neither of the two is the wrong one
        return _verdict("fail", words, seen, found, detail, read)
    return Verdict("fail", words, _means(seen), detail, read, worst.box, worst.part.screenshot)


def overlaps(wanted: tuple[Named, Named], seen: Sighting) -> Verdict:
    words = f"{_list(wanted)} overlap"
    found = several(wanted, seen, words)
    if isinstance(found, Verdict):
        return found
    if _over(found[0].place, found[1].place):
        return _verdict("pass", words, seen, found)
    return _verdict("fail", words, seen, found, "they lie apart")


def no_overlap(wanted: Sequence[Named] | str, seen: Sighting) -> Verdict:
    if isinstance(wanted, str):
        return _nothing_overlaps(seen)
    words = f"{_list(wanted)} do not overlap"
    found = several(wanted, seen, words)
    if isinstance(found, Verdict):
        return found
    for first, second in combinations(found, 2):
        if _over(_tight(first), _tight(second)):
            return _verdict("fail", words, seen, [first, second], "they lie over each other")
    return _verdict("pass", words, seen, found)


def order(wanted: Sequence[Named], seen: Sighting) -> Verdict:
    words = f"{_list(wanted)} come in this order"
    found = several(wanted, seen, words)
    if isinstance(found, Verdict):
        return found
    for first, second in pairwise(found):
        if not _before(first.place, second.place):
            later = found.index(second)
            detail = f"{thing(wanted[later]).words()} comes before {thing(wanted[later - 1]).words()}"
            return Verdict("fail", words, _means(seen), detail, "", second.box, second.part.screenshot)
    return _verdict("pass", words, seen, found)


def above(wanted: tuple[Named, Named], seen: Sighting) -> Verdict:
    return _beside(wanted, seen, "above", lambda a, b: a.y1 <= b.y0 + _slack(a, b))


def below(wanted: tuple[Named, Named], seen: Sighting) -> Verdict:
    return _beside(wanted, seen, "below", lambda a, b: a.y0 + _slack(a, b) >= b.y1)


def left_of(wanted: tuple[Named, Named], seen: Sighting) -> Verdict:
    return _beside(wanted, seen, "left of", lambda a, b: a.x1 <= b.x0 + 2)


def right_of(wanted: tuple[Named, Named], seen: Sighting) -> Verdict:
    return _beside(wanted, seen, "right of", lambda a, b: a.x0 + 2 >= b.x1)


def _beside(wanted: tuple[Named, Named], seen: Sighting, side: str, holds: _Test) -> Verdict:
    first, second = (thing(named) for named in wanted)
    words = f"{first.words()} is {side} {second.words()}"
    found = several(wanted, seen, words)
    if isinstance(found, Verdict):
        return found
    if holds(found[0].place, found[1].place):
        return _verdict("pass", words, seen, found)
    return _verdict("fail", words, seen, found[:1], f"it is not {side} it")


def _nothing_overlaps(seen: Sighting) -> Verdict:
    """No text lies over another text, and no control over another control that it does not belong to."""
    words = "nothing overlaps"
    for part in seen.parts:
        for first, second in _crossing(part):
            detail = f"{first[1]} and {second[1]} lie over each other"
            box = around([first[0], second[0]])
            return Verdict("fail", words, _means(seen), detail, "", box, part.screenshot)
    first_part = seen.parts[0]
    if not seen.whole:
        detail = "the page is too long to be seen whole"
        return Verdict("uncertain", words, _means(seen), detail, screenshot=first_part.screenshot)
    return Verdict("pass", words, _means(seen), screenshot=first_part.screenshot)


def _crossing(part: Part) -> list[tuple[_Boxed, _Boxed]]:
    texts = [
        (word.run, _letters(word), f'"{word.text}"')
        for word in part.words
        if word.inked and word.why in ("", "covered")
    ]
    texts.sort(key=lambda entry: entry[1].y0)
    found: list[tuple[_Boxed, _Boxed]] = []
    for at, (run, box, said) in enumerate(texts):
        for other_run, other, other_said in texts[at + 1 :]:
            if other.y0 > box.y1:
                break
            if other_run != run and _over(box, other):
                found.append(((box, said), (other, other_said)))
    controls = [mark for mark in part.marks if mark.box is not None and mark.role not in TEXTS]
    for one_, two in combinations(controls[:400], 2):
        if one_.box and two.box and _over(_frame(one_), _frame(two)) and not _holds(one_, two):
            found.append(((one_.box, one_.line()), (two.box, two.line())))
    for mark in controls[:400]:
        found += _texts_over(part, mark)
    return found


def _texts_over(part: Part, mark: Mark) -> list[tuple[_Boxed, _Boxed]]:
    """Text that lies on a control and is none of its own."""
    assert mark.box is not None
    own = f"{mark.text} {mark.value or ''}".casefold()
    found: list[tuple[_Boxed, _Boxed]] = []
    for word in part.words:
        core = _letters(word)
        shown = word.inked and word.why in ("", "covered")
        foreign = shown and not word.owned and word.text.casefold() not in own
        if foreign and core.intersection(_frame(mark)) > 0.12 * core.area:
            found.append(((core, f'"{word.text}"'), (mark.box, mark.line())))
    return found


def _holds(one_: Mark, two: Mark) -> bool:
    if one_.box is None or two.box is None:
        return True
    shared = one_.box.intersection(two.box)
    return shared > 0.95 * min(one_.box.area, two.box.area)


def _letters(word: Word) -> Box:
    """Where letters of the word are to be seen."""
    core, shown = _core(word.box), word.shown or word.box
    x0, y0 = max(core.x0, shown.x0), max(core.y0, shown.y0)
    return Box(x0, y0, max(x0, min(core.x1, shown.x1)), max(y0, min(core.y1, shown.y1)))


def _core(box: Box) -> Box:
    """Where the letters are: the box of a word is higher than they, so that close lines share some of it."""
    return Box(box.x0, box.y0 + 0.22 * box.height, box.x1, box.y1 - 0.22 * box.height)


def _tight(found: Found) -> Box:
    framed = found.mark is not None and found.mark.role != "link"
    return found.place if framed else _core(found.place)


def _frame(mark: Mark) -> Box:
    """What a control takes up; a link has no frame, only its letters."""
    assert mark.box is not None
    return _core(mark.box) if mark.role == "link" else mark.box


def _over(one_: Box, other: Box) -> bool:
    smaller = min(one_.area, other.area)
    return one_.intersection(other) > max(4.0, _SHARED * smaller)


def _before(one_: Box, other: Box) -> bool:
    """In reading order: rows from the top, each from the left."""
    row = min(one_.y1, other.y1) - max(one_.y0, other.y0) > 0.5 * min(one_.height, other.height)
    return one_.centre[0] < other.centre[0] if row else one_.centre[1] < other.centre[1]


def _slack(one_: Box, other: Box) -> float:
    return 0.25 * min(one_.height, other.height)


def _edge(box: Box, by: Edge) -> float:
    edges = {"left": box.x0, "right": box.x1, "top": box.y0, "bottom": box.y1}
    return edges[by] if by in edges else box.centre[0 if by == "centre" else 1]


def _list(names: Sequence[Named]) -> str:
    said = [thing(name).words() for name in names]
    return f"{', '.join(said[:-1])} and {said[-1]}"


def _means(seen: Sighting) -> Means:
    return "dom" if seen.exact else "ocr"


def _verdict(
    status: _Decided, words: str, seen: Sighting, found: list[Found], detail: str = "", read: str = ""
) -> Verdict:
    """With the region around what lies on the first one's part."""
    part = found[0].part
    box = around(one_.box for one_ in found if one_.part is part)
    return Verdict(status, words, _means(seen), detail, read, box, part.screenshot)
