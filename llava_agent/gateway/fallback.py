"""Asks models in their order until one answers: the one loop that tries again.

Every candidate has passed the same filter, so a fallback goes nowhere where the request may not go.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from llava_agent.errors import BudgetExceeded, LlavaAgentError, PermissionDenied
from llava_agent.gateway.attempt import Attempt
from llava_agent.gateway.breaker import Breakers
from llava_agent.gateway.failure import FAILURES, ModelFailure, may_pass
from llava_agent.gateway.model import ChatModel
from llava_agent.gateway.records import Plan
from llava_agent.gateway.request import ModelRequest
from llava_agent.gateway.route import Verdict, nobody
from llava_agent.gateway.screen import ApprovalNeeded, ApprovalRefused

Answer = TypeVar("Answer")
Begin = Callable[[Verdict, int, float], Attempt]


def in_turn(
    plan: Plan,
    begin: Begin,
    ask: Callable[[ChatModel, ModelRequest], Answer],
    breakers: Breakers,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> tuple[Attempt, Answer]:
    """The first answer, not yet finished, with the attempt that got it.

    Raises:
        NoPermittedModel: several were asked, or one is left alone, and none answered.
        LlavaAgentError: what the only one that could be asked said.
    """
    turns = _Turns(plan, begin, breakers, clock, sleep)
    for verdict in plan.verdicts:
        if verdict.verdict != "refused" and turns.open_to(verdict):
            answered = turns.ask(verdict, ask)
            if answered is not None:
                return answered
    raise turns.failure()


class _Turns:
    """What has been tried for one request."""

    def __init__(
        self,
        plan: Plan,
        begin: Begin,
        breakers: Breakers,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._plan, self._begin, self._breakers = plan, begin, breakers
        self._clock, self._sleep = clock, sleep
        self._deadline = clock() + plan.policy.fallback.deadline_seconds
        self._calls = 0
        self._failed: set[str] = set()
        self._kept_here = False
        self._errors: dict[str, LlavaAgentError] = {}

    def open_to(self, verdict: Verdict) -> bool:
        """Tiers of one deployment fail together; what a guard keeps here goes to no other machine."""
        deployment = verdict.deployment
        late = self._calls > 0 and self._clock() >= self._deadline
        return not (
            late or deployment.entry in self._failed or (self._kept_here and deployment.leaves_machine)
        )

    def ask(
        self, verdict: Verdict, ask: Callable[[ChatModel, ModelRequest], Answer]
    ) -> tuple[Attempt, Answer] | None:
        """The answer of one model, tried again where that may help; None where it has none."""
        deployment, settings = verdict.deployment, self._plan.policy.fallback
        for turn in range(settings.attempts):
            if not self._breakers.admit(deployment.entry):
                break
            self._calls += 1
            attempt = self._begin(verdict, self._calls, max(0.0, self._deadline - self._clock()))
            try:
                seen = self._opened(attempt, verdict)
            except BaseException:
                self._breakers.neither(deployment.entry)
                raise
            if seen is None:
                self._breakers.neither(deployment.entry)
                break
            try:
                return attempt, ask(deployment.model, seen)
            except FAILURES as error:
                attempt.fail(error)
                self._errors[verdict.model] = error
                if not (deployment.served and may_pass(error)) or turn + 1 == settings.attempts:
                    break
                asked = error.retry_after if isinstance(error, ModelFailure) else None
                wait = settings.wait_seconds * 2**turn if asked is None else asked
                if wait >= self._deadline - self._clock():
                    break
                self._sleep(wait)
            except BaseException as error:
                attempt.fail(error)
                raise
        self._failed.add(deployment.entry)
        return None

    def failure(self) -> LlavaAgentError:
        """The error of the one that was asked, or of none having answered."""
        asked = [one for one in self._plan.verdicts if one.verdict != "refused"]
        errors = list(self._errors.values())
        if len(errors) == 1 and len({one.deployment.entry for one in asked}) == 1:
            return errors[0]
        if errors and all(isinstance(error, BudgetExceeded) for error in errors):
            return errors[0]
        return nobody(self._plan.case, [self._tried(one) for one in self._plan.verdicts])

    def _opened(self, attempt: Attempt, verdict: Verdict) -> ModelRequest | None:
        """The request as the model may see it; None where another model may still be asked."""
        try:
            return attempt.open()
        except (ApprovalNeeded, ApprovalRefused):
            raise  # a person's word is waited for, not gone around
        except PermissionDenied as error:
            if not verdict.deployment.leaves_machine:
                raise
            self._kept_here = True
            self._errors[verdict.model] = error
        except BudgetExceeded as error:
            self._errors[verdict.model] = error
        return None

    def _tried(self, verdict: Verdict) -> Verdict:
        if verdict.verdict == "refused":
            return verdict
        error = self._errors.get(verdict.model)
        why = error.what if error else self._breakers.refusal(verdict.deployment.entry)
        return replace(verdict, verdict="refused", reason=why or "its weights or server had failed already")
