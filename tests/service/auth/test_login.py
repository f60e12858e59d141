"""Logging in over HTTP: by form as a person does, by JSON as a program does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi import FastAPI

from llava_agent.service.auth.login import first_admin
from tests.service.serving import PASSWORD, application, client, key_of, service

PAGE = {"accept": "text/html,*/*", "sec-fetch-mode": "navigate", "sec-fetch-site": "none"}
OWN = {"origin": "http://127.0.0.1:8080", "sec-fetch-site": "same-origin"}


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    app = application(tmp_path, login=True)
    service(app).users.add("maria", PASSWORD, ["member"])
    return app


def test_a_person_is_led_to_the_form_and_back(app: FastAPI) -> None:
    with client(app) as browser:
        sent = browser.get("/api/tokens", headers=PAGE)
        assert (sent.status_code, sent.headers["location"]) == (303, "/login?next=/api/tokens")
        form = browser.get(sent.headers["location"], headers=PAGE)
        assert 'name="next" value="/api/tokens"' in form.text and "<script" not in form.text
        data = {"name": "maria", "password": "wrong", "next": "/api/tokens"}
        again = browser.post("/login", data=data, headers=OWN)
        assert again.status_code == 401 and 'role="alert"' in again.text
        done = browser.post("/login", data={**data, "password": PASSWORD}, headers=OWN)
        assert (done.status_code, done.headers["location"]) == (303, "/api/tokens")
        cookie = done.headers["set-cookie"].lower()
        assert "httponly" in cookie and "samesite=lax" in cookie and "secure" not in cookie
        assert browser.get("/api/tokens").status_code == 200
        assert browser.post("/logout", headers=OWN).status_code == 303
        assert browser.get("/api/tokens").status_code == 401


@pytest.mark.parametrize(
    "next_path", ["https://evil.example", "//evil.example", "/\\evil.example", "x", "/a\nb"]
)
def test_a_login_leads_nowhere_else(app: FastAPI, next_path: str) -> None:
    with client(app) as browser:
        data = {"name": "maria", "password": PASSWORD, "next": next_path}
        assert browser.post("/login", data=data, headers=OWN).headers["location"] == "/"
        shown = browser.get("/login", params={"next": f'{next_path}"><script>'}).text
        assert "<script>" not in shown


def test_another_site_cannot_log_somebody_in(app: FastAPI) -> None:
    with client(app) as browser:
        data = {"name": "maria", "password": PASSWORD}
        answer = browser.post("/login", data=data, headers={"origin": "http://evil.example"})
        assert answer.status_code == 403 and "set-cookie" not in answer.headers


def test_a_given_password_serves_to_choose_another(tmp_path: Path) -> None:
    app = application(tmp_path, login=True)
    password = first_admin(service(app).users)
    with client(app) as browser:
        told = browser.post("/api/session", json={"name": "admin", "password": password}).json()
        assert told["must_change_password"] is True
        refused = browser.get("/api/users")
        assert refused.status_code == 403 and "password" in refused.json()["detail"]
        assert browser.get("/api/users", headers=PAGE).headers["location"] == "/password"
        assert "Choose your own" in browser.get("/password", headers=PAGE).text
        form = {"old": password, "new": PASSWORD, "again": "different"}
        assert "differ" in browser.post("/password", data=form, headers=OWN).text
        assert browser.post("/password", data={**form, "again": PASSWORD}, headers=OWN).status_code == 303
        assert browser.get("/api/users").status_code == 200
        assert browser.get("/api/tokens").status_code == 200


def test_users_are_managed_over_http(app: FastAPI) -> None:
    admin = key_of(app, "root", "admin")
    with client(app, admin) as browser:
        new = {
            "name": "ann",
            "password": "four words that rhyme",
            "roles": ["member"],
            "denied": ["runs.use"],
        }
        made = browser.post("/api/users", json=new)
        assert made.status_code == 201 and made.json()["must_change_password"]
        assert "password" not in re.sub("must_change_password", "", made.text)
        assert browser.post("/api/users", json=new).status_code == 400
        assert browser.patch("/api/users/ann", json={"roles": ["approver"]}).json()["roles"] == ["approver"]
        assert browser.patch("/api/users/ann", json={"disabled": True}).json()["disabled"]
        assert browser.patch("/api/users/ghost", json={}).status_code == 404
        assert browser.patch("/api/users/root", json={"disabled": True}).status_code == 400
        names = [user["name"] for user in browser.get("/api/users").json()["users"]]
        assert names == ["ann", "maria", "root"]


def test_keys_are_ones_own(app: FastAPI) -> None:
    key, other = key_of(app, "maria"), key_of(app, "ann")
    with client(app, key) as browser:
        made = browser.post(
            "/api/tokens", json={"label": "robot", "roles": ["agent_service"], "days": 30}
        ).json()
        assert made["key"].startswith("la_")
        listed = browser.get("/api/tokens").text
        assert made["id"] in listed and made["key"] not in listed
        assert browser.post("/api/tokens", json={"label": "x", "roles": ["admin"]}).status_code == 400
    with client(app, other) as browser:
        assert made["id"] not in browser.get("/api/tokens").text
        assert browser.delete(f"/api/tokens/{made['id']}").status_code == 404
    with client(app, made["key"]) as browser:
        assert browser.get("/api/session").json()["by"] == "token"
    with client(app, key) as browser:
        assert browser.delete(f"/api/tokens/{made['id']}").status_code == 204
    with client(app, made["key"]) as browser:
        assert browser.get("/api/session").status_code == 401


def test_a_narrowed_key_makes_no_wider_one(app: FastAPI) -> None:
    narrow = key_of(app, "lead", "member", "auditor", narrowed=["auditor"])
    with client(app, narrow) as browser:
        assert browser.post("/api/tokens", json={"label": "x"}).json()["roles"] == ["auditor"]
        assert browser.post("/api/tokens", json={"label": "x", "roles": ["member"]}).status_code == 400


def test_logins_from_one_address_are_slowed_down(app: FastAPI) -> None:
    with client(app) as browser:
        statuses = [
            browser.post("/api/session", json={"name": f"u{n}", "password": "x"}).status_code
            for n in range(12)
        ]
    assert statuses[:10] == [401] * 10 and statuses[-1] == 429
