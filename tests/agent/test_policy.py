from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llava_agent.agent.candidate import candidate
from llava_agent.agent.decision import (
    MOST_CANDIDATES,
    aim,
    offered_marks,
    offered_verbs,
    targets,
    to_action,
)
from llava_agent.agent.fact import Fact
from llava_agent.agent.plan.read import read_plan
from llava_agent.agent.policy import RoutedPolicy, TextPolicy, UnplannedPolicy, VisionPolicy, pixels_needed
from llava_agent.agent.state import State
from llava_agent.gateway.gateway import Gateway
from llava_agent.gateway.model import both_tiers
from llava_agent.gateway.request import Span
from tests.agent.world import Form
from tests.gateway.doubles import Double, choice
from tools.action import Click, Done, Look, Press, Scroll, Select, Target, Type
from tools.geometry import Box
from tools.mark import Mark
from tools.observation import Observation

STATE = State("save the form", run="r", facts=(Fact("serial number", "SN-1", 0.9),))


def span(text: str) -> Span:
    return Span(text, "instruction", 0, 0.9)


async def seen(*, pixels: bool = True) -> Observation:
    return await Form(pixels=pixels).observe()


def models(text_sure: float = 0.9, vision_sure: float = 0.9) -> tuple[Double, Double, Gateway]:
    text = Double("text", "text", lambda r, c, v: choice("click", 4, of=len(c), confidence=text_sure))
    vision = Double("vision", "vision", lambda r, c, v: choice("click", 3, of=len(c), confidence=vision_sure))
    return text, vision, Gateway({"text": text, "vision": vision})


async def test_a_sure_text_step_costs_no_pixels() -> None:
    text, vision, gateway = models()
    decision = RoutedPolicy(gateway).decide(STATE, await seen())
    assert decision.action == Click(target=Target(ref="save"))
    assert not decision.escalated and vision.requests == []
    assert text.requests[0].facts == ("serial number = SN-1",)
    assert text.requests[0].step_kind == "act" and text.requests[0].image is None


async def test_an_unsure_text_step_is_asked_again_of_the_vision_model() -> None:
    _, vision, gateway = models(text_sure=0.3)
    decision = RoutedPolicy(gateway).decide(STATE, await seen())
    assert decision.action == Click(target=Target(ref="urgent"))
    assert decision.escalated and "0.30 sure" in decision.reason
    assert vision.requests[0].minimum_tier == 1 and vision.requests[0].image is not None


async def test_the_same_weights_are_asked_again_only_where_pixels_can_tell_more() -> None:
    calls: list[bool] = []

    class Both:
        def choose(self, request, candidates, verbs, *, pixels):  # type: ignore[no-untyped-def]
            calls.append(pixels)
            return choice("click", 0, of=len(candidates), confidence=0.3)

    gateway = Gateway(both_tiers("tiny", Both()))  # type: ignore[arg-type]
    assert gateway.one_set_of_weights
    worded = await seen()
    decision = RoutedPolicy(gateway).decide(STATE, worded)
    assert not decision.escalated and calls == [False]
    marks = (*worded.marks, Mark("x", "button", "", Box(0, 0, 9, 9), "dom"))
    RoutedPolicy(gateway).decide(STATE, replace(worded, marks=marks))
    assert calls == [False, False, True]
    assert not models()[2].one_set_of_weights


async def test_an_even_less_sure_vision_model_does_not_overrule() -> None:
    _, _, gateway = models(text_sure=0.3, vision_sure=0.2)
    decision = RoutedPolicy(gateway).decide(STATE, await seen())
    assert decision.action == Click(target=Target(ref="save")) and not decision.escalated
    assert len(gateway.ledger.entries) == 2


async def test_without_a_vision_model_an_unsure_step_stays_with_the_text_model() -> None:
    text, _, _ = models(text_sure=0.3)
    decision = RoutedPolicy(Gateway({"text": text})).decide(STATE, await seen())
    assert decision.action == Click(target=Target(ref="save"))


