"""The page to log in and the page to choose a password. Without scripts, so they work in every browser."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from llava_agent.errors import LlavaAgentError
from llava_agent.service.auth.form import PAGE_POLICY, login_form, password_form
from llava_agent.service.auth.identity import Identity
from llava_agent.service.auth.routes.session import end_session, limit_logins, set_cookie
from llava_agent.service.context import Service, service_of
from llava_agent.service.http.access import LOGIN_PAGE, PASSWORD_PAGE
from llava_agent.service.http.permission import identity_of, needs

router = APIRouter(include_in_schema=False)
Parts = Annotated[Service, Depends(service_of)]
Caller = Annotated[Identity, Depends(identity_of)]
Text = Annotated[str, Form(max_length=300)]


@router.get(LOGIN_PAGE)
@needs("public")
async def show_login(next: Annotated[str, Query(max_length=2000)] = "/") -> HTMLResponse:
    return _page(login_form(_local(next)))


@router.post(LOGIN_PAGE)
@needs("public")
def log_in(
    request: Request, service: Parts, name: Text = "", password: Text = "", next: Text = "/"
) -> Response:
    try:
        limit_logins(request, service)
        secret = service.door.log_in(name, password)
    except LlavaAgentError as error:
        return _page(login_form(_local(next), str(error)), error.http_status)
    response = RedirectResponse(_local(next), 303)
    set_cookie(response, service, secret)
    return response


@router.get(PASSWORD_PAGE)
@needs("account.own")
async def show_password(identity: Caller) -> HTMLResponse:
    return _page(password_form(must=identity.must_change))


@router.post(PASSWORD_PAGE)
@needs("account.own")
def change(
    request: Request, service: Parts, identity: Caller, old: Text = "", new: Text = "", again: Text = ""
) -> Response:
    try:
        limit_logins(request, service)
        if new != again:
            return _page(password_form("the two new passwords differ", must=identity.must_change), 400)
        service.door.change_password(identity.principal.user, old, new)
    except LlavaAgentError as error:
        return _page(password_form(str(error), must=identity.must_change), error.http_status)
    response = RedirectResponse("/", 303)
    set_cookie(response, service, service.sessions.start(identity.principal.user))
    return response


@router.post("/logout")
@needs("account.own")
def log_out(service: Parts, identity: Caller) -> Response:
    response = RedirectResponse(LOGIN_PAGE, 303)
    end_session(response, service, identity)
    return response


def _page(html: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(html, status, {"Content-Security-Policy": PAGE_POLICY})


def _local(path: str) -> str:
    """A path on this server; a link must not lead elsewhere after the login."""
    plain = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if plain else "/"
