"""A model with what the policy knows of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from llava_agent.gateway.model import ChatModel, Tier


@dataclass(frozen=True, slots=True)
class Deployment:
    """What rules, capabilities and prices are judged by.

    Attributes:
        entry: name of the policy's entry; both tiers of one set of weights share it, and fail together.
        vision, tools, json_schema: what it can do.
        context: most tokens of prompt and answer together; None for no limit worth knowing.
        image_tokens: most tokens that one image can cost.
        quality: 1 small to 3 large.
        leaves_machine: what is sent to it leaves this machine.
        typical_ms: what a call takes; None where nobody said.
        named: the user named its preset, which the policy does not list.
        served: it is behind a server: calls may fail in passing, and take a time limit.
        absent: why it cannot be used on this machine now; empty where it can.
    """

    model: ChatModel
    entry: str
    vision: bool = True
    tools: bool = True
    json_schema: bool = True
    context: int | None = None
    image_tokens: int = 3000
    quality: int = 1
    leaves_machine: bool = False
    typical_ms: int | None = None
    named: bool = False
    served: bool = False
    absent: str = ""

    @classmethod
    def local(cls, model: ChatModel, entry: str) -> Deployment:
        """A model in this process of which nothing more is said."""
        return cls(model, entry, vision=model.tier == "vision")

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def tier(self) -> Tier:
        return self.model.tier


def local_deployments(models: Mapping[str, ChatModel]) -> tuple[Deployment, ...]:
    """Models in this process; those that run the same weights are one entry."""
    entries: dict[int, str] = {}
    found = []
    for model in models.values():
        entry = entries.setdefault(id(getattr(model, "weights", model)), model.name)
        found.append(Deployment.local(model, entry))
    return tuple(found)
