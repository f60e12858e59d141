"""Policies that ask a model: all vision, all text, or routed (the default)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from llava_agent.agent.candidate import READ_ONLY, candidate
from llava_agent.agent.decision import (
    Decision,
    aim,
    offered_marks,
    offered_verbs,
    to_action,
)
from llava_agent.agent.secret import whole
from llava_agent.agent.state import State
from llava_agent.errors import NoPermittedModel
from llava_agent.gateway.gateway import Gateway
from llava_agent.gateway.request import Choice, ModelRequest
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
        marks = offered_marks(state, observation)
        choice, escalated = self.ask(_request(state, observation), state, observation, marks)
        choice = aim(choice, marks)
        action, problem = to_action(choice, marks)
        if action is not None and action.verb == "type":
            action = action.model_copy(update={"text": whole(action.text, state.goal)})
        refs = tuple(mark.ref for mark in marks)
        reason = choice.route.reason
        return Decision(action, reason, choice, refs, choice.confidence, escalated, problem)

    def ask(
        self, request: ModelRequest, state: State, observation: Observation, marks: Sequence[Mark]
    ) -> tuple[Choice, bool]:
        """The model's choice, and whether the larger model decided after the smaller one."""
        return self._choose(request, state, observation, marks), False

    def _choose(
        self, request: ModelRequest, state: State, observation: Observation, marks: Sequence[Mark]
    ) -> Choice:
        candidates = [candidate(mark) for mark in marks]
        return self.gateway.choose(request, candidates, offered_verbs(state, observation, marks))


class TextPolicy(ModelPolicy):
    """Decides every step from the words of the marks."""

    name = "text"


class VisionPolicy(ModelPolicy):
    """Decides every step with pixels, where the surface has any."""

    name = "vision"

    def ask(
        self, request: ModelRequest, state: State, observation: Observation, marks: Sequence[Mark]
    ) -> tuple[Choice, bool]:
        seeing = replace(
            request,
            needs_pixels=request.image is not None,
            minimum_tier=1,
            because="the policy decides every step with the vision model",
        )
        return self._choose(seeing, state, observation, marks), False


class RoutedPolicy(ModelPolicy):
    """Text unless the step needs pixels; vision where it does, or where text failed or is unsure."""

    name = "routed"

    def __init__(self, gateway: Gateway, sure_enough: float = SURE_ENOUGH) -> None:
        super().__init__(gateway)
        self.sure_enough = sure_enough

    def ask(
        self, request: ModelRequest, state: State, observation: Observation, marks: Sequence[Mark]
    ) -> tuple[Choice, bool]:
        why = pixels_needed(state, marks) if request.image is not None else ""
        if why:
            seeing = replace(request, needs_pixels=True, because=why)
            return self._choose(seeing, state, observation, marks), False
        if state.trouble and request.image is not None:
            why = f"escalated: {state.trouble}"
            harder = replace(request, minimum_tier=1, because=why)
            return self._choose(harder, state, observation, marks), True
        choice = self._choose(request, state, observation, marks)
        if choice.confidence >= self.sure_enough or request.image is None or choice.route.tier != "text":
            return choice, False
        if self.gateway.one_set_of_weights and not _wordless(marks):
            return choice, False  # the same weights would read the same words again, only dearer
        why = f"escalated: the text model was only {choice.confidence:.2f} sure of {choice.verb}"
        harder = replace(request, minimum_tier=1, because=why)
        try:
            second = self._choose(harder, state, observation, marks)
        except NoPermittedModel:
            return choice, False
        return (second, True) if second.confidence >= choice.confidence else (choice, False)


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
