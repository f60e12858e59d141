"""The seam of tools: schemas are enforced, time and size are bounded, failures are outcomes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llava_agent.errors import ConfigError, PermissionDenied, ToolError
from tools.action import ACTION, Effect, ToolCall
from tools.tool import LONGEST, Tool, Toolbox, ToolResult


@dataclass
class Repeat:
    """Says a word several times; `boom` fails in the way it names."""

    name: str = "repeat"
    description: str = "Repeat a word."

    @property
    def parameters(self) -> Mapping[str, object]:
        return {
            "type": "object",
            "properties": {"word": {"type": "string"}, "times": {"type": "integer", "minimum": 1}},
            "required": ["word"],
            "additionalProperties": False,
        }

    def effect(self, arguments: Mapping[str, object]) -> Effect:
        return "read"

    async def call(self, arguments: Mapping[str, object]) -> ToolResult:
        word = str(arguments["word"])
        if word == "slow":
            await asyncio.sleep(60)
        if word == "denied":
            raise PermissionDenied("not for you")
        if word == "broken":
            raise ToolError("the tape is torn")
        if word == "no":
            return ToolResult("cannot say no", ok=False, reason="invalid")
        times = arguments.get("times", 1)
        assert isinstance(times, int)
        return ToolResult(" ".join([word] * times), {"times": times})


async def test_a_call_is_checked_and_made() -> None:
    box = Toolbox([Repeat()])
    assert isinstance(Repeat(), Tool) and len(box) == 1
    done = await box.call("repeat", {"word": "hi", "times": 2})
    assert done.ok and done.data == {"text": "hi hi", "data": {"times": 2}}
    assert box.effect("repeat", {"word": "hi"}) == "read"
    for bad in ({}, {"word": 3}, {"word": "a", "times": 0}, {"word": "a", "more": 1}):
        refused = await box.call("repeat", bad)
        assert (refused.ok, refused.reason) == (False, "invalid")
        assert box.effect("repeat", bad) == "irreversible"
    gone = await box.call("shell", {})
    assert gone.reason == "not_found" and "repeat" in gone.detail


@pytest.mark.parametrize(
    ("word", "reason"),
    [("slow", "timeout"), ("denied", "denied"), ("broken", "page_error"), ("no", "invalid")],
)
async def test_failures_are_outcomes(word: str, reason: str) -> None:
    outcome = await Toolbox([Repeat()], seconds=0.05).call("repeat", {"word": word})
    assert (outcome.ok, outcome.reason) == (False, reason) and outcome.detail


async def test_long_answers_are_cut_and_say_so() -> None:
    outcome = await Toolbox([Repeat()]).call("repeat", {"word": "x" * 100, "times": 1000})
    text = str(outcome.data["text"])
    assert len(text) < LONGEST + 100 and "left out" in text


def test_names_and_schemas_are_checked() -> None:
    with pytest.raises(ConfigError, match="two tools"):
        Toolbox([Repeat(), Repeat()])
    with pytest.raises(ConfigError, match="no name"):
        Toolbox([Repeat(name="Rm -rf")])

    class Broken(Repeat):
        @property
        def parameters(self) -> Mapping[str, object]:
            return {"type": "thing"}

    with pytest.raises(ConfigError, match="no JSON schema"):
        Toolbox([Broken()])


@given(
    st.dictionaries(
        st.text(max_size=5),
        st.recursive(
            st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=3),
            max_leaves=5,
        ),
        max_size=4,
    )
)
def test_any_json_is_a_call_that_survives_storage(arguments: dict[str, object]) -> None:
    call = ToolCall(name="repeat", arguments=arguments)  # type: ignore[arg-type]
    assert ACTION.validate_json(call.model_dump_json()) == call
