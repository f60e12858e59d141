"""What an agent knows during a run. A state is a value: each step makes the next one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from llava_agent.agent.fact import Fact
from llava_agent.agent.plan.part import Plan

#: History lines that the model is shown; older ones stay in the trace.
SHOWN_HISTORY = 8


@dataclass(frozen=True, slots=True)
class Budget:
    """Hard limits of a run; None is no limit. Money is in the installation's currency."""

    steps: int = 30
    seconds: float | None = 600.0
    tokens: int | None = None
    image_tokens: int | None = None
    money: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Spent:
    """What a run has used so far."""

    steps: int = 0
    seconds: float = 0.0
    tokens: int = 0
    image_tokens: int = 0
    money: Decimal = Decimal(0)

    def over(self, budget: Budget) -> str | None:
        """The sentence that names the first limit reached, None while within all of them."""
        if self.steps >= budget.steps:
            return f"the limit of {budget.steps} steps was reached"
        if budget.seconds is not None and self.seconds >= budget.seconds:
            return f"the limit of {budget.seconds:g} seconds was reached"
        if budget.tokens is not None and self.tokens >= budget.tokens:
            return f"the limit of {budget.tokens} tokens was reached"
        if budget.image_tokens is not None and self.image_tokens >= budget.image_tokens:
            return f"the limit of {budget.image_tokens} image tokens was reached"
        if budget.money is not None and self.money >= budget.money:
            return f"the limit of {budget.money} in money was reached"
        return None


@dataclass(frozen=True, slots=True)
class Counters:
    """How often each rung of the ladder was needed.

    Attributes:
        refused: actions that the surface or a guard refused.
        unconfirmed: actions that were carried out but whose expectation did not hold.
        escalated: steps decided by the larger model after the smaller one was unsure or had failed.
        banned: targets taken away because the same action was repeated on the same page.
        unparsed: answers of the model that named no possible action.
        malformed: actions whose arguments were refused.
        unresolved: targets that were stale, covered, disabled, off the screen or not there.
        retried: stale targets that were found again without asking the model.
        denied: actions that the policy or a person did not permit.
        approved: actions that a person approved.
        answered: questions that a person answered.
    """

    refused: int = 0
    unconfirmed: int = 0
    escalated: int = 0
    banned: int = 0
    unparsed: int = 0
    malformed: int = 0
    unresolved: int = 0
    retried: int = 0
    denied: int = 0
    approved: int = 0
    answered: int = 0


@dataclass(frozen=True, slots=True)
class State:
    """Everything that a policy may decide on, beside the observation.

    Attributes:
        goal: the user's words.
        photos: image files of the run, for `look`.
        manuals: `look` may also ask the manuals.
        plan: the goal's parts, and which of them are done.
        facts: what is known, in order of learning.
        history: one line a step, oldest first.
        banned: refs that may not be chosen again, because choosing them went in circles.
        trouble: why the last step did not come out as expected, empty where it did; a routed policy
            escalates on it.
    """

    goal: str
    run: str = ""
    photos: tuple[Path, ...] = ()
    manuals: bool = False
    plan: Plan = field(default_factory=Plan)
    facts: tuple[Fact, ...] = ()
    history: tuple[str, ...] = ()
    banned: frozenset[str] = frozenset()
    trouble: str = ""
    spent: Spent = field(default_factory=Spent)
    counters: Counters = field(default_factory=Counters)

    def learned(self, fact: Fact) -> State:
        """The state with a fact more; a fact of the same name is replaced."""
        others = tuple(known for known in self.facts if known.name != fact.name)
        return replace(self, facts=(*others, fact))

    def did(self, line: str, trouble: str = "") -> State:
        """The state after one step."""
        spent = replace(self.spent, steps=self.spent.steps + 1)
        return replace(self, history=(*self.history, line), trouble=trouble, spent=spent)

    def counted(self, name: str) -> State:
        """One more on the counter of that name."""
        counters = replace(self.counters, **{name: getattr(self.counters, name) + 1})
        return replace(self, counters=counters)

    def shown_history(self) -> tuple[str, ...]:
        return self.history[-SHOWN_HISTORY:]
