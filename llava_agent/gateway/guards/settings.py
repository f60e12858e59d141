"""The `guards` section of a policy."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

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


class GuardSettings(_Section):
    """What the guards do.

    Attributes:
        leaving: for a call to a model on another machine.
        staying: for a call to a model on this machine.
        answers: for what a model answers.
        topics: banned topics.
        injection: for words in untrusted parts (marks of a page, facts from a photo, tool results) that
            speak to the model, and for invisible characters.
        phone_regions: countries whose national numbers are known; international ones always are.
        seconds: longest time for all guards of a call; a call that is not looked at in time is refused.
    """

    leaving: LeavingActions = LeavingActions()
    staying: PatternActions = PatternActions()
    answers: PatternActions = PatternActions()
    topics: tuple[Topic, ...] = ()
    injection: Action = "mask"
    phone_regions: tuple[Region, ...] = ("US", "GB", "DE", "FR")
    seconds: float = Field(default=20.0, gt=0, le=300)
