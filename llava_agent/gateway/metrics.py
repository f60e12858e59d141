"""The ledger's figures for Prometheus. Labels are models, kinds and outcomes: never a user, never content."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from llava_agent.gateway.ledger import Entry

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class CallMetrics:
    """Counts what is written to it; give it to a `Ledger` as one of its sinks.

    Args:
        registry: the server's, which `/metrics` shows.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        from prometheus_client import Counter, Histogram

        labels = ["model", "kind"]
        self._calls = Counter(
            "llava_agent_model_calls", "Calls of models", [*labels, "outcome"], registry=registry
        )
        self._tokens = Counter("llava_agent_model_tokens", "Tokens", [*labels, "part"], registry=registry)
        self._cost = Counter(
            "llava_agent_model_cost", "Cost in the installation's currency", labels, registry=registry
        )
        self._seconds = Histogram(
            "llava_agent_model_seconds", "Wall time of a call", labels, buckets=_SECONDS, registry=registry
        )

    def write(self, entry: Entry) -> None:
        labels = (entry.model, entry.kind)
        self._calls.labels(*labels, entry.outcome).inc()
        self._tokens.labels(*labels, "prompt").inc(entry.prompt_tokens)
        self._tokens.labels(*labels, "output").inc(entry.output_tokens)
        self._seconds.labels(*labels).observe(entry.ms.get("total", 0.0) / 1000)
        if entry.cost is not None:
            self._cost.labels(*labels).inc(float(entry.cost))


@cache
def process_metrics() -> CallMetrics:
    """Those of all calls of this process, in the registry that every server's `/metrics` shows."""
    from prometheus_client import REGISTRY

    return CallMetrics(REGISTRY)
