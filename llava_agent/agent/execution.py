"""Carries out one decided action, through the gate: on the surface, by a tool, a photo or a person."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from llava_agent.agent.attendant import Question
from llava_agent.agent.clock import RunClock
from llava_agent.agent.effects import effect_on
from llava_agent.agent.expect import Expectation, check_goal
from llava_agent.agent.fact import Fact
from llava_agent.agent.gate import Gate
from llava_agent.agent.history import done_line
from llava_agent.agent.perceive import Eyes
from llava_agent.agent.repeats import fingerprint
from llava_agent.agent.scribe import Scribe
from llava_agent.agent.secret import Secrets
from llava_agent.agent.state import State
from llava_agent.agent.turn import Turn, refused
from llava_agent.agent.verify import Verification, check_action
from llava_agent.errors import PermissionDenied
from tools.action import Action, Ask, Effect, ToolCall
from tools.observation import Observation, Outcome, Surface
from tools.tool import Toolbox

#: The tool that answers from the manuals, where a run has it.
MANUALS = "knowledge.ask"
#: Characters of a tool's text that are kept as a fact; the whole of it is in the trace.
_FACT = 400


@dataclass(slots=True)
class Execution:
    """What a run may act on, and under which guard.

    Attributes:
        withheld: lines of irreversible actions that may have been carried out before a kill; they are never
            carried out again.
    """

    surface: Surface
    gate: Gate
    scribe: Scribe
    eyes: Eyes | None = None
    tools: Toolbox = field(default_factory=Toolbox)
    secrets: Secrets = field(default_factory=Secrets)
    expectations: Sequence[Expectation] = ()
    withheld: frozenset[str] = frozenset()

    async def carry_out(self, action: Action, seen: Observation, state: State, clock: RunClock) -> Turn:
        """Do it, and say whether its expectation held."""
        if action.verb == "done":
            return Turn(Outcome(True), seen, await check_goal(self.expectations, seen))
        if action.verb == "look":
            return await self._look(action.question, seen, state, clock)
        if action.verb == "ask":
            return await self._ask(action, seen, state, clock)
        effect = self._effect(action, seen)
        if effect == "irreversible" and done_line(action, seen) in self.withheld:
            return refused("denied", "it may have been carried out before the interruption", seen)
        if action.verb == "tool" and (problem := self.tools.problem(action.name, action.arguments)):
            return refused("invalid", problem, seen)
        with clock.stopped():
            admission = await self.gate.admit(action, effect, seen, state)
        if not admission.allowed:
            turn = refused("denied", admission.detail, seen, block=admission.blocked)
            return replace(turn, admission=admission)
        if admission.by and action.verb != "tool":
            # The page had time to change: what was approved is done on the page that was seen, or not at all.
            now = await self.surface.observe()
            if fingerprint(now) != fingerprint(seen):
                turn = refused("stale", "the page changed while the action waited for its approval", now)
                return replace(turn, admission=admission)
            seen = now
        if effect == "irreversible":
            self.scribe.intent(action, seen, state, admission.by)
        turn = await (self._call(action, seen) if action.verb == "tool" else self._act(action, seen))
        return replace(turn, admission=admission)

    def _effect(self, action: Action, seen: Observation) -> Effect:
        if action.verb == "tool":
            return self.tools.effect(action.name, action.arguments)
        return effect_on(self.surface, action, seen)

    async def _act(self, action: Action, seen: Observation) -> Turn:
        outcome = await self.surface.act(action, seen)
        after = await self.surface.observe()
        retried = False
        if outcome.reason == "stale" and _same_target(action, seen, after):
            # The page was drawn anew and the target is there again: nothing has to be decided anew.
            retried, seen = True, after
            outcome = await self.surface.act(action, seen)
            after = await self.surface.observe()
        check = await check_action(action, seen, after, outcome, self.surface)
        return Turn(outcome, after, check, retried=retried)

    async def _call(self, call: ToolCall, seen: Observation) -> Turn:
        try:
            filled = self.secrets.inject(call, "")
        except PermissionDenied as error:
            return refused("denied", str(error), seen)
        assert filled.verb == "tool"
        given = await self.tools.call(call.name, filled.arguments)
        data = self.secrets.masked(given.data)
        assert isinstance(data, dict)
        outcome = replace(given, detail=self.secrets.mask(given.detail), data=data)
        if not outcome.ok:
            return Turn(outcome, seen, Verification("failed", "outcome", outcome.detail))
        text = " ".join(str(outcome.data.get("text", "")).split())
        fact = Fact(call.name, text if len(text) <= _FACT else f"{text[:_FACT]}…", 1.0)
        return Turn(outcome, seen, Verification("held", "outcome", outcome.detail), fact)

    async def _look(self, question: str, seen: Observation, state: State, clock: RunClock) -> Turn:
        fact = None
        if self.eyes is not None and state.photos:
            fact = await asyncio.to_thread(
                self.eyes.look, state.photos, question, run=state.run, step=state.spent.steps
            )
        if fact is None and state.manuals:
            return await self._look_up(question, seen, state, clock)
        if not state.photos:
            return refused("not_found", "this run has no photo to look at", seen)
        if fact is None:
            return refused("not_found", f"{question} is not visible on the photos", seen)
        region = "with its region" if fact.evidence else "without a region"
        held = Verification("held" if fact.evidence else "uncertain", "outcome", f"read {region}")
        return Turn(Outcome(True, detail=fact.line()), seen, held, fact)

    async def _look_up(self, question: str, seen: Observation, state: State, clock: RunClock) -> Turn:
        """What no photo shows may stand in the manuals: a call of that tool, through the gate like all."""
        turn = await self.carry_out(
            ToolCall(name=MANUALS, arguments={"question": question}), seen, state, clock
        )
        found = turn.outcome.data.get("data")
        if not turn.outcome.ok or not isinstance(found, Mapping):
            return turn
        if not found["found"]:
            return replace(
                turn, outcome=Outcome(False, "not_found", f"{question} is not in the manuals"), fact=None
            )
        text = " ".join(str(found["answer"]).split())
        return replace(turn, fact=Fact(question, text if len(text) <= _FACT else f"{text[:_FACT]}…", 1.0))

    async def _ask(self, ask: Ask, seen: Observation, state: State, clock: RunClock) -> Turn:
        question = Question(state.run, state.spent.steps, ask.question, ask.about, self.gate.image(seen))
        with clock.stopped():
            answer = await self.gate.attendant.answer(question)
        if answer is None:
            detail = f"the run needs an answer to: {ask.question} (nobody is there to give it)"
            return refused("denied", detail, seen, block=True)
        if not answer.strip():
            return refused("not_found", "the user gave no answer", seen)
        fact = Fact(ask.about, answer.strip(), 1.0)
        held = Verification("held", "outcome", "the user answered")
        return Turn(Outcome(True, detail=fact.line()), seen, held, fact)


def _same_target(action: Action, seen: Observation, after: Observation) -> bool:
    """The target of a stale action stands on the page as it is now, under the same stable name."""
    target = getattr(action, "target", None)
    if target is None or target.ref is None or seen.address != after.address:
        return False
    return seen.mark(target.ref) is not None and after.mark(target.ref) is not None
