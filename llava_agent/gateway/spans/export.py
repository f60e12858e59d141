"""Spans, and their way to the collector."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from llava_agent import __version__
from llava_agent.egress import AllowList, Limits, client
from llava_agent.errors import LlavaAgentError
from llava_agent.gateway.ledger import Entry
from llava_agent.gateway.spans.names import attributes, span_name

_NANO = 1_000_000_000


class Spans:
    """Implements `gateway.ledger.Sink`. The calls of one run are one trace.

    Args:
        collector: address of an OTLP collector over HTTP.

    Raises:
        ConfigError: it is no address.
    """

    def __init__(self, collector: str) -> None:
        # Nothing is taken from the environment, where other programs' settings may stand.
        resource = Resource({"service.name": "llava-agent", "service.version": __version__})
        self._provider = TracerProvider(resource=resource)
        self._provider.add_span_processor(BatchSpanProcessor(_Exporter(collector)))
        self._tracer = self._provider.get_tracer("llava_agent.gateway", __version__)

    def write(self, entry: Entry) -> None:
        ended = int(datetime.fromisoformat(entry.time).timestamp() * _NANO)
        began = ended - int(entry.ms.get("total", 0.0) * 1e6)
        span = self._tracer.start_span(
            span_name(entry),
            context=_run(entry.run) if entry.run else None,
            kind=SpanKind.CLIENT,
            attributes=attributes(entry),
            start_time=began,
        )
        if entry.outcome == "error":
            span.set_status(Status(StatusCode.ERROR))
        span.end(ended)

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()


def _run(run: str) -> Context:
    """The run as a parent: its ids follow from its name, so that a resumed run goes on in the same trace."""
    digest = hashlib.sha256(run.encode()).digest()
    context = SpanContext(
        int.from_bytes(digest[:16], "big") or 1,
        int.from_bytes(digest[16:24], "big") or 1,
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )
    return set_span_in_context(NonRecordingSpan(context))


class _Exporter(SpanExporter):
    """OTLP over the product's own transport; a collector that is away costs spans and nothing else."""

    def __init__(self, collector: str) -> None:
        self._url = collector.rstrip("/") + "/v1/traces"
        self._http = client(
            AllowList.of(collector),
            Limits(bytes=2**20, seconds=10.0, redirects=0),
            headers={"content-type": "application/x-protobuf"},
        )

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        import httpx

        try:
            answer = self._http.post(self._url, content=encode_spans(spans).SerializeToString())
        except (LlavaAgentError, httpx.HTTPError):
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS if answer.status_code == 200 else SpanExportResult.FAILURE

    def shutdown(self) -> None:
        self._http.close()
