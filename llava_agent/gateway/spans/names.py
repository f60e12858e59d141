"""Every name that OpenTelemetry's conventions for GenAI give to what the ledger says of a call.

https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/ (in development, so it is kept in one place).
The attributes that would hold content (`gen_ai.input.messages`, `gen_ai.output.messages`) are never set.
"""

from __future__ import annotations

from llava_agent.gateway.guards.sink import masked
from llava_agent.gateway.ledger import Entry

Value = str | int | float | bool


def span_name(entry: Entry) -> str:
    return f"{_OPERATION} {masked(entry.model)}"


def attributes(entry: Entry) -> dict[str, Value]:
    """Masked like everything else that is written about a call; no user's name is among them."""
    found: dict[str, Value | None] = {
        "gen_ai.operation.name": _OPERATION,
        "gen_ai.provider.name": "llava_agent",
        "gen_ai.request.model": entry.model,
        "gen_ai.response.model": entry.model,
        "gen_ai.usage.input_tokens": entry.prompt_tokens,
        "gen_ai.usage.output_tokens": entry.output_tokens,
        "gen_ai.conversation.id": entry.run or None,
        "error.type": entry.error.partition(":")[0] if entry.error else None,
        # What the conventions have no name for.
        "llava_agent.call": entry.call,
        "llava_agent.step": entry.step,
        "llava_agent.step_kind": entry.kind,
        "llava_agent.tier": entry.tier,
        "llava_agent.attempt": entry.attempt,
        "llava_agent.data_class": entry.data_class,
        "llava_agent.policy": entry.policy or None,
        "llava_agent.image_tokens": entry.image_tokens,
        "llava_agent.cost": entry.cost,
        "llava_agent.approval": entry.approval or None,
        "llava_agent.shadow": entry.shadow,
    }
    return {
        name: masked(value) if isinstance(value, str) else value
        for name, value in found.items()
        if value is not None
    }


_OPERATION = "chat"
