"""The outermost layer: an id and security headers for each request, a count of it, and no bare failure."""

from __future__ import annotations

import re
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders

from llava_agent.service.http.problems import problem, report

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from llava_agent.service.http.metrics import HttpMetrics

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HEADERS = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # with none at all browsers say `Origin: null` of our own forms
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "geolocation=(), microphone=(), camera=(self)",
    "cache-control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Observer:
    """ASGI middleware.

    Args:
        tls: whether browsers may be told to come back under TLS only.
    """

    app: ASGIApp
    metrics: HttpMetrics
    tls: bool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _ID.fullmatch(given) else f"req_{secrets.token_hex(12)}"
        scope.setdefault("state", {})["request_id"] = request_id
        status, began = 0, time.perf_counter()

        async def answered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._head(MutableHeaders(scope=message), request_id)
            await send(message)

        self.metrics.began()
        try:
            await self.app(scope, receive, answered)
        except Exception as error:
            # A bug: its words stay in the log of this machine, and nothing of them goes out.
            report(error, request_id)
            if status:
                raise
            detail = "this server failed: tell whoever runs it the id of this request."
            await problem(500, detail, "internal_error", request_id)(scope, receive, answered)
        finally:
            self.metrics.ended(scope, status, time.perf_counter() - began)

    def _head(self, headers: MutableHeaders, request_id: str) -> None:
        headers["x-request-id"] = request_id
        for name, value in _HEADERS.items():
            headers.setdefault(name, value)
        if self.tls:
            headers["strict-transport-security"] = "max-age=31536000"
