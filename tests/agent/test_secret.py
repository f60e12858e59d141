"""Secrets: typed where they belong, and nowhere to be found afterwards."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from llava_agent.agent.baselines import OraclePolicy
from llava_agent.agent.run import run_task
from llava_agent.agent.secret import Secret, Secrets, whole
from llava_agent.agent.supervision import Supervision
from llava_agent.errors import ConfigError, PermissionDenied
from llava_agent.gateway.gateway import Gateway
from tests.agent.test_loop import play, steps
from tests.agent.world import Form
from tests.tools.site import Site
from tests.tools.test_tool import Repeat
from tools.action import Click, Navigate, Target, ToolCall, Type
from tools.tool import Toolbox, ToolResult

VALUE = "hunter2 & söns"
PASSWORD = Secret("PASSWORD", VALUE, ("127.0.0.1", "form.test"))
TYPED = Type(target=Target(text="Name"), text="{{secret:PASSWORD}}")


def everything(folder: Path) -> bytes:
    """All that a run has left behind, images aside."""
    return b"\n".join(
        path.read_bytes() for path in folder.rglob("*") if path.suffix in (".json", ".jsonl", ".html")
    )


async def test_the_page_gets_the_value_and_the_record_the_name(tmp_path: Path) -> None:
    form = Form()
    result = await play(form, [TYPED], tmp_path / "run", supervision=Supervision(secrets=Secrets([PASSWORD])))
    assert form.values["name"] == VALUE
    assert steps(result)[0].verification.status == "held"
    left = everything(result.folder)
    assert b"hunter2" not in left and b"{{secret:PASSWORD}}" in left


@pytest.mark.parametrize(
    ("secret", "action"),
    [
        (Secret("PASSWORD", VALUE, ("other.test",)), TYPED),
        (PASSWORD, Type(target=Target(text="Name"), text="{{secret:NONE}}")),
        (PASSWORD, Navigate(url="http://form.test/?{{secret:PASSWORD}}")),
        (PASSWORD, ToolCall(name="repeat", arguments={"word": "{{secret:PASSWORD}}"})),
    ],
)
async def test_a_secret_goes_nowhere_else(secret: Secret, action: Any, tmp_path: Path) -> None:
    form = Form()
    under = Supervision(secrets=Secrets([secret]), tools=Toolbox([Repeat()]))
    result = await play(form, [action], tmp_path / "run", supervision=under)
    assert steps(result)[0].outcome_reason == "denied" and form.values["name"] == ""
    assert b"hunter2" not in everything(result.folder)


async def test_a_tool_that_repeats_its_secret_is_masked(tmp_path: Path) -> None:
    heard: list[object] = []

    class Echo(Repeat):
        async def call(self, arguments: Mapping[str, object]) -> ToolResult:
            heard.append(arguments["word"])
            return await super().call(arguments)

    token = Secret("TOKEN", "abcd-1234", ("tool:repeat",))
    call = ToolCall(name="repeat", arguments={"word": "{{secret:TOKEN}}"})
    under = Supervision(secrets=Secrets([token]), tools=Toolbox([Echo()]))
    result = await play(Form(), [call], tmp_path / "run", supervision=under)
    assert heard == ["abcd-1234"] and result.facts[0].value == "{{secret:TOKEN}}"
    assert b"abcd-1234" not in everything(result.folder)


@pytest.mark.parametrize("sight", ["hybrid", "pixels"])
async def test_a_page_that_shows_it_is_painted_over(site: Site, tmp_path: Path, sight: Any) -> None:
    """The page takes it in, shows it as text, letter by letter, in a frame and in its address."""

    def field(state: Any, seen: Any) -> Type:
        mark = next(
            mark for mark in seen.marks if mark.box and mark.box.centre[1] < 40 and mark.box.width > 100
        )
        return Type(target=Target(ref=mark.ref), text="{{secret:PASSWORD}}")

    result = await run_task(
        site.url + "/echo",
        "log in with {{secret:PASSWORD}}",
        gateway=Gateway({}),
        out=tmp_path / "run",
        observation=sight,
        policy=lambda _: OraclePolicy(
            [field, Click(target=Target(text="Show")), Click(target=Target(text="Show"))]
        ),
        supervision=Supervision(secrets=Secrets([PASSWORD])),
    )
    done = steps(result)
    assert done[0].outcome == "ok", done[0]
    left = everything(result.folder)
    assert b"hunter2" not in left
    if sight == "hybrid":
        shown = [mark.text for mark in done[2].observation.marks]
        assert "You typed {{secret:PASSWORD}} here" in shown
        assert "{{secret:PASSWORD}}" in done[2].observation.address
    image = Image.open(
        io.BytesIO((result.folder / "images" / f"{done[2].observation.image}.png").read_bytes())
    )
    dark = sum(image.convert("L").histogram()[:20])
    assert dark > 4000  # the field, the text, the letters and the frame are black boxes
    from tools.ocr import read_lines

    assert not any("hunter" in line.text for line in read_lines(image))


def test_the_file(tmp_path: Path) -> None:
    path = tmp_path / "secrets.yaml"
    path.write_text("A: {hosts: [a.test], env: THE_A}\n")
    assert Secrets.read(path, {"THE_A": "long enough"}).values == ("long enough",)
    with pytest.raises(ConfigError, match="THE_A"):
        Secrets.read(path, {})
    path.write_text("A: {hosts: [a.test], value: long enough}\n")
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        Secrets.read(path)
    path.chmod(0o600)
    assert "long enough" not in repr(Secret("A", "long enough", ()))
    for text, problem in (
        ("A: {hosts: [a.test], value: abc}", "shorter"),
        ("A: {hosts: [], value: abcdef}", "hosts"),
        ("A: {hosts: [a], value: abcdef, env: B}", "exactly one"),
    ):
        path.write_text(text)
        with pytest.raises(ConfigError, match=problem):
            Secrets.read(path)


def test_a_part_that_a_model_quotes_is_made_whole() -> None:
    goal = "log in as ada with {{secret:PASSWORD}}"
    for part in ("secret:PASSWORD", "PASSWORD}}", "{{secret:PASSWORD}}"):
        assert whole(part, goal) == "{{secret:PASSWORD}}"
    assert whole("ada", goal) == "ada"


@given(st.text(min_size=4, max_size=12), st.text(max_size=20), st.text(max_size=20))
def test_no_text_keeps_the_value(value: str, before: str, after: str) -> None:
    secrets = Secrets([Secret("X", value, ("a.test",))])
    masked = secrets.mask(before + value + after)
    assert value not in masked or value in "{{secret:X}}" or value in before + "{{secret:X}}" + after
    typed = Type(target=Target(ref="a"), text="{{secret:X}}")
    filled = secrets.inject(typed, "a.test")
    assert filled.verb == "type" and filled.text == value
    with pytest.raises(PermissionDenied):
        secrets.inject(typed, "b.test")
