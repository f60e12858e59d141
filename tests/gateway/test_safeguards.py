"""Guards and audit fail closed; what is recorded; streams; declassification."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from llava_agent.errors import ConfigError, LlavaAgentError, PermissionDenied, ToolError
from llava_agent.gateway.classify import digest
from llava_agent.gateway.ledger import Ledger
from llava_agent.gateway.model import LocalModel
from llava_agent.gateway.principal import Principal
from llava_agent.gateway.request import Candidate, Choice, Completion, Message, ModelRequest, Route, Usage
from llava_agent.gateway.safeguards import Safeguards
from llava_agent.gateway.screen import GuardResult, Screened
from tests.gateway.doubles import choice
from tests.gateway.policies import Audit, Masking, deployment, double, gateway, policy

CANARY = "secret 4111-1111"
REQUEST = ModelRequest("act", f"type the {CANARY}", run="r", step=2, image=b"png")
ONE = (Candidate(f'"{CANARY}" textbox', CANARY),)


@pytest.mark.parametrize("broken", [RuntimeError("disk full"), ToolError("locked"), OSError("read-only")])
def test_without_an_intent_on_record_nothing_is_called(broken: Exception) -> None:
    audit, model = Audit(intent_fails=broken), deployment("here")
    door = gateway(policy(), model, safeguards=Safeguards(audit=audit))
    with pytest.raises(ToolError):
        door.choose(REQUEST, ONE, ("click",))
    assert double(model).requests == []
    assert door.ledger.entries == ()


def test_an_answer_whose_outcome_cannot_be_recorded_is_withheld() -> None:
    audit = Audit(outcome_fails=OSError("disk full"))
    door = gateway(policy(), deployment("here"), safeguards=Safeguards(audit=audit))
    with pytest.raises(ToolError, match="audit log cannot be written"):
        door.choose(REQUEST, ONE, ("click",))
    (entry,) = door.ledger.entries
    assert entry.outcome == "error"


def test_the_record_says_everything_but_the_content() -> None:
    audit = Audit()
    guards = Safeguards(audit=audit, screen=Masking())
    principal = Principal("ann", "lab", frozenset({"member"}), "k1", "acme")
    other = deployment("far", leaves_machine=True)
    rules = policy({"name": "here only", "allow": ["here"]})
    door = gateway(rules, deployment("here"), other, safeguards=guards)
    door.choose(replace(REQUEST, principal=principal), ONE, ("click",))
    (intent,), ((sequence, outcome),) = audit.intents, audit.outcomes
    assert sequence == 1
    for part in ("secret", "4111", "png"):
        assert part not in json.dumps([intent, outcome])
    assert (intent["user"], intent["department"], intent["key"], intent["tenant"]) == (
        "ann",
        "lab",
        "k1",
        "acme",
    )
    assert (intent["run"], intent["step"], intent["step_kind"], intent["call"]) == ("r", 2, "act", "choose")
    assert (intent["data_class"], intent["policy"]) == ("internal", rules.version_hash)
    assert [(one["model"], one["verdict"]) for one in intent["candidates"]] == [
        ("here", "taken"),
        ("far", "refused"),
    ]
    assert intent["guards"][0]["status"] == "ran"
    assert (outcome["outcome"], outcome["prompt_tokens"]) == ("ok", 100)
    (entry,) = door.ledger.entries
    assert (entry.user, entry.department, entry.data_class) == ("ann", "lab", "internal")
    assert entry.policy == rules.version_hash


def test_a_model_sees_what_the_guards_left_and_so_does_the_caller() -> None:
    model = deployment("here")
    double(model).text = "the secret is out"
    door = gateway(policy(), model, safeguards=Safeguards(screen=Masking()))
    door.choose(REQUEST, ONE, ("click",))
    seen = double(model).requests[0]
    assert "secret" not in seen.instruction + seen.candidates[0].line
    assert door.complete(ModelRequest("plan", "x")).text == "the [masked] is out"
    with door.stream(ModelRequest("plan", "x")) as stream:
        assert list(stream) == ["the [masked] is out"]
    assert stream.completion.text == "the [masked] is out"


class Broken:
    """A guard that fails on the way in or out, in one of many ways."""

    def __init__(self, way: Any, *, inbound: bool) -> None:
        self.way, self.fails_inbound = way, inbound

    def inbound(self, request: ModelRequest, principal: object, *, leaves_machine: bool) -> Any:
        return self._answer(request) if self.fails_inbound else Screened(request)

    def outbound(self, answer: Any, request: ModelRequest, principal: object, hidden: object = None) -> Any:
        return Screened(answer) if self.fails_inbound else self._answer(answer)

    def _answer(self, value: object) -> object:
        if isinstance(self.way, BaseException):
            raise self.way
        return self.way(value) if callable(self.way) else self.way


WAYS = [
    RuntimeError("boom"),
    TimeoutError("slow"),
    PermissionDenied("blocked"),
    None,
    "yes",
    lambda value: value,
    lambda value: Screened("something else"),
    lambda value: Screened(value, (GuardResult("pii", "error"),)),
]


@pytest.mark.parametrize("way", WAYS)
def test_a_guard_that_fails_on_the_way_in_lets_nothing_be_called(way: Any) -> None:
    model, audit = deployment("here"), Audit()
    guards = Safeguards(screen=Broken(way, inbound=True), audit=audit)
    door = gateway(policy(), model, safeguards=guards)
    for call in (lambda: door.choose(REQUEST, ONE, ("click",)), lambda: door.stream(REQUEST)):
        with pytest.raises(PermissionDenied):
            call()
    assert double(model).requests == []
    assert audit.intents == []


@pytest.mark.parametrize("way", WAYS)
def test_a_guard_that_fails_on_the_way_out_lets_nothing_out(way: Any) -> None:
    model, audit = deployment("here"), Audit()
    guards = Safeguards(screen=Broken(way, inbound=False), audit=audit)
    door = gateway(policy(), model, safeguards=guards)
    with pytest.raises(PermissionDenied):
        door.choose(REQUEST, ONE, ("click",))
    told: list[str] = []
    with pytest.raises(PermissionDenied), door.stream(ModelRequest("plan", "x")) as stream:
        told += stream
    assert "".join(told) == ""
    assert [outcome["outcome"] for _, outcome in audit.outcomes] == ["error", "error"]
    assert [entry.outcome for entry in door.ledger.entries] == ["error", "error"]


def test_a_guard_may_not_drop_a_candidate() -> None:
    way = lambda value: Screened(replace(value, candidates=()))  # noqa: E731
    door = gateway(policy(), deployment("here"), safeguards=Safeguards(screen=Broken(way, inbound=True)))
    with pytest.raises(PermissionDenied, match="dropped a candidate"):
        door.choose(REQUEST, ONE, ("click",))


# Streams.


class Talking:
    """Weights that say three pieces, or break off before the last."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error
        self.closed = False

    def choose(self, *_: object, **__: object) -> Choice:
        return choice("done")

    def complete(self, request: ModelRequest, *, pixels: bool) -> Completion:
        raise AssertionError("a stream is not completed")

    def stream(self, request: ModelRequest, *, pixels: bool) -> Iterator[str | Completion]:
        try:
            yield "one "
            yield "two "
            if self.error:
                raise self.error
            yield Completion("one two", "stop", Usage(3, 0, 2), Route("", "text", ""))
        finally:
            self.closed = True


