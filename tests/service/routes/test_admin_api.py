"""Accounts, keys, policy, usage, budgets and audit over HTTP; every change of them is on record."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from llava_agent.gateway.audit.keys import find_keys
from llava_agent.gateway.audit.verify import verify_export
from llava_agent.gateway.budget import Account, Room
from llava_agent.gateway.budget_store import Budgets
from llava_agent.gateway.ledger import Entry
from llava_agent.gateway.place import SHIPPED
from llava_agent.gateway.principal import ROLES
from llava_agent.service.auth.secret import SECRET
from tests.service.serving import PASSWORD, application, client, key_of, service

BUDGETED = SHIPPED.read_text(encoding="utf-8").replace(
    "budgets: []",
    'budgets:\n  - {scope: user, limit: "5.00", per: month}\n  - {scope: everyone, limit: "90"}',
)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    folder = tmp_path_factory.mktemp("admin")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SECRET, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
        patch.setenv("LLAVA_AGENT_CONFIG", str(folder / "config"))
        made = application(folder, login=True, requests_per_minute=0)
        called = Entry("r1", 1, "perceive", "choose", "embedded-vision", "vision", "pixels")
        service(made).ledger.write_all(
            [
                Entry(**{**{name: getattr(called, name) for name in called.__slots__}, **given})
                for given in (
                    {"user": "maria", "department": "qa", "cost": "0.5", "ms": {"total": 100.0}},
                    {"user": "maria", "department": "qa", "cost": "0.25", "ms": {"total": 300.0}},
                    {"user": "bob", "outcome": "error", "ms": {"total": 900.0}},
                    {"user": "bob", "shadow": True, "cost": "9"},
                )
            ]
        )
        yield made


@pytest.fixture(scope="module")
def keys(app: FastAPI) -> dict[str, str]:
    return {role: key_of(app, f"the-{role}".replace("_", "-"), role) for role in ROLES}


def on_record(app: FastAPI, kind: str) -> list[dict[str, Any]]:
    with client(app, key_of(app, "the-auditor")) as browser:
        items: list[dict[str, Any]] = browser.get("/api/audit", params={"kind": kind}).json()["items"]
    return items


def as_role(app: FastAPI, keys: dict[str, str], role: str) -> TestClient:
    return client(app, keys[role])


def test_accounts_and_their_keys_are_managed_and_each_change_is_on_record(
    app: FastAPI, keys: dict[str, str]
) -> None:
    new = {"name": "nora", "password": PASSWORD, "roles": ["member"]}
    with as_role(app, keys, "admin") as browser:
        assert browser.post("/api/users", json=new).status_code == 201
        changed = browser.patch("/api/users/nora", json={"roles": ["approver"], "department": "north"}).json()
        assert (changed["roles"], changed["department"]) == (["approver"], "north")
        key = key_of(app, "nora")
        (token,) = browser.get("/api/users/nora/tokens").json()["tokens"]
        assert "key" not in token and token["revoked"] is None
        assert browser.delete(f"/api/users/the-member/tokens/{token['id']}").status_code == 404
        assert browser.delete(f"/api/users/nora/tokens/{token['id']}").status_code == 204
        assert browser.get("/api/users/ghost/tokens").status_code == 404
        assert browser.patch("/api/users/nora", json={"roles": ["member", "admin"]}).status_code == 400
    with client(app, key) as browser:
        assert browser.get("/api/users").status_code == 401
    (added,) = on_record(app, "user added")
    body = added["body"]
    assert (body["user"], body["account"], body["gets"]) == ("the-admin", "nora", ["member"])
    assert PASSWORD not in json.dumps(added)
    (moved,) = on_record(app, "user changed")
    assert (moved["body"]["had"], moved["body"]["gets"]) == (["member"], ["approver"])
    assert on_record(app, "key revoked")[-1]["body"]["token"] == token["id"]


def test_what_cannot_be_recorded_is_not_done(
    app: FastAPI, keys: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from llava_agent.errors import ToolError
    from llava_agent.gateway.audit import Audit

    def full(self: Audit, record: object) -> int:
        raise ToolError("the disk is full")

    monkeypatch.setattr(Audit, "intent", full)
    before = service(app).policy.in_force()
    with as_role(app, keys, "admin") as browser:
        assert browser.patch("/api/users/the-member", json={"disabled": True}).status_code == 502
    with as_role(app, keys, "policy_officer") as browser:
        change = {"text": BUDGETED, "base": before.digest}
        assert browser.put("/api/policy", json=change).status_code == 502
    with as_role(app, keys, "member") as browser:
        assert browser.post("/api/tokens", json={"label": "x"}).status_code == 502
    found = service(app).users.find("the-member")
    assert found is not None and not found.disabled
    assert service(app).policy.in_force() == before


def test_the_policy_is_checked_with_the_line_compared_and_replaced_whole(
    app: FastAPI, keys: dict[str, str]
) -> None:
    with as_role(app, keys, "policy_officer") as browser:
        old = browser.get("/api/policy").json()
        assert old["shipped"] and old["text"] == SHIPPED.read_text(encoding="utf-8")
        wrong = old["text"].replace("tier_only_rises: false", "tier_only_rise: false")
        found = browser.post("/api/policy/check", json={"text": wrong}).json()
        assert not found["valid"] and "did you mean 'tier_only_rises'" in found["problem"]
        assert wrong.splitlines()[found["line"] - 1] == "tier_only_rise: false"
        broken = browser.post("/api/policy/check", json={"text": "models: {a: [}\n"}).json()
        assert broken["line"] == 1
        for text in (wrong, "version: 1\n", ": : :"):
            assert browser.put("/api/policy", json={"text": text, "base": old["digest"]}).status_code == 400
        assert browser.get("/api/policy").json() == old
        right = browser.post("/api/policy/check", json={"text": BUDGETED}).json()
        assert '+  - {scope: user, limit: "5.00", per: month}' in right["diff"]
        assert any("has no price" in warning for warning in right["warnings"])
        assert browser.get("/api/policy").json() == old
        stale = browser.put("/api/policy", json={"text": BUDGETED, "base": "0" * 16})
        assert stale.status_code == 409 and "since you opened it" in stale.json()["detail"]
        assert browser.put("/api/policy", json={"text": BUDGETED, "base": old["digest"]}).status_code == 200
        now = browser.get("/api/policy").json()
        assert now["text"] == BUDGETED and not now["shipped"] and now["version"] != old["version"]
        again = browser.put("/api/policy", json={"text": BUDGETED, "base": now["digest"]})
        assert again.status_code == 409
    (record,) = on_record(app, "policy changed")
    assert record["body"]["before"] == old["version"] and record["body"]["after"] == now["version"]


def test_a_changed_policy_shows_what_becomes_of_recent_calls(app: FastAPI, keys: dict[str, str]) -> None:
    none_for_qa = BUDGETED.replace(
        "# No budgets",
        "  - name: nothing for qa\n    deny: all\n    when: {department: [qa]}\n\n# No budgets",
    )
    with as_role(app, keys, "policy_officer") as browser:
        effect = browser.post("/api/policy/check", json={"text": none_for_qa}).json()["effect"]
    (gone,) = [one for one in effect if one["before"] != one["after"]]
    assert (gone["calls"], gone["user"], gone["after"]) == (2, "maria", None)
    assert "denied by the rule 'nothing for qa'" in gone["why"]
    assert sum(one["calls"] for one in effect) == 3


def test_a_pasted_request_is_explained(app: FastAPI, keys: dict[str, str]) -> None:
    asked = {"request": {"messages": [{"role": "user", "content": "hello"}]}, "roles": ["member"]}
    with as_role(app, keys, "auditor") as browser:
        found = browser.post("/api/policy/explain", json=asked).json()
        assert {one["verdict"] for one in found["candidates"]} <= {"taken", "fallback", "refused"}
        assert found["data_class"] == "internal"
        closed = SHIPPED.read_text().replace(
            "allow: all\n    when: {leaves", "allow: all\n    when: {user: [x], leaves"
        )
        other = browser.post("/api/policy/explain", json={**asked, "text": closed}).json()
        assert other["model"] is None
        for bad in ({"request": {}}, {**asked, "roles": ["root"]}, {**asked, "data_class": "secret"}):
            assert browser.post("/api/policy/explain", json=bad).status_code == 400


def test_usage_is_added_up_by_what_is_asked(app: FastAPI, keys: dict[str, str]) -> None:
    with as_role(app, keys, "auditor") as browser:
        found = browser.get("/api/usage", params={"by": ["user", "department"]}).json()
        maria = next(one for one in found["usage"] if one["group"] == {"user": "maria", "department": "qa"})
        assert (maria["calls"], maria["success"], maria["cost"], maria["p50"], maria["p99"]) == (
            2,
            1.0,
            "0.75",
            100.0,
            300.0,
        )
        bob = next(one for one in found["usage"] if one["group"]["user"] == "bob")
        assert (bob["calls"], bob["success"], bob["cost"]) == (1, 0.0, None)
        (month,) = browser.get("/api/usage", params={"by": "month"}).json()["usage"]
        assert month["calls"] == 3
        table = browser.get("/api/usage", params={"by": "model", "as": "csv"})
        rows = list(csv.DictReader(io.StringIO(table.content.decode("utf-8-sig"))))
        assert [(row["model"], row["calls"], row["cost"]) for row in rows] == [
            ("embedded-vision", "3", "0.75")
        ]
        assert browser.get("/api/usage", params={"by": "password"}).status_code == 400


def test_budgets_stand_as_the_calls_left_them(app: FastAPI, keys: dict[str, str]) -> None:
    accounts = Budgets(lambda: service(app).database)
    account = Account("user", "maria", f"{accounts.now():%Y-%m}")
    hold = accounts.hold([Room(account, Decimal(5))], Decimal("0.75"), 30)
    accounts.settle(hold, Decimal("0.5"))
    accounts.hold([Room(account, Decimal(5))], Decimal("0.25"), 30)
    with as_role(app, keys, "admin") as browser:
        found = {(one["scope"], one["who"]): one for one in browser.get("/api/budgets").json()["budgets"]}
    maria = {name: Decimal(found["user", "maria"][name]) for name in ("limit", "spent", "held", "left")}
    assert maria == {"limit": 5, "spent": Decimal("0.5"), "held": Decimal("0.25"), "left": Decimal("4.25")}
    assert Decimal(found["everyone", "everyone"]["left"]) == 90


def test_the_audit_log_is_paged_verified_and_exported(
    app: FastAPI, keys: dict[str, str], tmp_path: Path
) -> None:
    with as_role(app, keys, "auditor") as browser:
        first = browser.get("/api/audit", params={"limit": 3}).json()
        second = browser.get("/api/audit", params={"limit": 3, "before": first["next"]}).json()
        numbers = [one["sequence"] for one in first["items"] + second["items"]]
        assert numbers == sorted(numbers, reverse=True) and len(set(numbers)) == 6
        assert all(
            one["body"]["user"] == "the-admin"
            for one in browser.get("/api/audit", params={"user": "the-admin"}).json()["items"]
        )
        assert browser.get("/api/audit/verify").json()["whole"]
        (tmp_path / "audit.jsonl").write_bytes(browser.get("/api/audit/export").content)
    assert verify_export(tmp_path / "audit.jsonl", find_keys(make=False)).whole


def test_nobody_decides_their_own_request_and_an_admin_decides_none(
    app: FastAPI, keys: dict[str, str]
) -> None:
    parts = service(app)
    approver = parts.users.find("the-approver")
    assert approver is not None
    asked = parts.desk.approvals.request({"verb": "click"}, approver.principal(), summary="click Pay")
    for role, status in (("approver", 403), ("admin", 403), ("auditor", 403), ("member", 403)):
        with as_role(app, keys, role) as browser:
            answer = browser.post(f"/api/approvals/{asked.id}", json={"verdict": "approve"})
            assert answer.status_code == status
    found = parts.desk.approvals.get(asked.id)
    assert found is not None and found.state == "waiting"
