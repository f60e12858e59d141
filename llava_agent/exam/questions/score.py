"""Whether a reply is right. Deterministic: no model judges another one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from llava_agent.exam.questions.question import Question
from tools.geometry import Box

#: Overlap (intersection over union) from which a box counts as right.
ENOUGH_OVERLAP = 0.5

_NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)?")
_SPELT = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
)  # fmt: skip
_WORDS = {word: number for number, word in enumerate(_SPELT)}


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one reply was judged.

    Attributes:
        right: the answer is.
        near: for a box, its centre lies in the right one although the overlap may be too small; else `right`.
        grounded: the centre of an evidence region lies in the region that supports the answer; None where the
            question names no region.
    """

    right: bool
    near: bool
    grounded: bool | None


def judge(question: Question, reply: str, evidence: Sequence[Box]) -> Verdict:
    """Compare a reply and its evidence regions, in the pixels of the question's image, with the answer."""
    grounded = None
    if question.box is not None:
        region = Box(*question.box)
        grounded = any(region.contains(*box.centre) for box in evidence)
    if question.answer_type == "box":
        assert isinstance(question.answer, tuple)
        wanted = Box(*question.answer)
        right = bool(evidence) and evidence[0].iou(wanted) >= ENOUGH_OVERLAP
        near = bool(evidence) and wanted.contains(*evidence[0].centre)
        return Verdict(right, right or near, grounded)
    right = _right(question, reply)
    return Verdict(right, right, grounded)


def _right(question: Question, reply: str) -> bool:
    if question.answer_type == "number":
        assert isinstance(question.answer, float)
        number = first_number(reply)
        return number is not None and abs(number - question.answer) <= (question.tol or 0.0)
    wanted = [str(question.answer), *question.accept]
    if question.answer_type == "contains":
        return any(_holds(reply, one) for one in wanted)
    return plain(reply) in map(plain, wanted)


def plain(text: str) -> str:
    """Small letters, without blanks, quotes and full stops around."""
    return text.strip().strip(".\"'“”‘’").strip().lower()


def first_number(text: str) -> float | None:
    """The first number, in digits or as a word up to twelve."""
    digits = _NUMBER.search(text)
    spelt = re.search(rf"\b({'|'.join(_WORDS)})\b", text, re.IGNORECASE)
    if digits and (spelt is None or digits.start() < spelt.start()):
        return float(digits.group().replace(",", "."))
    return float(_WORDS[spelt.group().lower()]) if spelt else None


def _holds(reply: str, phrase: str) -> bool:
    """Whether the reply holds the phrase as whole words."""
    words = r"\s+".join(re.escape(word) for word in phrase.split())
    return re.search(rf"(?<!\w){words}(?!\w)", reply, re.IGNORECASE) is not None
