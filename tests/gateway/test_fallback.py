from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from llava_agent.egress import EgressTimeout
from llava_agent.errors import (
    ConfigError,
    LlavaAgentError,
    NoPermittedModel,
    PermissionDenied,
    ToolError,
    WeightsError,
)
from llava_agent.gateway.breaker import Breakers
from llava_agent.gateway.failure import ModelFailure
from llava_agent.gateway.policy import BreakerSettings
from llava_agent.gateway.request import Candidate, Choice, ModelRequest
from llava_agent.gateway.safeguards import Safeguards
from tests.gateway.doubles import Answer, choice
from tests.gateway.policies import Clock, deployment, double, gateway, policy

REQUEST = ModelRequest("act", "x")
ONE = (Candidate("a"),)


def failing(error: BaseException, times: int = 10**6) -> tuple[Answer, list[int]]:
    calls: list[int] = []

    def answer(*_: object) -> Choice:
        calls.append(1)
        if len(calls) <= times:
            raise error
        return choice("click", 0, of=1)

    return answer, calls


def busy(status: int = 503, retry_after: float | None = None) -> ModelFailure:
    return ModelFailure("busy", status=status, retry_after=retry_after)


@pytest.mark.parametrize(
    ("error", "calls"),
    [
        (busy(), 3),
        (busy(429), 3),
        (ToolError("connection broke"), 3),
        (EgressTimeout("slow"), 1),
        (busy(400), 1),
        (ModelFailure("no answer to the schema"), 1),
        (WeightsError("damaged"), 1),
    ],
)
def test_only_what_may_pass_is_tried_again_and_then_the_next_is_asked(
    error: LlavaAgentError, calls: int
) -> None:
    answer, made = failing(error)
    rules = policy(fallback={"attempts": 3})
    door = gateway(rules, deployment("a", answer=answer, served=True), deployment("b"))
    assert door.choose(REQUEST, ONE, ("click",)).route.model == "b"
    assert len(made) == calls
    assert [(one.model, one.attempt, one.outcome) for one in door.ledger.entries] == [
        *[("a", number, "error") for number in range(1, calls + 1)],
        ("b", calls + 1, "ok"),
    ]


def test_weights_in_this_process_are_not_tried_again() -> None:
    answer, made = failing(ToolError("out of memory"))
    with pytest.raises(ToolError, match="out of memory"):
        gateway(policy(fallback={"attempts": 3}), deployment("a", answer=answer)).choose(
            REQUEST, ONE, ("click",)
        )
    assert len(made) == 1


@pytest.mark.parametrize("error", [ConfigError("bad schema"), ValueError("a bug"), KeyboardInterrupt()])
def test_what_is_the_requests_fault_goes_to_nobody_else(error: BaseException) -> None:
    answer, _ = failing(error)
    other = deployment("b")
    with pytest.raises(type(error)):
        gateway(policy(), deployment("a", answer=answer, served=True), other).choose(REQUEST, ONE, ("click",))
    assert double(other).requests == []


def test_the_wait_doubles_honours_retry_after_and_ends_with_the_deadline() -> None:
    clock = Clock()
    answer, made = failing(busy(), times=2)
    door = gateway(policy(fallback={"attempts": 4}), deployment("a", answer=answer, served=True), clock=clock)
    door.choose(REQUEST, ONE, ("click",))
    assert clock.now == 1000 + 0.5 + 1.0
    answer, made = failing(busy(retry_after=20), times=1)
    door = gateway(policy(), deployment("a", answer=answer, served=True), clock=clock)
    door.choose(REQUEST, ONE, ("click",))
    assert clock.now == 1021.5
    answer, made = failing(busy(retry_after=500))
    door = gateway(policy(), deployment("a", answer=answer, served=True), deployment("b"), clock=clock)
    assert door.choose(REQUEST, ONE, ("click",)).route.model == "b"
    assert (clock.now, len(made)) == (1021.5, 1)


def test_no_call_begins_after_the_deadline() -> None:
    clock = Clock()

    def slow(*_: object) -> Choice:
        clock.sleep(200)
        raise busy()

    other = deployment("b")
    door = gateway(policy(), deployment("a", answer=slow, served=True), other, clock=clock)
    with pytest.raises(NoPermittedModel, match="a: busy"):
        door.choose(REQUEST, ONE, ("click",))
    assert double(other).requests == []


