"""Requests that nobody thought of, made from the OpenAPI document, each sent by every role.

Quick by default. The long run, to be made before a release:

    LLAVA_AGENT_FUZZ_EXAMPLES=60 python -m pytest tests/service/test_fuzz.py
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from argon2 import PasswordHasher
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from PIL import Image
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from llava_agent.gateway.principal import ROLES
from llava_agent.service.auth import passwords
from llava_agent.service.auth.rights import rights
from llava_agent.service.work.worker import Worker
from tests.service.serving import application, key_of, running

#: Requests that are made up for each route.
EXAMPLES = int(os.environ.get("LLAVA_AGENT_FUZZ_EXAMPLES", "1"))
_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
#: A stream that waits for its run, and a log-out, say nothing here; they have tests of their own.
_WAITS = ("/events",)


@dataclass
class Target:
    """A server, and somebody of each role.

    Attributes:
        known: ids of things that the member has, by the part of the address that they belong to.
    """

    url: str
    document: dict[str, Any]
    sessions: dict[str, requests.Session]
    known: dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("fuzz")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLAVA_AGENT_SERVER_SECRET", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
        patch.setattr(passwords, "_hasher", lambda: PasswordHasher(1, 64, 1))
        patch.setattr("llava_agent.vlm.weights.present", lambda names: False)
        patch.setattr(Worker, "start", lambda self: None)  # nobody opens the pages that are made up here
        app = application(folder, login=True, requests_per_minute=0, runs=folder / "runs")
        with running(app) as url:
            sessions = {role: _session(app, role) for role in ROLES} | {"nobody": requests.Session()}
            document = requests.get(f"{url}/api/openapi.json", timeout=60).json()
            made = Target(url, document, sessions)
            made.known = _things(made)
            yield made


def _session(app: FastAPI, role: str) -> requests.Session:
    session = requests.Session()
    session.headers["authorization"] = f"Bearer {key_of(app, f'some-{role}'.replace('_', '-'), role)}"
    return session


def _things(target: Target) -> dict[str, str]:
    """A photo, a run and a manual of the member's."""
    buffer = io.BytesIO()
    Image.new("RGB", (32, 24), "navy").save(buffer, "PNG")
    member, base = target.sessions["member"], target.url
    photo = member.post(f"{base}/api/photos", files={"file": ("a.png", buffer.getvalue())}, timeout=60)
    run = member.post(f"{base}/api/inspections", json={"photos": [photo.json()["id"]]}, timeout=60)
    manual = Path(__file__).parents[2] / "examples" / "manuals" / "tb-40-conveyor.md"
    with manual.open("rb") as file:
        document = member.post(f"{base}/api/knowledge/documents", files={"file": file}, timeout=120)
    return {
        "photos": photo.json()["id"],
        "runs": run.json()["id"],
        "documents": document.json()["id"],
        "passages": document.json()["id"] + "-1",
        "users": "some-auditor",
    }


def test_nothing_breaks_the_server_or_gets_past_a_role(target: Target) -> None:
    schema = schemathesis.openapi.from_dict(target.document)
    failures = []
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path.endswith(_WAITS):
            continue
        try:
            _ask(operation, target)
        except (Exception, BaseExceptionGroup) as error:  # every route's first failure, not the first route's
            failures.append(f"{operation.label}: {str(error)[:1500]}")
    assert not failures, "\n\n".join(failures)


def _ask(operation: APIOperation[Any, Any, Any, Any], target: Target) -> None:
    needed = operation.definition.raw["x-permission"]
    fits = operation.as_strategy()
    asks = operation.definition.raw.keys() & {"parameters", "requestBody"} or needed != "public"
    breaks = operation.as_strategy(GenerationMode.NEGATIVE) if asks else fits

    @seed(1)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=fits, broken=breaks, fit=st.booleans())
    def each_role(case: schemathesis.Case, broken: schemathesis.Case, fit: bool) -> None:
        made = case if fit else broken
        _make_real(made, target)
        for role in _asked(needed):
            session = target.sessions[role]
            held = {"public"} if role == "nobody" else set(rights([role]))  # type: ignore[list-item]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of header values that requests does not like
                answer = made.call(base_url=target.url, session=session, timeout=120)
            refused = answer.status_code in (401, 403)
            assert needed in held or refused, (role, made.method, made.path, answer.status_code)
            made.validate_response(answer, checks=_CHECKS)  # type: ignore[arg-type]

    each_role()


def _asked(needed: str) -> list[str]:
    """Everybody in the long run; else one who may, one who may not, and a stranger."""
    everybody = [*ROLES, "nobody"]
    if EXAMPLES > 1:
        return everybody
    able = [role for role in ROLES if needed in rights([role])]
    unable = [role for role in ROLES if role not in able]
    return [*able[-1:], *unable[:1], "nobody"]


def _make_real(case: schemathesis.Case, target: Target) -> None:
    """Every other request is about a thing that is there: past the 404 is where code breaks."""
    if not case.path_parameters or len(str(case.body) + str(case.query)) % 2:
        return
    parts = case.operation.path.split("/")
    for name in ("id", "name"):
        if name in case.path_parameters and f"{{{name}}}" in parts:
            owner = parts[parts.index(f"{{{name}}}") - 1]
            if owner in target.known:
                case.path_parameters[name] = target.known[owner]
