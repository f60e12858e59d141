"""Is the server alive, is it ready, what does it count, and what can be asked of it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response

from llava_agent.errors import LlavaAgentError
from llava_agent.service.context import Service, service_of
from llava_agent.service.http.describe import content, described
from llava_agent.service.http.permission import needs
from llava_agent.service.shapes import Health, Readiness

router = APIRouter(tags=["server"])


@router.get("/health", summary="Is the process alive")
@needs("public")
async def alive() -> Health:
    return Health()


@router.get(
    "/ready",
    summary="Can requests be served",
    response_model=Readiness,
    responses={503: {"model": Readiness, "description": "not yet"}},
)
@needs("public")
async def ready(service: Annotated[Service, Depends(service_of)]) -> JSONResponse:
    """Says of each part whether it is there, and nothing more: anybody may ask."""
    parts = await run_in_threadpool(_parts, service)
    whole = all(parts.values())
    return JSONResponse(Readiness(ready=whole, parts=parts).model_dump(), 200 if whole else 503)


@router.get(
    "/metrics",
    summary="Counters for Prometheus",
    response_class=Response,
    responses=content("text/plain", text="Prometheus' text format"),
)
@needs("metrics.read")
async def metrics(service: Annotated[Service, Depends(service_of)]) -> Response:
    from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

    body = generate_latest(service.metrics.registry) + generate_latest(REGISTRY)
    return Response(body, media_type=CONTENT_TYPE_LATEST)


@router.get("/api/openapi.json", summary="This document")
@needs("public")
async def document(request: Request) -> dict[str, Any]:
    """Every route with its answers, its failures, and the permission that it needs (`x-permission`)."""
    return described(request.app)


def _parts(service: Service) -> dict[str, bool]:
    """Each part that requests need, and whether it can be used."""
    parts = {"database": True, "models": True}
    try:
        with service.database.reading() as connection:
            connection.exec_driver_sql("SELECT 1")
    except LlavaAgentError:
        parts["database"] = False
    try:
        service.core()
    except LlavaAgentError:
        parts["models"] = False
    return parts
