"""The repair ladder: which rung each step that went wrong was caught on.

parse (the model named no action) -> schema (the action is malformed) -> resolve (its target cannot be
used) -> execute (it was done, and came to nothing) -> replan (the larger model, or a ban, takes over).
"""

from __future__ import annotations

from collections.abc import Iterator

from llava_agent.agent.decision import Decision
from llava_agent.agent.turn import Turn
from tools.observation import Reason

#: Reasons that name the target.
_TARGET: frozenset[Reason] = frozenset(
    {"stale", "covered", "disabled", "off_screen", "not_found", "not_a_field", "no_such_option"}
)


def rungs(decision: Decision, turn: Turn) -> Iterator[str]:
    """Names of the counters (`Counters`) that a step raises."""
    outcome, action = turn.outcome, decision.action
    if not outcome.ok:
        yield "refused"
        if action is None:
            yield "unparsed"
        elif outcome.reason == "invalid":
            yield "malformed"
        elif outcome.reason in _TARGET:
            yield "unresolved"
        elif turn.admission is not None and not turn.admission.allowed:
            yield "denied"
    elif turn.verification.status == "failed":
        yield "unconfirmed"
    if turn.retried:
        yield "retried"
    if decision.escalated:
        yield "escalated"
    if turn.ban is not None:
        yield "banned"
    if turn.admission is not None and turn.admission.by:
        yield "approved"
    if action is not None and action.verb == "ask" and outcome.ok:
        yield "answered"
