"""A file of questions: one JSON object a line, beside its images."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from llava_agent.errors import ConfigError

AnswerType = Literal["exact", "contains", "number", "yesno", "box"]
Numbers = tuple[float, float, float, float]


class Question(BaseModel):
    """One question and its answer.

    Attributes:
        image: relative to the file of questions.
        answer: a text, a number, `yes` or `no`, or the box of the thing that is asked for.
        answer_type: how a reply is compared (`score.judge`).
        tol: how far a number may be off.
        accept: other answers that count as right.
        kind, domain: groups that the result is told for.
        box: region of the image that supports the answer, in its pixels; None where there is none.
        image_size: width and height that the boxes are meant for.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    image: Path
    question: str = Field(min_length=1)
    answer: str | float | Numbers
    answer_type: AnswerType
    tol: float | None = Field(default=None, ge=0)
    accept: tuple[str, ...] = ()
    kind: str = ""
    domain: str = ""
    box: Numbers | None = None
    image_size: tuple[int, int] | None = None

    @model_validator(mode="after")
    def _answer_fits_its_type(self) -> Question:
        fits = {
            "number": isinstance(self.answer, float),
            "box": isinstance(self.answer, tuple),
            "yesno": self.answer in ("yes", "no"),
        }.get(self.answer_type, isinstance(self.answer, str))
        if not fits:
            raise ValueError(f"the answer {self.answer!r} is none of type {self.answer_type}")
        return self


def read_questions(path: Path) -> tuple[Question, ...]:
    """All questions of a file, with the paths of their images made whole.

    Raises:
        ConfigError: the file cannot be read, holds none, or has a wrong line; the message names it.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise ConfigError(
            f"{path} cannot be read ({reason})", "give a file of questions, one a line"
        ) from None
    found = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            question = Question.model_validate_json(line)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise ConfigError(
                f"line {number} of {path} is no question ({where}: {first['msg']})",
                "see docs/evaluation.md for the fields",
            ) from None
        found.append(question.model_copy(update={"image": path.parent / question.image}))
    if not found:
        raise ConfigError(f"{path} holds no question", "write one JSON object a line")
    return tuple(found)
