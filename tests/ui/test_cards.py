"""What comes from outside is shown as text, never as markup."""

from __future__ import annotations

from llava_agent.agent.fact import Evidence
from llava_agent.agent.perceive import Answer
from llava_agent.agent.record import StepRecord, StoredCheck, StoredFact, StoredLook
from llava_agent.errors import ImageError
from llava_agent.gateway.request import Usage
from llava_agent.ui.cards import answer_card, going_card, plan_list, problem_card, steps_list, stopped_card

NASTY = '<img src=x onerror="alert(1)">&"'


def step(line: str = NASTY) -> StepRecord:
    look = StoredLook(
        id="1", surface="page", address=NASTY, title=NASTY, fingerprint="f", image=None, scroll=None, marks=()
    )
    return StepRecord(
        step=0,
        time="",
        observation=look,
        action=None,
        line=line,
        reason=NASTY,
        confidence=0.5,
        outcome="ok",
        outcome_reason="ok",
        verification=StoredCheck(status="held", by="page", detail=NASTY),
        fact=StoredFact(name=NASTY, value=NASTY, confidence=0.5),
        seconds=1.0,
    )


def test_foreign_text_is_escaped() -> None:
    evidence = (Evidence("sha", (0, 0, 1, 1), NASTY, NASTY),)
    answer = Answer(NASTY, 0.9, evidence, NASTY, "sha", Usage(), {"total": 5.0})
    for html in (
        answer_card(answer),
        problem_card(ImageError(NASTY, NASTY)),
        steps_list([step()]),
        stopped_card(1, f"/runs/{NASTY}"),
    ):
        assert "<img" not in html and "&lt;img" in html
        assert 'onerror="' not in html


def test_words_fit_what_happened() -> None:
    assert "opening the page" in going_card([])
    assert "step 2" in going_card([step()])
    assert "stopped after 1 step<" in stopped_card(1, "r")
    assert steps_list([]) == ""
    unseen = Answer("not visible", 0.4, (), "m", "sha", Usage())
    assert "unseen" in answer_card(unseen) and "<ul" not in answer_card(unseen)
    assert "40 % sure" in answer_card(unseen)


def test_a_plan_shows_what_is_verified() -> None:
    shown = plan_list(['click "Add"', "<free>"], ["held"])
    assert shown.count("<li") == 2 and 'class="held"' in shown and "&lt;free&gt;" in shown
    assert plan_list(["one part"], []) == ""