async def test_trouble_escalates_with_its_reason() -> None:
    text, _, gateway = models()
    decision = RoutedPolicy(gateway).decide(replace(STATE, trouble="the target is covered"), await seen())
    assert decision.escalated and text.requests == []
    assert decision.reason == "escalated: the target is covered"


async def test_a_surface_without_pixels_never_escalates() -> None:
    _, vision, gateway = models(text_sure=0.1)
    RoutedPolicy(gateway).decide(replace(STATE, trouble="x"), await seen(pixels=False))
    assert vision.requests == []


async def test_all_vision_and_all_text() -> None:
    text, vision, gateway = models(text_sure=0.1)
    TextPolicy(gateway).decide(STATE, await seen())
    assert (len(text.requests), len(vision.requests)) == (1, 0)
    VisionPolicy(gateway).decide(STATE, await seen())
    assert (len(text.requests), len(vision.requests)) == (1, 1)
    VisionPolicy(gateway).decide(STATE, await seen(pixels=False))
    assert vision.requests[-1].image is None


@pytest.mark.parametrize(
    ("goal", "needed"),
    [
        ("Click the red button", True),
        ("click the gear icon", True),
        ('Type "red" into the name field', False),
        ("File a ticket for the pump", False),
    ],
)
def test_goals_about_looks_need_pixels(goal: str, needed: bool) -> None:
    marks = (Mark("a", "button", "A", None, "dom"),)
    assert bool(pixels_needed(State(goal), marks)) is needed


def test_controls_without_words_need_pixels() -> None:
    marks = tuple(Mark(str(n), "button", "" if n < 2 else "B", Box(0, 0, 9, 9), "dom") for n in range(4))
    assert pixels_needed(State("go on"), marks) == "2 of 4 controls have no words"


async def test_only_possible_verbs_and_marks_are_offered() -> None:
    page = await seen()
    marks = offered_marks(STATE, page)
    assert [mark.ref for mark in marks] == ["name", "size", "colour", "urgent", "save"]
    assert offered_verbs(STATE, page, marks) == ("click", "type", "select", "press", "done")
    banned = replace(STATE, banned=frozenset({"save", "done"}))
    assert "save" not in {mark.ref for mark in offered_marks(banned, page)}
    assert "done" not in offered_verbs(banned, page, marks)
    button = (Mark("b", "button", "B", None, "dom"),)
    assert targets("type", button) == []
    assert targets("type", (Mark("t", "text", "Name", None, "ocr"),)) == [0]


def test_a_crowded_page_keeps_what_can_be_acted_on() -> None:
    texts = tuple(Mark(f"t{n}", "text", f"word {n}", None, "dom") for n in range(200))
    page = Observation("o", "page", "a", "t", (*texts, Mark("b", "button", "Last", None, "dom")))
    marks = offered_marks(STATE, page)
    assert len(marks) == MOST_CANDIDATES and marks[-1].ref == "b" and marks[0].ref == "t0"


def test_what_is_read_quotes_its_value_and_a_control_its_name() -> None:
    assert candidate(Mark("a", "text", "serial number", None, "api", "SN-2")).text == "SN-2"
    assert candidate(Mark("a", "textbox", "Serial", None, "dom", "SN-2")).text == "Serial"
    long = candidate(Mark("a", "text", "word " * 100, None, "dom"))
    assert long.text in long.line and len(long.line) < 140


def test_a_verb_is_aimed_at_a_mark_that_can_take_it() -> None:
    marks = (Mark("b", "button", "Name", None, "dom"), Mark("f", "textbox", "Name", None, "dom"))
    picked = replace(choice("type", 0, of=2, confidence=0.8, span=span("Ada")), distribution=(0.6, 0.3))
    aimed = aim(picked, marks)
    assert aimed.index == 1 and aimed.confidence == pytest.approx(0.4)
    assert to_action(aimed, marks) == (Type(target=Target(ref="f"), text="Ada"), "")


