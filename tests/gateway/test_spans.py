"""OpenTelemetry: one span a call, under GenAI names, without content, to the collector alone."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from llava_agent.errors import ConfigError
from llava_agent.gateway import spans
from llava_agent.gateway.ledger import Entry
from llava_agent.gateway.spans.export import Spans

ENTRY = Entry(
    "run-7",
    3,
    "act",
    "choose",
    "depot-text",
    "text",
    "the words are enough",
    prompt_tokens=40,
    output_tokens=2,
    ms={"total": 120.0},
    user="ann",
    cost="0.002",
    policy="0123456789abcdef",
)


@pytest.fixture
def collector() -> Iterator[ThreadingHTTPServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self.server.got.append((self.path, body))  # type: ignore[attr-defined]
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.got = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def sent(collector: Any, *entries: Entry) -> list[Any]:
    sink = Spans(f"http://127.0.0.1:{collector.server_port}")
    for entry in entries:
        sink.write(entry)
    sink.close()
    found = []
    for path, body in collector.got:
        assert path == "/v1/traces"
        request = ExportTraceServiceRequest.FromString(body)
        found += [span for one in request.resource_spans for scope in one.scope_spans for span in scope.spans]
    return found


def values(span: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes}


def test_a_call_is_a_span_under_the_names_of_the_conventions(collector: Any) -> None:
    failed = replace(ENTRY, step=4, outcome="error", error="ModelFailure: busy")
    elsewhere = replace(ENTRY, run="run-8")
    first, second, third = sent(collector, ENTRY, failed, elsewhere)
    told = values(first)
    assert first.name == "chat depot-text"
    assert told["gen_ai.operation.name"] == "chat" and told["gen_ai.request.model"] == "depot-text"
    assert (told["gen_ai.usage.input_tokens"], told["gen_ai.usage.output_tokens"]) == (40, 2)
    assert told["llava_agent.step"] == 3 and "error.type" not in told
    assert first.end_time_unix_nano - first.start_time_unix_nano == 120_000_000
    assert (second.status.code, values(second)["error.type"]) == (2, "ModelFailure")
    assert first.trace_id == second.trace_id != third.trace_id


def test_no_content_and_no_name_gets_into_a_span(collector: Any) -> None:
    text = "mail ann.lee@example.com card 4111 1111 1111 1111 key AKIAIOSFODNN7EXAMPLE"
    sent(collector, replace(ENTRY, run=text, model=text, error=f"ToolError: {text}", reason=text))
    ((_, body),) = collector.got
    for canary in (b"ann", b"lee@", b"4111", b"AKIA"):
        assert canary not in body


def test_a_collector_that_is_away_costs_nobody_anything(collector: Any) -> None:
    collector.shutdown()
    collector.server_close()
    sink = Spans(f"http://127.0.0.1:{collector.server_port}")
    sink.write(ENTRY)
    sink.close()


def test_it_is_off_by_default_and_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(spans.COLLECTOR, raising=False)
    assert not spans.wanted()
    code = (
        "import sys; sys.modules['opentelemetry.sdk'] = None\n"
        "from llava_agent.gateway.spans import open_spans\n"
        "from llava_agent.errors import ConfigError\n"
        "try: open_spans()\nexcept ConfigError as error: print(error.mend)"
    )
    monkeypatch.setenv(spans.COLLECTOR, "http://127.0.0.1:4318")
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.stdout.strip() == "pip install llava-agent[otel]", ended.stderr
    monkeypatch.setenv(spans.COLLECTOR, "collector")
    with pytest.raises(ConfigError):
        spans.open_spans()
