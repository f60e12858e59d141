"""What every destination can do: check, send once, read back, look up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from pydantic import JsonValue

from llava_agent.filing.fill import Problem

Ending = Literal["filed", "failed", "unknown"]


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that is not there as it was sent."""

    field: str
    sent: JsonValue
    there: JsonValue

    @property
    def sentence(self) -> str:
        there = "is not there" if self.there is None else f"is {_short(self.there)} there"
        return f"{self.field.replace('_', ' ')} {there}, sent was {_short(self.sent)}"


@dataclass(frozen=True, slots=True)
class Receipt:
    """How a sending, or a look-up, ended.

    Attributes:
        state: `failed` only where nothing can have arrived; `unknown` where it may have.
        reason: one sentence; empty where all is well.
        reference: number of the new entry in the other system.
        link: to the entry, for people.
        verified: what is there was read back: equal or not; None where it could not be read.
        evidence: what the other system answered, for the record.
        folder: of the agent's run that filled in a form.
    """

    state: Ending
    reason: str = ""
    reference: str = ""
    link: str = ""
    verified: bool | None = None
    differences: tuple[Difference, ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)
    folder: Path | None = None


class Destination(Protocol):
    """Another system, open for one filing."""

    async def check(
        self, values: Mapping[str, JsonValue], *, live: bool = True
    ) -> tuple[Mapping[str, JsonValue], list[Problem]]:
        """The values as they will be sent, and what the other system would refuse.

        Args:
            live: open what is only seen in a browser.

        Raises:
            ConfigError: the configuration does not fit the other system.
            PermissionDenied: it is not on the list of permitted hosts.
            ToolError: it cannot be reached.
        """
        ...

    async def send(self, values: Mapping[str, JsonValue], once: str) -> Receipt:
        """Send, once, and read back. Every failure of the other system is a receipt, never an error.

        Args:
            once: the record's id.
        """
        ...

    async def look_up(self, values: Mapping[str, JsonValue], once: str) -> Receipt:
        """Whether it is there: `filed`, `failed` (it never arrived), or `unknown`."""
        ...

    async def close(self) -> None: ...


def equal(sent: JsonValue, there: object) -> bool:
    """Numbers by value, texts without outer blanks; nothing and an empty text are the same."""
    if isinstance(sent, bool) or isinstance(there, bool):
        return sent is there
    if isinstance(sent, int | float) and isinstance(there, int | float):
        return abs(sent - there) <= 1e-9 * max(1.0, abs(sent))
    if isinstance(sent, list) and isinstance(there, list):
        return len(sent) == len(there) and all(map(equal, sent, there))
    if isinstance(sent, dict) and isinstance(there, dict):
        return all(equal(value, there.get(key)) for key, value in sent.items())
    return _plain(sent) == _plain(there)


def _plain(value: object) -> object:
    if isinstance(value, str):
        return " ".join(value.split())
    return "" if value is None else value


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
