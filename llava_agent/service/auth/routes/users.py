"""Accounts, for who manages them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from llava_agent.errors import NotFound
from llava_agent.service import shapes
from llava_agent.service.auth.routes.bodies import NewUser, UserChange
from llava_agent.service.auth.users import User, checked_roles
from llava_agent.service.context import Service, service_of
from llava_agent.service.http.permission import needs

router = APIRouter(prefix="/api/users", tags=["users"])
Parts = Annotated[Service, Depends(service_of)]


@router.get("", summary="All accounts")
@needs("users.read")
def list_users(service: Parts) -> shapes.Users:
    return shapes.Users(users=tuple(map(_shown, service.users.all())))


@router.post("", status_code=201, summary="A new account, with a password that its user has to change")
@needs("users.manage")
def add_user(body: NewUser, service: Parts) -> shapes.User:
    made = service.users.add(
        body.name,
        body.password.get_secret_value(),
        body.roles,
        department=body.department,
        tenant=body.tenant,
        denied=body.denied,
        must_change=True,
    )
    return _shown(made)


@router.patch("/{name}", summary="Change roles, shut or open an account, set another password")
@needs("users.manage")
def change_user(name: str, body: UserChange, service: Parts) -> shapes.User:
    """Every session of the account ends."""
    _found(service, name)
    if body.roles is not None:
        checked_roles(body.roles)
    if body.password is not None:
        service.users.set_password(name, body.password.get_secret_value(), must_change=True)
        service.door.lockout.right(name)
    if body.roles is not None:
        service.users.set_roles(name, body.roles)
    if body.disabled is not None:
        service.users.disable(name, disabled=body.disabled)
    return _shown(_found(service, name))


def _found(service: Service, name: str) -> User:
    user = service.users.find(name[:64])
    if user is None:
        raise NotFound("there is no such user", "see: GET /api/users")
    return user


def _shown(user: User) -> shapes.User:
    return shapes.User.model_validate(user.as_dict())
