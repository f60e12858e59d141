"""An answer in pieces: shown as soon as no more text can change what the guards make of it.

Held back is what could still grow into something: the last word, together with the numbers before it (a card
number has blanks), the words of a phrase, or an open private key. What was shown stays as context for the
next look, so that `password: ` is still known when the password comes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from llava_agent.gateway.guards.finding import Finding
from llava_agent.gateway.guards.mask import Masks
from llava_agent.gateway.guards.verdict import enforce
from llava_agent.gateway.screen import Blocked, GuardResult, Screened

Look = Callable[[str], tuple[Sequence[Finding], tuple[GuardResult, ...]]]

#: Longest single word, and longest private key, that is waited for; beyond it the answer is refused.
WORD, KEY = 4096, 16384
#: Longest run of numbers that is held back, in characters; longer than any card, IBAN or phone number.
NUMBERS = 96
#: Characters before what is new that the guards see again.
CONTEXT = 80

_KEY = re.compile(r"-----BEGIN(?:(?!-----END [A-Z0-9 ]{0,30}-----)[\s\S])*\Z")
_CLOSED_KEY = re.compile(r"-----BEGIN(?:(?!-----END )[\s\S])*-----END [A-Z0-9 ]{0,30}-----")
_WORDS = re.compile(r"\S+\s*")


class StreamGuard:
    """Pieces in, what may be shown by now out.

    Args:
        look: places to mask in a text with the results; raises Blocked.
        restore: puts back what was masked on the way out.
        words: most words of any banned phrase.
        finish: the result of the schema for the whole text.
    """

    def __init__(
        self,
        look: Look,
        restore: Callable[[str], str],
        words: int,
        finish: Callable[[str], GuardResult],
    ) -> None:
        self._look, self._restore, self._words, self._finish = look, restore, words, finish
        # Shown already; complete but perhaps part of a phrase; and what may still grow, in this order.
        self._context, self._complete, self._open = "", "", ""
        self._whole: list[str] = []
        self._results: dict[str, GuardResult] = {}
        self._masks = Masks()

    def push(self, piece: str) -> str:
        """What may be shown by now. Raises Blocked."""
        self._whole.append(piece)
        self._open += piece
        self._close(self._outside_finding(self._outside_key(self._grown())))
        return self._release(self._before_phrase())

    def end(self) -> Screened[str]:
        """The rest, and the results. Raises Blocked."""
        self._close(len(self._open))
        rest = self._release(len(self._complete))
        schema = self._finish("".join(self._whole))
        results = (*self._results.values(), schema)
        enforce(results, "the answer")
        return Screened(rest, results)

    def _close(self, count: int) -> None:
        self._complete += self._restore(self._open[:count])
        self._open = self._open[count:]

    def _grown(self) -> int:
        """How many characters of what is open can no longer grow."""
        text = self._open
        if key := _KEY.search(text):
            if len(text) - key.start() > KEY:
                raise Blocked("the answer holds what looks like an endless private key", "", self._known())
            text = text[: key.start()]
        words = list(_WORDS.finditer(text))
        if not words or (text[-1].isspace() and not _grows(words[-1][0])):
            return len(text)
        if len(words[-1][0]) > WORD:
            raise Blocked("the answer holds a word without end", "", self._known())
        first = len(words) - 1
        # Numbers, also in groups of letters and digits as in an IBAN, belong together.
        while first > 0 and _grows(words[first - 1][0]) and len(text) - words[first - 1].start() < NUMBERS:
            first -= 1
        return words[first].start()

    def _outside_key(self, count: int) -> int:
        """`count`, or less where it would cut a private key that is whole."""
        for key in _CLOSED_KEY.finditer(self._open):
            if key.start() < count < key.end():
                return key.start()
        return count

    def _outside_finding(self, count: int) -> int:
        """`count`, or less where it would cut a number of a run that is longer than what is held back.

        The last word is left out of the look: it may still grow into something else.
        """
        words = list(_WORDS.finditer(self._open))
        if not any(word.end() == count and _grows(word[0]) for word in words):
            return count
        before = self._context + self._complete
        places, _ = self._look(before + self._open[: words[-1].start()])
        for one in sorted(places, key=lambda each: -each.start):
            if one.start < len(before) + count < one.end:
                count = max(one.start - len(before), 0)
        return count

    def _before_phrase(self) -> int:
        """How many characters of what is complete cannot be the beginning of a banned phrase."""
        words = list(_WORDS.finditer(self._complete))
        held = min(self._words - 1, len(words))
        return words[-held].start() if held else len(self._complete)

    def _release(self, count: int) -> str:
        if not count:
            return ""
        offset = len(self._context)
        places, results = self._look(self._context + self._complete)
        for result in results:
            self._results[result.guard] = _together(self._results.get(result.guard), result)
        found = [
            Finding(one.kind, max(one.start - offset, 0), one.end - offset)
            for one in places
            if one.end > offset
        ]
        for one in sorted(found, key=lambda each: -each.start):
            if one.start < count < one.end:
                count = one.start
        shown, self._complete = self._complete[:count], self._complete[count:]
        self._context = (self._context + shown)[-CONTEXT:]
        return self._masks.hide(shown, [one for one in found if one.end <= count])

    def _known(self) -> tuple[GuardResult, ...]:
        return tuple(self._results.values())


def _grows(word: str) -> bool:
    return any(character.isdigit() for character in word) or not any(map(str.isalpha, word))


def _together(before: GuardResult | None, now: GuardResult) -> GuardResult:
    if before is None:
        return now
    found = tuple(sorted({*before.found, *now.found}))
    graver = now if now.action != "none" else before
    return GuardResult(now.guard, now.status, graver.action, found)
