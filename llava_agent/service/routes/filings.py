"""Filing a record: what would be sent, the sending, its history, and what became of one that was cut off."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from llava_agent.errors import NotFound
from llava_agent.service.filing.target import Preview, Target
from llava_agent.service.http.permission import needs
from llava_agent.service.routes.answers import Parts, Who, run_shape
from llava_agent.service.shapes import Run

router = APIRouter(prefix="/api", tags=["filing"])

To = Annotated[str, Query(max_length=40, description="a destination; the only one if left out")]


class NewFiling(BaseModel):
    """Attributes:
    to: a destination; the only one if left out.
    content_sha256: of what was shown; where something else would be sent, nothing is.
    """

    model_config = ConfigDict(extra="forbid")

    to: str = Field("", max_length=40)
    content_sha256: str = Field("", max_length=64)


class Settlement(BaseModel):
    """What a person saw in the other system."""

    model_config = ConfigDict(extra="forbid")

    arrived: bool
    reference: str = Field("", max_length=200)


@router.get("/destinations", summary="Where records can be filed")
@needs("content.read")
def destinations(desk: Parts) -> dict[str, Any]:
    return {"items": [_target_json(one) for one in desk.filing.targets]}


@router.get("/records/{id}/filing", summary="What would be sent; nothing is")
@needs("content.read")
def preview(id: str, desk: Parts, who: Who, to: To = "") -> dict[str, Any]:
    """`problems` has one sentence for each field that is missing; `decision` is the policy's."""
    return preview_json(desk.filing.preview(who, id, to))


@router.post("/records/{id}/filings", status_code=202, summary="File a confirmed record")
@needs("content.write")
def file(id: str, body: NewFiling, desk: Parts, who: Who, response: Response) -> dict[str, Any]:
    """A filing under way of the same content is given again, so that a repeated request files nothing twice.

    Status 422 with a sentence for each missing field; 409 where the record is a draft, was filed already, or
    nobody knows whether it arrived.
    """
    filing = desk.file(who, id, body.to, body.content_sha256)
    response.headers["Location"] = f"/api/records/{id}/filings"
    return filing.as_dict()


@router.get("/records/{id}/filings", summary="The filings of a record, the newest first")
@needs("content.read")
def history(id: str, desk: Parts, who: Who) -> dict[str, Any]:
    desk.records.get(who, id)
    return {"items": [one.as_dict() for one in desk.filing.filings.of(who, id)]}


@router.post(
    "/records/{id}/filings/{filing}/look", status_code=202, summary="Look for a filing of unknown fate"
)
@needs("content.write")
def look(id: str, filing: str, desk: Parts, who: Who) -> Run:
    _of_record(desk, who, id, filing)
    return run_shape(desk.look(who, filing))


@router.post("/records/{id}/filings/{filing}/settle", summary="Say what is in the other system")
@needs("content.write")
def settle(id: str, filing: str, body: Settlement, desk: Parts, who: Who) -> dict[str, Any]:
    """For a filing of unknown fate where no look-up decides."""
    _of_record(desk, who, id, filing)
    return desk.filing.settle(who, filing, arrived=body.arrived, reference=body.reference).as_dict()


def preview_json(found: Preview) -> dict[str, Any]:
    return {
        **_target_json(found.target),
        "values": found.parcel.shown(),
        "photos": list(found.parcel.photos),
        "problems": [{"field": one.field, "sentence": one.sentence} for one in found.parcel.problems],
        "decision": found.ruling.decision,
        "rule": found.ruling.rule,
        "content_sha256": found.content,
    }


def _target_json(target: Target) -> dict[str, Any]:
    config = target.config
    return {"to": config.name, "title": config.title, "kind": config.to.kind, "address": config.to.home}


def _of_record(desk: Parts, who: Who, record: str, filing: str) -> None:
    if desk.filing.filings.get(who, filing).record != record:
        raise NotFound(f"the record {record} has no filing {filing}", "list those of the record")
