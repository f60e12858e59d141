from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llava_agent.gateway.request import Candidate, ModelRequest
from llava_agent.gateway.wording import fence, known_text, question_text


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_what_was_read_stays_inside_the_fence(fact: str, done: str, line: str) -> None:
    request = ModelRequest("act", "save it", facts=(fact,), history=(done,), run="r")
    mark = fence("r")
    text = question_text(request, [Candidate(line)], ("click",), pixels=False)
    lines = text.split("\n")
    start, end = lines.index(f"[{mark}]"), lines.index(f"[/{mark}]")
    assert lines[0] == "save it" and mark in lines[1]
    assert [one.partition(":")[0] for one in lines[start + 1 : start + 3]] == ["Known", "Done"]
    assert lines[end - 1].startswith("1. ") and lines[end + 1].startswith("Answer with JSON")
    assert len(lines) == 10  # nothing that was read makes a line of its own


def test_the_fence_is_the_runs_own() -> None:
    assert fence("a") == fence("a") != fence("b")
    assert known_text(ModelRequest("plan", "say hello")) == "say hello"
