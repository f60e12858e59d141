"""Errors as problem+json (RFC 9457), with the `error` object that OpenAI's clients read beside it.

One sentence, a code, and the id of the request. Nothing of what the caller sent is repeated, and nothing that
a server behind this one said: that is for the log of the part that knows it.
"""

from __future__ import annotations

import logging
import math
import re
import traceback
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from llava_agent.errors import LlavaAgentError, ToolError
from llava_agent.service.errors import BadRequest, RetryLater

if TYPE_CHECKING:
    from fastapi import FastAPI, Request
    from fastapi.responses import JSONResponse

MEDIA_TYPE = "application/problem+json"
log = logging.getLogger("llava_agent.service")

#: OpenAI's words for kinds of errors, by status.
_KINDS = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}


def problem(
    status: int,
    detail: str,
    code: str,
    request_id: str,
    *,
    param: str = "",
    seconds: float | None = None,
    line: int | None = None,
) -> JSONResponse:
    """A problem as a response.

    Args:
        detail: one sentence.
        code: stable word for programs.
        seconds: until another try is worth it.
        line: where in a text that was sent.
    """
    from fastapi.responses import JSONResponse

    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if seconds is not None:
        headers["Retry-After"] = str(max(1, math.ceil(seconds)))
    body = problem_body(status, detail, code, request_id, param)
    if line is not None:
        body["line"] = line
    return JSONResponse(body, status, headers, MEDIA_TYPE)


def problem_body(status: int, detail: str, code: str, request_id: str, param: str = "") -> dict[str, object]:
    kind = _KINDS.get(status, "server_error" if status >= 500 else "invalid_request_error")
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request_id,
        "error": {"message": detail, "type": kind, "code": code, "param": param or None},
    }


def of_error(error: LlavaAgentError, request_id: str) -> JSONResponse:
    """The response to an error that the product raised on purpose."""
    return problem(
        error.http_status,
        sentence(error),
        code_of(error),
        request_id,
        param=error.param if isinstance(error, BadRequest) else "",
        line=error.line if isinstance(error, BadRequest) else None,
        seconds=error.seconds if isinstance(error, RetryLater) else None,
    )


def sentence(error: LlavaAgentError) -> str:
    """What the caller is told."""
    if isinstance(error, ToolError):
        # Its words may hold what a page or another server said.
        return "a part that this server needs failed: ask whoever runs it, with the id of this request."
    return f"{error}."


def code_of(error: LlavaAgentError) -> str:
    """`NoPermittedModel` as `no_permitted_model`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).lower()


def report(error: BaseException, request_id: str) -> None:
    """A failure for the log: its kind and where it happened; its words may hold content."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    where = " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    log.error("request %s: %s at %s", request_id, type(error).__name__, where)


def handle_problems(app: FastAPI) -> None:
    """Make an application answer with problems only."""
    from fastapi.exceptions import RequestValidationError
    from starlette.exceptions import HTTPException

    @app.exception_handler(LlavaAgentError)
    async def known(request: Request, error: LlavaAgentError) -> JSONResponse:
        if error.http_status >= 500:
            report(error, request.state.request_id)
        return of_error(error, request.state.request_id)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        detail, param = first_problem(list(error.errors()))
        return problem(400, detail, "invalid_request", request.state.request_id, param=param)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        details = {
            404: "there is nothing at this address.",
            405: "this address does not take that method.",
            413: "the request is larger than this server permits.",
            415: "the body must be JSON with the content type application/json.",
        }
        phrase = HTTPStatus(error.status_code).phrase.lower()
        detail = details.get(error.status_code, f"{phrase}.")
        code = phrase.replace(" ", "_").replace("-", "_").replace("'", "")
        response = problem(error.status_code, detail, code, request.state.request_id)
        response.headers.update(error.headers or {})
        return response


def first_problem(errors: list[Any]) -> tuple[str, str]:
    """The first thing that pydantic found wrong as a sentence, and where; never the value itself."""
    first = next((one for one in errors if one["type"] == "extra_forbidden"), errors[0])
    parts = [str(part) for part in first["loc"] if part not in ("body", "query", "path")]
    where = ".".join(parts)
    if first["type"] == "extra_forbidden":
        return f"the parameter {where[:100]!r} is not supported.", where
    if first["type"] == "json_invalid":
        return "the body is not valid JSON.", ""
    said = str(first["msg"]).removeprefix("Value error, ")
    said = said[:1].lower() + said[1:]
    return (f"{where[:100]}: {said}." if where else f"{said}."), where
