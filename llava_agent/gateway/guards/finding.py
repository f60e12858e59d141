"""What a guard looks at, and what it finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

#: Where a text stands. `instruction` and `system` are trusted; the rest may come from a page or a photo.
Place = Literal[
    "instruction", "system", "message", "fact", "history", "candidate", "image", "schema", "stop", "answer"
]
TRUSTED: frozenset[Place] = frozenset({"instruction", "system", "message", "schema", "stop", "answer"})


@dataclass(frozen=True, slots=True)
class Finding:
    """A piece of a text, by its place; never the characters themselves.

    Attributes:
        kind: `credit_card`, `email`, a topic's name, ...
        start, end: characters of the text that was looked at.
    """

    kind: str
    start: int
    end: int


class Guard(Protocol):
    """Looks for one sort of thing. It must not change anything, and an exception of it blocks the call."""

    @property
    def name(self) -> str: ...

    def look(self, text: str, place: Place) -> Sequence[Finding]: ...


def checked(found: object, length: int) -> tuple[Finding, ...]:
    """What a guard gave back, if it is findings.

    Raises:
        TypeError, ValueError: it is not; the guard has failed then.
    """
    if not isinstance(found, list | tuple):
        raise TypeError("a guard gave back no list of findings")
    for one in found:
        if not isinstance(one, Finding):
            raise TypeError("a guard gave back something else than findings")
        if not (one.kind and 0 <= one.start < one.end <= length):
            raise ValueError("a guard found something outside the text")
    return tuple(found)


def without_overlap(findings: Sequence[Finding]) -> list[Finding]:
    """In order, each place once: of two that overlap, the one that begins first, then the longer one, is kept
    and covers both."""
    kept: list[Finding] = []
    for one in sorted(findings, key=lambda each: (each.start, -each.end)):
        if kept and one.start < kept[-1].end:
            last = kept[-1]
            kept[-1] = Finding(last.kind, last.start, max(last.end, one.end))
        else:
            kept.append(one)
    return kept
