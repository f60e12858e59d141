"""What the commands print: results on stdout, progress and errors on stderr."""

from __future__ import annotations

import json
import sys

from llava_agent.errors import LlavaAgentError

INTERRUPTED = 130


def print_json(value: object) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def say(text: str = "") -> None:
    """A line for a person, on stdout."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def note(text: str) -> None:
    """A line beside the result, on stderr."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def show_error(error: LlavaAgentError, *, as_json: bool) -> None:
    """One line on stderr, or one JSON object on stdout."""
    if as_json:
        kind = type(error).__name__
        print_json({"error": {"kind": kind, "what": error.what, "mend": error.mend}})
    else:
        note(f"llava-agent: {error}")
        if error.said:
            from llava_agent.gateway.guards.sink import masked

            note(f"  it said: {masked(error.said)}")
