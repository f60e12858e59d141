from __future__ import annotations

import yaml

from llava_agent.gateway.learn import diff, proposals
from llava_agent.gateway.place import SHIPPED
from llava_agent.gateway.policy import Policy
from llava_agent.gateway.usage import UsageLine
from tests.gateway.policies import policy


def used(
    model: str,
    calls: int = 100,
    success: float = 0.9,
    cost: str | None = None,
    p50: float = 100,
    kind: str = "act",
) -> UsageLine:
    return UsageLine({"model": model, "kind": kind}, calls, success, 0, 0, 0, cost, p50, p50, p50)


def proposed(*usage: UsageLine) -> list[tuple[str, str, str]]:
    return [(one.step, one.entry, one.instead_of) for one in proposals(usage, policy())]


def test_more_success_then_less_money_then_less_time() -> None:
    most = used("here-vision", 500)
    assert proposed(most, used("depot-vision", success=0.97)) == [("act", "depot", "here")]
    assert proposed(used("here", 500, cost="50"), used("cloud", cost="5")) == [("act", "cloud", "here")]
    assert proposed(most, used("depot-vision", p50=40)) == [("act", "depot", "here")]


def test_what_says_too_little_proposes_nothing() -> None:
    most = used("here-vision", 500)
    assert proposed(most, used("depot-vision", 49, 1.0)) == []
    assert proposed(most, used("depot-text", success=1.0)) == []
    assert proposed(most, used("unknown-vision", success=1.0)) == []
    assert proposed(most, used("depot-vision", success=0.8, p50=1)) == []
    assert proposed(most, used("depot-vision", success=0.91, p50=150)) == []
    assert proposed(most) == []


def test_the_diff_adds_a_rule_and_takes_nothing() -> None:
    text = SHIPPED.read_text(encoding="utf-8").replace("embedded:\n", "depot:\n")
    (found,) = proposals([used("here-vision", 500), used("depot-vision", success=0.97)], policy())
    assert (found.success, found.calls, found.cost) == (0.07, 600, None)
    lines = diff(text, "policy.yaml", [found]).splitlines()[2:]
    added = [line[1:] for line in lines if line.startswith("+")]
    assert not any(line.startswith("-") for line in lines)
    place = text.index("rules:\n") + len("rules:\n")
    after = Policy.model_validate(yaml.safe_load(text[:place] + "\n".join(added) + "\n" + text[place:]))
    assert (after.rules[0].prefer, after.rules[0].when.step) == (("depot",), ("act",))
    assert diff(text, "policy.yaml", []) == ""