def test_a_fallback_never_crosses_a_data_boundary() -> None:
    answer, _ = failing(WeightsError("damaged"))
    rules = policy(
        {"name": "here", "allow": ["here"]},
        {"name": "far", "allow": ["cloud"], "when": {"at_most": "public"}},
    )
    cloud = deployment("cloud", leaves_machine=True)
    door = gateway(rules, deployment("here", answer=answer), cloud)
    with pytest.raises(WeightsError):
        door.choose(REQUEST, ONE, ("click",))
    assert double(cloud).requests == []
    public = replace(REQUEST, data_class="public")
    assert door.choose(public, ONE, ("click",)).route.model == "cloud"


def test_tiers_of_one_deployment_fail_together() -> None:
    answer, made = failing(WeightsError("damaged"))
    text = deployment("w-text", "text", answer, entry="w")
    eyes = deployment("w-vision", "vision", answer, entry="w")
    with pytest.raises(WeightsError):
        gateway(policy(), text, eyes).choose(REQUEST, ONE, ("click",))
    assert len(made) == 1


def test_all_failed_says_what_each_said() -> None:
    down = deployment("a", answer=failing(ToolError("a is down"))[0])
    out = deployment("b", answer=failing(WeightsError("b is damaged"))[0])
    with pytest.raises(NoPermittedModel, match=r"a is down.*b is damaged"):
        gateway(policy(), down, out).choose(REQUEST, ONE, ("click",))


# The breaker.


def breaker() -> tuple[Breakers, Clock, Callable[[], None]]:
    clock = Clock()
    breakers = Breakers(clock)
    return breakers, clock, lambda: breakers.failed("m", "it said no", BreakerSettings())


def test_five_failures_in_a_row_open_and_one_probe_decides() -> None:
    breakers, clock, fail = breaker()
    for _ in range(4):
        fail()
        assert breakers.admit("m")
    fail()
    assert not breakers.admit("m")
    assert "30 s more (it said no)" in breakers.refusal("m")
    clock.sleep(30)
    assert breakers.refusal("m") == ""
    assert breakers.admit("m")
    assert not breakers.admit("m")
    fail()
    assert not breakers.admit("m")
    clock.sleep(30)
    assert breakers.admit("m")
    breakers.succeeded("m")
    assert breakers.admit("m") and breakers.admit("m")


def test_half_of_the_last_twenty_opens() -> None:
    breakers, _, fail = breaker()
    for _ in range(9):
        fail()
        breakers.succeeded("m")
    assert breakers.admit("m")
    fail()
    breakers.succeeded("m")
    assert breakers.admit("m")
    fail()
    assert not breakers.admit("m")


def test_a_probe_that_tells_nothing_lets_another_try() -> None:
    breakers, clock, fail = breaker()
    for _ in range(5):
        fail()
    clock.sleep(30)
    assert breakers.admit("m")
    breakers.neither("m")
    assert breakers.admit("m")


def test_a_4xx_does_not_count_and_an_open_circuit_is_no_candidate() -> None:
    clock = Clock()
    answers: list[LlavaAgentError] = [busy(400)] * 6 + [busy(500)] * 5

    def answer(*_: object) -> Choice:
        raise answers.pop(0)

    guards = Safeguards(breakers=Breakers(clock))
    ill, well = deployment("a", answer=answer), deployment("b")
    door = gateway(policy(), ill, well, safeguards=guards, clock=clock)
    for _ in range(11):
        door.choose(REQUEST, ONE, ("click",))
    assert answers == []
    # A run of its own shares the circuit.
    run = door.recording(door.ledger)
    assert run.choose(REQUEST, ONE, ("click",)).route.model == "b"
    _, verdicts = run.explain(REQUEST)
    assert [(one.model, one.stage) for one in verdicts] == [("b", None), ("a", "health")]


def test_what_a_guard_keeps_here_goes_to_no_other_machine() -> None:
    class Strict:
        def inbound(self, request: ModelRequest, principal: object, *, leaves_machine: bool) -> object:
            if leaves_machine:
                raise PermissionDenied("a card number may not leave")
            from llava_agent.gateway.screen import Screened

            return Screened(request)

        def outbound(
            self, answer: object, request: object, principal: object, hidden: object = None
        ) -> object:
            from llava_agent.gateway.screen import Screened

            return Screened(answer)

    far = [deployment(name, leaves_machine=True) for name in ("a", "b")]
    guards = Safeguards(screen=Strict())  # type: ignore[arg-type]
    door = gateway(policy(), *far, deployment("c"), safeguards=guards)
    assert door.choose(REQUEST, ONE, ("click",)).route.model == "c"
    assert all(double(one).requests == [] for one in far)
    with pytest.raises(NoPermittedModel, match="may not leave"):
        gateway(policy(), *far, safeguards=guards).choose(REQUEST, ONE, ("click",))
