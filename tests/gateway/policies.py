"""Policies, deployments and recording safeguards for tests of the gateway's decisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from llava_agent.gateway.deployment import Deployment
from llava_agent.gateway.gateway import Gateway
from llava_agent.gateway.ledger import Ledger
from llava_agent.gateway.live import Fixed, Snapshot
from llava_agent.gateway.model import Price, Tier
from llava_agent.gateway.policy import Policy, load_policy
from llava_agent.gateway.principal import Principal
from llava_agent.gateway.request import Choice, Completion, ModelRequest
from llava_agent.gateway.safeguards import Safeguards
from llava_agent.gateway.screen import GuardResult, Screened
from tests.gateway.doubles import Answer, Double, choice

ENTRY: dict[str, Any] = {"preset": "embedded"}


def written(folder: Path, text: str | Mapping[str, object]) -> Path:
    path = folder / "policy.yaml"
    path.write_text(text if isinstance(text, str) else yaml.safe_dump(dict(text), sort_keys=False))
    return path


def policy(*rules: Mapping[str, object], **more: object) -> Policy:
    """A policy over the models `here`, `depot` and `cloud`; without rules everything is allowed."""
    content = {
        "version": 1,
        "models": dict.fromkeys(("here", "depot", "cloud"), ENTRY),
        "rules": list(rules) or [{"name": "all", "allow": "all"}],
        "audit": True,
        **more,
    }
    return Policy.model_validate(content)


def clicks(*_: object) -> Choice:
    return choice("click", 0, of=1)


def deployment(
    name: str, tier: Tier = "vision", answer: Answer = clicks, price: Price | None = None, **more: Any
) -> Deployment:
    made = Deployment(Double(name, tier, answer, price), name, vision=tier == "vision")
    return replace(made, **more)


def double(deployment: Deployment) -> Double:
    assert isinstance(deployment.model, Double)
    return deployment.model


@dataclass
class Clock:
    """Time that passes only when somebody sleeps or turns it."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def gateway(
    rules: Policy,
    *deployments: Deployment,
    safeguards: Safeguards | None = None,
    ledger: Ledger | None = None,
    clock: Clock | None = None,
) -> Gateway:
    clock = clock or Clock()
    live = Fixed(Snapshot(rules, deployments))
    return Gateway(live, ledger, safeguards=safeguards, clock=clock, sleep=clock.sleep)


@dataclass
class Audit:
    """Keeps what it is told; fails where it is told to."""

    intents: list[dict[str, Any]] = field(default_factory=list)
    outcomes: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    intent_fails: BaseException | None = None
    outcome_fails: BaseException | None = None

    def intent(self, record: Mapping[str, object]) -> int:
        if self.intent_fails:
            raise self.intent_fails
        self.intents.append(dict(record))
        return len(self.intents)

    def outcome(self, sequence: int, record: Mapping[str, object]) -> None:
        if self.outcome_fails:
            raise self.outcome_fails
        self.outcomes.append((sequence, dict(record)))


@dataclass
class Masking:
    """Guards that put `[masked]` in the place of `secret`, both ways."""

    results: tuple[GuardResult, ...] = (GuardResult("words", "ran"),)

    def inbound(
        self, request: ModelRequest, principal: Principal, *, leaves_machine: bool
    ) -> Screened[ModelRequest]:
        candidates = tuple(
            replace(one, line=_masked(one.line), text=_masked(one.text)) for one in request.candidates
        )
        masked = replace(request, instruction=_masked(request.instruction), candidates=candidates)
        return Screened(masked, self.results)

    def outbound(
        self, answer: Any, request: ModelRequest, principal: Principal, hidden: object = None
    ) -> Screened[Any]:
        if isinstance(answer, Completion):
            answer = replace(answer, text=_masked(answer.text))
        return Screened(answer, self.results)


def _masked(text: str) -> str:
    return text.replace("secret", "[masked]")


SHIPPED = Path(__file__).parents[2] / "configs" / "policy"


def shipped(name: str) -> Policy:
    return load_policy(SHIPPED / f"{name}.yaml")
