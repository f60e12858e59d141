"""The exam of questions: its file, its judgements, and a run over a real photo."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llava_agent.errors import ConfigError
from llava_agent.exam.questions.question import Question, read_questions
from llava_agent.exam.questions.run import evaluate_questions
from llava_agent.exam.questions.score import first_number, judge, plain
from tests.ui.words import PHOTOS, core
from tools.geometry import Box


def question(answer: Any, answer_type: str, **more: Any) -> Question:
    return Question.model_validate(
        {"id": "q", "image": "a.png", "question": "?", "answer": answer, "answer_type": answer_type, **more}
    )


@pytest.mark.parametrize(
    ("asked", "reply", "right"),
    [
        (question("SN-1", "exact"), ' "sn-1". ', True),
        (question("SN-1", "exact"), "serial SN-1", False),
        (question("red", "contains", accept=["crimson"]), "a crimson lamp", True),
        (question("red", "contains"), "it is covered", False),
        (question("Max load", "contains"), "the max  load", True),
        (question(4, "number"), "there are four of 9", True),
        (question(4.5, "number", tol=0.1), "4,56 bar", True),
        (question(4.5, "number", tol=0.1), "4.7", False),
        (question(4, "number"), "none", False),
        (question("yes", "yesno"), "Yes.", True),
        (question("yes", "yesno"), "no", False),
        (question("yes", "yesno"), "not visible", False),
    ],
)
def test_replies_are_compared_as_their_type_says(asked: Question, reply: str, right: bool) -> None:
    assert judge(asked, reply, []).right is right


def test_a_box_must_overlap_and_evidence_must_lie_in_the_region() -> None:
    asked = question([0, 0, 100, 100], "box", box=[0, 0, 100, 100])
    assert judge(asked, "x", [Box(10, 0, 110, 100)]).right
    small = judge(asked, "x", [Box(40, 40, 60, 60)])
    assert (small.right, small.near, small.grounded) == (False, True, True)
    assert judge(asked, "x", [Box(200, 0, 260, 50)]).grounded is False
    assert judge(asked, "x", []).near is False
    assert judge(question("a", "exact"), "a", []).grounded is None


@given(st.text())
def test_judging_survives_any_reply(reply: str) -> None:
    assert plain(plain(reply)) == plain(reply)
    assert first_number(f"12 {reply}") == 12
    assert judge(question("red", "contains"), f"red {reply}", []).right


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 2"),
        ('{"id": "a"}', "line 2"),
        (json.dumps({**question("a", "exact").model_dump(mode="json"), "colour": "x"}), "colour"),
        (
            json.dumps({**question("yes", "yesno").model_dump(mode="json"), "answer": "maybe"}),
            "none of type yesno",
        ),
        (
            json.dumps({**question(3, "number").model_dump(mode="json"), "answer": "three"}),
            "none of type number",
        ),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text(question("a", "exact").model_dump_json() + "\n" + line)
    with pytest.raises(ConfigError, match=said):
        read_questions(path)


def test_a_missing_or_empty_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_questions(tmp_path / "none.jsonl")
    (tmp_path / "empty.jsonl").write_text("\n")
    with pytest.raises(ConfigError, match="holds no question"):
        read_questions(tmp_path / "empty.jsonl")


def test_every_question_is_asked_and_a_broken_image_is_a_wrong_answer(tmp_path: Path) -> None:
    lines = [
        {
            **question("SN-48213", "exact", kind="plate").model_dump(mode="json"),
            "image": str(PHOTOS / "pump.jpg"),
            "question": "What is the serial number?",
        },
        {**question("yes", "yesno", kind="lamp").model_dump(mode="json"), "image": "gone.jpg"},
    ]
    path = tmp_path / "q.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    seen: list[int] = []
    made = core()
    result = evaluate_questions(
        read_questions(path), made.gateway, made.find, lambda reply, number, total: seen.append(number)
    )
    assert seen == [1, 2]
    told: Any = result.as_dict()
    assert told["all"]["of"] == 2
    assert set(told["by_kind"]) == {"plate", "lamp"}
    assert told["by_truth"]["yes"]["successes"] == 0
    assert len(told["errors"]) == 1 and "gone.jpg" in told["errors"][0]
    assert result.replies[0].answer
    assert "plate" in result.table()
