"""What the span reader reads, and that every quotation is made of the passage's own characters."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from llava_agent.gateway.quotable import Passage, passages_of
from llava_agent.vlm.passages import (
    LONGEST,
    Asked,
    Segment,
    agreement,
    asked_of,
    lay_out,
    passages_for,
    words_of,
)
from tests.vlm.embedded_models import prompt_tokenizer

TOKENIZER = prompt_tokenizer()
TOKENIZER.encode_special_tokens = True
texts = st.text(max_size=30)
LINES = ('"Serial number" textbox', "text", '"OK" button')
TEXTS = ("Serial number", "", "OK")


def passage(text: str, name: str = "") -> Passage:
    return Passage("fact", 0, text, name) if name else Passage("instruction", 0, text)


def test_a_field_may_take_from_the_goal_the_facts_and_the_other_marks() -> None:
    found = passages_of("type", "File it", ["serial number = SN-1 = x", "leak"], TEXTS, 0)
    assert [(p.source, p.index, p.name, p.text) for p in found] == [
        ("instruction", 0, "", "File it"),
        ("fact", 0, "serial number", "SN-1 = x"),
        ("fact", 1, "", "leak"),
        ("candidate", 2, "", "OK"),
    ]
    asked = asked_of("type", "File it", LINES, TEXTS, 2)
    assert (asked.words, asked.name, asked.before) == ('"OK" button', "OK", "")
    assert asked_of("select", "File it", LINES, TEXTS, 1).before == "Serial number"


def test_a_reading_comes_from_its_line_alone_and_a_look_from_the_goal_alone() -> None:
    assert passages_of("read", "Which?", ["a = b"], TEXTS, 2) == [Passage("candidate", 2, "OK")]
    assert passages_of("read", "Which?", [], TEXTS, None) == []
    assert asked_of("read", "Which?", LINES, TEXTS, 2) == Asked("read", "Which?", "Which?")
    layout = lay_out(TOKENIZER, Asked("look"), passages_of("look", "Find x", ["x = 1"], TEXTS, None))
    quotable = layout.segments[layout.passages >= 0]
    assert set(quotable.tolist()) == {Segment.INSTRUCTION}
    assert Segment.FACT_VALUE in layout.segments  # what is known is read all the same


@given(texts, texts.filter(str.strip), texts)
@example("type ", "ü\U0001f600", "!")
@example("", "<|im_end|>\nclick", "")
@example("e", "\u0301", "x")
def test_the_tokens_of_a_value_give_its_characters(before: str, value: str, after: str) -> None:
    text = before + value + after
    layout = lay_out(TOKENIZER, Asked("look"), [passage(text)])
    found = layout.positions(0, len(before), len(before) + len(value))
    if found is not None:
        begin, end = layout.spans[found[0]][0], layout.spans[found[1]][1]
        assert text[begin:end].strip() == value.strip()


@given(st.text("abcXYZ 0189-./é", min_size=1, max_size=20).filter(lambda text: text.strip() == text))
def test_a_value_between_quotes_can_always_be_quoted(value: str) -> None:
    text = f'type "{value}" now'
    layout = lay_out(TOKENIZER, Asked("look"), [passage(text)])
    found = layout.positions(0, 6, 6 + len(value))
    assert found is not None
    assert text[layout.spans[found[0]][0] : layout.spans[found[1]][1]] == value


@given(texts, st.lists(texts, max_size=6), texts)
def test_a_sequence_is_bounded_and_its_parts_are_of_equal_length(
    goal: str, others: list[str], label: str
) -> None:
    passages = passages_of("type", goal * 9, [f"{goal} = {label}"], [label, *others], 0)
    layout = lay_out(TOKENIZER, Asked("type", f'"{label}" textbox', label), passages)
    length = len(layout.ids)
    assert length <= LONGEST
    assert len(layout.segments) == len(layout.passages) == len(layout.spans) == len(layout.matches) == length
    for token in np.flatnonzero(layout.passages >= 0):
        begin, end = layout.spans[token]
        assert 0 <= begin <= end <= len(passages[layout.passages[token]].text)


def test_long_pages_lose_candidates_and_never_what_is_asked() -> None:
    texts = ["word " * 20] * 40
    passages = passages_of("type", "File it", ["model = M-1"], texts, 0)
    layout = lay_out(TOKENIZER, Asked("type", '"Model" textbox', "Model"), passages)
    assert len(layout.ids) <= LONGEST
    assert {Segment.ASKED, Segment.INSTRUCTION, Segment.FACT_VALUE} <= set(layout.segments.tolist())
    assert 2 <= len(set(layout.passages[layout.segments == Segment.CANDIDATE].tolist())) < 40


def test_a_reading_is_searched_for_in_all_lines_and_a_dial_says_that_it_is_one() -> None:
    found = passages_for(
        "read", "Which?", [], ['"Model" text', "dial = 6.3 bar", "region"], ["Model", "6.3 bar", ""], 0
    )
    assert [(one.index, one.name, one.text) for one in found] == [(0, "", "Model"), (1, "dial", "6.3 bar")]
    assert passages_for("type", "Do", ["a = b"], LINES, TEXTS, 0) == passages_of(
        "type", "Do", ["a = b"], TEXTS, 0
    )
    layout = lay_out(TOKENIZER, Asked("read", "Which?", "Which?"), found)
    named = [
        segment for segment, passage in zip(layout.segments, layout.passages, strict=True) if passage < 0
    ]
    assert Segment.BEFORE in named
    ends = layout.matches[:, 6][layout.passages >= 0]
    assert ends.sum() == 2  # each line ends once


def test_agreement_is_full_for_equal_names_and_none_for_others() -> None:
    assert agreement("Serial number", "serial number") == 1.0
    assert agreement("serialNumber", "serial_number") == 1.0
    assert agreement("Serial number", "pressure") == agreement("", "pressure") == 0.0
    assert 0 < agreement("Pressure reading (bar)", "pressure reading") < 1
    assert words_of("P-1042 isOpen") == {"p", "1042", "is", "open"}


def test_tokens_say_what_their_word_has_in_common_with_what_is_asked() -> None:
    passages = [passage("The serial number, a serial and the model"), passage("SN-1", "serial number")]
    layout = lay_out(TOKENIZER, Asked("type", '"Serial number" textbox', "Serial number"), passages)
    text = passages[0].text

    def numbers(word: str, which: int) -> list[float]:
        at = text.index(word) if which == 0 else text.rindex(word)
        found = layout.positions(0, at, at + len(word))
        assert found is not None
        return layout.matches[found[0]].tolist()

    assert numbers("serial", 0)[:4] == [1, 1, 1, 1]  # the name in full, and a fact's name
    assert numbers("serial", 1)[:4] == [1, 1, 0, 0]  # the word alone
    assert numbers("model", 0) == [0, 0, 0, 0, 0, 0, 0]
    value = layout.matches[layout.segments == Segment.FACT_VALUE]
    assert (value[:, 4] == 1).all()
