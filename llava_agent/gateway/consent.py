"""A person's consent to one exact call, where a rule or a guard says `ask`.

The call is refused with the id of an approval that waits. Once somebody with the right role has granted it,
the same call by the same caller uses it up and goes through; any other content, model or caller does not.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from llava_agent.gateway.approvals import Approval, Approvals, requester
from llava_agent.gateway.classify import digest
from llava_agent.gateway.policy import Approvals as Settings
from llava_agent.gateway.records import Plan
from llava_agent.gateway.request import ModelRequest
from llava_agent.gateway.route import Verdict
from llava_agent.gateway.screen import ApprovalNeeded, ApprovalRefused

#: How often a call that waits looks, in seconds.
_LOOK_S = 0.5


def consent(
    approvals: Approvals,
    plan: Plan,
    verdict: Verdict,
    request: ModelRequest,
    why: ApprovalNeeded,
    seconds: float,
) -> Approval:
    """The approval of this call, which is used up by this.

    Args:
        why: what has to be decided, without content.
        seconds: what is left of the request's time.

    Raises:
        ApprovalNeeded: nobody has decided yet; it says which approval waits.
        ApprovalRefused: somebody refused it.
        ToolError: the database cannot be used.
    """
    settings, action = plan.policy.approvals, call_of(plan, verdict, request)
    asks = requester(request.principal)
    found = approvals.last(action, asks)
    if found is None:
        found = approvals.request(
            action,
            asks,
            role=settings.role,
            summary=summary(plan, verdict, why),
            run=request.run,
            seconds=settings.minutes * 60,
        )
    found = _decided(approvals, found, min(settings.wait_seconds, seconds))
    if found.state == "approved":
        return approvals.consume(found.id, action, asks)
    if found.state == "refused":
        raise ApprovalRefused(
            f"{found.decider} refused the approval {found.id}", "change what is asked", why.results
        )
    raise _waiting(found, why, settings)


def call_of(plan: Plan, verdict: Verdict, request: ModelRequest) -> Mapping[str, object]:
    """What is approved: this content to this model in this form."""
    schema = None if request.json_schema is None else dict(request.json_schema)
    return {
        "kind": "model call",
        "model": verdict.deployment.entry,
        "tier": verdict.deployment.tier,
        "leaves_machine": verdict.deployment.leaves_machine,
        "step_kind": request.step_kind,
        "data_class": plan.case.data_class,
        "content_sha256": digest(request),
        "json_schema": schema,
        "stop": list(request.drawing.stop),
        "max_tokens": request.max_tokens,
    }


def summary(plan: Plan, verdict: Verdict, why: ApprovalNeeded) -> str:
    """For the person who decides. It holds no content: who may approve may not read it."""
    where = "on another machine" if verdict.deployment.leaves_machine else "on this machine"
    return (
        f"{plan.case.request.principal.user} asks {verdict.model} {where} "
        f"to {plan.case.request.step_kind} with {plan.case.data_class} data: {why.what}"
    )


def _decided(approvals: Approvals, found: Approval, seconds: float) -> Approval:
    """The approval once it is decided, or as it is when the time is over."""
    waited = 0.0
    while found.state == "waiting" and waited < seconds and found.live(approvals.clock()):
        time.sleep(_LOOK_S)
        waited += _LOOK_S
        found = approvals.get(found.id) or found
    return found


def _waiting(found: Approval, why: ApprovalNeeded, settings: Settings) -> ApprovalNeeded:
    error = ApprovalNeeded(
        f"{why.what}; the approval {found.id} waits for the role {settings.role}",
        "have it granted (llava-agent approvals, or /api/approvals), then ask exactly the same again",
        why.results,
    )
    error.approval = found.id
    return error
