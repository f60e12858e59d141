"""Accounts, for who manages them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from llava_agent.errors import ConfigError, NotFound
from llava_agent.gateway.principal import Principal
from llava_agent.service import shapes
from llava_agent.service.auth.routes.bodies import NewUser, UserChange
from llava_agent.service.auth.users import User, checked_roles
from llava_agent.service.context import Service, service_of
from llava_agent.service.http.permission import caller, needs

router = APIRouter(prefix="/api/users", tags=["users"])
Parts = Annotated[Service, Depends(service_of)]
Who = Annotated[Principal, Depends(caller)]


@router.get("", summary="All accounts")
@needs("users.read")
def list_users(service: Parts) -> shapes.Users:
    return shapes.Users(users=tuple(map(_shown, service.users.all())))


@router.post("", status_code=201, summary="A new account, with a password that its user has to change")
@needs("users.manage")
def add_user(body: NewUser, service: Parts, who: Who) -> shapes.User:
    made = service.accounts.add(
        who,
        body.name,
        body.password.get_secret_value(),
        body.roles,
        department=body.department,
        tenant=body.tenant,
        denied=body.denied,
    )
    return _shown(made)


@router.patch("/{name}", summary="Change roles or department, shut or open an account, set another password")
@needs("users.manage")
def change_user(name: str, body: UserChange, service: Parts, who: Who) -> shapes.User:
    """Every session of the account ends."""
    if body.roles is not None:
        checked_roles(body.roles)
    if body.password is not None:
        service.accounts.set_password(who, name, body.password.get_secret_value())
    if not (body.roles is None and body.department is None and body.disabled is None):
        service.accounts.change(
            who, name, roles=body.roles, department=body.department, disabled=body.disabled
        )
    return _shown(service.accounts.found(name))


@router.get("/{name}/tokens", summary="The API keys of an account, without the keys themselves")
@needs("users.read")
def tokens_of(name: str, service: Parts) -> shapes.Tokens:
    found = service.tokens.all(service.accounts.found(name).name)
    return shapes.Tokens(tokens=tuple(shapes.Token.model_validate(one.as_dict()) for one in found))


@router.delete("/{name}/tokens/{id}", status_code=204, summary="Revoke an API key of an account")
@needs("users.manage")
def revoke_token_of(name: str, id: str, service: Parts, who: Who) -> None:
    """Nobody makes a key for another person: whoever holds it could act in their name."""
    try:
        service.accounts.revoke_key(who, id[:40], service.accounts.found(name).name)
    except ConfigError as error:
        raise NotFound("there is no such API key", f"see: GET /api/users/{name[:64]}/tokens") from error


def _shown(user: User) -> shapes.User:
    return shapes.User.model_validate(user.as_dict())
