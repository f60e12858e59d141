"""Answers in pieces: however they are cut, they come out as the whole would."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llava_agent.gateway.guards import Guards, GuardSettings
from llava_agent.gateway.principal import LOCAL
from llava_agent.gateway.request import Completion, ModelRequest, Route, Usage
from llava_agent.gateway.screen import Blocked

MASKING = GuardSettings.model_validate(
    {
        "answers": {
            "email": "mask",
            "credit_card": "mask",
            "iban": "mask",
            "phone": "mask",
            "secret": "mask",
        },
        "topics": [{"name": "emerald", "words": ["project emerald stone"], "action": "mask"}],
    }
)
ASKED = ModelRequest("act", "go on")
WORDS = st.sampled_from(
    [
        "the", "pump", "at", "12.5", "bar", "ann@example.com", "4111 1111 1111 1111", "call +44 20 7946 0958",
        "DE89 3704 0044 0532 0130 00", "project emerald stone", "project", "emerald", "password: hunter22",
        "phone: 020 7946 0958", "AKIAIOSFODNN7EXAMPLE", "https://u:secret7@host/x", "1234", "\n", "(x)",
        "-----BEGIN PRIVATE KEY-----", "MIIEow", "-----END PRIVATE KEY-----", "[email_1]",
    ]
)  # fmt: skip


def pieces(data: st.DataObject, text: str) -> list[str]:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=12)))
    return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


@settings(max_examples=150, deadline=None)
@given(words=st.lists(WORDS, max_size=10), data=st.data())
def test_a_stream_shows_what_the_whole_would(words: list[str], data: st.DataObject) -> None:
    text = " ".join(words)
    guards = Guards(MASKING)
    whole = guards.outbound(Completion(text, "stop", Usage(), Route("m", "text", "")), ASKED, LOCAL)
    stream = guards.stream(ASKED)
    shown = "".join(stream.push(piece) for piece in pieces(data, text))
    end = stream.end()
    assert shown + end.value == whole.value.text
    assert {(one.guard, one.action) for one in end.results} >= {
        (one.guard, one.action) for one in whole.results if one.action != "none"
    }


@pytest.mark.parametrize("size", [1, 2, 7, 27, 500])
def test_a_run_of_numbers_longer_than_what_is_held_back_is_cut_between_them(size: int) -> None:
    text = "Accounts " + " ".join(["DE89 3704 0044 0532 0130 00"] * 9) + " and no more"
    stream = Guards(MASKING).stream(ASKED)
    shown = "".join(stream.push(text[at : at + size]) for at in range(0, len(text), size))
    assert shown + stream.end().value == "Accounts " + " ".join(["[iban_1]"] * 9) + " and no more"


def test_plain_words_are_shown_at_once() -> None:
    stream = Guards().stream(ASKED)
    assert stream.push("The pump ") == "The pump "
    assert stream.push("ru") + stream.push("ns at 12 ") == "runs at "
    assert stream.push("bar ") == "12 bar "
    assert stream.push("runs.") == ""
    assert stream.end().value == "runs."


def test_nothing_of_a_blocked_answer_is_shown_from_the_place_on() -> None:
    guards = Guards(GuardSettings.model_validate({"answers": {"secret": "block"}}))
    stream = guards.stream(ASKED)
    shown = stream.push("the key is ") + stream.push("AKIAIOSF") + stream.push("ODNN7EXAMPLE")
    with pytest.raises(Blocked):
        stream.end()
    assert "AKIA" not in shown


def test_masks_of_the_request_are_put_back_in_a_stream() -> None:
    guards = Guards()
    asked = ModelRequest("act", "write to ann@example.com")
    hidden = guards.inbound(asked, LOCAL, leaves_machine=True).hidden
    stream = guards.stream(asked, hidden)
    shown = stream.push("Dear [ema") + stream.push("il_1], ") + stream.push("hello")
    assert shown + stream.end().value == "Dear ann@example.com, hello"


@pytest.mark.parametrize("text", ["x" * 5000, "-----BEGIN PRIVATE KEY-----" + " ab" * 6000])
def test_a_word_and_a_key_without_end_are_refused(text: str) -> None:
    stream = Guards().stream(ASKED)
    with pytest.raises(Blocked):
        for start in range(0, len(text), 100):
            stream.push(text[start : start + 100])


def test_the_schema_counts_for_streams_too() -> None:
    stream = Guards().stream(ModelRequest("act", "x", json_schema={"type": "object"}))
    stream.push('{"a": ')
    with pytest.raises(Blocked):
        stream.end()
