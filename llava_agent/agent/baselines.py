"""Policies without a model: a script for tests, and the floors that every figure is compared with."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from llava_agent.agent.decision import Decision, offered_marks, offered_verbs, targets
from llava_agent.agent.effects import SENDS
from llava_agent.agent.state import State
from tools.action import Action, Click, Done, Look, Press, Scroll, Select, Target, Type
from tools.mark import Mark
from tools.observation import Observation

Move = Action | Callable[[State, Observation], Action]


class OraclePolicy:
    """Plays a given script, one move a step; a move may be a function of the state and what is seen.

    Targets named by `text` are looked up among the marks, controls first. After the last move it says done.
    """

    name = "oracle"

    def __init__(self, script: Sequence[Move]) -> None:
        self.script = tuple(script)

    def decide(self, state: State, observation: Observation) -> Decision:
        if state.spent.steps >= len(self.script):
            return Decision(Done(), "the script is at its end")
        move = self.script[state.spent.steps]
        action = move(state, observation) if callable(move) else move
        return Decision(_by_ref(action, observation), "the script says so")


class RandomPolicy:
    """Any possible action with the same probability, from a seed."""

    name = "random"

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def decide(self, state: State, observation: Observation) -> Decision:
        draw = random.Random(f"{self.seed}/{state.spent.steps}/{observation.address}")
        marks = offered_marks(state, observation)
        verb = draw.choice(offered_verbs(state, observation, marks))
        possible = targets(verb, marks)
        target = Target(ref=marks[draw.choice(possible)].ref) if possible else None
        words = [*state.goal.split(), *(fact.value for fact in state.facts)] or ["x"]
        return Decision(_drawn(verb, target, draw.choice(words)), "drawn at random", confidence=0.0)


class BlindPolicy:
    """Reads nothing of the goal: clicks the first submit-like button once, then says done."""

    name = "blind"

    def decide(self, state: State, observation: Observation) -> Decision:
        buttons = [mark for mark in offered_marks(state, observation) if mark.role in ("button", "operation")]
        submits = [mark for mark in buttons if SENDS.search(mark.text)]
        first = next(iter([*submits, *buttons]), None)
        if first is None or state.history:
            return Decision(Done(), "nothing left to click blindly", confidence=0.0)
        return Decision(Click(target=Target(ref=first.ref)), "the first submit-like button", confidence=0.0)


def _drawn(verb: str, target: Target | None, word: str) -> Action:
    if verb == "look":
        return Look(question=word)
    if verb == "scroll":
        return Scroll()
    if verb == "press":
        return Press(key="Enter")
    if target is None or verb == "done":
        return Done()
    if verb == "type":
        return Type(target=target, text=word)
    if verb == "select":
        return Select(target=target, option=word)
    return Click(target=target)


def _by_ref(action: Action, observation: Observation) -> Action:
    """The action with a target by text replaced by the mark that bears it, where there is one."""
    target = getattr(action, "target", None)
    if not isinstance(target, Target) or target.text is None:
        return action
    mark = _named(target.text, observation.marks)
    return action.model_copy(update={"target": Target(ref=mark.ref)}) if mark else action


def _named(text: str, marks: Sequence[Mark]) -> Mark | None:
    wanted = text.strip().casefold()
    same = [mark for mark in marks if mark.text.strip().casefold() == wanted]
    controls = [mark for mark in same if mark.role not in ("text", "heading", "label")]
    return next(iter([*controls, *same]), None)
