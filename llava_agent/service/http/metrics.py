"""Counts of requests for Prometheus. Labels are the routes' patterns, never what stands in an address."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class HttpMetrics:
    """One registry for each application, so that two in one process count apart."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ["method", "route", "status"]
        self._requests = Counter(
            "llava_agent_http_requests", "HTTP requests answered", labels, registry=self.registry
        )
        self._seconds = Histogram(
            "llava_agent_http_seconds",
            "Seconds until the last byte",
            ["route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._open = Gauge("llava_agent_http_open", "HTTP requests under way", registry=self.registry)

    def began(self) -> None:
        self._open.inc()

    def ended(self, scope: MutableMapping[str, Any], status: int, seconds: float) -> None:
        self._open.dec()
        route = getattr(scope.get("route"), "path", "") or "other"
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        # 499, as nginx has it: the caller went away before there was an answer.
        self._requests.labels(method, route, str(status or 499)).inc()
        self._seconds.labels(route).observe(seconds)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
