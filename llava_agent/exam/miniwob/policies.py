"""The policies that can sit the exam."""

from __future__ import annotations

import threading

from llava_agent.agent.baselines import BlindPolicy, RandomPolicy
from llava_agent.agent.decision import Decision
from llava_agent.agent.policy import Policy
from llava_agent.agent.run import POLICIES
from llava_agent.agent.state import State
from llava_agent.errors import ConfigError, LlavaAgentError
from llava_agent.gateway.gateway import Gateway
from tools.observation import Observation

#: Policies that ask no model.
WITHOUT_MODEL = frozenset({"random", "blind"})
_ALIASES = {"vlm": "vision"}
NAMES = (*POLICIES, *sorted(WITHOUT_MODEL))


def pick(names: str) -> tuple[str, ...]:
    """The policies in `vlm,routed,text`, each once; `vlm` is another word for `vision`.

    Raises:
        ConfigError: there is none of that name, or none at all.
    """
    chosen = tuple(dict.fromkeys(_ALIASES.get(name.strip(), name.strip()) for name in names.split(",")))
    for name in chosen:
        if name not in NAMES:
            raise ConfigError(f"there is no policy {name!r}", f"choose among {', '.join(NAMES)}")
    return chosen


def make(name: str, gateway: Gateway, seed: int) -> Policy:
    """A policy by its name; `seed` is for the random one.

    Raises:
        ConfigError: there is no such policy.
    """
    if name == "blind":
        return BlindPolicy()
    if name == "random":
        return RandomPolicy(seed)
    if name not in POLICIES:
        raise ConfigError(f"there is no policy {name!r}", f"choose one of {', '.join(NAMES)}")
    return POLICIES[name](gateway)


class Candidate(Policy):
    """A policy that shares its model with others, one decision at a time, and remembers why it failed.

    Attributes:
        error: what the model raised; such an episode says nothing about the agent, and the exam stops.
    """

    def __init__(self, inner: Policy, turn: threading.Lock) -> None:
        self.inner = inner
        self.error: LlavaAgentError | None = None
        self._turn = turn

    @property
    def name(self) -> str:
        return self.inner.name

    def decide(self, state: State, observation: Observation) -> Decision:
        with self._turn:
            try:
                return self.inner.decide(state, observation)
            except LlavaAgentError as error:
                self.error = error
                raise
