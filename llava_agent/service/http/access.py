"""The gate before every route, passed before a body is read: host, site, caller, rate, permission."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from llava_agent.errors import LlavaAgentError, PermissionDenied
from llava_agent.service.auth.identity import NOBODY, Identifier, Identity
from llava_agent.service.auth.rights import Permission
from llava_agent.service.errors import NotLoggedIn, TooLarge, TooManyRequests
from llava_agent.service.http.origin import SAFE, check_host, check_site
from llava_agent.service.http.permission import permission_of
from llava_agent.service.http.problems import of_error, report
from llava_agent.service.http.rate import Buckets

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOGIN_PAGE, PASSWORD_PAGE = "/login", "/password"


@dataclass(frozen=True, slots=True)
class Gate:
    """ASGI middleware.

    Args:
        app: what is behind the gate.
        routes: the application whose routes say what they need.
        body_bytes: largest body; one that does not tell its length is cut off there.
        hosts: names that the server answers to; none for any.
        known, strangers: how often a caller with a name may ask, and an address without.
    """

    app: ASGIApp
    routes: FastAPI
    identifier: Identifier
    hosts: frozenset[str]
    body_bytes: int
    known: Buckets
    strangers: Buckets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # there is no websocket in this service
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = dict(Headers(scope=scope))
        identity = NOBODY
        try:
            ours = self._check_source(scope, headers)
            identity = await self._who(headers)
            scope["state"]["identity"] = identity
            self._limit(scope, identity)
            found, permission = permission_of(self.routes, scope)
            if found:
                _permit(identity, permission)
                _check_csrf(scope["method"], headers, identity, ours)
                self._check_length(headers)
                scope["state"]["granted"] = permission
        except LlavaAgentError as error:
            if error.http_status >= 500:
                report(error, scope["state"]["request_id"])
            page = _page_instead(scope, headers, identity, error)
            refusal = RedirectResponse(page, 303) if page else of_error(error, scope["state"]["request_id"])
            await refusal(scope, receive, send)
            return
        await self.app(scope, _bounded(receive, self.body_bytes), send)

    def _check_source(self, scope: Scope, headers: Mapping[str, str]) -> bool:
        check_host(headers, self.hosts, login=self.identifier.login)
        return check_site(scope["method"], headers)

    async def _who(self, headers: Mapping[str, str]) -> Identity:
        if not headers.keys() & {"authorization", "cookie"}:
            return self.identifier.of({})  # no need for the database
        return await run_in_threadpool(self.identifier.of, headers)

    def _check_length(self, headers: Mapping[str, str]) -> None:
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > self.body_bytes:
            raise TooLarge(f"the request is larger than {self.body_bytes / 2**20:g} MiB", "send less at once")

    def _limit(self, scope: Scope, identity: Identity) -> None:
        if identity.by == "nobody":
            wait = self.strangers.take(client_address(scope))
        else:
            principal = identity.principal
            wait = self.known.take(f"{principal.user} {principal.key}")
        if wait:
            raise TooManyRequests("there were too many requests in a short time", "ask less often", wait)


def _bounded(receive: Receive, most: int) -> Receive:
    """The body up to `most` bytes; a longer one is a 413, whatever length it claimed."""
    came = 0

    async def next_piece() -> Message:
        nonlocal came
        message = await receive()
        came += len(message.get("body", b""))
        if came > most:
            raise HTTPException(413)
        return message

    return next_piece


def client_address(scope: Scope) -> str:
    """The address of the peer; a proxy's own where there is one in between."""
    client = scope.get("client")
    return str(client[0]) if client else "unknown"


def _permit(identity: Identity, permission: Permission | None) -> None:
    if permission is not None and identity.may(permission):
        return
    if identity.by == "nobody" and permission is not None:
        raise NotLoggedIn("log in or send an API key", "Authorization: Bearer KEY")
    if identity.must_change:
        raise PermissionDenied("the password has to be changed first", "POST /api/password")
    if permission is None:
        raise PermissionDenied("this address is open to nobody")
    identity.require(permission)


def _check_csrf(method: str, headers: Mapping[str, str], identity: Identity, ours: bool) -> None:
    """A cookie alone proves no intent: a browser vouches for the page, or the session's token comes along."""
    import hmac

    if method in SAFE or identity.by != "session" or ours:
        return
    if not hmac.compare_digest(headers.get("x-csrf-token", "").encode(), identity.csrf.encode()):
        raise PermissionDenied("a change needs the session's token", "send it as the header X-CSRF-Token")


def _page_instead(
    scope: Scope, headers: Mapping[str, str], identity: Identity, error: LlavaAgentError
) -> str | None:
    """Where a person with a browser is sent who has to log in or to choose a password."""
    wants_page = scope["method"] == "GET" and "text/html" in headers.get("accept", "")
    if not wants_page or error.http_status not in (401, 403):
        return None
    if isinstance(error, NotLoggedIn):
        return f"{LOGIN_PAGE}?next={quote(scope['path'])}"
    return PASSWORD_PAGE if identity.must_change else None
