from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from llava_agent.errors import ConfigError
from llava_agent.gateway.live import PolicyFile
from llava_agent.gateway.place import POLICY, SHIPPED, policy_path
from llava_agent.gateway.policy import Policy, load_policy, warnings_of
from tests.gateway.policies import Clock, deployment, shipped, written

GOOD: dict[str, Any] = {
    "version": 1,
    "models": {"embedded": {"preset": "embedded"}},
    "rules": [{"name": "all", "allow": "all"}],
}


@pytest.mark.parametrize("name", ["default", "field-staff", "ci", "research"])
def test_the_shipped_policies_load_and_mean_what_they_say(name: str) -> None:
    loaded = shipped(name)
    assert warnings_of(loaded) == []
    assert len(loaded.version_hash) == 16


def test_the_default_policy_lets_nothing_leave() -> None:
    loaded = load_policy(SHIPPED)
    assert not any(entry.leaves_machine for entry in loaded.models.values())
    assert [(rule.when.leaves_machine, rule.when.named) for rule in loaded.rules] == [
        (False, None),
        (None, True),
    ]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"modles": {}}, "did you mean 'models'"),
        ({"models": {"embedded": {"preset": "embedded", "qualty": 2}}}, "did you mean 'quality'"),
        ({"models": {}}, "knows no model"),
        ({"models": {"a": {}}}, "either a preset or a server"),
        ({"rules": [{"name": "r", "allow": ["embeded"]}]}, "did you mean 'embedded'"),
        ({"rules": [{"name": "r", "allow": "all", "deny": "all"}]}, "exactly one of"),
        ({"rules": [{"name": "r", "allow": "all", "when": {"role": ["boss"]}}]}, "'admin'"),
        ({"rules": [{"name": "r", "allow": "all", "when": {"data_class": ["secret"]}}]}, "'restricted'"),
        ({"rules": [{"name": "r", "allow": "all", "when": {"step": ["dance"]}}]}, "'summarise'"),
        ({"rules": [{"name": "r", "allow": "all", "when": {"at_mots": "public"}}]}, "did you mean 'at_most'"),
        ({"rules": [{"name": "r", "allow": "all"}, {"name": "r", "deny": "all"}]}, "two rules"),
        ({"rules": [{"name": "r", "allow": "all", "weight": 2}]}, "weight goes with prefer"),
        ({"rules": []}, "no rule allows anything"),
        ({"rules": [{"name": "r", "deny": "all"}]}, "no rule allows anything"),
        ({"steps": {"think": {"tier": "vision"}}}, "steps"),
        ({"budgets": [{"scope": "user", "limit": 0.1}]}, "in quotes"),
        ({"budgets": [{"scope": "user", "limit": "-1"}]}, "0 or more"),
        ({"budgets": [{"scope": "user", "limit": "NaN"}]}, "0 or more"),
        ({"budgets": [{"scope": "run", "who": ["x"], "limit": "1"}]}, "names nobody"),
        ({"version": 2}, "version"),
        (
            {"models": {"a": {"server": {"base_url": "https://far.example/v1", "model": "m"}}}},
            "leaves_machine: true",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_load(change: dict[str, Any], says: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        load_policy(written(tmp_path, GOOD | change))
    assert says in str(error.value)


def test_the_hash_goes_by_what_is_said(tmp_path: Path) -> None:
    plain = load_policy(written(tmp_path, GOOD)).version_hash
    assert load_policy(written(tmp_path, "# why\n" + yaml.safe_dump(GOOD))).version_hash == plain
    assert load_policy(written(tmp_path, GOOD | {"currency": "CHF"})).version_hash != plain


def test_money_is_exact(tmp_path: Path) -> None:
    models = {
        "embedded": {"preset": "embedded", "price": {"per_million_prompt_tokens": "0.1", "per_second": 2}}
    }
    prices = load_policy(written(tmp_path, GOOD | {"models": models})).models["embedded"].price
    assert prices is not None
    assert prices.price().per_prompt_token == Decimal("0.0000001")
    assert prices.price().per_second == Decimal(2)


def test_warnings_name_what_is_hardly_meant() -> None:
    said = warnings_of(
        Policy.model_validate(
            {
                "version": 1,
                "models": {
                    "here": {"preset": "embedded"},
                    "far": {"preset": "x", "leaves_machine": True},
                    "idle": {"preset": "y", "price": {"per_second": 0}},
                },
                "rules": [
                    {"name": "a", "allow": ["here", "far"]},
                    {"name": "b", "deny": "all", "when": {"at_most": "public", "at_least": "internal"}},
                ],
                "budgets": [{"scope": "user", "limit": 1}],
            }
        )
    )
    assert [
        any(part in line for line in said)
        for part in ("'idle'", "'b' can never hold", "'here' has no price", "every class leave this machine")
    ] == [True] * 4


def test_where_the_policy_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(POLICY, raising=False)
    monkeypatch.setenv("LLAVA_AGENT_CONFIG", str(tmp_path))
    assert policy_path() == SHIPPED
    own = written(tmp_path, GOOD)
    assert policy_path() == own
    other = tmp_path / "other.yaml"
    monkeypatch.setenv(POLICY, str(other))
    with pytest.raises(ConfigError, match="no policy"):
        policy_path()
    other.write_text("")
    assert policy_path() == other


def test_a_changed_file_comes_into_force_and_a_bad_one_does_not(tmp_path: Path) -> None:
    path, clock = written(tmp_path, GOOD), Clock()
    live = PolicyFile(path, lambda policy: (deployment(policy.currency),), clock)
    first = live.current()

    def rewrite(text: str) -> None:
        path.write_text(text)
        os.utime(path, (clock.now, clock.now))
        clock.sleep(2)

    rewrite(yaml.safe_dump(GOOD | {"currency": "CHF"}))
    second = live.current()
    assert (first.policy.currency, second.policy.currency) == ("EUR", "CHF")
    assert second.deployments[0].name == "CHF"
    rewrite("rules: [")
    assert live.current() is second
    assert isinstance(live.problem, ConfigError)
    path.unlink()
    clock.sleep(2)
    assert live.current() is second
    rewrite(yaml.safe_dump(GOOD))
    assert live.current().policy.currency == "EUR"
    assert live.problem is None
