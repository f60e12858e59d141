from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llava_agent.errors import NoPermittedModel
from llava_agent.gateway.classify import classify
from llava_agent.gateway.data_class import DATA_CLASSES, DataClass, rank
from llava_agent.gateway.deployment import Deployment
from llava_agent.gateway.model import Price
from llava_agent.gateway.policy import Policy
from llava_agent.gateway.principal import ROLES, Principal, Role
from llava_agent.gateway.request import Message, ModelRequest
from llava_agent.gateway.route import Verdict, first, judge
from llava_agent.gateway.session import Session
from tests.gateway.policies import deployment, policy

HERE, HERE_TEXT = deployment("here"), deployment("here-text", "text", entry="here")
DEPOT = deployment("depot", leaves_machine=True, quality=2, price=Price(per_second=Decimal(2)))
CLOUD = deployment("cloud", leaves_machine=True, quality=3, price=Price(per_second=Decimal(1)))
ALL = (HERE_TEXT, HERE, DEPOT, CLOUD)


def judged(
    request: ModelRequest, rules: Policy, deployments: tuple[Deployment, ...] = ALL, **session: Any
) -> list[Verdict]:
    met = Session(**session)
    return judge(classify(request, met.data_class), deployments, rules, met)


def order(request: ModelRequest, rules: Policy, **session: Any) -> list[str]:
    return [one.model for one in judged(request, rules, **session) if one.verdict != "refused"]


def test_tier_then_price_then_name() -> None:
    assert order(ModelRequest("act", "x"), policy()) == ["here-text", "here", "cloud", "depot"]


def test_a_preference_comes_before_price_and_never_permits() -> None:
    prefer = {"name": "p", "prefer": ["depot"], "weight": 3, "when": {"step": ["plan"]}}
    both = policy({"name": "a", "allow": "all"}, prefer)
    assert order(ModelRequest("plan", "x"), both)[0] == "depot"
    assert order(ModelRequest("act", "x"), both)[0] == "here-text"
    assert order(ModelRequest("plan", "x"), policy({"name": "a", "allow": ["here"]}, prefer)) == [
        "here-text",
        "here",
    ]


@pytest.mark.parametrize(
    ("when", "principal", "holds"),
    [
        ({"user": ["ann"]}, Principal(user="ann"), True),
        ({"user": ["ann"]}, Principal(user="bob"), False),
        ({"department": ["lab"]}, Principal(department="lab"), True),
        ({"department": ["lab"]}, Principal(), False),
        ({"role": ["auditor"]}, Principal(roles=frozenset({"member", "auditor"})), True),
        ({"role": ["auditor"]}, Principal(), False),
        ({"key": ["k1"]}, Principal(key="k1"), True),
        ({"step": ["act"]}, Principal(), True),
        ({"step": ["plan"]}, Principal(), False),
        ({"needs": ["vision"]}, Principal(), False),
        ({"at_least": "internal"}, Principal(), True),
        ({"at_least": "confidential"}, Principal(), False),
        ({"data_class": ["internal"], "user": ["local"]}, Principal(), True),
    ],
)
def test_a_condition_holds_where_all_of_it_does(
    when: dict[str, Any], principal: Principal, holds: bool
) -> None:
    rules = policy({"name": "a", "allow": "all", "when": when})
    assert bool(order(ModelRequest("act", "x", principal=principal), rules)) == holds


@pytest.mark.parametrize(
    ("request_", "refused"),
    [
        (ModelRequest("act", "x", needs_pixels=True, image=b"p"), {"here-text"}),
        (ModelRequest("plan", "", messages=(Message("user", "?", (b"p",)),)), {"here-text"}),
        (ModelRequest("act", "x", minimum_tier=1), {"here-text"}),
        (ModelRequest("perceive", "x"), {"here-text"}),
    ],
)
def test_pixels_go_to_eyes(request_: ModelRequest, refused: set[str]) -> None:
    verdicts = judged(request_, policy())
    assert {one.model for one in verdicts if one.verdict == "refused"} == refused
    assert {one.stage for one in verdicts if one.verdict == "refused"} == {"tier"}


def test_capability_is_judged_on_what_would_be_sent() -> None:
    small = deployment("small", "text", context=1000)
    eyes = deployment("eyes", context=1000, image_tokens=900)
    with_image = ModelRequest("act", "x" * 300, image=b"p", max_tokens=200)
    verdicts = {one.model: one for one in judged(with_image, policy(), (small, eyes))}
    assert verdicts["small"].verdict == "taken"
    assert verdicts["eyes"].stage == "capability"
    assert verdicts["eyes"].reason == "about 1201 tokens do not fit its context of 1000"
    plain = deployment("plain", tools=False, json_schema=False)
    assert (
        judged(ModelRequest("act", "x", offers_tools=True), policy(), (plain,))[0].reason
        == "it cannot call tools"
    )
    schema = ModelRequest("act", "x", json_schema={"type": "object"})
    assert "JSON schema" in judged(schema, policy(), (plain,))[0].reason


