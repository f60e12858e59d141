"""`llava-agent users` and `llava-agent tokens`."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from llava_agent.database import Database, open_database
from llava_agent.encryption import open_vault
from llava_agent.gateway.approvals import Approvals
from llava_agent.gateway.principal import Principal
from llava_agent.service.auth.users import Users
from tests.cli.test_cli import call
from tests.service.serving import PASSWORD, application, client


def as_json(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert call(*words, "--json") == 0
    return json.loads(capsys.readouterr().out)


def test_accounts_from_the_command_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = ("--database", str(tmp_path / "state.db"))
    added = as_json(capsys, "users", "add", "maria", "--role", "member", "--department", "qa", *at)
    assert added["must_change_password"] and len(added["one_time_password"]) > 20
    monkeypatch.setattr(sys, "stdin", io.StringIO(PASSWORD + "\n"))
    chosen = as_json(capsys, "users", "add", "lead", "--role", "approver", "--password-stdin", *at)
    assert not chosen["must_change_password"] and "one_time_password" not in chosen
    made = as_json(capsys, "tokens", "create", "maria", "--label", "robot", "--role", "agent_service", *at)
    with client(application(tmp_path, login=True), made["key"]) as browser:
        assert browser.get("/api/session").json()["user"] == "maria"
        as_json(capsys, "tokens", "revoke", made["id"], *at)
        assert browser.get("/api/session").status_code == 401
    assert [user["name"] for user in as_json(capsys, "users", "list", *at)] == ["lead", "maria"]
    (token,) = as_json(capsys, "tokens", "list", "--user", "maria", *at)
    assert token["revoked"] and "key" not in token
    as_json(capsys, "users", "disable", "maria", *at)
    assert as_json(capsys, "users", "password", "lead", *at)["one_time_password"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("users", "add", "maria", "--role", "root"), "there is no role 'root'"),
        (("users", "disable", "ghost"), "there is no user 'ghost'"),
        (("tokens", "create", "ghost"), "there is no user 'ghost'"),
        (("tokens", "revoke", "ffffffffffff"), "there is no API key"),
        (("serve", "--tls-cert", "x.pem"), "--tls-key"),
        (("serve", "--tls-cert", "x.pem", "--tls-key", "y.pem"), "there is no file x.pem"),
    ],
)
def test_mistakes_are_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    assert call(*words, "--database", str(tmp_path / "state.db")) == 2
    shown = capsys.readouterr()
    assert shown.err.count("\n") == 1 and said in shown.err


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setenv("LLAVA_AGENT_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("LLAVA_AGENT_DATABASE", str(tmp_path / "state.db"))
    return open_database()


def test_changes_of_the_encryption_keys_are_on_record(
    capsys: pytest.CaptureFixture[str], own: Database
) -> None:
    open_vault(own).seal("workshop", "x", b"content")
    as_json(capsys, "keys", "rotate", "--tenant", "workshop")
    as_json(capsys, "keys", "rotate-master")
    as_json(capsys, "keys", "erase", "--tenant", "workshop", "--yes")
    records = as_json(capsys, "audit", "show")
    acts = [(one["body"]["kind"], one["body"].get("of")) for one in records if one["kind"] == "intent"]
    assert acts == [
        ("data key rotated", "workshop"),
        ("master key rotated", None),
        ("data keys erased", "workshop"),
    ]
    assert [one["body"]["outcome"] for one in records if one["kind"] == "outcome"] == ["ok"] * 3
    assert as_json(capsys, "audit", "verify")["whole"]


def test_without_the_record_no_key_is_erased(
    own: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed = open_vault(own).seal("workshop", "x", b"content")
    monkeypatch.setenv("LLAVA_AGENT_AUDIT_HEADS", str(tmp_path / "state.db" / "nowhere"))
    assert call("keys", "erase", "--tenant", "workshop", "--yes") == 2
    assert open_vault(own).open("workshop", "x", sealed) == b"content"


def test_approvals_from_the_command_line(
    capsys: pytest.CaptureFixture[str], own: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    approvals, action = Approvals(own), {"kind": "model call", "content_sha256": "0" * 64}
    first, second = (approvals.request(action, Principal("agent"), summary=name) for name in "ab")
    assert [one["summary"] for one in as_json(capsys, "approvals", "list")] == ["a", "b"]
    assert as_json(capsys, "approvals", "approve", first.id, "--reason", "fine")["state"] == "approved"
    assert approvals.consume(first.id, action, Principal("agent")).reason == "fine"
    for name, role in (("lead", "approver"), ("maria", "member")):
        Users(own).add(name, PASSWORD, [role])
    assert call("approvals", "approve", second.id) == 2
    assert "the server has accounts" in capsys.readouterr().err
    for name, word, said in (("maria", PASSWORD, "may not decide"), ("lead", "wrong", "password is wrong")):
        monkeypatch.setattr(sys, "stdin", io.StringIO(word + "\n"))
        assert call("approvals", "approve", second.id, "--as", name, "--password-stdin") in (2, 3)
        assert said in capsys.readouterr().err
    monkeypatch.setattr(sys, "stdin", io.StringIO(PASSWORD + "\n"))
    decided = as_json(capsys, "approvals", "refuse", second.id, "--as", "lead", "--password-stdin")
    assert (decided["state"], decided["decider"]) == ("refused", "lead")
    bodies = [one["body"] for one in as_json(capsys, "audit", "show") if one["kind"] == "intent"]
    assert [(one["kind"], one["user"]) for one in bodies] == [
        ("approval approved", "local"),
        ("approval refused", "lead"),
    ]
