"""Steering a run of the agent: pause, go on, answer its question; and replay one that passed."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from llava_agent.service.http.permission import needs
from llava_agent.service.routes.answers import Key, Parts, Who, run_shape
from llava_agent.service.shapes import Run

router = APIRouter(prefix="/api/runs", tags=["runs"])


class Reply(BaseModel):
    """The answer to a question; `question` is the number of its event."""

    model_config = ConfigDict(extra="forbid")

    question: int = Field(ge=1)
    text: str = Field(min_length=1, max_length=2000)


@router.post("/{id}/pause", summary="Hold a run before its next step")
@needs("runs.use")
def pause(id: str, desk: Parts, who: Who) -> Run:
    desk.runs.order(who, id, "pause", {})
    return run_shape(desk.runs.get(who, id))


@router.post("/{id}/resume", summary="Let a run that is paused go on")
@needs("runs.use")
def resume(id: str, desk: Parts, who: Who) -> Run:
    desk.runs.order(who, id, "resume", {})
    return run_shape(desk.runs.get(who, id))


@router.post("/{id}/reply", summary="Answer the question that a run waits for")
@needs("runs.use")
def reply(id: str, body: Reply, desk: Parts, who: Who) -> Run:
    desk.runs.order(who, id, "reply", body.model_dump())
    return run_shape(desk.runs.get(who, id))


@router.post(
    "/{id}/replay", status_code=202, summary="Do the steps of a run that passed again, without a model"
)
@needs("runs.use")
def replay(id: str, desk: Parts, who: Who, response: Response, key: Key = None) -> Run:
    """A run of its own; the first difference to the recording ends it and is named."""
    made = desk.replay(who, id, key)
    response.headers["Location"] = f"/api/runs/{made.id}"
    return run_shape(made)