@pytest.mark.parametrize(
    ("verb", "index", "words", "action"),
    [
        ("click", 0, "", Click(target=Target(ref="a"))),
        ("select", 0, "high", Select(target=Target(ref="a"), option="high")),
        ("press", None, "", Press(key="Enter")),
        ("scroll", None, "", Scroll()),
        ("look", None, "serial number", Look(question="serial number")),
        ("done", None, "", Done()),
        ("click", None, "", None),
        ("type", 0, "", None),
        ("look", None, "", None),
    ],
)
def test_choices_become_actions(verb: str, index: int | None, words: str, action: object) -> None:
    marks = (Mark("a", "combobox", "A", None, "dom"),)
    made, problem = to_action(choice(verb, index, of=1, span=span(words) if words else None), marks)
    assert made == action
    assert bool(problem) == (action is None)


@given(
    st.lists(st.sampled_from(["button", "textbox", "combobox", "text", "argument"]), min_size=1, max_size=12),
    st.data(),
)
def test_an_aimed_choice_always_fits_its_verb(roles: list[str], data: st.DataObject) -> None:
    marks = tuple(Mark(str(n), role, "x", None, "dom") for n, role in enumerate(roles))
    page = Observation("o", "page", "a", "t", marks)
    verb = data.draw(st.sampled_from(offered_verbs(STATE, page, marks)))
    index = data.draw(st.integers(0, len(marks) - 1))
    aimed = aim(choice(verb, index, of=len(marks), span=span("x")), marks)
    assert aimed.index in targets(verb, marks)


def planned(goal: str) -> State:
    return State(goal, run="r", plan=read_plan(goal))


async def test_a_part_that_names_one_mark_needs_no_model() -> None:
    text, vision, gateway = models()
    decision = RoutedPolicy(gateway).decide(planned("Click the Save button"), await seen())
    assert decision.action == Click(target=Target(ref="save")) and decision.reason.startswith("plan: ")
    assert decision.aim is not None and (decision.aim.part, decision.aim.ends) == (0, True)
    assert text.requests == [] and vision.requests == []
    for policy in (TextPolicy, VisionPolicy, UnplannedPolicy):
        assert policy(gateway).decide(planned("Click the Save button"), await seen()).choice is not None


async def test_a_plan_whose_parts_are_all_done_is_done_once() -> None:
    text, _, gateway = models()
    state = planned("Click the Save button")
    state = replace(state, plan=state.plan.ticked(0, "held"))
    assert RoutedPolicy(gateway).decide(state, await seen()).action == Done() and text.requests == []
    refused = replace(state, history=("done: failed",), trouble="the goal is not reached")
    assert RoutedPolicy(gateway).decide(refused, await seen()).choice is not None


async def test_a_part_that_names_several_marks_asks_for_one_of_them_only() -> None:
    text = Double("text", "text", lambda r, c, v: choice(v[0], 1, of=len(c), confidence=0.9))
    looked = await seen()
    twice = replace(looked, marks=(*looked.marks, Mark("other", "button", "Save", Box(0, 0, 9, 9), "dom")))
    decision = RoutedPolicy(Gateway({"text": text})).decide(planned("Click the Save button"), twice)
    assert decision.action == Click(target=Target(ref="other"))
    assert len(text.requests[0].candidates) == 2


async def test_done_is_not_offered_before_the_plan_is_or_right_after_it_was_refused() -> None:
    looked = await seen()
    marks = offered_marks(STATE, looked)
    assert "done" not in offered_verbs(planned("Click the Save button"), looked, marks)
    assert "done" in offered_verbs(planned("Make it so"), looked, marks)
    again = replace(STATE, history=("done: failed",), trouble="the goal is not reached")
    assert "done" not in offered_verbs(again, looked, marks)
    nothing = replace(again, banned=frozenset({"click", "type", "select", "press", "scroll"}))
    assert offered_verbs(nothing, looked, marks) == ("done",)
