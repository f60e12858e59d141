"""One's own API keys."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from llava_agent.errors import ConfigError, NotFound
from llava_agent.service import shapes
from llava_agent.service.auth.identity import Identity
from llava_agent.service.auth.routes.bodies import NewToken
from llava_agent.service.context import Service, service_of
from llava_agent.service.http.permission import identity_of, needs

router = APIRouter(prefix="/api/tokens", tags=["tokens"])
Parts = Annotated[Service, Depends(service_of)]
Caller = Annotated[Identity, Depends(identity_of)]


@router.get("", summary="My API keys, without the keys themselves")
@needs("tokens.own")
def list_tokens(service: Parts, identity: Caller) -> shapes.Tokens:
    mine = service.tokens.all(identity.principal.user)
    return shapes.Tokens(tokens=tuple(shapes.Token.model_validate(one.as_dict()) for one in mine))


@router.post("", status_code=201, summary="A new API key; it is shown this once")
@needs("tokens.own")
def create_token(body: NewToken, service: Parts, identity: Caller) -> shapes.NewToken:
    """A key narrowed to some roles makes no key that may do more than itself."""
    user = service.users.find(identity.principal.user)
    assert user is not None
    roles = body.roles
    if identity.by == "token" and identity.principal.roles != user.roles:
        roles = sorted(identity.principal.roles) if roles is None else roles
        if set(roles) - identity.principal.roles:
            raise ConfigError("a key cannot make one that may do more than itself", "log in to make it")
    key, token = service.accounts.create_key(identity.principal, user, body.label, roles, body.days)
    return shapes.NewToken.model_validate({"key": key, **token.as_dict()})


@router.delete("/{name}", status_code=204, summary="Revoke an API key")
@needs("tokens.own")
def revoke_token(name: str, service: Parts, identity: Caller) -> None:
    try:
        service.accounts.revoke_key(identity.principal, name[:40], identity.principal.user)
    except ConfigError as error:
        raise NotFound("there is no such API key", "see: GET /api/tokens") from error
