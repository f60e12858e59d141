"""Approvals: what waits for the caller's word, and the word. Nobody decides what they asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from llava_agent.errors import NotFound
from llava_agent.gateway.approvals import Approval as StoredApproval
from llava_agent.service.http.permission import needs
from llava_agent.service.routes.answers import Parts, Who
from llava_agent.service.shapes import Approval, Listed

router = APIRouter(prefix="/api/approvals", tags=["approvals"])


class Decision(BaseModel):
    model_config = ConfigDict(extra="forbid")

    verdict: Literal["approve", "refuse"]
    reason: str = Field("", max_length=500)


@router.get("", summary="What the caller may decide now, the oldest first")
@needs("approvals.read")
def waiting(desk: Parts, who: Who) -> Listed[Approval]:
    return Listed(items=tuple(approval_shape(one) for one in desk.approvals.waiting(who)))


@router.post("/{id}", summary="Approve or refuse one action")
@needs("approvals.decide")
def decide(id: str, body: Decision, desk: Parts, who: Who) -> Approval:
    if desk.approvals.get(id, who.tenant) is None:
        raise NotFound(f"there is no approval {id[:40]}", "list those that wait")
    act = desk.approvals.approve if body.verdict == "approve" else desk.approvals.refuse
    decided = approval_shape(act(id, who, body.reason))
    desk.upkeep()  # a filing that waited for it goes now, not at the next look
    return decided


def approval_shape(one: StoredApproval) -> Approval:
    return Approval(
        id=one.id,
        summary=one.summary,
        action=one.action,
        requester=one.requester,
        run=one.run,
        role=one.role,
        state=one.state,
        asked=_time(one.asked),
        expires=_time(one.expires),
        decided=None if one.decided is None else _time(one.decided),
        decider=one.decider,
        reason=one.reason,
    )


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(round(seconds), UTC)
