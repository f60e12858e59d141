"""Records: the table of an inspection, edited, confirmed, compared and exported."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from llava_agent.inspection.compare import compare
from llava_agent.inspection.document import InspectionDocument, read_document
from llava_agent.service.http.permission import needs
from llava_agent.service.routes.answers import Asset, Cursor, Limit, Parts, Who, page, record_json
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
) -> dict[str, Any]:
    return page(desk.records.list(who, asset=asset, cursor=cursor, limit=limit), record_json)


@router.get("/{id}", summary="A record with its inspection")
@needs("content.read")
def record(id: str, desk: Parts, who: Who) -> dict[str, Any]:
    return record_json(desk.records.get(who, id))


@router.patch("/{id}", summary="Change or confirm a record")
@needs("content.write")
def change(id: str, body: RecordChange, desk: Parts, who: Who) -> dict[str, Any]:
    """Status 409 where somebody else changed it since the version that is given."""
    found = desk.records.change(
        who,
        id,
        body.version,
        body=body.inspection.model_dump(mode="json") if body.inspection else None,
        asset=body.asset,
        confirmed=body.confirmed,
    )
    return record_json(found)


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
) -> dict[str, Any]:
    now = desk.records.get(who, id)
    before = desk.records.get(who, since) if since else desk.records.before(who, now)
    if before is None:
        return {"since": None, "changes": []}
    found = compare(read_document(before.body), read_document(now.body))
    return {"since": before.id, "changes": [one.as_dict() for one in found]}


@router.get("/{id}/export", summary="A record as PDF or CSV", response_class=Response)
@needs("content.read")
def export(
    id: str, desk: Parts, who: Who, form: Annotated[Literal["pdf", "csv"], Query(alias="as")] = "pdf"
) -> Response:
    found = desk.records.get(who, id)
    headers = {"Content-Disposition": f'attachment; filename="{found.id}.{form}"'}
    if form == "csv":
        return Response(record_csv(found), media_type="text/csv; charset=utf-8", headers=headers)
    content = record_pdf(found, desk.records, desk.photos, who)
    return Response(content, media_type="application/pdf", headers=headers)
