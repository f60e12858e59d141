"""`llava-agent knowledge`, as a user calls it, without the text embedder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llava_agent.cli import main


@pytest.fixture(autouse=True)
def _own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLAVA_AGENT_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LLAVA_AGENT_DATABASE", str(tmp_path / "state.db"))


def _call(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["knowledge", *words])
    return int(ended.value.code or 0)


def test_from_a_folder_to_a_cited_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "manuals"
    folder.mkdir()
    (folder / "pump.md").write_text("# Pump P7\n\n| Code | Meaning |\n|---|---|\n| E14 | Dry running |\n")
    (folder / "broken.pdf").write_bytes(b"%PDF")
    assert _call("add", str(folder), "--json") == 1
    seen = capsys.readouterr()
    added = json.loads(seen.out)
    assert added["refused"] == 1
    assert {one["status"] for one in added["documents"]} == {"added", "refused"}
    assert "models pull knowledge" in seen.err

    assert _call("ask", "What does E14 mean on the pump?", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["answer"] == "Code: E14; Meaning: Dry running"
    assert answer["by"] == "words"
    (citation,) = answer["citations"]
    assert citation["document"] == "pump.md"

    assert _call("show", citation["id"]) == 0
    assert "Dry running" in capsys.readouterr().out
    assert _call("search", "dry running", "--words-only") == 0
    assert "pump.md" in capsys.readouterr().out
    assert _call("list") == 0
    assert "Pump P7" in capsys.readouterr().out
    assert _call("remove", "pump.md", "--json") == 0
    assert _call("search", "dry") == 0
    assert "Nothing was found" in capsys.readouterr().out


def test_what_is_wrong_is_said_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _call("add", str(tmp_path / "absent")) == 2
    assert "there is no" in capsys.readouterr().err
    (tmp_path / "a.md").write_text("# A\n\nb\n")
    assert _call("add", str(tmp_path / "a.md"), "--class", "top-secret") == 2
    assert "choose one of public, internal, confidential, restricted" in capsys.readouterr().err
    assert _call("show", "abc-1") == 3
    assert "there is no passage" in capsys.readouterr().err
