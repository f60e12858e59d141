"""Runs: begin an inspection or a task of the agent, watch it, end it, fetch what it made."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from llava_agent.errors import NotFound
from llava_agent.gateway.principal import Principal
from llava_agent.inspection.inspect import MOST_PHOTOS
from llava_agent.service.desk import Desk
from llava_agent.service.errors import BadRequest
from llava_agent.service.http.describe import content
from llava_agent.service.http.permission import needs
from llava_agent.service.routes.answers import Cursor, Key, Limit, Parts, Who, paged, run_shape
from llava_agent.service.shapes import ArtifactFile, Listed, Paged, Run
from llava_agent.service.store.page import USUAL
from llava_agent.service.work import inspect, task

router = APIRouter(prefix="/api", tags=["runs"])

#: Seconds between two looks at the events, and after which a silent stream says that it lives.
_LOOK_S, _ALIVE_S = 0.4, 15.0

PhotoIds = Annotated[list[Annotated[str, Field(max_length=40)]], Field(max_length=MOST_PHOTOS)]


class NewInspection(BaseModel):
    """Photos of one piece of equipment. `record`: an open record that they are added to, as an answer to what
    it asks for; it is inspected anew with all of its photos, and what a person wrote in it stays."""

    model_config = ConfigDict(extra="forbid")

    photos: PhotoIds = Field(min_length=1)
    asset: str = Field("", max_length=100)
    record: str | None = Field(None, max_length=40)


class NewTask(BaseModel):
    """A goal on a page; `shows` are texts that the page must show at the end."""

    model_config = ConfigDict(extra="forbid")

    goal: str = Field(min_length=1, max_length=4000)
    url: str = Field(min_length=1, max_length=2000, pattern="^https?://")
    shows: list[str] = Field(default_factory=list, max_length=20)
    photos: PhotoIds = Field(default_factory=list)
    observation: Literal["pixels", "hybrid"] = "hybrid"
    steps: int = Field(30, ge=1, le=100)


@router.post("/inspections", status_code=202, summary="Inspect photos; the record comes with the run's end")
@needs("content.write")
def inspections(body: NewInspection, desk: Parts, who: Who, response: Response, key: Key = None) -> Run:
    if body.record is not None:
        there = desk.records.get(who, body.record).photos
        body = body.model_copy(update={"photos": list(dict.fromkeys([*there, *body.photos]))})
        if len(body.photos) > MOST_PHOTOS:
            raise BadRequest(f"a record rests on at most {MOST_PHOTOS} photos", "begin another one", "photos")
    return _begin(desk, who, inspect.KIND, body, response, key)


@router.post("/runs", status_code=202, summary="Let the agent work on a page")
@needs("runs.use")
def tasks(body: NewTask, desk: Parts, who: Who, response: Response, key: Key = None) -> Run:
    desk.reach.check_literal(body.url)
    return _begin(desk, who, task.KIND, body, response, key)


@router.get("/runs", summary="List one's runs, the newest first")
@needs("content.read")
def runs(
    desk: Parts,
    who: Who,
    kind: Annotated[str | None, Query(max_length=40)] = None,
    cursor: Cursor = None,
    limit: Limit = USUAL,
) -> Paged[Run]:
    return paged(desk.runs.list(who, kind=kind, cursor=cursor, limit=limit), run_shape)


@router.get("/runs/{id}", summary="How a run stands")
@needs("content.read")
def run(id: str, desk: Parts, who: Who) -> Run:
    return run_shape(desk.runs.get(who, id))


@router.post("/runs/{id}/cancel", summary="End a run")
@needs("content.write")
def cancel(id: str, desk: Parts, who: Who) -> Run:
    return run_shape(desk.runs.cancel(who, id))


@router.get(
    "/runs/{id}/events",
    summary="What a run says, as it says it",
    response_class=StreamingResponse,
    responses=content("text/event-stream", text="events until the run ends"),
)
@needs("content.read")
async def events(
    id: str,
    desk: Parts,
    who: Who,
    last: Annotated[str | None, Header(alias="Last-Event-ID", max_length=9)] = None,
) -> StreamingResponse:
    """Server-sent events; `Last-Event-ID` takes a stream up where it broke. Ends with the run."""
    await run_in_threadpool(desk.runs.get, who, id)
    after = int(last) if last and last.isdecimal() else 0
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_stream(desk, who, id, after), media_type="text/event-stream", headers=headers)


@router.get("/runs/{id}/artifacts", summary="The files of a run")
@needs("content.read")
def artifacts(id: str, desk: Parts, who: Who) -> Listed[ArtifactFile]:
    desk.runs.get(who, id)
    held = desk.artifacts.held(who.tenant, id)
    items = (
        ArtifactFile(name=name, size=one.size, media_type=one.media_type, sha256=one.sha256)
        for name, one in held.items()
    )
    return Listed(items=tuple(items))


@router.get(
    "/runs/{id}/artifacts/{name:path}",
    summary="One file of a run",
    response_class=Response,
    responses=content("*/*", text="a download"),
)
@needs("content.read")
def artifact(id: str, name: str, desk: Parts, who: Who) -> Response:
    """As a download: what a page of somebody else's wrote is never shown as a page of this server."""
    desk.runs.get(who, id)
    found = desk.artifacts.held(who.tenant, id).get(name)
    if found is None:
        raise NotFound("this run has no file of that name", "list its artifacts")
    shown = name.rsplit("/", 1)[-1].encode("ascii", "replace").decode().replace('"', "'")
    headers = {"Content-Disposition": f'attachment; filename="{shown}"'}
    file = desk.artifacts.read(who.tenant, found.sha256)
    return Response(file, media_type=found.media_type, headers=headers)


def _begin(
    desk: Desk,
    who: Principal,
    kind: str,
    body: NewInspection | NewTask,
    response: Response,
    key: str | None,
) -> Run:
    made = desk.begin(who, kind, body.model_dump(mode="json"), key)
    response.headers["Location"] = f"/api/runs/{made.id}"
    return run_shape(made)


async def _stream(desk: Desk, who: Principal, id: str, after: int) -> AsyncIterator[str]:
    silent = 0.0
    while True:
        # The state first: what was said before the end is then surely among the events.
        state = await run_in_threadpool(desk.runs.get, who, id)
        for event in await run_in_threadpool(desk.runs.events, who, id, after):
            after, silent = event.number, 0.0
            yield f"id: {event.number}\nevent: {event.kind}\ndata: {json.dumps(event.body)}\n\n"
        if state.over:
            if after == 0:  # it was cancelled before it began, so it never said anything
                yield f"event: end\ndata: {json.dumps({'state': state.state, 'reason': state.reason})}\n\n"
            return
        await asyncio.sleep(_LOOK_S)
        silent += _LOOK_S
        if silent >= _ALIVE_S:
            silent = 0.0
            yield ": alive\n\n"
