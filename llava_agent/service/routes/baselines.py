"""Baselines of checks: what was accepted as right, and accepting what a run saw."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from llava_agent.errors import NotFound
from llava_agent.gateway.principal import Principal
from llava_agent.service.desk import Desk
from llava_agent.service.http.describe import content
from llava_agent.service.http.permission import needs
from llava_agent.service.routes.answers import Parts, Who
from llava_agent.service.routes.checks import check_shape, found_in
from llava_agent.service.shapes import Check
from llava_agent.service.store.checks import BASELINE
from llava_agent.service.work.findings import compared

router = APIRouter(prefix="/api/checks/{id}/baselines", tags=["checks"])


class Acceptance(BaseModel):
    """What a run saw where it compared with the baseline of this name."""

    model_config = ConfigDict(extra="forbid")

    run: Annotated[str, Field(max_length=40)]
    name: Annotated[str, Field(max_length=200)]


@router.post("", summary="Accept what a run saw as right from now on")
@needs("baselines.accept")
def accept(id: str, body: Acceptance, desk: Parts, who: Who) -> Check:
    """Status 409 where another picture was accepted since that run."""
    accepted(desk, who, id, body.run, body.name)
    return check_shape(desk, who, desk.checks.get(who, id))


@router.get(
    "/{name}",
    summary="A baseline as an image",
    response_class=Response,
    responses=content("image/png", text="the accepted picture"),
)
@needs("content.read")
def baseline(id: str, name: str, desk: Parts, who: Who) -> Response:
    found = desk.checks.files(who, id, BASELINE).get(name)
    if found is None:
        raise NotFound("this check has no baseline of that name", "read the check for its baselines")
    picture = desk.artifacts.read(who.tenant, found.sha256)
    return Response(picture, media_type="image/png", headers={"Content-Disposition": "inline"})


def accepted(desk: Desk, who: Principal, id: str, run: str, name: str) -> None:
    """Accept a picture of a run.

    Raises:
        NotFound: no such check or run, or the run compared nothing with a baseline of this name.
        Conflict: the run is not done, or another picture was accepted since.
    """
    verdict = next(compared(found_in(desk, who, id, run), name), None)
    held = desk.artifacts.held(who.tenant, run)
    if verdict is None or verdict["picture"] not in held:
        raise NotFound("this run compared nothing with a baseline of that name", "look at its verdicts")
    before = (desk.runs.get(who, run).result or {}).get("baselines", {}).get(name, "")
    desk.checks.accept(who, id, run, name, held[verdict["picture"]], before)