def talking(error: BaseException | None = None) -> tuple[Talking, Any]:
    weights = Talking(error)
    model = deployment("talker", "text")
    return weights, replace(model, model=LocalModel("talker", "text", weights))


def test_a_stream_that_breaks_off_says_so_and_nobody_takes_over() -> None:
    audit, spare = Audit(), deployment("z")
    _, model = talking(ToolError("the server stopped"))
    door = gateway(policy(), model, spare, safeguards=Safeguards(audit=audit))
    told = []
    with pytest.raises(ToolError, match="stopped"), door.stream(ModelRequest("plan", "x")) as stream:
        told += stream
    assert "".join(told) == "one two "
    assert double(spare).requests == []
    assert audit.outcomes[0][1]["outcome"] == "error"
    with pytest.raises(RuntimeError):
        assert stream.completion


@pytest.mark.parametrize("read", [0, 1])
def test_a_client_that_leaves_frees_the_model_and_is_recorded(read: int) -> None:
    weights, model = talking()
    audit = Audit()
    door = gateway(policy(), model, safeguards=Safeguards(audit=audit))
    stream = door.stream(ModelRequest("plan", "x"))
    pieces = iter(stream)
    for _ in range(read):
        next(pieces)
    stream.close()
    assert weights.closed
    assert len(audit.outcomes) == 1
    assert door.ledger.entries[0].outcome == "error"


