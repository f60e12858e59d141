"""The policy: read, tried out, and replaced. Only what is whole and right is ever in force."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from llava_agent.errors import LlavaAgentError
from llava_agent.gateway.policy import warnings_of
from llava_agent.gateway.principal import Principal
from llava_agent.service.auth.users import checked_roles
from llava_agent.service.context import Service, service_of
from llava_agent.service.http.permission import caller, needs
from llava_agent.strict_yaml import YamlError

router = APIRouter(prefix="/api/policy", tags=["policy"])
Parts = Annotated[Service, Depends(service_of)]
Who = Annotated[Principal, Depends(caller)]
#: A policy of some thousand rules is smaller.
Text = Annotated[str, Field(min_length=1, max_length=500_000)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Draft(_Body):
    text: Text


class Change(_Body):
    """`base` is the digest of the text that the change was made on."""

    text: Text
    base: str = Field(max_length=64)


class Question(_Body):
    """A chat request in OpenAI's form, and on whose behalf; `text` is a policy to try it on."""

    request: dict[str, Any]
    user: str = Field("local", max_length=64)
    department: str = Field("", max_length=64)
    roles: list[str] = Field(default_factory=lambda: ["member"], min_length=1, max_length=6)
    step: str | None = Field(None, max_length=20)
    data_class: str | None = Field(None, max_length=20)
    text: Text | None = None


@router.get("", summary="The policy in force, as it is written")
@needs("policy.read")
def in_force(service: Parts) -> dict[str, Any]:
    found = service.policy.in_force()
    return {
        "text": found.text,
        "digest": found.digest,
        "version": found.policy.version_hash,
        "shipped": found.shipped,
        "warnings": warnings_of(found.policy),
    }


@router.post("/check", summary="Check a changed policy: what is wrong and where, the diff, and its effect")
@needs("policy.read")
def check(body: Draft, service: Parts) -> dict[str, Any]:
    """Nothing is changed. `effect` tells how the newest calls of the ledger would be routed."""
    try:
        draft = service.policy.draft(body.text)
    except LlavaAgentError as error:
        line = error.line if isinstance(error, YamlError) else None
        return {"valid": False, "problem": str(error), "line": line}
    return {
        "valid": True,
        "version": draft.policy.version_hash,
        "warnings": list(draft.warnings),
        "diff": draft.diff,
        "effect": [one.as_dict() for one in service.policy.effect(draft)],
    }


@router.put("", summary="Put a changed policy in force")
@needs("policy.write")
def save(body: Change, service: Parts, who: Who) -> dict[str, Any]:
    """Status 400 where it is wrong, 409 where somebody else changed it meanwhile; the old one stays."""
    draft = service.policy.save(who, body.text, body.base)
    return {"version": draft.policy.version_hash, "warnings": list(draft.warnings), "diff": draft.diff}


@router.post("/explain", summary="Which model would take a request, and of every other why not")
@needs("policy.read")
def explain(body: Question, service: Parts) -> dict[str, Any]:
    """Nothing is sent to a model, and nothing of the request is kept."""
    policy = service.policy.draft(body.text).policy if body.text else service.policy.in_force().policy
    principal = Principal(body.user, body.department, checked_roles(body.roles))
    request = json.dumps(body.request)
    return service.policy.explain(request, principal, body.step, body.data_class, policy)
