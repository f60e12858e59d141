"""Records: the table of an inspection, edited, confirmed, compared and exported."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from llava_agent.inspection.compare import compare
from llava_agent.inspection.document import InspectionDocument, read_document
from llava_agent.service.http.describe import content
from llava_agent.service.http.permission import needs
from llava_agent.service.routes.answers import Asset, Cursor, Limit, Parts, Who, paged, record_shape
from llava_agent.service.shapes import Paged, Record, RecordDifference, RecordDifferences
from llava_agent.service.store.page import USUAL
from llava_agent.service.store.record_files import record_csv, record_pdf

router = APIRouter(prefix="/api/records", tags=["records"])


class RecordChange(BaseModel):
    """What is left out stays as it is.

    Attributes:
        version: of the record that the change was made on.
    """

    model_config = ConfigDict(extra="forbid")

    version: int = Field(ge=1, le=2**31 - 2)
    asset: str | None = Field(None, max_length=100)
    inspection: InspectionDocument | None = None
    confirmed: bool | None = None


@router.get("", summary="List one's records, the newest first")
@needs("content.read")
def records(
    desk: Parts, who: Who, asset: Asset = None, cursor: Cursor = None, limit: Limit = USUAL
) -> Paged[Record]:
    return paged(desk.records.list(who, asset=asset, cursor=cursor, limit=limit), record_shape)


@router.get("/{id}", summary="A record with its inspection")
@needs("content.read")
def record(id: str, desk: Parts, who: Who) -> Record:
    return record_shape(desk.records.get(who, id))


@router.patch("/{id}", summary="Change or confirm a record")
@needs("content.write")
def change(id: str, body: RecordChange, desk: Parts, who: Who) -> Record:
    """Status 409 where somebody else changed it since the version that is given."""
    found = desk.records.change(
        who,
        id,
        body.version,
        body=body.inspection.model_dump(mode="json") if body.inspection else None,
        asset=body.asset,
        confirmed=body.confirmed,
    )
    return record_shape(found)


@router.delete("/{id}", status_code=204, summary="Delete a record; its photos stay")
@needs("content.write")
def delete(id: str, desk: Parts, who: Who) -> None:
    desk.records.delete(who, id)


@router.get("/{id}/changes", summary="What changed since an earlier record")
@needs("content.read")
def changes(
    id: str,
    desk: Parts,
    who: Who,
    since: Annotated[
        str | None, Query(max_length=40, description="an earlier record; else the last one of the asset")
    ] = None,
) -> RecordDifferences:
    now = desk.records.get(who, id)
    before = desk.records.get(who, since) if since else desk.records.before(who, now)
    if before is None:
        return RecordDifferences(since=None, changes=())
    found = compare(read_document(before.body), read_document(now.body))
    changes = tuple(RecordDifference.model_validate(one.as_dict()) for one in found)
    return RecordDifferences(since=before.id, changes=changes)


@router.get(
    "/{id}/export",
    summary="A record as PDF or CSV",
    response_class=Response,
    responses=content("application/pdf", "text/csv", text="a download"),
)
@needs("content.read")
def export(
    id: str, desk: Parts, who: Who, form: Annotated[Literal["pdf", "csv"], Query(alias="as")] = "pdf"
) -> Response:
    found = desk.records.get(who, id)
    headers = {"Content-Disposition": f'attachment; filename="{found.id}.{form}"'}
    if form == "csv":
        return Response(record_csv(found), media_type="text/csv; charset=utf-8", headers=headers)
    pdf = record_pdf(found, desk.records, desk.photos, who)
    return Response(pdf, media_type="application/pdf", headers=headers)