def test_quality_latency_and_escalation() -> None:
    rules = policy(steps={"plan": {"quality": 2}, "act": {"within_ms": 500}})
    assert order(ModelRequest("plan", "x"), rules) == ["cloud", "depot"]
    slow, quick = deployment("a", typical_ms=900), deployment("b", typical_ms=300)
    verdicts = judged(ModelRequest("act", "x"), rules, (slow, quick))
    assert [one.model for one in verdicts] == ["b", "a"]
    assert order(ModelRequest("act", "x", minimum_tier=2), policy())[0] == "cloud"


def test_the_tier_of_a_run_only_rises_where_the_policy_says_so() -> None:
    later = ModelRequest("act", "x", run="r")
    assert order(later, policy(), tier="vision")[0] == "here-text"
    assert order(later, policy(tier_only_rises=True), tier="vision")[0] == "here"


def test_nobody_left_says_of_each_why() -> None:
    rules = policy({"name": "a", "allow": ["here"]}, {"name": "stop", "deny": ["here"]})
    verdicts = judged(ModelRequest("act", "x"), rules)
    with pytest.raises(NoPermittedModel) as error:
        first(classify(ModelRequest("act", "x")), verdicts)
    assert "denied by the rule 'stop'" in error.value.what
    assert "no rule allows it" in error.value.what
    assert error.value.http_status == 503


CONDITIONS = st.fixed_dictionaries(
    {},
    optional={
        "step": st.lists(st.sampled_from(["plan", "act", "perceive"]), min_size=1, unique=True),
        "at_most": st.sampled_from(DATA_CLASSES),
        "role": st.lists(st.sampled_from(ROLES), min_size=1, unique=True),
        "leaves_machine": st.booleans(),
        "tier": st.sampled_from(["text", "vision"]),
    },
)
RULES = st.lists(
    st.tuples(
        st.sampled_from(["allow", "deny", "prefer"]),
        st.one_of(
            st.just("all"), st.lists(st.sampled_from(["here", "depot", "cloud"]), min_size=1, unique=True)
        ),
        CONDITIONS,
    ),
    max_size=6,
)


@given(
    rules=RULES,
    kind=st.sampled_from(["plan", "act", "perceive"]),
    data_class=st.sampled_from(DATA_CLASSES),
    role=st.sampled_from(ROLES),
)
def test_deny_overrides_no_match_is_denied_and_order_does_not_matter(
    rules: list[tuple[str, Any, dict[str, Any]]], kind: str, data_class: DataClass, role: Role
) -> None:
    """Against a reference in three lines: allowed by one rule, denied by none."""
    numbered: list[dict[str, object]] = [
        {"name": f"r{number}", effect: models, "when": when}
        for number, (effect, models, when) in enumerate(rules)
    ]
    base = {"name": "never", "allow": "all", "when": {"user": ["nobody"]}}
    request = ModelRequest(
        kind,  # type: ignore[arg-type]
        "x",
        data_class=data_class,
        principal=Principal(roles=frozenset({role})),
    )
    verdicts = {one.model: one for one in judged(request, policy(base, *numbered))}
    backwards = {one.model: one for one in judged(request, policy(*reversed(numbered), base))}
    for one in ALL:
        matching = {
            effect
            for effect, models, when in rules
            if (models == "all" or one.entry in models)
            and kind in when.get("step", [kind])
            and rank(data_class) <= rank(when.get("at_most", "restricted"))
            and role in when.get("role", [role])
            and when.get("leaves_machine", one.leaves_machine) == one.leaves_machine
            and when.get("tier", one.tier) == one.tier
        }
        by_rule = verdicts[one.name].stage == "rule"
        assert by_rule == ("allow" not in matching or "deny" in matching)
        assert backwards[one.name].verdict == verdicts[one.name].verdict


@given(
    words=st.sampled_from(DATA_CLASSES),
    image=st.sampled_from(DATA_CLASSES),
    message=st.sampled_from(DATA_CLASSES),
    seen=st.sampled_from(DATA_CLASSES),
)
def test_a_request_is_as_sensitive_as_its_most_sensitive_part(
    words: DataClass, image: DataClass, message: DataClass, seen: DataClass
) -> None:
    request = ModelRequest(
        "act",
        "x",
        image=b"p",
        data_class=words,
        image_class=image,
        messages=(Message("user", "y", data_class=message),),
    )
    case = classify(request, seen)
    assert rank(case.data_class) == max(map(rank, (words, image, message, seen)))
    assert all(source.endswith(case.data_class) for source in case.sources)
