"""The one place that masks what is written down about a call: logs, errors, spans, texts of the ledger.

`masked` is for a text that goes into a record; `install` puts every log line and every uncaught exception of
the process through it. It takes out what the patterns find. Content does not belong into a log line at all;
this catches what slips in, above all through error messages of other people's code.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from llava_agent.gateway.guards.mask import Masks
from llava_agent.gateway.guards.patterns import Patterns
from llava_agent.gateway.guards.secrets import Secrets
from llava_agent.gateway.guards.settings import GuardSettings

_GUARDS = (Secrets(), Patterns(GuardSettings().phone_regions))
_FAILED = "[a text that could not be masked]"


def masked(text: str) -> str:
    """`text` with placeholders for personal data and secrets; nothing of it where it cannot be looked at."""
    try:
        found = [one for guard in _GUARDS for one in guard.look(text, "answer")]
        return Masks().hide(text, found) if found else text
    except Exception:
        return _FAILED


def install() -> None:
    """Mask every log record of this process when it is made, and what an uncaught exception prints."""
    before = logging.getLogRecordFactory()
    if getattr(before, "masks", False):
        return

    def make(*args: Any, **kwargs: Any) -> logging.LogRecord:
        return _masked_record(before(*args, **kwargs))

    make.masks = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(make)
    sys.excepthook = _print_masked


def _masked_record(record: logging.LogRecord) -> logging.LogRecord:
    if record.exc_info and record.exc_info[0] is not None:
        record.exc_text = masked("".join(traceback.format_exception(*record.exc_info)).rstrip())
    if record.name == "uvicorn.access" and isinstance(record.args, tuple):
        # Its formatter takes the arguments apart again.
        record.args = tuple(masked(one) if isinstance(one, str) else one for one in record.args)
        return record
    try:
        text = record.getMessage()
    except Exception:
        text = _FAILED
    record.msg, record.args = masked(text), ()
    return record


def _print_masked(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    sys.stderr.write(masked("".join(traceback.format_exception(kind, error, trace))))


def masked_values(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record whose texts are masked, at every depth."""
    return {key: _masked_value(value) for key, value in record.items()}


def _masked_value(value: Any) -> Any:
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, Mapping):
        return masked_values(value)
    return [_masked_value(one) for one in value] if isinstance(value, list | tuple) else value
