"""Usage and budgets: figures only, never what was asked or answered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response

from llava_agent.gateway.standing import standings
from llava_agent.gateway.usage import Group, usage_by, usage_csv
from llava_agent.service.context import Service, service_of
from llava_agent.service.http.permission import needs

router = APIRouter(prefix="/api", tags=["usage"])
Parts = Annotated[Service, Depends(service_of)]
Groups = Annotated[list[Group], Query(min_length=1, max_length=6)]


@router.get("/usage", summary="Calls, success, tokens, cost and latency by model, user, month ...")
@needs("usage.read")
def usage(
    service: Parts,
    by: Groups = ["model"],  # noqa: B006  # fastapi copies it
    days: Annotated[int, Query(ge=1, le=3660, description="how far back")] = 30,
    form: Annotated[Literal["json", "csv"], Query(alias="as")] = "json",
) -> Any:
    """`by` may be given several times: `?by=month&by=department`."""
    lines = usage_by(service.database, by, datetime.now(UTC) - timedelta(days=days))
    if form == "csv":
        headers = {"Content-Disposition": f'attachment; filename="usage-{"-".join(by)}.csv"'}
        content = usage_csv(by, lines).encode("utf-8-sig")
        return Response(content, media_type="text/csv; charset=utf-8", headers=headers)
    figures = [{"group": line.group, **line.figures()} for line in lines]
    return {"days": days, "currency": service.policy.in_force().policy.currency, "usage": figures}


@router.get("/budgets", summary="How each budget stands: limit, spent, held back, left")
@needs("usage.read")
def budgets(service: Parts) -> dict[str, Any]:
    policy = service.policy.in_force().policy
    found = standings(service.database, policy.budgets, datetime.now(UTC))
    return {"currency": policy.currency, "budgets": [one.as_dict() for one in found]}
