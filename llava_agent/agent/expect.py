"""Is the goal reached? Expectations are given with the run; a model only checks what nothing exact can.

A model can never declare success: `done` only asks for these to be checked.
"""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

from llava_agent.agent.decision import FIELDS
from llava_agent.agent.verify import Verification, same_value
from llava_agent.errors import ConfigError
from llava_agent.gateway.gateway import Gateway
from llava_agent.gateway.request import ModelRequest
from tools.mark import Mark
from tools.observation import Observation


class Expectation(Protocol):
    """Something that has to be true of the goal.

    Attributes:
        exact: no model is needed to check it, so it may be checked after every step.
    """

    @property
    def exact(self) -> bool: ...

    def words(self) -> str:
        """As a clause: `the page shows "Ticket saved"`."""
        ...

    async def check(self, observation: Observation) -> Verification: ...


@dataclass(frozen=True, slots=True)
class Shows:
    """The page shows this text (blanks and case aside), other than in a field that can be filled."""

    text: str
    exact: ClassVar[bool] = True

    def words(self) -> str:
        return f'the page shows "{self.text}"'

    async def check(self, observation: Observation) -> Verification:
        if _plain(self.text) in _plain(" ".join(_visible(mark) for mark in observation.marks)):
            return Verification("held", "page", self.words())
        if observation.scroll is not None:
            return Verification("uncertain", "page", f'"{self.text}" is not on the visible part of the page')
        return Verification("failed", "page", f'the page does not show "{self.text}"')


@dataclass(frozen=True, slots=True)
class Reads:
    """A text (not a field that somebody filled) whose name ends with `name` has this value."""

    name: str
    value: str
    exact: ClassVar[bool] = True

    def words(self) -> str:
        return f'it reads "{self.name}" = {self.value}'

    async def check(self, observation: Observation) -> Verification:
        named = [
            mark
            for mark in observation.marks
            if mark.role == "text" and _plain(mark.text).endswith(_plain(self.name))
        ]
        if any(mark.value is not None and same_value(mark.value, self.value) for mark in named):
            return Verification("held", "page", self.words())
        return Verification("failed", "page", f'nothing reads "{self.name}" = {self.value}')


@dataclass(frozen=True, slots=True)
class AddressHas:
    """The address contains this text."""

    text: str
    exact: ClassVar[bool] = True

    def words(self) -> str:
        return f'the address contains "{self.text}"'

    async def check(self, observation: Observation) -> Verification:
        if self.text in observation.address:
            return Verification("held", "page", self.words())
        return Verification("failed", "page", f'the address {observation.address} lacks "{self.text}"')


@dataclass(frozen=True, slots=True)
class Holds:
    """A check from outside (a database, a file), plain or async; it may add a sentence to its verdict."""

    description: str
    test: Callable[[], bool | tuple[bool, str] | Awaitable[bool | tuple[bool, str]]]
    exact: ClassVar[bool] = True

    def words(self) -> str:
        return self.description

    async def check(self, observation: Observation) -> Verification:
        result = self.test()
        verdict = await result if inspect.isawaitable(result) else result
        held, detail = verdict if isinstance(verdict, tuple) else (verdict, "")
        if held:
            return Verification("held", "outside", detail or self.description)
        return Verification("failed", "outside", detail or f"not so: {self.description}")


@dataclass(frozen=True, slots=True)
class Seems:
    """A claim that only eyes can check: the vision model must affirm it and deny its negation."""

    claim: str
    gateway: Gateway
    run: str = ""
    exact: ClassVar[bool] = False

    def words(self) -> str:
        return self.claim

    async def check(self, observation: Observation) -> Verification:
        if observation.screenshot is None:
            return Verification("uncertain", "none", f"there are no pixels to check: {self.claim}")
        weighed, _ = await asyncio.to_thread(weigh, self.claim, lambda words: self._ask(observation, words))
        if weighed == "yes":
            return Verification("held", "model", f"the vision model sees that {self.claim}")
        if weighed == "no":
            return Verification("failed", "model", f"the vision model does not see that {self.claim}")
        return Verification("uncertain", "model", f"the vision model contradicts itself on: {self.claim}")

    def _ask(self, observation: Observation, question: str) -> tuple[str, float]:
        request = ModelRequest(
            "verify",
            question,
            image=observation.screenshot,
            needs_pixels=True,
            because="no exact check can decide this claim",
            run=self.run,
        )
        choice = self.gateway.choose(request, (), ("yes", "no"))
        return choice.verb, choice.confidence


def weigh(
    claim: str, ask: Callable[[str], tuple[str, float]]
) -> tuple[Literal["yes", "no", "unsure"], float]:
    """What a model's word on a claim is worth: it counts only where the model denies the opposite.

    Args:
        ask: answers a question with `yes` or `no` and how sure it is.
    """
    (says, sure), (denies, unsure) = ask(f"Is it true that {claim}?"), ask(f"Is it false that {claim}?")
    confidence = min(sure, unsure)
    if (says, denies) == ("yes", "no"):
        return "yes", confidence
    return ("no" if (says, denies) == ("no", "yes") else "unsure"), confidence


def kept(expectation: Expectation) -> dict[str, str] | None:
    """The expectation as it is stored with a run; None for one that is code."""
    match expectation:
        case Shows(text=text):
            return {"kind": "shows", "text": text}
        case AddressHas(text=text):
            return {"kind": "address", "text": text}
        case Reads(name=name, value=value):
            return {"kind": "reads", "name": name, "value": value}
    return None


def rebuilt(stored: Mapping[str, str]) -> Expectation:
    """The expectation that `kept` stored.

    Raises:
        ConfigError: it is of a kind that this version does not know.
    """
    match dict(stored):
        case {"kind": "shows", "text": text}:
            return Shows(text)
        case {"kind": "address", "text": text}:
            return AddressHas(text)
        case {"kind": "reads", "name": name, "value": value}:
            return Reads(name, value)
    raise ConfigError(f"the run has an expectation of an unknown kind ({stored.get('kind')!r})")


def all_exact(expectations: Sequence[Expectation]) -> bool:
    """There are expectations, and none of them needs a model."""
    return bool(expectations) and all(expectation.exact for expectation in expectations)


async def check_goal(expectations: Sequence[Expectation], observation: Observation) -> Verification:
    """All of them: failed if one fails, uncertain if one cannot be decided or none was given."""
    if not expectations:
        return Verification(
            "uncertain", "none", "no expectation was given, so nothing can confirm the result"
        )
    results = [await expectation.check(observation) for expectation in expectations]
    for status in ("failed", "uncertain"):
        first = next((result for result in results if result.status == status), None)
        if first is not None:
            return first
    return Verification("held", results[0].by, "; ".join(result.detail for result in results))


def _visible(mark: Mark) -> str:
    """What the page says by itself: what stands in a field may have been typed there by the run."""
    filled = mark.role in FIELDS and "readonly" not in mark.states
    return mark.text if filled else f"{mark.text} {mark.value or ''}"


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip().casefold()
