from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llava_agent.cli import main
from llava_agent.gateway.place import POLICY

POLICIES = Path(__file__).parents[2] / "configs" / "policy"
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGVsbG8="}}


@pytest.fixture(autouse=True)
def own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLAVA_AGENT_DATABASE", str(tmp_path / "own.db"))
    monkeypatch.setenv("LLAVA_AGENT_CONFIG", str(tmp_path))
    monkeypatch.setenv(POLICY, str(POLICIES / "default.yaml"))
    for key in ("DEPOT_KEY", "CLOUD_KEY"):
        monkeypatch.setenv(key, "k")


def call(*words: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(words)
    return int(end.value.code or 0)


def request(folder: Path, content: Any = "hello", **more: Any) -> str:
    path = folder / "request.json"
    path.write_text(json.dumps({"model": "auto", "messages": [{"role": "user", "content": content}], **more}))
    return str(path)


def explained(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    status = call("gateway", "explain", *words, "--json")
    return status, json.loads(capsys.readouterr().out)


def verdicts(found: dict[str, Any]) -> dict[str, str]:
    return {one["model"]: one["verdict"] for one in found["candidates"]}


def test_explain_names_every_candidate(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    asked = request(tmp_path, [{"type": "text", "text": "what is this?"}, IMAGE], temperature=0, stream=True)
    field = str(POLICIES / "field-staff.yaml")
    _, found = explained(capsys, asked, "--policy-file", field, "--user", "ann")
    judged = verdicts(found)
    assert set(judged) == {"embedded-text", "embedded-vision", "depot-text", "depot-vision", "cloud"}
    assert (found["model"], judged["cloud"], judged["depot-text"]) == ("depot-vision", "refused", "refused")
    assert all(one["reason"] for one in found["candidates"])
    _, found = explained(capsys, asked, "--policy-file", field, "--data-class", "restricted")
    assert verdicts(found)["depot-vision"] == "refused"
    assert found["data_class"] == "restricted"
    _, found = explained(
        capsys,
        request(tmp_path, metadata={"data_class": "public", "step_kind": "plan"}),
        "--policy-file",
        field,
    )
    assert verdicts(found)["cloud"] == "fallback"


def test_nobody_is_an_exit_code(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    ci = str(POLICIES / "ci.yaml")
    words = (request(tmp_path), "--policy-file", ci, "--data-class", "restricted")
    status, found = explained(capsys, *words)
    assert (status, found["model"]) == (1, None)
    assert call("gateway", "explain", *words) == 1
    assert "denied by the rule" in capsys.readouterr().out.replace("\n", " ")


@pytest.mark.parametrize(
    ("content", "words", "says"),
    [
        ("{", (), "Invalid JSON"),
        ('{"messages": []}', (), "messages"),
        ('{"messages": [{"role": "king", "content": "x"}]}', (), "messages.0.role"),
        ('{"messages": [{"role": "user", "content": "x"}]}', ("--role", "king"), "no role 'king'"),
        ('{"messages": [{"role": "user", "content": "x"}]}', ("--data-class", "secret"), "no class of data"),
        ('{"messages": [{"role": "user", "content": "x"}]}', ("--step", "dance"), "no kind of step"),
        (
            '{"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://x/y"}}]}]}',
            (),
            "no data: URL",
        ),
    ],
)  # fmt: skip
def test_what_is_no_request_is_one_sentence(
    content: str, words: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "r.json"
    path.write_text(content)
    assert call("gateway", "explain", str(path), *words) == 2
    error = capsys.readouterr().err
    assert says in error and error.count("\n") == 1


def test_policy_check(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert call("gateway", "policy", "check", str(POLICIES / "research.yaml"), "--json") == 0
    assert json.loads(capsys.readouterr().out)["warnings"] == []
    bad = tmp_path / "bad.yaml"
    bad.write_text("version: 1\nmodels: {a: {preset: embedded}}\nrules: [{name: r, allow: [b]}]\n")
    assert call("gateway", "policy", "check", str(bad)) == 2
    assert "names the model 'b'" in capsys.readouterr().err


def test_the_policy_of_all_commands_can_be_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert call("--policy-file", str(tmp_path / "none.yaml"), "ask", "x.png", "what?") == 2
    assert "there is no policy" in capsys.readouterr().err
