"""The words of an answer, and the schema that it was to satisfy."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from llava_agent.gateway.request import Choice, Completion, ModelRequest
from llava_agent.gateway.screen import Blocked, GuardResult, Hidden

SCHEMA = "schema"


class SchemaViolated(Blocked):
    """An answer that is no JSON or does not satisfy the request's schema: a better model may do it."""

    http_status = 502


def schema_result(answer: Choice | Completion, request: ModelRequest) -> GuardResult:
    """Whether a completion satisfies the schema; `not_run` where there is none."""
    return schema_result_of(answer.text, request) if isinstance(answer, Completion) else _not_run()


def schema_result_of(text: str, request: ModelRequest) -> GuardResult:
    if request.json_schema is None:
        return _not_run()
    import jsonschema

    try:
        jsonschema.validate(json.loads(text), dict(request.json_schema))
    except json.JSONDecodeError:
        return GuardResult(SCHEMA, "ran", "block", ("no_json",))
    except jsonschema.ValidationError:
        return GuardResult(SCHEMA, "ran", "block", ("other_form",))
    except Exception:  # a schema that is none, or refers to what is not there
        return GuardResult(SCHEMA, "error", "block")
    return GuardResult(SCHEMA, "ran")


def violation(result: GuardResult) -> SchemaViolated:
    reason = "is no whole JSON" if result.found == ("no_json",) else "does not satisfy the request's schema"
    return SchemaViolated(f"the model's answer {reason}", "raise max_tokens or use a larger model", (result,))


def _not_run() -> GuardResult:
    return GuardResult(SCHEMA, "not_run")


def texts(answer: Choice | Completion) -> list[str]:
    """The words that a model chose or made."""
    if isinstance(answer, Completion):
        return [answer.text]
    return [answer.said, answer.span.text if answer.span else ""]


def rewritten(answer: Choice | Completion, change: Callable[[str], str]) -> Choice | Completion:
    if isinstance(answer, Completion):
        return replace(answer, text=change(answer.text))
    span = replace(answer.span, text=change(answer.span.text)) if answer.span else None
    return replace(answer, said=change(answer.said), span=span)


def replaced(answer: Choice | Completion, changes: Mapping[str, str]) -> Choice | Completion:
    """The answer with other words in place of those that are a key of `changes`."""
    return rewritten(answer, lambda text: changes.get(text, text))


def restored(
    answer: Choice | Completion, request: ModelRequest, hidden: Hidden | None
) -> Choice | Completion:
    """The answer with what was masked on the way out; in JSON string by string, so that it stays JSON."""
    if hidden is None:
        return answer
    if isinstance(answer, Completion) and request.json_schema is not None:
        value = _restored(json.loads(answer.text), hidden)
        return replace(answer, text=json.dumps(value, ensure_ascii=False))
    return rewritten(answer, hidden.restore)


def _restored(value: Any, hidden: Hidden) -> Any:
    if isinstance(value, str):
        return hidden.restore(value)
    if isinstance(value, Mapping):
        return {key: _restored(inner, hidden) for key, inner in value.items()}
    if isinstance(value, list):
        return [_restored(inner, hidden) for inner in value]
    return value
