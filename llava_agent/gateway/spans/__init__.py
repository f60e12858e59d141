"""OpenTelemetry: one span for each call of a model, without content. Off unless an address is set.

`names.py` holds every name of the GenAI conventions, which still change; `export.py` sends over the product's
own transport, which speaks to the collector and nobody else.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from llava_agent.errors import ConfigError

if TYPE_CHECKING:
    from llava_agent.gateway.ledger import Sink

#: Environment variable with the collector's address, such as `http://127.0.0.1:4318`.
COLLECTOR = "LLAVA_AGENT_OTLP"


def wanted() -> bool:
    return bool(os.environ.get(COLLECTOR))


def open_spans() -> Sink:
    """Takes entries of the ledger and sends them as spans.

    Raises:
        ConfigError: the packages are missing, or the address is none.
    """
    try:
        from llava_agent.gateway.spans.export import Spans
    except ImportError:
        raise ConfigError(
            f"{COLLECTOR} is set, and OpenTelemetry is not installed", "pip install llava-agent[otel]"
        ) from None
    return Spans(os.environ[COLLECTOR])