def test_a_model_that_fails_before_the_first_piece_is_replaced() -> None:
    class Mute(Talking):
        def stream(self, request: ModelRequest, *, pixels: bool) -> Iterator[str | Completion]:
            raise ToolError("down")
            yield ""

    dead = replace(deployment("a", "text"), model=LocalModel("a", "text", Mute()))
    _, model = talking()
    with gateway(policy(), dead, model).stream(ModelRequest("plan", "x")) as stream:
        assert "".join(stream) == "one two "
    assert stream.route.model == "talker"


def test_a_screen_that_can_sees_pieces_as_they_come() -> None:
    class Streaming(Masking):
        def streaming(
            self, pieces: Iterator[Any], request: ModelRequest, principal: Principal, hidden: object = None
        ) -> Iterator[Any]:
            for piece in pieces:
                if isinstance(piece, str):
                    yield piece.upper()
                else:
                    yield Screened(replace(piece, text=piece.text.upper()), self.results)

    _, model = talking()
    with gateway(policy(), model, safeguards=Safeguards(screen=Streaming())).stream(
        ModelRequest("plan", "x")
    ) as stream:
        assert "".join(stream) == "ONE TWO "
    assert stream.completion.text == "ONE TWO"


# What a run has met.


def test_a_run_keeps_the_class_of_what_it_met_also_when_it_is_resumed() -> None:
    rules = policy(
        {"name": "all", "allow": "all", "when": {"at_most": "internal"}}, {"name": "c", "allow": ["here"]}
    )
    far = deployment("cloud", leaves_machine=True)
    door = gateway(rules, deployment("here"), far)
    harmless = ModelRequest("act", "x", run="r", data_class="public")
    door.choose(replace(harmless, data_class="confidential"), ONE, ("click",))
    case, verdicts = door.explain(harmless)
    assert (case.data_class, case.sources) == ("confidential", ("the run so far: confidential",))
    assert {one.model for one in verdicts if one.verdict == "refused"} == {"cloud"}
    assert door.explain(replace(harmless, run="other"))[0].data_class == "public"
    resumed = gateway(rules, deployment("here"), far, ledger=Ledger())
    for entry in door.ledger.entries:
        resumed.ledger.write(entry)
    again = resumed.recording(resumed.ledger)
    assert again.explain(harmless)[0].data_class == "confidential"


OFFICER = Principal("ola", roles=frozenset({"policy_officer"}))


def test_a_declassification_is_recorded_and_good_for_exactly_that_content() -> None:
    audit = Audit()
    door = gateway(policy(), deployment("here"), safeguards=Safeguards(audit=audit))
    photo = ModelRequest("perceive", "x", run="r", image=b"png", image_class="confidential",
                         messages=(Message("user", "y", data_class="restricted"),))  # fmt: skip
    door.complete(photo)
    lowered = door.declassify(photo, "public", reason="the plate is published", by=OFFICER)
    assert door.explain(lowered)[0].data_class == "public"
    record = audit.intents[-1]
    assert (record["kind"], record["from"], record["to"]) == ("declassification", "restricted", "public")
    assert (record["user"], record["content_sha256"]) == ("ola", digest(photo))
    door.complete(lowered)
    assert audit.intents[-1]["declassified"] == 2
    for forged in (replace(lowered, instruction="y"), replace(lowered, declassified=77)):
        with pytest.raises(PermissionDenied, match="not about this request"):
            door.complete(forged)
    # What was lowered does not lower the rest of the run.
    assert door.explain(replace(photo, image=None, messages=()))[0].data_class == "restricted"


@pytest.mark.parametrize(
    ("by", "reason", "audit", "error"),
    [
        (Principal(), "why not", Audit(), PermissionDenied),
        (Principal(roles=frozenset({"admin", "agent_service"})), "why not", Audit(), PermissionDenied),
        (OFFICER, "  ", Audit(), ConfigError),
        (OFFICER, "published", None, PermissionDenied),
        (OFFICER, "published", Audit(intent_fails=OSError()), ToolError),
    ],
)
def test_who_may_not_declassify(
    by: Principal, reason: str, audit: Audit | None, error: type[LlavaAgentError]
) -> None:
    door = gateway(policy(), deployment("here"), safeguards=Safeguards(audit=audit))
    with pytest.raises(error):
        door.declassify(REQUEST, "public", reason=reason, by=by)
