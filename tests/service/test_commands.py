"""`llava-agent users` and `llava-agent tokens`."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

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
