"""Whoever answers a run's questions and approves its actions: a person, a service, or nobody."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tools.action import Effect


@dataclass(frozen=True, slots=True)
class Question:
    """Something that the agent cannot find out by itself.

    Attributes:
        about: name of the fact that the answer becomes.
        screenshot: what was seen, None where nothing was.
    """

    run: str
    step: int
    text: str
    about: str
    screenshot: Path | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """One exact action that waits for an approval.

    Attributes:
        action: as it will be carried out, with the target in words and secrets by their names.
        line: the action in words.
        why: the rule that asks.
    """

    run: str
    step: int
    action: Mapping[str, object]
    line: str
    address: str
    effect: Effect
    why: str
    screenshot: Path | None = None

    @property
    def hash(self) -> str:
        """sha256 (hex) of the canonical JSON (RFC 8785) of run, step, address and action."""
        from llava_agent.gateway.approvals import action_hash

        return action_hash(
            {"run": self.run, "step": self.step, "address": self.address, "action": dict(self.action)}
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a proposal.

    Attributes:
        hash: of the proposal that was decided; another one is not covered.
        by: who decided; empty where nobody was there.
        reason: in the words of whoever decided.
    """

    approved: bool
    hash: str
    by: str = ""
    reason: str = ""


class Attendant(Protocol):
    """Asked while the run waits. May wait as long as a person takes; that time is not the run's."""

    async def answer(self, question: Question) -> str | None:
        """The answer; None where nobody is there."""
        ...

    async def approve(self, proposal: Proposal) -> Verdict | None:
        """The verdict; None where nobody is there."""
        ...


class Nobody:
    """In a pipeline nobody is there: what would have to be asked blocks the run."""

    async def answer(self, question: Question) -> str | None:
        return None

    async def approve(self, proposal: Proposal) -> Verdict | None:
        return None


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@dataclass(slots=True)
class Terminal:
    """The person who started the run on a terminal.

    Args:
        say: prints a line; `hear` reads one after a prompt and raises EOFError at the end of the input.
    """

    say: Callable[[str], None] = _say
    hear: Callable[[str], str] = input

    async def answer(self, question: Question) -> str | None:
        self.say(f"\nThe agent asks: {question.text}")
        return await self._heard("> ")

    async def approve(self, proposal: Proposal) -> Verdict | None:
        self.say(f"\nApprove this {proposal.effect} action? ({proposal.why})")
        self.say(f"  {proposal.line}")
        self.say(f"  on {proposal.address}")
        if proposal.screenshot is not None:
            self.say(f"  screenshot: {proposal.screenshot}")
        heard = await self._heard("y/n> ")
        if heard is None:
            return None
        yes = heard.casefold() in ("y", "yes")
        return Verdict(yes, proposal.hash, "terminal", "" if yes else f"the answer was {heard!r}")

    async def _heard(self, prompt: str) -> str | None:
        try:
            return (await asyncio.to_thread(self.hear, prompt)).strip()
        except EOFError:
            return None
