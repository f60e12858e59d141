"""Host names, other sites, sizes, rates, headers, and errors that give nothing away."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from starlette.testclient import TestClient

from llava_agent.errors import ConfigError, PermissionDenied, ToolError
from llava_agent.service.http.origin import check_site
from llava_agent.service.http.permission import needs
from llava_agent.service.http.rate import Buckets
from llava_agent.service.run import serve
from tests.service.serving import PASSWORD, application, client, key_of, service, settings

CANARY = "SN-48213-canary"


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    return application(tmp_path)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8080", 200),
        ("localhost", 200),
        ("[::1]:8080", 200),
        ("evil.example:8080", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.", 403),
        ("", 403),
        ("[", 403),
    ],
)
def test_a_rebound_name_is_refused(app: FastAPI, host: str, status: int) -> None:
    with client(app) as browser:
        assert browser.get("/health", headers={"host": host}).status_code == status


def test_a_server_without_login_serves_no_proxy(app: FastAPI, tmp_path: Path) -> None:
    with client(app) as browser:
        answer = browser.get("/api/session", headers={"x-forwarded-for": "203.0.113.9"})
        assert answer.status_code == 403 and "--login" in answer.json()["detail"]
    with client(application(tmp_path, login=True)) as browser:
        assert browser.get("/health", headers={"x-forwarded-for": "203.0.113.9"}).status_code == 200


@pytest.mark.parametrize(
    ("method", "headers", "passes"),
    [
        ("POST", {}, True),
        ("POST", {"origin": "http://127.0.0.1:8080"}, True),
        ("POST", {"origin": "http://evil.example"}, False),
        ("POST", {"origin": "http://127.0.0.1:9999"}, False),
        ("POST", {"origin": "null"}, False),
        ("GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, False),
        ("GET", {"sec-fetch-site": "same-site", "sec-fetch-mode": "cors"}, False),
        ("GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, True),
        ("POST", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, False),
        ("GET", {"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"}, True),
    ],
)
def test_other_sites_only_link_here(method: str, headers: dict[str, str], passes: bool) -> None:
    given = {"host": "127.0.0.1:8080", **headers}
    if passes:
        check_site(method, given)
    else:
        with pytest.raises(PermissionDenied):
            check_site(method, given)


def test_a_cookie_alone_changes_nothing(tmp_path: Path) -> None:
    app = application(tmp_path, login=True)
    service(app).users.add("maria", PASSWORD, ["member"])
    with client(app) as browser:
        csrf = browser.post("/api/session", json={"name": "maria", "password": PASSWORD}).json()["csrf_token"]
        new = {"label": "x"}
        assert browser.post("/api/tokens", json=new).status_code == 403
        assert browser.post("/api/tokens", json=new, headers={"x-csrf-token": "0"}).status_code == 403
        assert browser.post("/api/tokens", json=new, headers={"x-csrf-token": csrf}).status_code == 201
        own = {"origin": "http://127.0.0.1:8080"}
        assert browser.post("/api/tokens", json=new, headers=own).status_code == 201
        evil = {"origin": "http://evil.example", "x-csrf-token": csrf}
        assert browser.post("/api/tokens", json=new, headers=evil).status_code == 403
        assert browser.delete("/api/session", headers=own).status_code == 204
        assert browser.get("/api/tokens").status_code == 401


def test_every_answer_has_an_id_and_strict_headers(app: FastAPI) -> None:
    with client(app) as browser:
        for path in ("/health", "/nothing", "/api/users"):
            answer = browser.get(path)
            assert answer.headers["x-request-id"].startswith("req_")
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            assert answer.headers["cache-control"] == "no-store"
            assert "strict-transport-security" not in answer.headers
        assert browser.get("/health", headers={"x-request-id": "mine-1"}).headers["x-request-id"] == "mine-1"
        odd = browser.get("/health", headers={"x-request-id": "a b" * 99}).headers["x-request-id"]
        assert odd.startswith("req_")


def test_a_large_body_is_refused_before_it_is_read(tmp_path: Path) -> None:
    app = application(tmp_path, body_bytes=1000)
    with client(app) as browser:
        said = browser.post("/api/session", content=b"x" * 1001, headers={"content-type": "application/json"})
        chunked = browser.post(
            "/api/session",
            content=(b"x" * 100 for _ in range(11)),
            headers={"content-type": "application/json"},
        )
    assert said.status_code == 413 and said.json()["code"] == "too_large"
    assert chunked.status_code == 413 and chunked.json()["code"]


def test_who_asks_too_fast_waits(tmp_path: Path) -> None:
    app = application(tmp_path, login=True, requests_per_minute=1)
    key, other = key_of(app, "maria"), key_of(app, "ann")
    with client(app) as browser:
        mine = {"authorization": f"Bearer {key}"}
        answers = [browser.get("/api/session", headers=mine).status_code for _ in range(310)]
        assert answers[:300] == [200] * 300 and answers[-1] == 429
        last = browser.get("/api/session", headers=mine)
        assert int(last.headers["retry-after"]) >= 1 and last.json()["code"] == "too_many_requests"
        theirs = {"authorization": f"Bearer {other}"}
        assert browser.get("/api/session", headers=theirs).status_code == 200


def test_buckets_fill_at_their_rate() -> None:
    now = 0.0
    buckets = Buckets(60, 2, lambda: now)
    assert [buckets.take("a") for _ in range(3)] == [0.0, 0.0, 1.0]
    assert buckets.take("b") == 0.0
    now = 0.5
    assert buckets.take("a") == 0.5
    now = 1.0
    assert buckets.take("a") == 0.0 and buckets.take("a") == 1.0
    now = 0.0  # a clock that jumps back gives nothing away
    assert buckets.take("a") > 0
    assert [Buckets(0, 1).take("a") for _ in range(9)] == [0.0] * 9


def failing(app: FastAPI, error: Exception) -> TestClient:
    @app.get("/fails")
    @needs("models.use")
    async def fails() -> None:
        raise error

    return client(app)


@pytest.mark.parametrize("error", [RuntimeError(CANARY), ToolError(f"the server said {CANARY}", CANARY)])
def test_a_failure_tells_its_id_and_nothing_else(
    app: FastAPI, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), failing(app, error) as browser:
        answer = browser.get("/fails")
    assert answer.status_code == (502 if isinstance(error, ToolError) else 500)
    told = answer.json()
    assert told["request_id"] == answer.headers["x-request-id"]
    assert answer.headers["content-type"] == "application/problem+json"
    assert CANARY not in answer.text and CANARY not in caplog.text
    assert told["request_id"] in caplog.text and type(error).__name__ in caplog.text


def test_a_refusal_is_one_sentence_with_its_mend(app: FastAPI) -> None:
    with failing(app, PermissionDenied("the host x is not on the list", "add it")) as browser:
        answer = browser.get("/fails")
    assert answer.status_code == 403
    assert answer.json()["detail"] == "the host x is not on the list: add it."
    assert answer.json()["code"] == "permission_denied"
    assert answer.json()["error"]["type"] == "permission_error"


def test_bad_input_is_named_and_never_repeated(app: FastAPI) -> None:
    with client(app) as browser:
        bodies = [
            ({"name": "x", "password": "y", CANARY: CANARY}, "is not supported"),
            ({"name": CANARY * 20, "password": "y"}, "name: "),
            ({"name": "x"}, "password: field required"),
        ]
        for body, said in bodies:
            answer = browser.post("/api/session", json=body)
            assert answer.status_code == 400 and said in answer.json()["detail"]
            assert CANARY not in answer.text.replace(f"'{CANARY}'", "").replace(f'"param":"{CANARY}"', "")
        broken = browser.post(
            "/api/session", content="{" + CANARY, headers={"content-type": "application/json"}
        )
        assert broken.status_code == 400 and CANARY not in broken.text


def test_health_says_which_part_is_missing(app: FastAPI, tmp_path: Path) -> None:
    with client(app) as browser:
        assert browser.get("/health").json() == {"status": "ok"}
        assert browser.get("/ready").json() == {
            "ready": True,
            "parts": {"database": True, "models": True},
        }

    def gone() -> None:
        raise ToolError("no models")

    broken = application(tmp_path, gone)  # type: ignore[arg-type]
    with client(broken) as browser:
        answer = browser.get("/ready")
        assert answer.status_code == 503 and answer.json()["parts"] == {"database": True, "models": False}


def test_metrics_count_routes_and_never_name_content(app: FastAPI) -> None:
    with client(app) as browser:
        browser.get(f"/api/users/{CANARY}")
        browser.get(f"/{CANARY}")
        browser.get("/health")
        told = browser.get("/metrics").text
    assert 'llava_agent_http_requests_total{method="GET",route="/health",status="200"} 1.0' in told
    assert CANARY not in told


def test_the_document_says_what_each_route_needs(app: FastAPI) -> None:
    with client(app) as browser:
        document = browser.get("/api/openapi.json").json()
    operations = [
        operation for path in document["paths"].values() for operation in path.values() if operation
    ]
    assert all(operation["x-permission"] for operation in operations)
    assert document["paths"]["/api/users"]["post"]["x-permission"] == "users.manage"


def test_behind_a_proxy_with_tls_cookies_are_secure_and_it_alone_is_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = application(tmp_path, proxies=("127.0.0.1", "10.0.0.0/24"), names=("desk.example.com",))
    service(app).users.add("maria", PASSWORD, ["member"])
    with client(app) as browser:
        assert (
            browser.get("/api/photos").status_code == 401
        )  # there is a login, although it listens here only
        made = browser.post("/api/session", json={"name": "maria", "password": PASSWORD})
        assert "__Host-" in made.headers["set-cookie"] and "Secure" in made.headers["set-cookie"]
        assert made.headers["strict-transport-security"]
    with pytest.raises(ConfigError, match="no address of a proxy"):
        application(tmp_path, proxies=("proxy",))
    monkeypatch.setenv("LLAVA_AGENT_DATABASE", "")  # what the server hands down is taken back
    configured: list[uvicorn.Config] = []
    monkeypatch.setattr(uvicorn.Server, "run", lambda self, sockets: configured.append(self.config))
    serve(settings(tmp_path, port=0, proxies=("10.0.0.2",)))
    serve(settings(tmp_path, port=0))
    believed, nobody = configured
    assert believed.proxy_headers and believed.forwarded_allow_ips == ["10.0.0.2"]
    assert not nobody.proxy_headers
