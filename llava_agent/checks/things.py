"""Finds the control, text or image that an expectation names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llava_agent.checks.expectation import Named, thing
from llava_agent.checks.sighting import Part, Sighting, Word
from llava_agent.checks.spans import Span, folded, lowered, runs, spans, words_in
from llava_agent.checks.verdict import Means, Verdict
from tools.geometry import Box
from tools.mark import Mark

#: Roles of marks that are no controls.
TEXTS = frozenset({"text", "heading", "alert", "status"})


@dataclass(frozen=True, slots=True)
class Found:
    """Something that was named.

    Attributes:
        words: of its text, seen or not.
        mark: its control or region; None for plain text.
        place: on the whole page.
    """

    part: Part
    box: Box
    place: Box
    words: tuple[Word, ...] = ()
    mark: Mark | None = None

    @property
    def control(self) -> bool:
        return self.mark is not None and self.mark.role not in TEXTS


def means(seen: Sighting) -> Means:
    return "dom" if seen.exact else "ocr"


def find(named: Named, seen: Sighting) -> list[Found]:
    """Everything of that name that is seen: what bears it exactly, else the texts that hold it."""
    wanted = thing(named)
    if wanted.role == "image":
        return [
            Found(part, image.box, lowered(image.box, part.top))
            for part, image in seen.images()
            if folded(wanted.name) in (folded(image.name), folded(image.file)) and not image.why
        ]
    marks = _marks(wanted.name, wanted.role, seen)
    if wanted.role and wanted.role != "text":
        return marks
    texts = _runs(wanted.name, seen)
    # What names a field or check box stands beside it: that text is meant, and the control where its role
    # is given.
    own = [one for one in marks if not texts or folded(Span(one.part, one.words).text) == folded(wanted.name)]
    exact = _once([*([] if wanted.role else own), *texts])
    if exact:
        return [one for one in exact if not (wanted.role == "text" and _in_control(one))]
    held = [Found(span.part, span.box, span.on_page(), span.words) for span in spans(wanted.name, seen)]
    return _once(held)


def one(named: Named, seen: Sighting, words: str) -> Found | Verdict:
    """The one thing of that name, or the verdict that says why there is none."""
    found, said = find(named, seen), thing(named).words()
    if len(found) == 1:
        return found[0]
    first = seen.parts[0]
    if not found:
        status, detail = ("fail", f"{said} is seen nowhere") if seen.whole else ("uncertain", TOO_LONG)
        return Verdict(
            "fail" if status == "fail" else "uncertain",
            words,
            means(seen),
            detail,
            "",
            None,
            first.screenshot,
        )
    detail = f"there are {len(found)} of {said}; add a role, or more of its words"
    return Verdict("uncertain", words, means(seen), detail, "", found[1].box, found[1].part.screenshot)


def several(named: Sequence[Named], seen: Sighting, words: str) -> list[Found] | Verdict:
    """One thing for each name, or the first verdict that says why one is missing."""
    found = []
    for name in named:
        result = one(name, seen, words)
        if isinstance(result, Verdict):
            return result
        found.append(result)
    return found


TOO_LONG = "the page is too long to be seen whole"


def _marks(name: str, role: str, seen: Sighting) -> list[Found]:
    """Marks that bear the name; text marks only where their role is asked for, since words say more of
    them.
    """
    wanted = folded(name)
    found = []
    for part, mark in seen.marks():
        fits = mark.role == role if role else mark.role not in TEXTS
        if mark.box is None or not fits or folded(mark.text) != wanted:
            continue
        words = words_in(part, mark.box)
        if mark.role in TEXTS and not any(word.seen for word in words):
            continue
        found.append(Found(part, mark.box, lowered(mark.box, part.top), words, mark))
    return found


def _runs(name: str, seen: Sighting) -> list[Found]:
    """Stretches of text that are the name and nothing else."""
    wanted = folded(name)
    found = []
    for part in seen.parts:
        for span in runs(part):
            if folded(span.text) == wanted and all(word.seen for word in span.words):
                found.append(Found(part, span.box, span.on_page(), span.words, _holder(part, span)))
    return found


def _holder(part: Part, span: Span) -> Mark | None:
    """The control that the text stands in."""
    holding = [
        mark
        for mark in part.marks
        if mark.box is not None
        and mark.role not in TEXTS
        and mark.box.intersection(span.box) > 0.9 * span.box.area
    ]
    return min(holding, key=lambda mark: mark.box.area if mark.box else 0.0, default=None)


def _in_control(found: Found) -> bool:
    return found.mark is not None and found.mark.role not in TEXTS


def _once(found: list[Found]) -> list[Found]:
    """Without what is the same thing again: the text on a control, and what two parts of the page show."""
    kept: list[Found] = []
    for one_ in found:
        if not any(_same(other, one_) for other in kept):
            kept.append(one_)
    return kept


def _same(one_: Found, other: Found) -> bool:
    if one_.mark is not None and other.mark is not None and one_.mark.ref == other.mark.ref:
        return True
    shared = one_.place.intersection(other.place)
    smaller = min(one_.place.area, other.place.area)
    return shared > 0.6 * smaller
