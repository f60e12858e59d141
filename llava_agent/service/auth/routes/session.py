"""Log in, log out, who am I, and a new password."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from llava_agent.service import shapes
from llava_agent.service.auth.identity import COOKIE, SECURE_COOKIE, Identity
from llava_agent.service.auth.routes.bodies import Login, NewPassword
from llava_agent.service.auth.sessions import csrf_of
from llava_agent.service.context import Service, service_of
from llava_agent.service.errors import TooManyRequests
from llava_agent.service.http.access import client_address
from llava_agent.service.http.permission import identity_of, needs

router = APIRouter(prefix="/api", tags=["account"])
Parts = Annotated[Service, Depends(service_of)]
Caller = Annotated[Identity, Depends(identity_of)]


@router.post("/session", summary="Log in")
@needs("public")
def log_in(body: Login, request: Request, response: Response, service: Parts) -> shapes.Login:
    """Sets the session's cookie, and gives the token that changes need where no browser vouches for them."""
    limit_logins(request, service)
    secret = service.door.log_in(body.name, body.password.get_secret_value())
    set_cookie(response, service, secret)
    user = service.users.find(body.name.strip().lower())
    return shapes.Login(csrf_token=csrf_of(secret), must_change_password=bool(user and user.must_change))


@router.get("/session", summary="Who am I, and what may I do")
@needs("public")
async def who(identity: Caller) -> shapes.Who:
    principal = identity.principal
    return shapes.Who(
        user=principal.user,
        by=identity.by,
        department=principal.department,
        roles=tuple(sorted(principal.roles)),
        permissions=tuple(sorted(identity.rights)),
        must_change_password=identity.must_change,
        csrf_token=identity.csrf or None,
    )


@router.delete("/session", status_code=204, summary="Log out")
@needs("account.own")
def log_out(response: Response, service: Parts, identity: Caller) -> None:
    end_session(response, service, identity)


@router.post("/password", status_code=204, summary="Change one's own password; all sessions end")
@needs("account.own")
def change(body: NewPassword, request: Request, service: Parts, identity: Caller) -> None:
    limit_logins(request, service)
    service.door.change_password(
        identity.principal.user, body.old.get_secret_value(), body.new.get_secret_value()
    )


def limit_logins(request: Request, service: Service) -> None:
    """Raises TooManyRequests where an address tries passwords too fast, whatever the names."""
    if wait := service.logins.take(client_address(request.scope)):
        raise TooManyRequests("there were too many logins from this address", "wait a little", wait)


def set_cookie(response: Response, service: Service, secret: str) -> None:
    tls = service.settings.secure
    response.set_cookie(
        SECURE_COOKIE if tls else COOKIE, secret, httponly=True, secure=tls, samesite="lax", path="/"
    )


def end_session(response: Response, service: Service, identity: Identity) -> None:
    if identity.secret:
        service.sessions.end(identity.secret)
    tls = service.settings.secure
    response.delete_cookie(
        SECURE_COOKIE if tls else COOKIE, httponly=True, secure=tls, samesite="lax", path="/"
    )
