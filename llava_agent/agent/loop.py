"""State -> Policy -> Action -> Observation: observe, decide, act, verify, record, until something ends it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

from llava_agent.agent.clock import RunClock
from llava_agent.agent.control import Control
from llava_agent.agent.decision import Decision
from llava_agent.agent.drift import Drift
from llava_agent.agent.execution import Execution
from llava_agent.agent.expect import all_exact, check_goal
from llava_agent.agent.history import done_line
from llava_agent.agent.ladder import rungs
from llava_agent.agent.plan.tick import ticked
from llava_agent.agent.policy import Policy
from llava_agent.agent.record import Status, StepRecord
from llava_agent.agent.repeats import Repeats, fingerprint
from llava_agent.agent.state import Budget, State
from llava_agent.agent.turn import Turn, refused
from llava_agent.agent.verify import Verification
from llava_agent.errors import LlavaAgentError
from tools.observation import Observation

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
        control: pauses and stops the run from outside.
    """

    execution: Execution
    policy: Policy
    state: State
    budget: Budget
    stop_when_met: bool = False
    control: Control | None = None
    progress: Progress | None = None
    repeats: Repeats = field(default_factory=Repeats)
    _seen: Observation | None = None
    _clock: RunClock = field(default_factory=lambda: RunClock(0.0, None))

    async def run(self) -> End:
        """Step until the goal is verified, a limit is reached, or nothing can go on."""
        self._clock = RunClock(self.state.spent.seconds, self.budget.seconds)
        try:
            async with self._clock.limited():
                return await self._steps()
        except TimeoutError:
            if not self._clock.expired:
                raise
            return await self._end("budget", f"the limit of {self.budget.seconds:g} seconds was reached")
        except Drift as drift:
            return End("failed", str(drift), Verification("failed", "page", str(drift)))
        except LlavaAgentError as error:
            return End("blocked", str(error), Verification("uncertain", "none", "the run could not go on"))

    async def _steps(self) -> End:
        self._seen = observation = await self.execution.surface.observe()
        goals = self.execution.expectations
        watch = self.stop_when_met and all_exact(goals)
        # What holds from the start says nothing about what was done.
        watch = watch and not (await check_goal(goals, observation)).held
        while True:
            stopped = await self._held()
            if stopped:
                return await self._end("blocked", f"stopped {stopped}")
            over = self.state.spent.over(self.budget)
            if over:
                return await self._end("budget", over)
            began = time.monotonic()
            decision = await asyncio.to_thread(self.policy.decide, self.state, observation)
            decided = time.monotonic()
            turn = await self._take(decision, observation)
            self._advance(decision, turn, observation)
            record = self.execution.scribe.step(decision, turn, observation, self.state, began, decided)
            if self.progress:
                self.progress(record)
            end = await self._ended(decision, turn, watch)
            if end:
                return end
            self._seen = observation = turn.after

    async def _held(self) -> str:
        """Wait while the run is paused; why it was stopped, empty where it goes on."""
        if self.control is None:
            return ""
        with self._clock.stopped():
            return await self.control.checkpoint()

    async def _take(self, decision: Decision, seen: Observation) -> Turn:
        """Carry out a decision. A model's mistake becomes a refusal that the policy sees."""
        action = decision.action
        if action is None:
            return refused("invalid", decision.problem, seen)
        ban = self.repeats.note(fingerprint(seen), action)
        if ban:
            return refused("denied", "the same action was tried on the same page before", seen, ban)
        return await self.execution.carry_out(action, seen, self.state, self._clock)

    def _advance(self, decision: Decision, turn: Turn, seen: Observation) -> None:
        """The next state: one line of history, what was learned, what was spent."""
        state, outcome, verification = self.state, turn.outcome, turn.verification
        failed = not outcome.ok or verification.status == "failed"
        line = done_line(decision.action, seen, outcome) if decision.action else "nothing: refused, invalid"
        if outcome.ok and failed:
            line += ": failed"
        state = state.did(line, verification.detail if failed else "")
        for name in rungs(decision, turn):
            state = state.counted(name)
        if turn.fact:
            state = state.learned(turn.fact)
        if decision.aim:
            state = replace(state, plan=ticked(decision.aim, turn))
        if turn.ban:
            state = replace(state, banned=state.banned | {turn.ban})
        used = self.execution.scribe.ledger.total()
        spent = replace(
            state.spent,
            seconds=self._clock.spent,
            tokens=used.tokens,
            image_tokens=used.image_tokens,
            money=used.money,
        )
        self.state = replace(state, spent=spent)

    async def _ended(self, decision: Decision, turn: Turn, watch: bool) -> End | None:
        action, check, surface = decision.action, turn.verification, self.execution.surface
        over = surface.ended() if isinstance(surface, EndsItself) else None
        if over:
            self._seen = turn.after
            return await self._end("failed", over)
        if turn.block:
            self._seen = turn.after
            return await self._end("blocked", turn.block)
        if action is not None and action.verb == "done" and turn.outcome.ok:
            if check.held:
                return End("passed", check.detail, check)
            if check.status == "uncertain":
                return End("unverified", check.detail, check)
        elif watch:
            goal = await check_goal(self.execution.expectations, turn.after)
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
        if self._seen is None or not all_exact(self.execution.expectations):
            return End(status, reason, Verification("uncertain", "none", "the goal was not checked"))
        goal = await check_goal(self.execution.expectations, self._seen)
        return End("passed", f"{goal.detail} ({reason})", goal) if goal.held else End(status, reason, goal)
