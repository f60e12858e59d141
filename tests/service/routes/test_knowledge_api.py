"""Manuals over HTTP: sent, searched, quoted, and seen by those who may."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from tests.service.serving import PASSWORD, application, client, service

SEAL = b"# Norpump 200\n\n## Error codes\n\nError E14 means that the mechanical seal leaks.\n"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLAVA_AGENT_SERVER_SECRET", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
        # Where the text embedder happens to be installed, it would be loaded for every one of these answers.
        patch.setattr("llava_agent.vlm.weights.present", lambda names: False)
        yield application(tmp_path_factory.mktemp("knowledge"), login=True, requests_per_minute=0)


def person(app: FastAPI, name: str, department: str) -> TestClient:
    parts = service(app)
    user = parts.users.find(name) or parts.users.add(name, PASSWORD, ("member",), department=department)
    return client(app, parts.tokens.create(user, "test")[0])


def send(browser: TestClient, content: bytes = SEAL, name: str = "norpump.md", **fields: str) -> Any:
    return browser.post("/api/knowledge/documents", files={"file": (name, content)}, data=fields)


def test_a_manual_is_sent_found_quoted_and_forgotten(app: FastAPI) -> None:
    ada = person(app, "ada", "pumps")
    made = send(ada)
    assert made.status_code == 201 and made.json()["status"] == "added"
    assert send(ada).json()["status"] == "known"
    listed = ada.get("/api/knowledge/documents").json()["items"]
    assert [one["name"] for one in listed] == ["norpump.md"] and "path" not in listed[0]
    found = ada.get("/api/knowledge/search", params={"q": "mechanical seal"}).json()["items"]
    assert "E14" in found[0]["text"]
    assert ada.get(f"/api/knowledge/passages/{found[0]['id']}").json() == {**found[0], "score": 0.0}
    answer = ada.post("/api/knowledge/ask", json={"question": "What does error E14 mean?"}).json()
    assert answer["found"] and "seal leaks" in answer["answer"]
    assert answer["citations"][0]["document"] == "norpump.md"
    other = ada.post("/api/knowledge/ask", json={"question": "How tall is the lighthouse keeper?"}).json()
    assert not other["found"] and other["citations"] == []
    assert send(ada, SEAL + b"\nError E15 means dry running.\n").json()["status"] == "replaced"
    (left,) = ada.get("/api/knowledge/documents").json()["items"]
    assert ada.delete(f"/api/knowledge/documents/{left['id']}").status_code == 204
    assert ada.delete(f"/api/knowledge/documents/{left['id']}").status_code == 404
    assert ada.get(f"/api/knowledge/passages/{found[0]['id']}").status_code == 404


def test_a_department_keeps_its_manuals_to_itself(app: FastAPI) -> None:
    ada, bob = person(app, "ada", "pumps"), person(app, "bob", "boilers")
    assert send(ada, department="boilers").status_code == 403
    mine = send(ada, department="pumps", collection="own").json()["id"]
    theirs = send(bob, department="boilers", collection="own").json()["id"]
    assert mine != theirs  # the same file in two departments is two documents
    assert [one["id"] for one in bob.get("/api/knowledge/documents").json()["items"]] == [theirs]
    assert bob.delete(f"/api/knowledge/documents/{mine}").status_code == 404
    assert ada.get("/api/knowledge/search?q=seal&collection=own").json()["items"][0]["id"].startswith(mine)


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [
        ("manual", SEAL, 400),
        ("..", SEAL, 400),
        ("manual.exe", SEAL, 422),
        ("manual.pdf", b"%PDF-1.7 <script>alert(1)</script>", 422),
        ("empty.md", b"", 422),
    ],
)
def test_what_is_no_manual_is_a_sentence(app: FastAPI, name: str, content: bytes, status: int) -> None:
    answer = send(person(app, "ada", "pumps"), content, name)
    assert answer.status_code == status and answer.json()["detail"].endswith(".")
    assert answer.headers["content-type"] == "application/problem+json"
