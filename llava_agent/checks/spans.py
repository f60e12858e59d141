"""Finds texts among the words that were seen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from llava_agent.checks.sighting import Part, Sighting, Word
from tools.geometry import Box


@dataclass(frozen=True, slots=True)
class Span:
    """Words that stand one after the other on a part."""

    part: Part
    words: tuple[Word, ...]

    @property
    def box(self) -> Box:
        return around(word.box for word in self.words)

    @property
    def text(self) -> str:
        return joined(self.words)

    def on_page(self) -> Box:
        """Its place on the whole page: what is pinned stands where the window shows it at first."""
        return lowered(self.box, 0.0 if self.words[0].pinned else self.part.top)


class Text:
    """Words as one line of text, in which parts of words are found as well.

    Args:
        keep: which words belong to it; where one of a stretch of text is left out, nothing is found across
            it.
    """

    def __init__(
        self, part: Part, words: Sequence[Word], keep: Callable[[Word], bool] = lambda word: True
    ) -> None:
        self._part, self._words, self._keep = part, words, keep

    @cached_property
    def _line(self) -> tuple[str, list[int]]:
        """The folded text, and for each of its characters the word that it belongs to."""
        pieces: list[str] = []
        owners: list[int] = []
        left_out = -1  # the stretch of text that the last word left out belongs to
        for index, word in enumerate(self._words):
            if not self._keep(word):
                left_out = word.run
                continue
            gap = "\0" if word.run == left_out else "" if not pieces or word.glued else " "
            piece = gap + folded(word.text)
            pieces.append(piece)
            owners += [index] * len(piece)
            left_out = -1
        return "".join(pieces), owners

    def find(self, wanted: str) -> Iterator[Span]:
        """Every place where the text stands, in any case, within and across words."""
        line, owners = self._line
        needle = folded(wanted)
        at = line.find(needle) if needle else -1
        while at >= 0:
            yield self._span(owners, at, at + len(needle))
            at = line.find(needle, at + 1)

    def match(self, pattern: re.Pattern[str]) -> Iterator[Span]:
        line, owners = self._line
        for found in pattern.finditer(line):
            if found[0]:
                yield self._span(owners, *found.span())

    def _span(self, owners: list[int], start: int, end: int) -> Span:
        between = self._words[owners[start] : owners[end - 1] + 1]
        return Span(self._part, tuple(word for word in between if self._keep(word)))


def spans(
    wanted: str, seen: Sighting, keep: Callable[[Word], bool] = lambda word: word.seen
) -> Iterator[Span]:
    """Every place where the text stands among the words to keep."""
    for part in seen.parts:
        yield from Text(part, part.words, keep).find(wanted)


def runs(part: Part) -> Iterator[Span]:
    """The stretches of text of a part, seen or not."""
    for _, words in groupby(part.words, key=lambda word: word.run):
        yield Span(part, tuple(words))


def words_in(part: Part, box: Box) -> tuple[Word, ...]:
    """The words whose middle lies in the box."""
    return tuple(word for word in part.words if box.contains(*word.box.centre))


def joined(words: Iterable[Word]) -> str:
    text = ""
    for word in words:
        text += word.text if not text or word.glued else f" {word.text}"
    return text


def folded(text: str) -> str:
    """For comparing in any case, blanks aside."""
    return line(text).casefold()


def line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def around(boxes: Iterable[Box]) -> Box:
    """The smallest box around boxes, of which there is at least one."""
    all_ = list(boxes)
    return Box(
        min(box.x0 for box in all_),
        min(box.y0 for box in all_),
        max(box.x1 for box in all_),
        max(box.y1 for box in all_),
    )


def lowered(box: Box, by: float) -> Box:
    return Box(box.x0, box.y0 + by, box.x1, box.y1 + by)
