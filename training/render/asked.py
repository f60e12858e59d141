"""A question about a rendered picture, with its answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llava_agent.exam.questions.question import AnswerType, Numbers


@dataclass(frozen=True, slots=True)
class Asked:
    """Attributes:
    kind: group that results are told for.
    said: the answer in words, as a model learns to say it.
    wanted: what a reply is compared with; `said` where None.
    answer_type, tol: how (`llava_agent.exam.questions`).
    """

    kind: str
    question: str
    said: str
    answer_type: AnswerType = "exact"
    wanted: str | float | Numbers | None = None
    tol: float | None = None


def yes_or_no(kind: str, question: str, true: bool) -> Asked:
    """A question that is answered with yes or no."""
    return Asked(kind, question, "yes" if true else "no", "yesno")


def only(values: Sequence[str]) -> set[str]:
    """What stands there once, however it is spelt: only that can be asked for by name."""
    spelt = [value.casefold() for value in values]
    return {value for value in spelt if value and spelt.count(value) == 1}
