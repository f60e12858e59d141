"""What came of one decision."""

from __future__ import annotations

from dataclasses import dataclass

from llava_agent.agent.state import Fact
from llava_agent.agent.verify import Verification
from tools.observation import Observation, Outcome, Reason


@dataclass(frozen=True, slots=True)
class Turn:
    """The outcome, what is seen after it, and whether its expectation held.

    Attributes:
        fact: what a `look` read.
        ban: the ref or verb that may not be chosen again.
    """

    outcome: Outcome
    after: Observation
    verification: Verification
    fact: Fact | None = None
    ban: str | None = None


def refused(reason: Reason, detail: str, seen: Observation, ban: str | None = None) -> Turn:
    """Nothing was done; the typed reason goes back to the policy."""
    outcome = Outcome(False, reason, detail)
    return Turn(outcome, seen, Verification("failed", "outcome", detail), None, ban)
