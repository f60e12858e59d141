"""The OpenAPI document says everything of every route."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from llava_agent.service.auth.rights import PERMISSIONS
from tests.service.serving import application, client

_PROBLEM = {"$ref": "#/components/schemas/Problem"}


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLAVA_AGENT_SERVER_SECRET", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
        browser = client(application(tmp_path_factory.mktemp("described")))
        found: dict[str, Any] = browser.get("/api/openapi.json").json()
        return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_each_route_says_what_it_is_and_what_it_needs(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(names) == len(set(names)) > 40
    for route, operation in operations(document):
        assert operation.get("summary") and operation.get("tags"), route
        assert operation["x-permission"] in PERMISSIONS, route
        assert (operation["security"] == [{}]) == (operation["x-permission"] == "public"), route


def test_each_route_says_how_it_answers(document: dict[str, Any]) -> None:
    for route, operation in operations(document):
        answers = operation["responses"]
        good = [answer for status, answer in answers.items() if status.startswith("2")]
        assert good, route
        for status, answer in answers.items():
            if status == "204":
                assert "content" not in answer, route
            elif status.startswith("2"):
                assert answer.get("content"), route
                schema = answer["content"].get("application/json", {"schema": {}}).get("schema", {})
                assert schema is not None and schema != {"type": "object"}, route


def test_each_route_says_how_it_fails(document: dict[str, Any]) -> None:
    for route, operation in operations(document):
        failures = {status: answer for status, answer in operation["responses"].items() if int(status) >= 400}
        assert {"400", "403", "429"} <= failures.keys(), route
        if operation["x-permission"] != "public":
            assert "401" in failures, route
        if "{" in route:
            assert "404" in failures, route
        for status, answer in failures.items():
            if (route, status) != ("GET /ready", "503"):
                assert answer["content"] == {"application/problem+json": {"schema": _PROBLEM}}, (
                    route,
                    status,
                )
    assert "HTTPValidationError" not in str(document)
