"""Each role on each route, generated from the route table: a new route is covered without a line here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi import APIRouter, FastAPI
from httpx import Response
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from llava_agent.gateway.principal import ROLES
from llava_agent.service import app as service_app
from llava_agent.service.auth.rights import PERMISSIONS, rights
from llava_agent.service.http.permission import needs, rules
from tests.service.serving import application, client, key_of


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLAVA_AGENT_SERVER_SECRET", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
        patch.setattr(service_app, "_STRANGERS_BURST", 10_000)  # one asks for every route there is
        return application(tmp_path_factory.mktemp("matrix"), login=True, requests_per_minute=0)


@pytest.fixture(scope="module")
def keys(app: FastAPI) -> dict[str, str]:
    """A key of a user of each role, one of a user with all roles narrowed to an agent, and no key."""
    found = {role: key_of(app, f"some-{role}".replace("_", "-"), role) for role in ROLES}
    return {**found, "nobody": ""}


def calls(app: FastAPI) -> list[tuple[str, str, str]]:
    """Method, address and permission of every route that the application has."""
    return [
        (method, re.sub(r"\{[^}]*\}", "x", rule.path), str(rule.permission))
        for rule in rules(app)
        for method in sorted(rule.methods - {"HEAD"})
    ]


def refusal(answer: Response) -> str | None:
    """The gate's code; None where it let the request pass."""
    if answer.headers.get("content-type") != "application/problem+json":
        return None
    code = answer.json()["code"]
    return code if code in ("not_logged_in", "permission_denied") else None


def test_every_route_says_what_it_needs(app: FastAPI) -> None:
    silent = [rule.path for rule in rules(app) if rule.permission not in PERMISSIONS]
    assert silent == []
    assert len(calls(app)) > 15


@pytest.mark.parametrize("role", [*ROLES, "nobody"])
def test_a_role_gets_where_its_rights_lead_and_nowhere_else(
    app: FastAPI, keys: dict[str, str], role: str
) -> None:
    held = {"public"} if role == "nobody" else set(rights([role]))  # type: ignore[list-item]
    with client(app, keys[role]) as browser:
        for method, path, permission in calls(app):
            answer = browser.request(method, path)
            if permission in held:
                assert answer.status_code < 500 and refusal(answer) is None, (method, path)
            else:
                expected = "not_logged_in" if role == "nobody" else "permission_denied"
                assert refusal(answer) == expected, (method, path, answer.status_code)


def test_a_route_that_says_nothing_is_refused_to_everybody(
    tmp_path: Path, keys: dict[str, str], app: FastAPI
) -> None:
    fresh = application(tmp_path)
    router, outer = APIRouter(prefix="/api/new"), APIRouter(prefix="/outer")

    @router.get("/thing")
    async def thing() -> str:
        return "secret"

    @router.get("/said")
    @needs("models.use")
    async def said() -> str:
        return "fine"

    outer.include_router(router)
    fresh.include_router(router)
    fresh.include_router(outer)
    fresh.mount("/mounted", PlainTextResponse("secret"))
    fresh.add_route("/plain", lambda request: PlainTextResponse("secret"))
    with client(fresh) as browser:
        for path in ("/api/new/thing", "/outer/api/new/thing", "/mounted/", "/mounted/x", "/plain"):
            answer = browser.get(path)
            assert (answer.status_code, "secret" in answer.text) == (403, False), path
        for path in ("/api/new/said", "/outer/api/new/said"):
            assert browser.get(path).json() == "fine"


def test_a_route_that_the_gate_missed_is_refused_by_itself(tmp_path: Path) -> None:
    app = application(tmp_path)

    @app.get("/hidden")
    async def hidden() -> str:
        return "secret"

    app.state.rules = (len(app.routes), ())  # as if the gate knew no route at all
    with client(app) as browser:
        assert browser.get("/hidden").status_code == 403


def test_an_agents_key_does_no_more_than_its_user(app: FastAPI) -> None:
    narrowed = key_of(app, "approver-of-robots", "approver", narrowed=["agent_service"])
    with client(app, narrowed) as browser:
        assert browser.get("/api/session").json()["permissions"] == ["account.own", "public"]
        assert browser.get("/api/tokens").status_code == 403


def test_other_methods_and_addresses_are_told_apart(app: FastAPI, keys: dict[str, str]) -> None:
    browser: TestClient
    with client(app, keys["member"]) as browser:
        assert browser.get("/api/nothing").status_code == 404
        assert browser.put("/health").status_code == 405
        assert browser.get("/health/").status_code in (307, 404)
