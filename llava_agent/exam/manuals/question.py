"""A file of questions about manuals: one JSON object a line, beside the manuals."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from llava_agent.errors import ConfigError


class ManualQuestion(BaseModel):
    """One question.

    Attributes:
        kind: group that the result is told for (`code`, `words`, `meaning`, `number`, `none`).
        document: file that answers it; None where none does.
        holds: words of the passage that answers it.
        answer: words that a right answer holds.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    question: str = Field(min_length=1)
    kind: str = ""
    document: str | None = None
    holds: str = ""
    answer: str = ""

    @model_validator(mode="after")
    def _whole(self) -> ManualQuestion:
        if bool(self.document) != bool(self.holds) or bool(self.document) != bool(self.answer):
            raise ValueError("document, holds and answer go together")
        return self


def read_questions(path: Path) -> tuple[ManualQuestion, ...]:
    """Raises ConfigError, naming the first line that is wrong."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise ConfigError(f"{path} cannot be read ({reason})", "give a file of questions") from None
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            found += [ManualQuestion.model_validate_json(line)] if line.strip() else []
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the line"
            raise ConfigError(
                f"line {number} of {path} is no question ({where}: {first['msg']})",
                "see docs/knowledge.md for the fields",
            ) from None
    if not found:
        raise ConfigError(f"{path} holds no question", "write one JSON object a line")
    return tuple(found)
