"""What came of one decision."""

from __future__ import annotations

from dataclasses import dataclass

from llava_agent.agent.fact import Fact
from llava_agent.agent.gate import Admission
from llava_agent.agent.verify import Verification
from tools.observation import Observation, Outcome, Reason


@dataclass(frozen=True, slots=True)
class Turn:
    """The outcome, what is seen after it, and whether its expectation held.

    Attributes:
        fact: what a `look` read.
        ban: the ref or verb that may not be chosen again.
        block: why the run cannot go on at all; empty where it can.
        admission: what the gate said, None where it was not asked.
        retried: the target was found again after the page had changed, and the action tried once more.
    """

    outcome: Outcome
    after: Observation
    verification: Verification
    fact: Fact | None = None
    ban: str | None = None
    block: str = ""
    admission: Admission | None = None
    retried: bool = False


def refused(
    reason: Reason, detail: str, seen: Observation, ban: str | None = None, *, block: bool = False
) -> Turn:
    """Nothing was done; the typed reason goes back to the policy, or ends the run where it has to."""
    outcome = Outcome(False, reason, detail)
    check = Verification("failed", "outcome", detail)
    return Turn(outcome, seen, check, None, ban, detail if block else "")
