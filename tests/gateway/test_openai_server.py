"""The provider for OpenAI-compatible servers, against a real HTTP server that speaks the protocol."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from llava_agent.assembly import assemble
from llava_agent.egress import EgressTimeout
from llava_agent.errors import ConfigError, NoPermittedModel, PermissionDenied, ToolError
from llava_agent.gateway.failure import ModelFailure
from llava_agent.gateway.providers.openai_server import OpenAIServer
from llava_agent.gateway.request import Candidate, Completion, Drawing, Message, ModelRequest
from tests.vlm.embedded_models import photo

CANDIDATES = (
    Candidate('"Serial number" textbox', "Serial number", (10, 20, 30, 40)),
    Candidate('"OK" button', "OK"),
)
REQUEST = ModelRequest(
    "act", "Type the serial number", ("serial number = SN-1",), ("look serial number",), image=photo()
)
VERBS = ("click", "type", "done")


class Spoken(ThreadingHTTPServer):
    """Answers with `answer(body)`, a status and a text; keeps what it was sent."""

    answer: Callable[[dict[str, Any]], tuple[int, str]]

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bodies: list[dict[str, Any]] = []
        self.keys: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: Spoken

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.bodies.append({"path": self.path, **body})
        self.server.keys.append(self.headers["authorization"])
        status, text = self.server.answer(body)
        content = text.encode()
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


def completion(content: str, finish: str = "stop", logprob: float | None = -0.1) -> str:
    choice: dict[str, Any] = {"message": {"content": content}, "finish_reason": finish}
    if logprob is not None:
        choice["logprobs"] = {"content": [{"token": "x", "logprob": logprob}] * 2}
    return json.dumps({"choices": [choice], "usage": {"prompt_tokens": 90, "completion_tokens": 12}})


@pytest.fixture
def server() -> Iterator[Spoken]:
    with Spoken() as spoken:
        thread = threading.Thread(target=spoken.serve_forever, daemon=True)
        thread.start()
        yield spoken
        spoken.shutdown()


def answers(server: Spoken, content: str, **more: Any) -> OpenAIServer:
    server.answer = lambda body: (200, completion(content, **more))
    return OpenAIServer(server.url, "some-vlm")


def test_a_choice_is_asked_under_a_schema_and_its_words_are_found_in_the_request(server: Spoken) -> None:
    model = answers(server, '{"verb": "type", "mark": 1, "text": "SN-1"}')
    choice = model.choose(REQUEST, CANDIDATES, VERBS, pixels=True)
    assert (choice.verb, choice.index) == ("type", 0)
    assert choice.span is not None
    assert (choice.span.text, choice.span.source, choice.span.index) == ("SN-1", "fact", 0)
    assert choice.confidence == pytest.approx(0.8187, abs=1e-3)
    assert sum(choice.distribution) + choice.none == pytest.approx(1)
    assert (choice.usage.prompt_tokens, choice.usage.output_tokens) == (90, 12)
    body = server.bodies[0]
    assert (body["path"], body["model"], body["temperature"]) == ("/v1/chat/completions", "some-vlm", 0)
    schema = body["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["verb"]["enum"] == list(VERBS)
    assert schema["properties"]["mark"]["maximum"] == 2
    image, text = body["messages"][0]["content"]
    assert image["image_url"]["url"].startswith("data:image/png;base64,")
    assert '1. "Serial number" textbox at (20, 30)' in text["text"]


def test_pixels_are_sent_only_where_they_are_asked_for_and_taken(server: Spoken) -> None:
    answers(server, '{"verb": "done", "mark": 0, "text": ""}').choose(
        REQUEST, CANDIDATES, VERBS, pixels=False
    )
    OpenAIServer(server.url, "text-only", vision=False).choose(REQUEST, CANDIDATES, VERBS, pixels=True)
    assert all(isinstance(body["messages"][0]["content"], str) for body in server.bodies)


@pytest.mark.parametrize(
    ("content", "verb", "index", "quoted"),
    [
        ('{"verb": "click", "mark": 2, "text": "OK"}', "click", 1, None),
        ('{"verb": "done", "mark": 1, "text": ""}', "done", None, None),
        ('{"verb": "type", "mark": 0, "text": "SN-1"}', "type", None, "SN-1"),
        ('{"verb": "type", "mark": 1, "text": "made up"}', "type", 0, None),
    ],
)
def test_what_a_verb_takes_and_what_nobody_said(
    server: Spoken, content: str, verb: str, index: int | None, quoted: str | None
) -> None:
    choice = answers(server, content).choose(REQUEST, CANDIDATES, VERBS, pixels=False)
    assert (choice.verb, choice.index) == (verb, index)
    assert (choice.span.text if choice.span else None) == quoted


def test_text_is_completed_with_its_end_and_without_reported_probabilities(server: Spoken) -> None:
    model = answers(server, " a pump ", finish="length", logprob=None)
    completed = model.complete(ModelRequest("summarise", "Say it", max_tokens=7), pixels=False)
    assert (completed.text, completed.finish) == ("a pump", "length")
    assert server.bodies[0]["max_tokens"] == 7
    assert "response_format" not in server.bodies[0]


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (404, '{"error": "no such model"}', "status 404"),
        (200, "<html>hello</html>", "no chat completion"),
        (200, '{"choices": []}', "no chat completion"),
        (200, '{"choices": [{"message": {"content": 3}}]}', "no chat completion"),
        (200, completion("click the button"), "does not fit the schema"),
        (200, completion('{"verb": "fly", "mark": 0, "text": ""}'), "does not fit the schema"),
        (200, completion('{"verb": "click", "mark": 9, "text": ""}'), "does not fit the schema"),
        (200, completion("[1]"), "does not fit the schema"),
    ],
)
def test_what_is_no_answer_is_said_and_the_servers_words_stand_apart(
    server: Spoken, status: int, body: str, said: str
) -> None:
    server.answer = lambda _: (status, body)
    with pytest.raises(ModelFailure, match=said) as failed:
        OpenAIServer(server.url, "m").choose(REQUEST, CANDIDATES, VERBS, pixels=False)
    assert failed.value.said and failed.value.said not in str(failed.value)


def test_a_server_that_is_down_or_slow_is_named(server: Spoken) -> None:
    with pytest.raises(ToolError, match=r"http://127\.0\.0\.1:1"):
        OpenAIServer("http://127.0.0.1:1/v1", "m").complete(REQUEST, pixels=False)
    wait = threading.Event()
    server.answer = lambda _: (200, str(wait.wait(5)))
    with pytest.raises(EgressTimeout):
        OpenAIServer(server.url, "m", seconds=0.3).complete(REQUEST, pixels=False)
    wait.set()


def test_the_key_comes_from_the_environment(server: Spoken, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(server, "hello")
    with pytest.raises(ConfigError, match="SOME_KEY is not set"):
        OpenAIServer(server.url, "m", api_key_env="SOME_KEY")
    monkeypatch.setenv("SOME_KEY", "secret")
    OpenAIServer(server.url, "m", api_key_env="SOME_KEY").complete(REQUEST, pixels=False)
    assert server.keys == ["Bearer secret"]


def preset(tmp_path: Path, url: str, more: str = "") -> str:
    path = tmp_path / f"{abs(hash((url, more)))}.yaml"
    path.write_text(f"kind: server\nsummary: s\nneeds: []\nmodel: m\nbase_url: {url}\n{more}")
    return str(path)


def test_a_preset_gives_both_tiers_or_text_alone(server: Spoken, tmp_path: Path) -> None:
    answers(server, '{"verb": "done", "mark": 0, "text": ""}')
    gateway = assemble(preset(tmp_path, server.url)).gateway
    assert {model.tier for model in gateway.models.values()} == {"text", "vision"}
    assert gateway.choose(REQUEST, CANDIDATES, VERBS).verb == "done"
    assert isinstance(server.bodies[-1]["messages"][0]["content"], str)
    blind = assemble(preset(tmp_path, server.url, "vision: false\n")).gateway
    with pytest.raises(NoPermittedModel):
        blind.choose(ModelRequest("perceive", "What is it?", image=photo()), CANDIDATES, VERBS)


def test_another_machine_is_refused_until_the_preset_permits_it(tmp_path: Path) -> None:
    with pytest.raises(PermissionDenied, match="would leave it"):
        assemble(preset(tmp_path, "https://models.example.org/v1"))
    assert assemble(preset(tmp_path, "https://models.example.org/v1", "leaves_machine: true\n"))
    assert assemble(preset(tmp_path, "http://localhost:9/v1"))


def events(*pieces: str, done: bool = True, finish: str = "stop") -> str:
    lines = [json.dumps({"choices": [{"delta": {"content": piece}}]}) for piece in pieces]
    lines.append(json.dumps({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 2}}))
    if done:
        lines.append(json.dumps({"choices": [{"delta": {}, "finish_reason": finish}]}))
        lines.append("[DONE]")
    return ": hello\n\n" + "".join(f"data: {line}\n\n" for line in lines)


def test_a_conversation_goes_over_as_it_is(server: Spoken) -> None:
    model = answers(server, "a pump")
    talk = (
        Message("system", "Be brief."),
        Message("user", "And this?", (photo(), photo())),
    )
    drawing = Drawing(temperature=0.5, top_p=0.9, seed=3, stop=("END",))
    request = ModelRequest("perceive", "", messages=talk, drawing=drawing, max_tokens=7)
    assert model.complete(request, pixels=True).text == "a pump"
    body = server.bodies[0]
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    kinds = [part["type"] for part in body["messages"][1]["content"]]
    assert kinds == ["image_url", "image_url", "text"]
    assert (body["temperature"], body["top_p"], body["seed"], body["stop"]) == (0.5, 0.9, 3, ["END"])
    assert "stream" not in body
    model.complete(request, pixels=False)
    assert server.bodies[1]["messages"][1]["content"] == "And this?"


def test_a_stream_is_told_in_its_pieces(server: Spoken) -> None:
    model = OpenAIServer(server.url, "some-vlm")
    server.answer = lambda body: (200, events("a ", "pump", finish="length"))
    *pieces, last = model.stream(ModelRequest("plan", "what?"), pixels=False)
    assert pieces == ["a ", "pump"]
    assert isinstance(last, Completion)
    assert (last.text, last.finish, last.usage.prompt_tokens) == ("a pump", "length", 9)
    assert server.bodies[0]["stream"] is True


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (200, events("a ", done=False), "stopped in the middle"),
        (200, 'data: {"error": {"message": "out of memory"}}\n\n', "broke off"),
        (200, "data: {]\n\n", "no part of a chat completion"),
        (200, 'data: {"choices": [{"delta": {"content": 3}}]}\n\n', "no part of a chat completion"),
        (503, "busy", "status 503"),
    ],
)
def test_a_broken_stream_says_so(server: Spoken, status: int, body: str, says: str) -> None:
    server.answer = lambda _: (status, body)
    with pytest.raises(ModelFailure, match=says) as failed:
        list(OpenAIServer(server.url, "some-vlm").stream(ModelRequest("plan", "what?"), pixels=False))
    assert "memory" not in str(failed.value)
