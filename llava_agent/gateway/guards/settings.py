"""The `guards` section of a policy."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

#: `none` lets it pass and only records that it was found; `ask` waits for a person's approval.
Action = Literal["none", "mask", "block", "ask"]

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=100)]
Region = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PatternActions(_Section):
    """What is done about each kind of pattern. They are always looked for.

    Attributes:
        secret: API keys, private keys, JWTs, passwords (in URLs as well).
    """

    credit_card: Action = "none"
    iban: Action = "none"
    phone: Action = "none"
    email: Action = "none"
    secret: Action = "none"

    def of(self, kind: str) -> Action:
        """The action for a kind of finding; every kind that has no line of its own is a secret."""
        found: Action = getattr(self, kind, self.secret)
        return found


class LeavingActions(PatternActions):
    """The same for what goes to another machine; a secret never passes unmasked and unasked."""

    credit_card: Action = "mask"
    iban: Action = "mask"
    phone: Action = "mask"
    email: Action = "mask"
    secret: Literal["mask", "block", "ask"] = "block"


class Topic(_Section):
    """Something that is not to be talked about, in either direction.

    Attributes:
        words: words or phrases; upper and lower case, accents and line ends do not matter.
    """

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
    words: tuple[Words, ...] = Field(min_length=1)
    action: Literal["mask", "block", "ask"] = "block"


Entity = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z_]+$")]
#: Presidio asks the network about these; the built-in patterns find them.
_FOUND_HERE = frozenset({"EMAIL_ADDRESS", "URL"})


class PresidioSettings(_Section):
    """Further personal data, found by Microsoft Presidio (an extra).

    Attributes:
        entities: what is looked for (`PERSON`, `US_SSN`), and what is done about it; nothing else is.
        language: of the texts.
        model: spaCy package of the language, such as `en_core_web_sm`; without one, names of people and
            places are not found, only what has a form of its own.
        score: least certainty, 0 to 1.
    """

    entities: dict[Entity, Action] = Field(min_length=1)
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")] = "en"
    model: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]+$")] | None = None
    score: float = Field(default=0.4, ge=0, le=1)

    @field_validator("entities")
    @classmethod
    def _not_found_here(cls, value: dict[str, Action]) -> dict[str, Action]:
        if both := sorted(_FOUND_HERE.intersection(value)):
            raise ValueError(f"{both[0]} is found by the built-in patterns; leave it out here")
        return value

    def __hash__(self) -> int:
        return hash((tuple(sorted(self.entities.items())), self.language, self.model, self.score))


class GuardSettings(_Section):
    """What the guards do.

    Attributes:
        leaving: for a call to a model on another machine.
        staying: for a call to a model on this machine.
        answers: for what a model answers.
        topics: banned topics.
        injection: for words in untrusted parts (marks of a page, facts from a photo, tool results) that
            speak to the model, and for invisible characters.
        presidio: further personal data; None for none.
        phone_regions: countries whose national numbers are known; international ones always are.
        seconds: longest time for all guards of a call; a call that is not looked at in time is refused.
    """

    leaving: LeavingActions = LeavingActions()
    staying: PatternActions = PatternActions()
    answers: PatternActions = PatternActions()
    topics: tuple[Topic, ...] = ()
    injection: Action = "mask"
    presidio: PresidioSettings | None = None
    phone_regions: tuple[Region, ...] = ("US", "GB", "DE", "FR")
    seconds: float = Field(default=20.0, gt=0, le=300)
