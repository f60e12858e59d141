"""The YAML of tools: strict, and what it names is what there is."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from llava_agent.errors import ConfigError, PermissionDenied
from llava_agent.toolset.config import DEFAULT, read_toolset
from llava_agent.toolset.open import open_toolbox
from llava_agent.toolset.sight import Inputs, RunChecks
from tools.tool import Toolbox


@pytest.fixture(autouse=True)
def _own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLAVA_AGENT_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LLAVA_AGENT_DATABASE", str(tmp_path / "state.db"))


async def test_the_shipped_one(tmp_path: Path) -> None:
    async with open_toolbox(read_toolset(), tmp_path / "run") as box:
        assert [tool.name for tool in box] == [
            "calculate", "files.list", "files.read", "files.write", "document.create",
            "knowledge.ask", "knowledge.search",
        ]  # fmt: skip
        assert (await box.call("document.create", {"name": "a.md", "text": "x"})).ok
    assert (tmp_path / "run" / "files" / "a.md").exists()
    assert DEFAULT.name == "default.yaml"


async def test_a_database_beside_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = sqlite3.connect(tmp_path / "plant.db")
    connection.execute("CREATE TABLE pumps AS SELECT 'P-1' AS tag")
    connection.close()
    file = tmp_path / "tools.yaml"
    file.write_text("databases:\n  - {name: plant, url: 'sqlite:///plant.db', about: pumps}\n")
    async with open_toolbox(read_toolset(file), tmp_path / "run", beside=tmp_path) as box:
        assert [tool.name for tool in box] == ["plant.query", "plant.tables"]
        assert (await box.call("plant.query", {"sql": "SELECT * FROM pumps"})).data["text"] == "tag\nP-1"
    file.write_text("databases:\n  - {name: plant, url_env: PLANT_URL}\n")
    with pytest.raises(ConfigError, match="PLANT_URL is not set"):
        async with open_toolbox(read_toolset(file), tmp_path / "run"):
            pass
    monkeypatch.setenv("PLANT_URL", f"sqlite:///{tmp_path / 'plant.db'}")
    async with open_toolbox(read_toolset(file), tmp_path / "run") as box:
        assert len(box) == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("calulate: true", "did you mean 'calculate'"),
        ("databases: [{name: Plant, url: x}]", "name"),
        ("databases: [{name: plant}]", "give url or url_env"),
        ("mcp: [{name: w, command: c, tools: {}}]", "tools"),
        ("mcp: [{name: w, command: c, tools: {a: maybe}}]", "read"),
        ("knowledge: {highest: cosmic}", "highest"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "tools.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=words):
        read_toolset(file)


def test_inputs_stay_in_their_folder(tmp_path: Path) -> None:
    inside = tmp_path / "in"
    (inside / "out").mkdir(parents=True)
    (inside / "up").symlink_to(tmp_path)
    inputs = Inputs(inside, inside / "out")
    assert inputs.path("a/b.png") == inside / "a" / "b.png"
    for name in ("../x", "/etc/passwd", "up/x", "out/written.yaml", "a/../out/x"):
        with pytest.raises(PermissionDenied):
            inputs.path(name)


async def test_checks_as_a_tool(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<button>Save changes</button>")
    (tmp_path / "spec.yaml").write_text(
        f"name: orders\npage: {tmp_path / 'page.html'}\ntimeout: 1\n"
        "expect:\n  - shows: Save changes\n  - shows: Nope\n"
    )
    box = Toolbox([RunChecks(Inputs(tmp_path, tmp_path / "out"), "embedded")], seconds=120)
    outcome = await box.call("check.run", {"specs": ["spec.yaml"]})
    text = str(outcome.data["text"])
    assert text.startswith("fail\npass orders") and "fail orders" in text
