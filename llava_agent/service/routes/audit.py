"""The audit log: looked through, verified, exported."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from llava_agent.gateway.audit.search import newest
from llava_agent.gateway.audit.verify import export, verify
from llava_agent.service.context import Service, service_of
from llava_agent.service.http.permission import needs

router = APIRouter(prefix="/api/audit", tags=["audit"])
Parts = Annotated[Service, Depends(service_of)]
Word = Annotated[str, Query(max_length=100)]


@router.get("", summary="The newest records, by what happened and who did it")
@needs("audit.read")
def records(
    service: Parts,
    kind: Word = "",
    user: Word = "",
    run: Word = "",
    before: Annotated[int | None, Query(ge=1, le=2**53, description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    found = newest(service.database, before=before, kind=kind, user=user, run=run, size=limit)
    return {"items": list(found.records), "next": found.next}


@router.get("/verify", summary="Is the chain whole")
@needs("audit.read")
def check(service: Parts) -> dict[str, Any]:
    """Walks every record."""
    found = verify(service.audit)
    names = ("whole", "records", "heads", "count", "problems", "open")
    return {name: getattr(found, name) for name in names}


@router.get(
    "/export",
    summary="All records and signed heads, as JSON lines",
    response_class=FileResponse,
    responses={200: {"content": {"application/jsonl": {"schema": {"type": "string"}}}}},
)
@needs("audit.read")
def download(service: Parts) -> FileResponse:
    """For `llava-agent audit verify --file`. The chain's present end is signed first."""
    with tempfile.NamedTemporaryFile(suffix=".jsonl", delete=False) as file:
        path = Path(file.name)
    try:
        export(service.audit, path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return FileResponse(
        path,
        media_type="application/jsonl",
        filename="audit.jsonl",
        background=BackgroundTask(path.unlink, missing_ok=True),
    )
