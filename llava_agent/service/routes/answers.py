"""What the routes answer with, and what they share: the caller, the key of a request, pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeVar

from fastapi import Depends, Header, Query

from llava_agent.gateway.principal import Principal
from llava_agent.inspection.document import read_document
from llava_agent.service.context import Service, service_of
from llava_agent.service.desk import Desk
from llava_agent.service.http.permission import caller
from llava_agent.service.shapes import Paged, Photo, Record, Run
from llava_agent.service.store.page import MOST, USUAL, Page
from llava_agent.service.store.photos import StoredPhoto
from llava_agent.service.store.records import Record as StoredRecord
from llava_agent.service.store.runs import StoredRun

Item = TypeVar("Item")
Shown = TypeVar("Shown")


def desk_of(service: Annotated[Service, Depends(service_of)]) -> Desk:
    """Dependency: the store and the worker."""
    return service.desk


Parts = Annotated[Desk, Depends(desk_of)]
Who = Annotated[Principal, Depends(caller)]
#: A client sends it so that a request that it repeats is done once.
Key = Annotated[str | None, Header(alias="Idempotency-Key", max_length=200)]
Cursor = Annotated[str | None, Query(max_length=200, description="`next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=MOST, description=f"items of a page ({USUAL})")]
Asset = Annotated[str | None, Query(max_length=100, description="only of this asset")]


def paged(found: Page[Item], show: Callable[[Item], Shown]) -> Paged[Shown]:
    return Paged(items=tuple(map(show, found.items)), next=found.next)


def photo_shape(photo: StoredPhoto) -> Photo:
    return Photo(
        id=photo.id,
        created=photo.created,
        name=photo.name,
        asset=photo.asset,
        sha256=photo.sha256,
        width=photo.width,
        height=photo.height,
        **photo.about,
    )


def record_shape(record: StoredRecord) -> Record:
    return Record(
        id=record.id,
        created=record.created,
        changed=record.changed,
        version=record.version,
        asset=record.asset,
        state=record.state,
        reason=record.reason,
        photos=record.photos,
        filed=record.filed,
        inspection=read_document(record.body),
    )


def run_shape(run: StoredRun) -> Run:
    return Run(
        id=run.id,
        kind=run.kind,
        state=run.state,
        reason=run.reason,
        request=run.request,
        result=run.result,
        attempt=run.attempt,
        created=run.created,
        started=run.started,
        ended=run.ended,
    )
