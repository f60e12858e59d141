"""`GET /v1/models`, and which models a name in a request means."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.concurrency import run_in_threadpool

from llava_agent.assembly import Core
from llava_agent.errors import NotFound
from llava_agent.gateway.principal import Principal
from llava_agent.gateway.request import ModelRequest
from llava_agent.service.auth.identity import Identity
from llava_agent.service.context import Service, service_of
from llava_agent.service.http.permission import identity_of, needs
from llava_agent.service.openai.embedders import EMBEDDERS

router = APIRouter(prefix="/v1", tags=["OpenAI-compatible"])

#: The gateway chooses: the cheapest permitted model that can do it.
AUTO = "auto"


@router.get("/models", summary="Models that the caller may name")
@needs("models.use")
async def list_models(
    service: Annotated[Service, Depends(service_of)], identity: Annotated[Identity, Depends(identity_of)]
) -> dict[str, object]:
    names = await run_in_threadpool(_names, service, identity.principal)
    return {"object": "list", "data": [_model(name) for name in names]}


@router.get("/models/{name}", summary="One of them")
@needs("models.use")
async def show_model(
    name: str,
    service: Annotated[Service, Depends(service_of)],
    identity: Annotated[Identity, Depends(identity_of)],
) -> dict[str, object]:
    if name not in await run_in_threadpool(_names, service, identity.principal):
        raise _unknown()
    return _model(name)


def core_of(service: Service, name: str, principal: Principal) -> Core:
    """What answers for a name: all models of the policy, or one that the caller may use.

    Raises:
        NotFound: there is no such model, or not for this caller.
    """
    core = service.core()
    if name == AUTO:
        return core
    if name not in permitted(core, principal):
        raise _unknown()
    return Core(core.gateway.only(name), core.find)


def permitted(core: Core, principal: Principal) -> list[str]:
    """Entries of the policy that may answer this caller some question, in words or about an image."""
    probes = (
        ModelRequest("summarise", "which models may answer?", principal=principal),
        ModelRequest("perceive", "what is it?", image=b"", needs_pixels=True, principal=principal),
    )
    verdicts = [verdict for probe in probes for verdict in core.gateway.explain(probe)[1]]
    return sorted({one.deployment.entry for one in verdicts if one.verdict != "refused"})


def _names(service: Service, principal: Principal) -> list[str]:
    return [AUTO, *permitted(service.core(), principal), *EMBEDDERS]


def _unknown() -> NotFound:
    return NotFound("there is no model of that name", "see GET /v1/models, or use auto")


def _model(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "llava-agent"}
