"""A goal is read into parts: what is clicked, filled, chosen, dragged; what is no order is the model's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llava_agent.agent.plan.part import Phrase, Source
from llava_agent.agent.plan.phrase import read_phrase
from llava_agent.agent.plan.read import read_plan
from llava_agent.agent.plan.words import lines
from llava_agent.demo import WEB_TASK


@pytest.mark.parametrize(
    ("goal", "plan"),
    [
        (
            'Open the "Users" tab, then click Add and press the Save button.',
            ('click "Users" tab', 'click "Add"', 'click "Save" button'),
        ),
        (
            'Enter the name "Ann Lee" and the code "7" into the fields and press Save',
            ('fill "name" field with "Ann Lee"', 'fill "code" field with "7"', 'click "Save"'),
        ),
        (
            "Choose Large from the size dropdown, tick the 2nd checkbox and submit",
            ('choose "Large" in "size" list', "click number 2 of the box", 'click "Submit" button'),
        ),
        (
            "Select red, green and blue and click OK",
            ('click "red"', 'click "green"', 'click "blue"', 'click "OK"'),
        ),
        (
            "Select 03/18/2024 as the date and submit",
            ('fill "date" field with "03/18/2024"', 'click "Submit" button'),
        ),
        ('For the user @ann, click on the "Mute" button', ('click "Mute" button of @ann',)),
        ('Click the "Like" button on all posts by @bob', ('click every "Like" button of @bob',)),
        ("Drag the report to the top", ('drag "report" top',)),
        ("Select File>Export>PDF", ('click "File"', 'click "Export"', 'click "PDF"')),
        ("Find Ann's email and delete it.", ('click "Ann"', 'click "bin" button')),
    ],
)
def test_orders_become_parts(goal: str, plan: tuple[str, ...]) -> None:
    read = read_plan(goal)
    assert lines(read) == plan
    assert read.guides and read.at == 0


@pytest.mark.parametrize(
    "goal",
    [
        "Click on the numbers in descending order",
        "Forward Eve the latest mail from Bob",
        'Reply to them with the text "On it."',
        "Set the sliders to the values [3, 5]",
        'Enter an item that starts with "An" and ends with "ra"',
    ],
)
def test_an_order_that_names_no_thing_is_left_to_the_model(goal: str) -> None:
    assert [part.kind for part in read_plan(goal).parts] == ["free"]


def test_a_clause_that_is_no_order_is_left_to_the_model() -> None:
    plan = read_plan(WEB_TASK)
    assert [part.kind for part in plan.parts] == ["free", "press"]
    assert not plan.guides and lines(plan)[0].startswith("File a ticket for the pump")


def test_quotation_marks_hide_what_looks_like_a_border() -> None:
    plan = read_plan('Type "stop, then click go" into the note field and press Save')
    assert plan.parts[0].value == "stop, then click go" and len(plan.parts) == 2


def test_texts_that_the_page_says() -> None:
    copied = read_plan("Copy the text from the 1st text area and paste it into the text input").parts[0]
    assert copied.value == Source(Phrase(role="field", ordinal=0), "text")
    word = read_plan("Find the last word in the paragraph, type that into the box and submit").parts[0]
    assert isinstance(word.value, Source) and (word.value.take, word.value.word) == ("word", -1)
    beside = read_plan("Enter the value of First name into the text field").parts[0]
    assert beside.value == Source(Phrase(("First name",)), "value")


def test_phrases_say_name_role_and_place() -> None:
    assert read_phrase("the previous button").names[-1] == "previous"
    assert read_phrase('the button in the dialog labeled "OK"') == Phrase(("OK",), "button")
    assert read_phrase("the largest number").extreme == "greatest"
    assert read_phrase("the third text field") == Phrase(role="field", ordinal=2)


@given(st.text(max_size=200))
def test_any_text_is_read_and_quoted(goal: str) -> None:
    for part in read_plan(goal).parts:
        assert part.quote in goal
