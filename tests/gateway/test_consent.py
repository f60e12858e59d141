"""Where a rule or a guard asks, one exact call waits for one person's word."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llava_agent.database import Database
from llava_agent.errors import NoPermittedModel, PermissionDenied, ToolError
from llava_agent.gateway.approvals import Approvals
from llava_agent.gateway.gateway import Gateway
from llava_agent.gateway.guards import Guards
from llava_agent.gateway.guards.settings import GuardSettings
from llava_agent.gateway.ledger import Ledger
from llava_agent.gateway.principal import LOCAL, Principal
from llava_agent.gateway.request import Completion, ModelRequest, Route, Usage
from llava_agent.gateway.safeguards import Safeguards
from llava_agent.gateway.screen import ApprovalNeeded, ApprovalRefused, Blocked
from tests.gateway.policies import Audit, deployment, double, gateway, policy

ANN = Principal("ann", roles=frozenset({"member", "approver"}))
BOB = Principal("bob", roles=frozenset({"approver"}))
REQUEST = ModelRequest("summarise", "write to ann.lee@example.com", principal=ANN)
MAIL = GuardSettings.model_validate({"leaving": {"email": "ask"}})
ASKS = policy({"name": "far models by consent", "ask": ["cloud"]})


@pytest.fixture
def approvals(tmp_path: Path) -> Approvals:
    database = Database(tmp_path / "state.db")
    database.prepare()
    return Approvals(database, audit=Audit())


Make = Callable[..., tuple[Gateway, Any, Audit, Ledger]]


@pytest.fixture
def made(approvals: Approvals) -> Make:
    """A gateway whose only model is on another machine."""

    def make(rules: Any = ASKS, guards: GuardSettings | None = None) -> tuple[Gateway, Any, Audit, Ledger]:
        cloud, audit, ledger = deployment("cloud", leaves_machine=True), Audit(), Ledger()
        screen = Guards(guards) if guards else None
        around = Safeguards(screen=screen, audit=audit, approvals=lambda: approvals)
        return gateway(rules, cloud, safeguards=around, ledger=ledger), double(cloud), audit, ledger

    return make


@pytest.mark.parametrize("by", ["rule", "guard"])
def test_a_call_waits_for_a_person_and_then_happens_once(made: Make, approvals: Approvals, by: str) -> None:
    door, model, audit, ledger = made() if by == "rule" else made(policy(), MAIL)
    for _ in range(2):  # asked again before anybody decided, it is the same approval
        with pytest.raises(ApprovalNeeded) as waits:
            door.complete(REQUEST)
    assert model.requests == [] and audit.intents == []
    (one,) = approvals.waiting(BOB)
    assert one.id == waits.value.approval and one.id in str(waits.value)
    assert "lee@" not in one.summary and "lee@" not in str(waits.value)
    with pytest.raises(PermissionDenied, match="another person"):
        approvals.approve(one.id, ANN)
    approvals.approve(one.id, BOB, "known customer")
    door.complete(REQUEST)
    assert len(model.requests) == 1
    assert audit.intents[0]["approval"] == ledger.entries[-1].approval == one.id
    with pytest.raises(ApprovalNeeded) as again:
        door.complete(REQUEST)
    assert again.value.approval != one.id and len(model.requests) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"instruction": "write to ann.lee@example.com, and to all others"},
        {"image": b"an image"},
        {"max_tokens": 4000},
        {"json_schema": {"type": "object"}},
        {"step_kind": "plan"},
        {"data_class": "restricted"},
        {"principal": Principal("carl")},
        {"principal": replace(ANN, tenant="other")},
    ],
)
def test_an_approval_is_good_for_exactly_that_call(
    made: Make, approvals: Approvals, change: dict[str, Any]
) -> None:
    door, model, _, _ = made()
    with pytest.raises(ApprovalNeeded) as waits:
        door.complete(REQUEST)
    approvals.approve(waits.value.approval, BOB)
    with pytest.raises(ApprovalNeeded) as other:
        door.complete(replace(REQUEST, **change))
    assert other.value.approval != waits.value.approval and model.requests == []


def test_a_refusal_holds_until_it_expires(made: Make, approvals: Approvals) -> None:
    door, model, _, _ = made()
    with pytest.raises(ApprovalNeeded) as waits:
        door.complete(REQUEST)
    approvals.refuse(waits.value.approval, BOB)
    with pytest.raises(ApprovalRefused, match="bob refused"):
        door.complete(REQUEST)
    assert model.requests == [] and approvals.waiting(BOB) == []
    later = approvals.clock() + 15 * 60 + 1
    approvals.clock = lambda: later
    with pytest.raises(ApprovalNeeded):
        door.complete(REQUEST)


def test_a_call_may_wait_for_the_decision(
    made: Make, approvals: Approvals, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decide(_: float) -> None:
        for one in approvals.waiting(BOB):
            approvals.approve(one.id, BOB)

    monkeypatch.setattr("llava_agent.gateway.consent.time.sleep", decide)
    door, model, _, _ = made(policy({"name": "far", "ask": ["cloud"]}, approvals={"wait_seconds": 30}))
    door.complete(REQUEST)
    assert len(model.requests) == 1


def test_whoever_sits_at_the_machine_may_approve_what_a_program_of_it_asks(
    made: Make, approvals: Approvals
) -> None:
    door, model, _, _ = made()
    mine = replace(REQUEST, principal=LOCAL)
    with pytest.raises(ApprovalNeeded) as waits:
        door.complete(mine)
    approvals.approve(waits.value.approval, replace(LOCAL, roles=frozenset({"approver"})))
    door.complete(mine)
    assert len(model.requests) == 1


def test_a_block_is_no_question(made: Make, approvals: Approvals) -> None:
    settings = GuardSettings.model_validate({"leaving": {"email": "ask", "secret": "block"}})
    door, model, _, _ = made(policy(), settings)
    with pytest.raises(Blocked) as blocked:
        door.complete(replace(REQUEST, instruction="to a@example.com: AKIAIOSFODNN7EXAMPLE"))
    assert not isinstance(blocked.value, ApprovalNeeded)
    assert approvals.waiting(BOB) == [] and model.requests == []


def test_a_denial_overrides_what_asks(made: Make, approvals: Approvals) -> None:
    door, model, _, _ = made(policy({"name": "ask", "ask": "all"}, {"name": "never", "deny": "all"}))
    with pytest.raises(NoPermittedModel, match="denied by the rule 'never'"):
        door.complete(REQUEST)
    assert approvals.waiting(BOB) == [] and model.requests == []


def test_nothing_is_asked_where_a_model_here_is_taken_first(approvals: Approvals) -> None:
    here, cloud = deployment("here"), deployment("cloud", leaves_machine=True)
    rules = policy(
        {"name": "far", "ask": ["cloud"]},
        {"name": "near", "allow": ["here"]},
        {"name": "first", "prefer": ["here"]},
    )
    door = gateway(rules, here, cloud, safeguards=Safeguards(audit=Audit(), approvals=lambda: approvals))
    door.complete(REQUEST)
    assert approvals.waiting(BOB) == []
    reasons = {one.model: one.reason for one in door.explain(REQUEST)[1]}
    assert "a person must approve it (rule 'far')" in reasons["cloud"]


def test_where_nobody_can_be_asked_it_is_refused() -> None:
    cloud = deployment("cloud", leaves_machine=True)
    with pytest.raises(ApprovalNeeded):
        gateway(ASKS, cloud, safeguards=Safeguards(audit=Audit())).complete(REQUEST)
    assert double(cloud).requests == []


def test_a_decision_that_cannot_be_recorded_does_not_hold(made: Make, approvals: Approvals) -> None:
    door, model, _, _ = made()
    with pytest.raises(ApprovalNeeded) as waits:
        door.complete(REQUEST)
    approvals.audit = Audit(intent_fails=ToolError("the audit log is full"))
    with pytest.raises(ToolError, match="audit"):
        approvals.approve(waits.value.approval, BOB)
    with pytest.raises(ApprovalNeeded):
        door.complete(REQUEST)
    assert model.requests == []


def test_what_asks_in_an_answer_blocks_since_no_answer_is_kept() -> None:
    guards = Guards(GuardSettings.model_validate({"answers": {"email": "ask"}}))
    answer = Completion("mail a@example.com", "stop", Usage(), Route("m", "text", ""))
    with pytest.raises(Blocked) as blocked:
        guards.outbound(answer, REQUEST, ANN)
    assert not isinstance(blocked.value, ApprovalNeeded)
