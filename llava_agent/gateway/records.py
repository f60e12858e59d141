"""What is written down of a call: its line in the ledger, and the two records of the audit log."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from llava_agent.gateway.classify import Case, digest
from llava_agent.gateway.deployment import Deployment
from llava_agent.gateway.ledger import Entry
from llava_agent.gateway.policy import Policy
from llava_agent.gateway.request import Choice, Completion, ModelRequest, Usage
from llava_agent.gateway.route import Verdict
from llava_agent.gateway.screen import GuardResult

Call = Literal["choose", "complete"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What all attempts of one request share.

    Attributes:
        verdicts: every candidate as it was judged.
        shadow: asked only to measure; counted, but its answer is not used.
    """

    case: Case
    call: Call
    policy: Policy
    verdicts: tuple[Verdict, ...]
    shadow: bool = False


@dataclass(frozen=True, slots=True)
class Ending:
    """How one call to a model ended.

    Attributes:
        ms: wall time of the call.
        cost: what it is charged; None for a model without a price.
        reserved: what was held back for it.
    """

    answer: Choice | Completion | None
    error: BaseException | None
    ms: float
    cost: Decimal | None
    reserved: Decimal | None


def ledger_entry(plan: Plan, verdict: Verdict, number: int, ending: Ending, approval: str = "") -> Entry:
    """The call's line in the ledger."""
    request, answer, error = plan.case.request, ending.answer, ending.error
    usage = answer.usage if answer else Usage()
    return Entry(
        run=request.run,
        step=request.step,
        kind=request.step_kind,
        call=plan.call,
        model=verdict.model,
        tier=verdict.deployment.tier,
        reason=verdict.reason,
        prompt_tokens=usage.prompt_tokens,
        image_tokens=usage.image_tokens,
        output_tokens=usage.output_tokens,
        reused_tokens=usage.reused_tokens,
        ms={**{part: round(ms, 2) for part, ms in usage.milliseconds.items()}, "total": round(ending.ms, 2)},
        confidence=round(answer.confidence, 4) if isinstance(answer, Choice) else None,
        verb=answer.verb if isinstance(answer, Choice) else None,
        cost=_money(ending.cost),
        reserved=_money(ending.reserved),
        attempt=number,
        user=request.principal.user,
        department=request.principal.department,
        data_class=plan.case.data_class,
        policy=plan.policy.version_hash,
        approval=approval,
        shadow=plan.shadow,
        outcome="error" if error else "ok",
        error=f"{type(error).__name__}: {error}" if error else None,
    )


def intent(
    plan: Plan,
    verdict: Verdict,
    number: int,
    sent: ModelRequest,
    reserved: Decimal | None,
    guards: Iterable[GuardResult],
    approval: str = "",
) -> dict[str, object]:
    """What is about to be done: ids, classes and a digest of what is sent, never content."""
    request, principal, deployment = plan.case.request, plan.case.request.principal, verdict.deployment
    return {
        "kind": "model call",
        "run": request.run,
        "step": request.step,
        "step_kind": request.step_kind,
        "call": plan.call,
        "user": principal.user,
        "department": principal.department,
        "roles": sorted(principal.roles),
        "key": principal.key,
        "tenant": principal.tenant,
        "data_class": plan.case.data_class,
        "sources": list(plan.case.sources),
        "declassified": request.declassified,
        "policy": plan.policy.version_hash,
        "model": verdict.model,
        "tier": deployment.tier,
        "leaves_machine": deployment.leaves_machine,
        "reason": verdict.reason,
        "candidates": candidates(plan.verdicts),
        "attempt": number,
        "shadow": plan.shadow,
        "reserved": _money(reserved),
        "currency": plan.policy.currency,
        "content_sha256": digest(sent),
        "approval": approval or None,
        "guards": _told(guards),
    }


def outcome(entry: Entry, guards: Iterable[GuardResult]) -> dict[str, object]:
    """How it ended. An error is told by its kind alone: its words may repeat what a model said."""
    return {
        "outcome": entry.outcome,
        "error": entry.error.partition(":")[0] if entry.error else None,
        "prompt_tokens": entry.prompt_tokens,
        "image_tokens": entry.image_tokens,
        "output_tokens": entry.output_tokens,
        "reused_tokens": entry.reused_tokens,
        "ms": {part: f"{value:.2f}" for part, value in entry.ms.items()},
        "cost": entry.cost,
        "guards": _told(guards),
    }


def candidates(verdicts: Iterable[Verdict]) -> list[dict[str, str]]:
    """Each candidate, what became of it, and why."""
    return [{"model": one.model, "verdict": one.verdict, "reason": one.reason} for one in verdicts]


def cost_of(deployment: Deployment, spent: Decimal, answered: bool) -> Decimal | None:
    """None where nobody set a price, or where a failure cost nothing."""
    return spent if deployment.model.price is not None and (answered or spent) else None


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount.normalize():f}"


def _told(results: Iterable[GuardResult]) -> list[dict[str, object]]:
    return [
        {"guard": one.guard, "status": one.status, "action": one.action, "found": list(one.found)}
        for one in results
    ]
