"""Policies that ask a model: all vision, all text, or routed (the default)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from llava_agent.agent.candidate import READ_ONLY, candidate
from llava_agent.agent.decision import (
    Aim,
    Decision,
    aim,
    offered_marks,
    offered_verbs,
    to_action,
)
from llava_agent.agent.plan.fields import Known
from llava_agent.agent.plan.move import Move
from llava_agent.agent.plan.part import Plan
from llava_agent.agent.plan.pursue import pursue
from llava_agent.agent.plan.tick import served
from llava_agent.agent.secret import whole
from llava_agent.agent.state import State
from llava_agent.errors import NoPermittedModel
from llava_agent.gateway.gateway import Gateway
from llava_agent.gateway.request import Choice, ModelRequest
from tools.action import Done
from tools.mark import Mark
from tools.observation import Observation

#: Below this confidence a text step is asked again of the vision model.
SURE_ENOUGH = 0.5
#: Above this share of controls without words, the words cannot decide.
TOO_MANY_WORDLESS = 0.25

_APPEARANCE = re.compile(
    r"\b(red|green|blue|yellow|orange|purple|violet|pink|brown|black|white|gr[ae]y|cyan|magenta|colou?r(ed)?|"
    r"icon|logo|symbol|shape|circle|square|triangle|star|arrow|shaded|highlighted|bold|larger|smaller|"
    r"largest|smallest|left|right|above|below|looks? like)\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|'[^']*'")


class Policy(Protocol):
    """Chooses the next action. A policy holds no memory: whatever it may know is in the state."""

    @property
    def name(self) -> str: ...

    def decide(self, state: State, observation: Observation) -> Decision: ...


class ModelPolicy:
    """Asks the gateway once for a step and turns the choice into an action."""

    name = "model"

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def decide(self, state: State, observation: Observation) -> Decision:
        return self.decide_freely(replace(state, plan=Plan()), observation)

    def decide_freely(self, state: State, observation: Observation) -> Decision:
        """The model chooses among everything that is offered."""
        marks = offered_marks(state, observation)
        choice, escalated = self.ask(_request(state, observation), state, observation, marks)
        choice = aim(choice, marks)
        action, problem = to_action(choice, marks)
        if action is not None and action.verb == "type":
            action = action.model_copy(update={"text": whole(action.text, state.goal)})
        refs = tuple(mark.ref for mark in marks)
        reason = choice.route.reason
        return Decision(action, reason, choice, refs, choice.confidence, escalated, problem)

    def decide_among(self, state: State, observation: Observation, move: Move) -> Decision:
        """The model chooses one of the few marks that a part of the plan may mean."""
        verb: str = "type" if move.make and move.make(move.marks[0]).verb == "type" else "click"
        choice, escalated = self.ask(_request(state, observation), state, observation, move.marks, (verb,))
        best = max(range(len(move.marks)), key=lambda at: choice.distribution[at])
        refs = tuple(mark.ref for mark in move.marks)
        assert move.make is not None
        action = move.make(move.marks[best])
        return Decision(action, choice.route.reason, choice, refs, choice.distribution[best], escalated)

    def ask(
        self,
        request: ModelRequest,
        state: State,
        observation: Observation,
        marks: Sequence[Mark],
        verbs: Sequence[str] = (),
    ) -> tuple[Choice, bool]:
        """The model's choice, and whether the larger model decided after the smaller one.

        Args:
            verbs: those that may be chosen; all that make sense where none is given.
        """
        offered = tuple(verbs) or offered_verbs(state, observation, marks)
        return self._choose(request, marks, offered), False

    def _choose(self, request: ModelRequest, marks: Sequence[Mark], verbs: Sequence[str]) -> Choice:
        return self.gateway.choose(request, [candidate(mark) for mark in marks], verbs)


class TextPolicy(ModelPolicy):
    """Decides every step from the words of the marks."""

    name = "text"


class VisionPolicy(ModelPolicy):
    """Decides every step with pixels, where the surface has any."""

    name = "vision"

    def ask(
        self,
        request: ModelRequest,
        state: State,
        observation: Observation,
        marks: Sequence[Mark],
        verbs: Sequence[str] = (),
    ) -> tuple[Choice, bool]:
        seeing = replace(
            request,
            needs_pixels=request.image is not None,
            minimum_tier=1,
            because="the policy decides every step with the vision model",
        )
        return super().ask(seeing, state, observation, marks, verbs)


class UnplannedPolicy(ModelPolicy):
    """Text unless the step needs pixels; vision where it does, or where text failed or is unsure.

    It has no plan: what the plan is worth is measured against it.
    """

    name = "unplanned"

    def __init__(self, gateway: Gateway, sure_enough: float = SURE_ENOUGH) -> None:
        super().__init__(gateway)
        self.sure_enough = sure_enough

    def ask(
        self,
        request: ModelRequest,
        state: State,
        observation: Observation,
        marks: Sequence[Mark],
        verbs: Sequence[str] = (),
    ) -> tuple[Choice, bool]:
        offered = tuple(verbs) or offered_verbs(state, observation, marks)
        why = pixels_needed(state, marks) if request.image is not None else ""
        if why:
            seeing = replace(request, needs_pixels=True, because=why)
            return self._choose(seeing, marks, offered), False
        if state.trouble and request.image is not None:
            why = f"escalated: {state.trouble}"
            harder = replace(request, minimum_tier=1, because=why)
            return self._choose(harder, marks, offered), True
        choice = self._choose(request, marks, offered)
        if choice.confidence >= self.sure_enough or request.image is None or choice.route.tier != "text":
            return choice, False
        if self.gateway.one_set_of_weights and not _wordless(marks):
            return choice, False  # the same weights would read the same words again, only dearer
        why = f"escalated: the text model was only {choice.confidence:.2f} sure of {choice.verb}"
        harder = replace(request, minimum_tier=1, because=why)
        try:
            second = self._choose(harder, marks, offered)
        except NoPermittedModel:
            return choice, False
        return (second, True) if second.confidence >= choice.confidence else (choice, False)


class RoutedPolicy(UnplannedPolicy):
    """The plan first: where a part of it names exactly one mark, no model is asked; among a few, the model
    chooses one of them; elsewhere it decides freely, by words or by pixels."""

    name = "routed"

    def decide(self, state: State, observation: Observation) -> Decision:
        if observation.surface != "page":
            return super().decide(state, observation)
        known = Known(state.facts, bool(state.photos) or state.manuals)
        pursuit = pursue(state.plan, observation, known)
        state, move = replace(state, plan=pursuit.plan), pursuit.move
        if move is None and finished(state):
            return Decision(Done(), "plan: every part is done")
        if move is None:
            decision = self.decide_freely(state, observation)
            return replace(decision, aim=served(decision.action, pursuit.plan, observation))
        at = pursuit.plan.at
        assert at is not None
        if move.action is not None:
            return Decision(
                move.action, f"plan: {move.reason}", aim=Aim(pursuit.plan, at, move.note, move.ends)
            )
        decision = self.decide_among(state, observation, move)
        target = getattr(decision.action, "target", None)
        note = target.ref if target is not None and target.ref else "chosen"
        return replace(decision, aim=Aim(pursuit.plan, at, note, move.ends))


def finished(state: State) -> bool:
    """Every part of an understood plan is done, and *done* was not said since."""
    plan = state.plan
    said = any(line == "done" or line.startswith("done:") for line in state.history)
    return plan.guides and plan.at is None and not said


def pixels_needed(state: State, marks: Sequence[Mark]) -> str:
    """Why the words of the marks cannot decide this step; empty where they can."""
    word = _APPEARANCE.search(_QUOTED.sub(" ", state.goal))
    if word:
        return f"the goal speaks of how things look ({word.group(0).lower()})"
    controls = [mark for mark in marks if mark.role not in READ_ONLY]
    wordless = _wordless(marks)
    if controls and len(wordless) / len(controls) > TOO_MANY_WORDLESS:
        return f"{len(wordless)} of {len(controls)} controls have no words"
    return ""


def _wordless(marks: Sequence[Mark]) -> list[Mark]:
    """Controls that only pixels can tell apart."""
    return [mark for mark in marks if mark.role not in READ_ONLY and not mark.text.strip()]


def _request(state: State, observation: Observation) -> ModelRequest:
    return ModelRequest(
        step_kind="act" if observation.surface == "page" else "tool_args",
        instruction=state.goal,
        facts=tuple(fact.line() for fact in state.facts),
        history=state.shown_history(),
        image=observation.screenshot,
        run=state.run,
        step=state.spent.steps,
    )
