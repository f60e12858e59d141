"""The unmodified `openai` client against a server on a real port."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from fastapi import FastAPI
from openai import OpenAI

from tests.service.openai.models import COMPRESSOR, PUMP, Speaker, about, core_with, say
from tests.service.serving import application, key_of, running, service


@pytest.fixture
def speaker() -> Speaker:
    return Speaker()


@pytest.fixture
def app(tmp_path: Path, speaker: Speaker) -> FastAPI:
    return application(tmp_path, lambda: core_with(speaker), waiting=4, waiting_each=2)


@pytest.fixture
def url(app: FastAPI) -> Iterator[str]:
    with running(app) as base:
        yield base


@pytest.fixture
def client(url: str) -> OpenAI:
    return OpenAI(base_url=f"{url}/v1", api_key="sk-none", max_retries=0)


def chat(client: OpenAI, messages: Any, **given: Any) -> Any:
    return client.chat.completions.create(model=given.pop("model", "auto"), messages=messages, **given)


def test_a_conversation_is_answered(client: OpenAI, speaker: Speaker) -> None:
    messages = [{"role": "system", "content": "be brief"}, *say("hello there")]
    raw = client.chat.completions.with_raw_response.create(
        model="auto",
        messages=messages,  # type: ignore[arg-type]
        temperature=0.3,
        seed=7,
        stop=["END"],
    )
    answer = raw.parse()
    assert answer.choices[0].message.content == "echo hello there"
    assert answer.choices[0].finish_reason == "stop" and answer.model == "small"
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (
        9,
        3,
        12,
    )
    assert raw.headers["x-route-model"] == "small" and len(raw.headers["x-route-reason"].split()) > 3
    assert raw.headers["x-request-id"].startswith("req_")
    (asked,) = speaker.requests
    assert [message.role for message in asked.messages] == ["system", "user"]
    assert (asked.drawing.temperature, asked.drawing.seed, asked.drawing.stop) == (0.3, 7, ("END",))
    assert asked.principal.user == "local"


def test_max_tokens_cuts(client: OpenAI) -> None:
    for given in ({"max_tokens": 2}, {"max_completion_tokens": 2}):
        choice = chat(client, say("hello there"), **given).choices[0]
        assert (choice.message.content, choice.finish_reason) == ("echo hello", "length")


def test_words_come_as_they_are_made(client: OpenAI, speaker: Speaker) -> None:
    speaker.hold = threading.Event()
    stream = chat(client, say("hello there"), stream=True, stream_options={"include_usage": True})
    first = next(stream)
    assert first.choices[0].delta.role == "assistant"
    assert next(stream).choices[0].delta.content == "echo", "while the second word is still to come"
    speaker.hold.set()
    chunks = list(stream)
    words = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    assert [word for word in words if word] == [" hello", " there"]
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].usage.total_tokens == 12 and chunks[-1].choices == []
    assert stream.response.headers["x-route-model"] == "small"


def test_a_stream_without_the_wish_tells_no_usage(client: OpenAI) -> None:
    assert all(chunk.usage is None for chunk in chat(client, say("hello"), stream=True))


def test_a_question_about_an_image_is_read_with_its_evidence(client: OpenAI) -> None:
    answer = chat(client, about("What is the serial number?", PUMP))
    message = answer.choices[0].message
    assert message.content == "SN-48213" and answer.model == "eyes"
    (evidence,) = message.model_extra["evidence"]
    assert evidence == {"image": 0, "box": [258, 608, 352, 624], "text": "serial number", "source": "ocr"}
    assert message.model_extra["confidence"] == 0.9
    assert answer.usage.prompt_tokens_details.image_tokens == 12
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (120, 1)


def test_the_surest_of_several_images_answers_and_says_which(tmp_path: Path) -> None:
    from llava_agent.assembly import Core
    from llava_agent.gateway.gateway import Gateway
    from tests.ui.words import Words, find_known
    from tools.photo import load_image

    pump = load_image(Path("examples/photos/pump.jpg").resolve()).sha256
    core = Core(Gateway({"words": Words()}), lambda photo: find_known(photo) if photo.sha256 == pump else [])
    with running(application(tmp_path, lambda: core)) as url:
        client = OpenAI(base_url=f"{url}/v1", api_key="x", max_retries=0)
        answer = chat(client, about("What is the serial number?", COMPRESSOR, PUMP))
        assert answer.choices[0].message.content == "SN-48213"
        assert answer.choices[0].message.model_extra["evidence"][0]["image"] == 1
        assert answer.usage.prompt_tokens == 240, "both were looked at"


def test_a_later_question_is_about_the_same_image(client: OpenAI) -> None:
    first = chat(client, about("What is the serial number?", PUMP))
    messages = [
        *about("What is the serial number?", PUMP),
        first.choices[0].message.model_dump(exclude_none=True),
        *say("And the power?"),
    ]
    assert "kW" in chat(client, messages).choices[0].message.content


def test_not_visible_is_an_answer(client: OpenAI) -> None:
    message = chat(client, about("Who painted it?", PUMP)).choices[0].message
    assert message.content == "not visible" and message.model_extra["evidence"] == []


def test_an_answer_about_an_image_can_be_streamed(client: OpenAI) -> None:
    chunks = list(chat(client, about("What is the serial number?", PUMP), stream=True))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert text == "SN-48213"
    told = [chunk.choices[0].delta.model_extra.get("evidence") for chunk in chunks]
    assert next(one for one in told if one)[0]["box"] == [258, 608, 352, 624]


def schema(properties: dict[str, object], required: list[str]) -> dict[str, object]:
    form = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return {"type": "json_schema", "json_schema": {"name": "plate", "strict": True, "schema": form}}


def test_a_form_is_filled_from_an_image_field_by_field(client: OpenAI) -> None:
    wanted = schema(
        {
            "serial_number": {"type": "string"},
            "power": {"type": "number", "description": "What is the power?"},
            "painter": {"type": ["string", "null"], "description": "Who painted it?"},
        },
        ["serial_number", "power", "painter"],
    )
    message = chat(client, about("Read the plate", PUMP), response_format=wanted).choices[0].message
    told = json.loads(message.content)
    assert told["serial_number"] == "SN-48213" and told["painter"] is None
    assert isinstance(told["power"], float)
    assert [one["field"] for one in message.model_extra["evidence"]] == ["serial_number", "power"]
    missing = schema({"painter": {"type": "string", "description": "Who painted it?"}}, ["painter"])
    refused = chat(client, about("Read it", PUMP), response_format=missing).choices[0].message
    assert refused.content is None and "painter" in refused.refusal


def test_the_words_follow_a_schema(client: OpenAI, speaker: Speaker) -> None:
    speaker.answer = lambda request: '{"a":1}'
    wanted = schema({"a": {"type": "integer"}}, ["a"])
    assert chat(client, say("one"), response_format=wanted).choices[0].message.content == '{"a":1}'
    assert speaker.requests[-1].json_schema == wanted["json_schema"]["schema"]  # type: ignore[index]
    chat(client, say("one"), response_format={"type": "json_object"})
    assert speaker.requests[-1].json_schema == {"type": "object"}


TOOL = {
    "type": "function",
    "function": {
        "name": "ticket",
        "description": "File a ticket",
        "parameters": {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]},
    },
}


def test_tools_are_called_and_their_results_go_back(client: OpenAI, speaker: Speaker) -> None:
    speaker.answer = lambda request: '{"tool": "ticket", "arguments": {"title": "leak"}}'
    choice = chat(client, say("file it"), tools=[TOOL], tool_choice="required").choices[0]
    assert choice.finish_reason == "tool_calls" and choice.message.content is None
    (call,) = choice.message.tool_calls
    assert call.function.name == "ticket" and json.loads(call.function.arguments) == {"title": "leak"}
    asked = speaker.requests[-1]
    assert asked.offers_tools and asked.step_kind == "tool_args"
    assert asked.json_schema is not None and asked.json_schema["required"] == ["tool", "arguments"]
    assert "File a ticket" in asked.messages[0].text
    speaker.answer = lambda request: '{"answer": "filed as 7"}'
    result = {"role": "tool", "tool_call_id": call.id, "content": "number 7"}
    messages = [*say("file it"), choice.message.model_dump(exclude_none=True), result]
    assert chat(client, messages, tools=[TOOL]).choices[0].message.content == "filed as 7"
    assert speaker.requests[-1].messages[-1].text == "Result of ticket: number 7"
    assert "anyOf" in (speaker.requests[-1].json_schema or {})


def test_a_tool_call_can_be_streamed(client: OpenAI, speaker: Speaker) -> None:
    speaker.answer = lambda request: '{"tool": "ticket", "arguments": {"title": "leak"}}'
    chunks = list(chat(client, say("file it"), tools=[TOOL], stream=True))
    calls = [chunk.choices[0].delta.tool_calls for chunk in chunks if chunk.choices[0].delta.tool_calls]
    assert calls[0][0].index == 0 and calls[0][0].function.name == "ticket"
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"n": 2}, "n: "),
        ({"logit_bias": {"5": 1}}, "'logit_bias' is not supported"),
        ({"logprobs": True}, "logprobs: "),
        ({"frequency_penalty": 0.5}, "frequency_penalty: "),
        ({"max_tokens": 0}, "max_tokens: "),
        ({"stream_options": {"include_usage": True}}, "stream_options needs stream"),
        ({"tool_choice": "required"}, "tool_choice needs tools"),
        ({"messages": []}, "messages: "),
        ({"messages": [{"role": "system", "content": "x"}]}, "no message of the user"),
        ({"messages": say("  ")}, "question is empty"),
        ({"messages": about("x", "http://169.254.169.254/latest")}, "data: URLs only"),
        ({"messages": about("x", "file:///etc/passwd")}, "data: URLs only"),
        ({"messages": about("x", "data:image/png;base64,!!!!")}, "not valid base64"),
        ({"messages": about("x", "data:image/png;base64,AAAA")}, "not an image"),
        ({"messages": about("x", *[PUMP] * 9)}, "at most 8 images"),
        ({"messages": about("x", PUMP), "tools": [TOOL]}, "cannot offer tools"),
        ({"messages": about("x", PUMP), "response_format": {"type": "json_object"}}, "needs a schema"),
        (
            {
                "messages": about("x", PUMP),
                "response_format": schema({"a": {"type": "array", "items": {"type": "string"}}}, []),
            },
            "'a' must be a string",
        ),
    ],
)
def test_what_is_not_supported_is_a_clear_400(client: OpenAI, given: dict[str, Any], said: str) -> None:
    body = {"model": "auto", "messages": say("hello"), **given}
    with pytest.raises(openai.BadRequestError) as refused:
        client.post("/chat/completions", body=body, cast_to=httpx.Response)
    assert said in refused.value.message
    assert refused.value.body["type"] == "invalid_request_error"  # type: ignore[index]


def test_an_unknown_model_is_a_404(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="no model of that name"):
        chat(client, say("hello"), model="gpt-9")
    assert [model.id for model in client.models.list()][:2] == ["auto", "small"]
    assert chat(client, say("hello"), model="small").choices[0].message.content == "echo hello"
    assert client.models.retrieve("auto").owned_by == "llava-agent"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("../etc/passwd")


def test_a_failure_in_mid_stream_is_an_event(client: OpenAI, url: str, speaker: Speaker) -> None:
    speaker.fail_after = 2
    stream = chat(client, say("hello there"), stream=True)
    said = []
    with pytest.raises(openai.APIError) as failed:
        for chunk in stream:
            said.append(chunk.choices[0].delta.content)
    assert "".join(word for word in said if word) == "echo hello"
    assert "CANARY" not in str(failed.value.body)
    raw = httpx.post(f"{url}/v1/chat/completions", json={"messages": say("hello there"), "stream": True}).text
    assert "event: error\ndata: " in raw and "[DONE]" not in raw and "CANARY" not in raw


def test_a_failure_before_the_first_word_is_a_status(client: OpenAI, speaker: Speaker) -> None:
    speaker.fail_after = 0
    for given in ({"stream": True}, {}):
        with pytest.raises(openai.InternalServerError) as failed:
            chat(client, say("hello"), **given)
        assert failed.value.status_code == 502 and "CANARY" not in failed.value.message


def test_one_request_at_a_time_and_a_full_queue_says_when_to_come_back(
    client: OpenAI, app: FastAPI, speaker: Speaker
) -> None:
    speaker.hold = threading.Event()
    done: list[str] = []

    def ask() -> None:
        done.append(chat(client, say("hello")).choices[0].message.content)

    threads = [threading.Thread(target=ask) for _ in range(3)]  # one is served, two wait
    for thread in threads:
        thread.start()
    until = time.monotonic() + 30
    while service(app).queue.waiting < 2:
        assert time.monotonic() < until
        time.sleep(0.01)
    with pytest.raises(openai.RateLimitError) as refused:
        chat(client, say("hello"))
    assert int(refused.value.response.headers["retry-after"]) >= 1
    assert refused.value.body["code"] == "busy"  # type: ignore[index]
    speaker.hold.set()
    for thread in threads:
        thread.join(timeout=20)
    assert done == ["echo hello"] * 3 and speaker.most_open == 1


class Pause(threading.Event):
    """Makes a model slow: silent until its client has gone, then so slow that an end differs from a stop."""

    waited = False

    def wait(self, timeout: float | None = None) -> bool:
        time.sleep(0.005 if self.waited else 1.5)
        self.waited = True
        return False


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_goes_away_frees_its_turn(
    client: OpenAI, url: str, speaker: Speaker, stream: bool
) -> None:
    speaker.answer = lambda request: "word " * 10_000 if "long" in request.messages[-1].text else "short"
    speaker.hold = Pause()
    body = {"messages": say("long"), "max_tokens": 8000, "stream": stream}
    with httpx.Client(timeout=httpx.Timeout(20, read=0.5)) as going, pytest.raises(httpx.ReadTimeout):
        going.post(f"{url}/v1/chat/completions", json=body)
    assert chat(client, say("hello")).choices[0].message.content == "short"
    assert speaker.words_said < 8000 and speaker.open == 0 and speaker.most_open == 1


def test_keys_are_asked_for_where_others_can_reach_the_server(tmp_path: Path, speaker: Speaker) -> None:
    app = application(tmp_path, lambda: core_with(speaker), login=True)
    key, auditor = key_of(app, "maria"), key_of(app, "eve", "auditor")
    with running(app) as url:
        for wrong in ("sk-none", key[:-1] + "?"):
            with pytest.raises(openai.AuthenticationError):
                chat(OpenAI(base_url=f"{url}/v1", api_key=wrong, max_retries=0), say("hello"))
        with pytest.raises(openai.PermissionDeniedError):
            chat(OpenAI(base_url=f"{url}/v1", api_key=auditor, max_retries=0), say("hello"))
        assert speaker.requests == []
        chat(OpenAI(base_url=f"{url}/v1", api_key=key), say("hello"))
    assert speaker.requests[0].principal.user == "maria" and speaker.requests[0].principal.key
