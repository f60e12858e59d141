"""MCP both ways, with the real package: tools of other programs, and ours for them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters

from llava_agent.errors import ConfigError, ToolError
from llava_agent.toolset.mcp_server import server_of
from tools.calculate import Calculate
from tools.files import Folder, ReadFile, WriteFile
from tools.mcp import McpServer, open_servers
from tools.tool import Toolbox

SCRIPT = str(Path(__file__).with_name("weather_server.py"))


def _server(**options: object) -> McpServer:
    given: dict[str, object] = {
        "name": "weather",
        "command": sys.executable,
        "arguments": (SCRIPT,),
        "tools": {"Forecast": "read", "fail": "read", "die": "irreversible"},
    }
    return McpServer(**(given | options))  # type: ignore[arg-type]


async def test_tools_of_another_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEATHER_KEY", "k")
    monkeypatch.setenv("WEATHER_SECRET", "s")
    async with open_servers((_server(environment=("WEATHER_KEY",)),)) as tools:
        box = Toolbox(tools)
        assert [tool.name for tool in box] == ["weather.forecast", "weather.fail", "weather.die"]
        assert all(len(tool.description) < 310 for tool in box)
        # What is listed decides, not what the server says of itself.
        assert box.effect("weather.die", {"city": "x"}) == "irreversible"
        assert box.get("weather.wipe") is None

        outcome = await box.call("weather.forecast", {"city": "Oslo"})
        assert outcome.ok
        assert outcome.data["text"] == "Oslo: rain (WEATHER_KEY)\n(image, not shown)"
        assert outcome.data["data"] == {"city": "Oslo"}
        assert (await box.call("weather.forecast", {})).reason == "invalid"
        failed = await box.call("weather.fail", {"city": "Oslo"})
        assert not failed.ok and failed.detail == "no such city"
        died = await box.call("weather.die", {"city": "Oslo"})
        assert not died.ok and "weather.die failed" in died.detail
        after = await box.call("weather.forecast", {"city": "Oslo"})
        assert not after.ok


async def test_what_is_raised_inside_stays_what_it_is() -> None:
    with pytest.raises(KeyError):
        async with open_servers((_server(),)):
            raise KeyError("of the run")


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"tools": {"absent": "read"}}, ConfigError, "no tool 'absent'"),
        ({"environment": ("SURELY_NOT_SET",)}, ConfigError, "SURELY_NOT_SET"),
        ({"command": "/absent/program"}, ToolError, "cannot be started"),
        ({"arguments": (SCRIPT, "--silent")}, ToolError, "cannot be started"),
    ],
)
async def test_servers_that_cannot_be_used(
    options: dict[str, object], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        async with open_servers((_server(**options),)):
            raise AssertionError("it was opened")


async def test_our_tools_for_another_program(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "run")
    box = Toolbox([Calculate(), ReadFile(folder), WriteFile(folder)])
    async with Client(server_of(box)) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == {"calculate", "files.read", "files.write"}
        assert tools["calculate"].annotations and tools["calculate"].annotations.read_only_hint is True
        assert tools["files.write"].annotations and tools["files.write"].annotations.read_only_hint is False
        answer = await client.call_tool("calculate", {"expression": "6 * 7"})
        assert answer.structured_content == {"value": 42} and not answer.is_error
        for name, arguments in (
            ("calculate", {"expression": "__import__('os')"}),
            ("calculate", {"odd": 1}),
            ("files.read", {"name": "../../etc/passwd"}),
            ("absent", {}),
        ):
            assert (await client.call_tool(name, arguments)).is_error


async def test_the_command_speaks_mcp_on_its_standard_streams(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    parameters = StdioServerParameters(
        command=sys.executable,
        args=[
            "-m",
            "llava_agent.cli",
            "mcp",
            "--folder",
            str(tmp_path / "in"),
            "--out",
            str(tmp_path / "out"),
        ],
        env={
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "LLAVA_AGENT_HOME": str(tmp_path / "home"),
            "LLAVA_AGENT_DATABASE": str(tmp_path / "state.db"),
        },
    )
    async with Client(parameters) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        assert {
            "image.ask",
            "photo.inspect",
            "check.run",
            "knowledge.ask",
            "calculate",
            "files.write",
        } <= names
        assert "agent.run" not in names
        assert (await client.call_tool("calculate", {"expression": "1 + 1"})).structured_content == {
            "value": 2
        }
        nothing = await client.call_tool("knowledge.ask", {"question": "what does E14 mean"})
        assert not nothing.is_error and "not in the manuals" in str(nothing.content)
        denied = await client.call_tool("image.ask", {"image": "../state.db", "question": "what?"})
        assert denied.is_error and "may not be read" in str(denied.content)
        assert not (await client.call_tool("files.write", {"name": "a.md", "text": "x"})).is_error
    assert (tmp_path / "out" / "files" / "a.md").read_text() == "x"
