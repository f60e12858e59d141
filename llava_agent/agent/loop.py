"""State -> Policy -> Action -> Observation: observe, decide, act, verify, record, until something ends it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

from llava_agent.agent.decision import Decision
from llava_agent.agent.effects import effect_on
from llava_agent.agent.expect import Expectation, all_exact, check_goal
from llava_agent.agent.history import done_line
from llava_agent.agent.perceive import Eyes
from llava_agent.agent.policy import Policy
from llava_agent.agent.record import Status, StepRecord
from llava_agent.agent.repeats import Repeats, fingerprint
from llava_agent.agent.scribe import Scribe
from llava_agent.agent.state import Budget, State
from llava_agent.agent.turn import Turn, refused
from llava_agent.agent.verify import Verification, check_action
from llava_agent.errors import LlavaAgentError
from tools.observation import Observation, Outcome, Surface

Progress = Callable[[StepRecord], None]


@dataclass(frozen=True, slots=True)
class End:
    """Why a run is over."""

    status: Status
    reason: str
    verification: Verification


@runtime_checkable
class EndsItself(Protocol):
    """A surface that can be over, such as an episode or a session that is closed from outside."""

    def ended(self) -> str | None:
        """The sentence that says why it is over; None while it is not."""
        ...


@dataclass(slots=True)
class Loop:
    """One run on one surface.

    Attributes:
        state: the newest state; valid at any time, also after a failure.
        stop_when_met: end as soon as exact expectations hold that did not hold at the start.
        withheld: lines of irreversible actions that may have been carried out before a kill; they are never
            carried out again.
    """

    surface: Surface
    policy: Policy
    scribe: Scribe
    state: State
    budget: Budget
    eyes: Eyes | None = None
    expectations: Sequence[Expectation] = ()
    stop_when_met: bool = False
    withheld: frozenset[str] = frozenset()
    progress: Progress | None = None
    repeats: Repeats = field(default_factory=Repeats)
    _seen: Observation | None = None
    _before: float = 0.0
    _started: float = 0.0

    async def run(self) -> End:
        """Step until the goal is verified, a limit is reached, or nothing can go on."""
        self._before, self._started = self.state.spent.seconds, time.monotonic()
        left = None if self.budget.seconds is None else max(0.0, self.budget.seconds - self._before)
        try:
            async with asyncio.timeout(left) as clock:
                return await self._steps()
        except TimeoutError:
            if not clock.expired():
                raise
            return await self._end("budget", f"the limit of {self.budget.seconds:g} seconds was reached")
        except LlavaAgentError as error:
            return End("blocked", str(error), Verification("uncertain", "none", "the run could not go on"))

    async def _steps(self) -> End:
        self._seen = observation = await self.surface.observe()
        watch = self.stop_when_met and all_exact(self.expectations)
        # What holds from the start says nothing about what was done.
        watch = watch and not (await check_goal(self.expectations, observation)).held
        while True:
            over = self.state.spent.over(self.budget)
            if over:
                return await self._end("budget", over)
            began = time.monotonic()
            decision = await asyncio.to_thread(self.policy.decide, self.state, observation)
            decided = time.monotonic()
            turn = await self._take(decision, observation)
            self._advance(decision, turn, observation)
            record = self.scribe.step(decision, turn, observation, self.state, began, decided)
            if self.progress:
                self.progress(record)
            end = await self._ended(decision, turn, watch)
            if end:
                return end
            self._seen = observation = turn.after

    async def _take(self, decision: Decision, seen: Observation) -> Turn:
        """Carry out a decision. A model's mistake becomes a refusal that the policy sees."""
        action = decision.action
        if action is None:
            return refused("invalid", decision.problem, seen)
        ban = self.repeats.note(fingerprint(seen), action)
        if ban:
            return refused("denied", "the same action was tried on the same page before", seen, ban)
        if action.verb == "done":
            return Turn(Outcome(True), seen, await check_goal(self.expectations, seen))
        if action.verb == "look":
            return await self._look(action.question, seen)
        if effect_on(self.surface, action, seen) == "irreversible":
            if done_line(action, seen) in self.withheld:
                return refused("denied", "it may have been carried out before the interruption", seen)
            self.scribe.intent(action, seen, self.state)
        outcome = await self.surface.act(action, seen)
        after = await self.surface.observe()
        return Turn(outcome, after, await check_action(action, seen, after, outcome, self.surface))

    async def _look(self, question: str, seen: Observation) -> Turn:
        if self.eyes is None or not self.state.photos:
            return refused("not_found", "this run has no photo to look at", seen)
        fact = await asyncio.to_thread(
            self.eyes.look, self.state.photos, question, run=self.state.run, step=self.state.spent.steps
        )
        if fact is None:
            return refused("not_found", f"{question} is not visible on the photos", seen)
        region = "with its region" if fact.evidence else "without a region"
        held = Verification("held" if fact.evidence else "uncertain", "outcome", f"read {region}")
        return Turn(Outcome(True, detail=fact.line()), seen, held, fact)

    def _advance(self, decision: Decision, turn: Turn, seen: Observation) -> None:
        """The next state: one line of history, what was learned, what was spent."""
        state, outcome, verification = self.state, turn.outcome, turn.verification
        failed = not outcome.ok or verification.status == "failed"
        line = done_line(decision.action, seen, outcome) if decision.action else "nothing: refused, invalid"
        if outcome.ok and failed:
            line += ": failed"
        state = state.did(line, verification.detail if failed else "")
        for name, counts in (
            ("refused", not outcome.ok),
            ("unconfirmed", outcome.ok and failed),
            ("escalated", decision.escalated),
            ("banned", turn.ban is not None),
        ):
            state = state.counted(name) if counts else state
        if turn.fact:
            state = state.learned(turn.fact)
        if turn.ban:
            state = replace(state, banned=state.banned | {turn.ban})
        seconds = self._before + time.monotonic() - self._started
        spent = replace(state.spent, seconds=seconds, tokens=self.scribe.ledger.total().tokens)
        self.state = replace(state, spent=spent)

    async def _ended(self, decision: Decision, turn: Turn, watch: bool) -> End | None:
        action, check = decision.action, turn.verification
        over = self.surface.ended() if isinstance(self.surface, EndsItself) else None
        if over:
            self._seen = turn.after
            return await self._end("failed", over)
        if action is not None and action.verb == "done" and turn.outcome.ok:
            if check.held:
                return End("passed", check.detail, check)
            if check.status == "uncertain":
                return End("unverified", check.detail, check)
        elif watch:
            goal = await check_goal(self.expectations, turn.after)
            if goal.held:
                return End("passed", goal.detail, goal)
        self._seen = turn.after
        if turn.ban == "done":
            return await self._end(
                "failed", "the policy insists that it is done, but the goal is not reached"
            )
        if self.repeats.stuck:
            return await self._end("blocked", "the run went in circles: the same actions on the same pages")
        return None

    async def _end(self, status: Status, reason: str) -> End:
        """A run that was cut off still passes where exact expectations hold on what was seen last."""
        if self._seen is None or not all_exact(self.expectations):
            return End(status, reason, Verification("uncertain", "none", "the goal was not checked"))
        goal = await check_goal(self.expectations, self._seen)
        return End("passed", f"{goal.detail} ({reason})", goal) if goal.held else End(status, reason, goal)
