"""Presidio as one more guard: an extra that fails closed where it is missing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from llava_agent.errors import ConfigError
from llava_agent.gateway.guards import Guards
from llava_agent.gateway.guards.settings import GuardSettings
from llava_agent.gateway.principal import LOCAL
from llava_agent.gateway.request import ModelRequest

TAX = "536-90-4399"  # a US social security number by its form and checks


def settings(**given: object) -> GuardSettings:
    made = GuardSettings.model_validate({"presidio": {"entities": {"US_SSN": "mask"}, **given}})
    assert hash(made) == hash(made.model_copy()), "guards are made once for equal settings"
    return made


def test_where_it_is_missing_the_policy_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llava_agent.gateway.guards.presidio.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"llava-agent\[presidio\]"):
        Guards(settings())


def test_a_language_model_that_is_missing_is_named_and_never_fetched() -> None:
    pytest.importorskip("presidio_analyzer")
    with pytest.raises(ConfigError, match="xx_no_such_model"):
        Guards(settings(model="xx_no_such_model"))


def test_it_is_off_unless_a_policy_names_entities() -> None:
    assert "presidio" not in {one.guard for one in Guards().inbound(
        ModelRequest("plan", f"SSN {TAX}"), LOCAL, leaves_machine=True
    ).results}  # fmt: skip
    with pytest.raises(ValueError):
        GuardSettings.model_validate({"presidio": {"entities": {}}})
    with pytest.raises(ValueError):
        GuardSettings.model_validate({"presidio": {"entities": {"EMAIL_ADDRESS": "mask"}}})


def test_what_it_finds_is_masked_or_blocked_without_the_network() -> None:
    """In a process of its own, where every connection and look-up of a name is an error."""
    pytest.importorskip("presidio_analyzer")
    program = f"""
import sys
def closed(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo"):
        raise OSError(event)
sys.addaudithook(closed)
from llava_agent.errors import ConfigError
from llava_agent.gateway.guards import Guards
from llava_agent.gateway.guards.settings import GuardSettings
from llava_agent.gateway.principal import LOCAL
from llava_agent.gateway.request import ModelRequest
from llava_agent.gateway.screen import Blocked
asked = ModelRequest("plan", "The social security number is {TAX}.", facts=("write to a@b.example",))
def guards(action):
    return Guards(GuardSettings.model_validate({{"presidio": {{"entities": {{"US_SSN": action}}}}}}))
seen = guards("mask").inbound(asked, LOCAL, leaves_machine=True)
print(seen.value.instruction, [one for one in seen.results if one.guard == "presidio"])
try:
    guards("block").inbound(asked, LOCAL, leaves_machine=True)
except Blocked as error:
    print("blocked", error.what)
try:
    Guards(GuardSettings.model_validate({{"presidio": {{"entities": {{"NO_SUCH_THING": "mask"}}}}}}))
except ConfigError as error:
    print(error.what)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr
    masked, blocked, unknown = ended.stdout.strip().splitlines()
    assert TAX not in ended.stdout and "[us_ssn_1]" in masked and "found=('us_ssn',)" in masked
    assert blocked.startswith("blocked") and "presidio: us_ssn" in blocked
    assert unknown == "presidio knows no NO_SUCH_THING"
