"""The sink: no canary comes through a log line, a traceback or a record."""

from __future__ import annotations

import io
import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest

from llava_agent.gateway.guards import sink

CANARIES = ("ann.lee@example.com", "4111 1111 1111 1111", "AKIAIOSFODNN7EXAMPLE", "s3cret-pw")
TEXT = "mail ann.lee@example.com card 4111 1111 1111 1111 key AKIAIOSFODNN7EXAMPLE db://app:s3cret-pw@host/x"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    before, hook = logging.getLogRecordFactory(), sys.excepthook
    sink.install()
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    logger = logging.getLogger("sink-test")
    logger.addHandler(handler)
    yield out
    logger.removeHandler(handler)
    logging.setLogRecordFactory(before)
    sys.excepthook = hook


def test_log_lines_arguments_and_tracebacks_are_masked(log: io.StringIO) -> None:
    logger = logging.getLogger("sink-test")
    logger.warning("said %s", TEXT)
    logger.warning("card %s %s", "4111 1111", "1111 1111")
    logger.warning(TEXT)
    try:
        raise ValueError(TEXT)
    except ValueError:
        logger.exception("failed")
    text = log.getvalue()
    assert text.count("[email_1]") == 3 and "ValueError" in text
    assert not [canary for canary in CANARIES if canary in text]


def test_a_log_line_that_cannot_be_formatted_says_nothing(log: io.StringIO) -> None:
    logging.getLogger("sink-test").warning("two %s %s", TEXT)
    assert "ann" not in log.getvalue()


def test_the_access_log_of_uvicorn_still_formats(log: io.StringIO) -> None:
    from uvicorn.logging import AccessFormatter

    arguments = ("127.0.0.1:1", "GET", "/?mail=ann.lee%40example.com", "1.1", 200)
    record = logging.getLogRecordFactory()(
        "uvicorn.access", 20, "", 0, '%s - "%s %s HTTP/%s" %d', arguments, None
    )
    line = AccessFormatter("%(client_addr)s %(request_line)s %(status_code)s", use_colors=False).format(
        record
    )
    assert "GET /?mail=[email_1]" in line and "200" in line


def test_an_uncaught_exception_is_printed_masked() -> None:
    code = f"from llava_agent.gateway.guards import sink; sink.install(); raise ValueError({TEXT!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "ValueError: mail [email_1]" in done.stderr


def test_records_are_masked_at_every_depth() -> None:
    record = sink.masked_values({"a": TEXT, "b": [{"c": (TEXT, 7)}], "d": None})
    assert not [canary for canary in CANARIES if canary in repr(record)]
    assert record["d"] is None and record["b"][0]["c"][1] == 7


def test_what_cannot_be_masked_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        name = "broken"

        def look(self, text: str, place: object) -> list[object]:
            raise RuntimeError

    monkeypatch.setattr(sink, "_GUARDS", (Broken(),))
    assert "ann" not in sink.masked(TEXT)


@pytest.mark.parametrize("text", ["1700000000000 ms", "id 1234567890123456", "took 0.123 s", "step 4 of 12"])
def test_times_and_counters_stay(text: str) -> None:
    assert sink.masked(text) == text
