"""The OpenAPI document: what each route needs, how it fails, and how callers make themselves known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from llava_agent.service.auth.identity import COOKIE, SECURE_COOKIE
from llava_agent.service.http.permission import Rule, rules
from llava_agent.service.http.problems import MEDIA_TYPE
from llava_agent.service.shapes import Problem

if TYPE_CHECKING:
    from fastapi import FastAPI

_CHANGES = frozenset({"post", "put", "patch", "delete"})
_SCHEMES = {
    "key": {"type": "http", "scheme": "bearer", "description": "an API key (`llava-agent tokens create`)"},
    "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "without TLS"},
    "secure session": {"type": "apiKey", "in": "cookie", "name": SECURE_COOKIE, "description": "under TLS"},
}
_FAILURES = {
    400: "the request cannot be carried out as it is; `detail` says why",
    401: "nobody known asks",
    403: "the caller may not",
    404: "there is no such thing, or it belongs to somebody else",
    409: "it does not fit the state of the thing: changed by another, ended, or done already",
    413: "the body is larger than the server takes",
    415: "the body has another content type",
    422: "a document that cannot be read",
    429: "too many requests, or too many that wait",
    502: "a part that the server needs failed",
    503: "no model may or can serve this, or its weights are missing",
}


def described(app: FastAPI) -> dict[str, Any]:
    """The document with every answer that a route can give."""
    document: dict[str, Any] = app.openapi()
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    template = "#/components/schemas/{model}"
    problem = Problem.model_json_schema(ref_template=template)
    schemas |= problem.pop("$defs", {}) | {"Problem": problem}
    for unused in ("HTTPValidationError", "ValidationError"):  # the server answers with problems instead
        schemas.pop(unused, None)
    components["securitySchemes"] = _SCHEMES
    for method, operation, rule in _operations(app, document):
        operation["x-permission"] = rule.permission
        public = rule.permission == "public"
        operation["security"] = [{}] if public else [{name: []} for name in _SCHEMES]
        answers = operation["responses"]
        if "422" in answers and "HTTPValidationError" in str(answers["422"]):
            del answers["422"]
        for status in _failures(method, operation, rule):
            answers.setdefault(str(status), _failure(status))
    return document


def _operations(app: FastAPI, document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], Rule]]:
    for rule in rules(app):
        shown = rule.path.replace(":path}", "}")  # the document knows no kinds of parameters in a path
        for method in map(str.lower, rule.methods):
            operation = document["paths"].get(shown, {}).get(method)
            if operation is not None:
                yield method, operation, rule


def _failures(method: str, operation: dict[str, Any], rule: Rule) -> list[int]:
    """How an operation can fail, beside what its route says itself."""
    found = {400, 403, 429, 502}
    if rule.permission != "public" or method in _CHANGES:
        found.add(401)
    if "{" in rule.path:
        found.add(404)
    if method in _CHANGES:
        found |= {404, 409}
    if "requestBody" in operation:
        found |= {413, 415}
    if rule.permission == "models.use":
        found |= {404, 503}
    return sorted(found)


def _failure(status: int) -> dict[str, Any]:
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    answer: dict[str, Any] = {"description": _FAILURES[status], "content": content}
    if status in (429, 503):
        schema = {"type": "integer", "minimum": 1}
        answer["headers"] = {"Retry-After": {"description": "seconds until another try", "schema": schema}}
    return answer


def failures(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For a route that can fail in ways that others of its kind do not: its `responses`."""
    return {status: _failure(status) for status in statuses}


def content(*media_types: str, text: str) -> dict[int | str, dict[str, Any]]:
    """For a route that answers with a file: its `responses`."""
    return {200: {"description": text, "content": {one: {} for one in media_types}}}
