"""One call to one model: what is done before it, so that it may be made, and after it, however it ended."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import chain

from llava_agent.errors import LlavaAgentError, ToolError
from llava_agent.gateway import closed, cost, records
from llava_agent.gateway.budget import Hold, rooms_for
from llava_agent.gateway.failure import counts
from llava_agent.gateway.ledger import Ledger
from llava_agent.gateway.records import Ending, Plan
from llava_agent.gateway.request import Choice, Completion, ModelRequest, Route
from llava_agent.gateway.route import Verdict
from llava_agent.gateway.safeguards import Safeguards
from llava_agent.gateway.screen import (
    Answer,
    ApprovalNeeded,
    GuardResult,
    Hidden,
    Screened,
    StreamingScreen,
    asked_by,
)


class Attempt:
    """`open`, then ask the model, then `finish` or `fail`; each once.

    Args:
        number: counts the calls for the same request, from 1.
        seconds: what is left of the request's time.
    """

    def __init__(
        self,
        plan: Plan,
        verdict: Verdict,
        number: int,
        seconds: float,
        safeguards: Safeguards,
        ledger: Ledger,
    ) -> None:
        self.verdict = verdict
        self.route = Route(verdict.model, verdict.deployment.tier, verdict.reason)
        self._plan, self._number, self._seconds = plan, number, seconds
        self._guards, self._ledger = safeguards, ledger
        self._audit = safeguards.audit if plan.policy.audit else None
        self._screen = safeguards.screen_for(plan.policy)
        self._hidden: Hidden | None = None
        self._request = plan.case.request
        self._results: tuple[GuardResult, ...] = ()
        self._approval = ""
        self._hold: Hold | None = None
        self._sequence: int | None = None
        self._ended = False
        self._started = time.perf_counter()

    def open(self) -> ModelRequest:
        """Guards, then the hold, then the intent on record: the request as the model may see it.

        Raises:
            PermissionDenied: a guard blocks, or failed.
            BudgetExceeded: no room in a budget.
            ToolError: the budgets or the audit log cannot be written.
        """
        deployment, request = self.verdict.deployment, self._request
        # A text model is never handed pixels, whatever the caller attached.
        request = request.without_pixels() if deployment.tier == "text" else request
        if deployment.served:
            request = replace(request, seconds=self._seconds)
        self._request = request = self._screened(request)
        self._hold = self._held()
        if self._audit is not None:
            try:
                record = records.intent(
                    self._plan,
                    self.verdict,
                    self._number,
                    request,
                    self._bound(),
                    self._results,
                    self._approval,
                )
                self._sequence = closed.intend(self._audit, record)
            except ToolError:
                self._settle(Decimal(0))
                raise
        self._started = time.perf_counter()
        return request

    def _screened(self, request: ModelRequest) -> ModelRequest:
        """The request after the rules that ask and the guards; a person is asked once for all of them.

        Raises:
            PermissionDenied: a guard blocks or failed, or a person has to decide and did not, or refused.
        """
        screen, leaves = self._screen, self.verdict.deployment.leaves_machine
        why = asked_by(self.verdict.asks) if self.verdict.asks else None
        seen = Screened(request)
        try:
            if screen is not None:
                seen = closed.screened_request(screen, request, leaves_machine=leaves)
        except ApprovalNeeded as needed:
            why = needed
        if why is not None:
            self._approval = self._consented(request, why)
            if screen is not None:
                seen = closed.screened_request(screen, request, leaves_machine=leaves, approved=True)
        self._results, self._hidden = seen.results, seen.hidden
        return seen.value

    def _consented(self, request: ModelRequest, why: ApprovalNeeded) -> str:
        """The id of the approval that was used up for this call. Raises PermissionDenied."""
        if self._guards.approvals is None:
            raise why
        from llava_agent.gateway.consent import consent

        return consent(self._guards.approvals(), self._plan, self.verdict, request, why, self._seconds).id

    def finish(self, answer: Answer) -> Answer:
        """Output guard, settling, outcome, ledger: the answer as the caller may see it.

        Raises:
            PermissionDenied: a guard blocks the answer, or failed.
            ToolError: the budgets or the audit log cannot be written; the answer is withheld.
        """
        seen = self._looked_at(answer)
        self._results += seen.results
        return self._given(answer, seen.value)

    def told(self, first: str | Completion, rest: Iterator[str | Completion]) -> Iterator[str | Completion]:
        """A stream as the guards let it pass, ended like `finish` or `fail`.

        It yields one empty piece before anything else: whoever made it takes that, so that closing it is
        noticed even where nobody reads on.

        Raises (while it runs):
            PermissionDenied: a guard blocks; what it held back is not given out.
        """
        try:
            yield ""
            for piece in self._passed(chain((first,), rest)):
                if isinstance(piece, str):
                    yield piece
                else:
                    self._results += piece.results
                    yield self._given(piece.value, piece.value)
        except BaseException as error:
            if not self._ended:
                self.fail(error)
            raise
        finally:
            close = getattr(rest, "close", None)
            if close:
                close()

    def fail(self, error: BaseException) -> None:
        """The model failed, or the caller left. Never hides `error` behind one of its own."""
        elapsed = time.perf_counter() - self._started
        spent = cost.of_failure(self.verdict.deployment, error, elapsed, self._bound())
        try:
            self._end(None, spent, error)
        except ToolError as broken:
            # Without an outcome the intent stays open in the audit log, which is what verifying it shows.
            error.add_note(str(broken))

    def _looked_at(self, answer: Answer) -> Screened[Answer]:
        """The answer after the guards. What they refuse was made and is paid for."""
        if self._screen is None:
            return Screened(answer)
        try:
            return closed.screened_answer(self._screen, answer, self._request, self._hidden)
        except LlavaAgentError as error:
            self._end(answer, self._spent(answer), error)
            raise

    def _passed(self, pieces: Iterator[str | Completion]) -> Iterator[str | Screened[Completion]]:
        screen = self._screen
        if isinstance(screen, StreamingScreen):
            yield from closed.screened_pieces(screen, pieces, self._request, self._hidden)
            return
        for piece in pieces:
            if isinstance(piece, Completion):
                seen = self._looked_at(piece)
                if screen is not None:
                    yield seen.value.text
                yield seen
            elif screen is None:
                yield piece

    def _given(self, answer: Choice | Completion, seen: Answer) -> Answer:
        """Settle and record, then hand the answer over."""
        self._end(answer, self._spent(answer), None)
        deployment, run = self.verdict.deployment, self._request.run
        if not self._plan.shadow:
            self._guards.sessions.met(run, self._plan.case.data_class, deployment.tier)
        # `replace` keeps the type, which mypy does not know of a union.
        return replace(seen, route=self.route)

    def _tell_breaker(self, error: BaseException | None) -> None:
        entry, breakers = self.verdict.deployment.entry, self._guards.breakers
        if error is None:
            breakers.succeeded(entry)
        elif isinstance(error, LlavaAgentError) and counts(error):
            breakers.failed(entry, error.what, self._plan.policy.breaker)
        else:
            breakers.neither(entry)

    def _held(self) -> Hold | None:
        request, budgets = self._plan.case.request, self._guards.budgets
        if budgets is None or not self._plan.policy.budgets:
            return None
        rooms = rooms_for(self._plan.policy.budgets, request.principal, request.run, budgets.now())
        if not rooms:
            return None
        bound = cost.most(self._plan.case, self.verdict.deployment, self._seconds)
        return budgets.hold(rooms, bound, self._seconds)

    def _bound(self) -> Decimal | None:
        return self._hold.amount if self._hold else None

    def _spent(self, answer: Choice | Completion) -> Decimal:
        return cost.actual(self._plan.case, self.verdict.deployment, answer, self._bound())

    def _settle(self, spent: Decimal) -> None:
        if self._hold is not None and self._guards.budgets is not None:
            hold, self._hold = self._hold, None
            self._guards.budgets.settle(hold, spent)

    def _end(self, answer: Choice | Completion | None, spent: Decimal, error: BaseException | None) -> None:
        """Settle, then the outcome, then the ledger; each is tried even where the one before it failed."""
        self._ended = True
        self._tell_breaker(error)
        elapsed = (time.perf_counter() - self._started) * 1000
        charged = records.cost_of(self.verdict.deployment, spent, answer is not None)
        ending = Ending(answer, error, elapsed, charged, self._bound())
        entry = records.ledger_entry(self._plan, self.verdict, self._number, ending, self._approval)
        broken: ToolError | None = None
        try:
            self._settle(spent)
        except ToolError as failed:
            broken = failed
        if self._audit is not None and self._sequence is not None:
            try:
                outcome = records.outcome(entry, self._results)
                closed.conclude(self._audit, self._sequence, outcome)
            except ToolError as failed:
                broken = broken or failed
        if broken is not None and error is None:
            entry = replace(entry, outcome="error", error=f"{type(broken).__name__}: {broken}")
        self._ledger.write(entry)
        for sink in self._guards.sinks:
            try:
                sink.write(entry)
            except ToolError as failed:
                broken = broken or failed
        if broken is not None:
            raise broken
