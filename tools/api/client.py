"""Calls to an HTTP API, through the network guard only."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING
from urllib.parse import quote

from llava_agent.egress import AllowList, Limits, async_client
from llava_agent.errors import ConfigError, LlavaAgentError, ToolError
from tools.api.document import Document
from tools.api.operation import Operation, Parameter, operations
from tools.api.schema import Refused, coerce, shown

if TYPE_CHECKING:
    import httpx

_MESSAGE_CHARACTERS = 300


class InvalidArgument(LlavaAgentError):
    """An argument that is missing, unknown, or not what the API's document permits."""

    http_status = 422


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """What a server answered.

    Attributes:
        body: parsed JSON, or the text as it is; None where it was empty.
        milliseconds: from the first byte sent to the last received.
    """

    status: int
    reason: str
    headers: Mapping[str, str] = field(hash=False)
    body: object = field(hash=False)
    milliseconds: float

    @property
    def ok(self) -> bool:
        return self.status < 400

    @property
    def message(self) -> str:
        """The server's own words about what went wrong (or `422 Unprocessable Entity`), on one line."""
        said = _said(self.body) or f"{self.status} {self.reason}".strip()
        line = " ".join(said.split())
        return line if len(line) <= _MESSAGE_CHARACTERS else line[: _MESSAGE_CHARACTERS - 3] + "..."


@dataclass(frozen=True, slots=True)
class HttpCall:
    """A plain call, for an API without a document. `json` is sent as the body where it is not None."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, hash=False)
    json: object = field(default=None, hash=False)

    async def send(self, allow: AllowList, limits: Limits | None = None) -> ApiResponse:
        """Send it to a listed host.

        Raises:
            PermissionDenied: the host is not on `allow`, or redirects to another.
            ToolError: unreachable, too slow, too large.
        """
        async with async_client(allow, limits) as http:
            return await _exchange(
                http, self.method, self.url, headers=dict(self.headers), json_body=self.json
            )


class ApiClient:
    """The operations of one document, callable.

    Args:
        base_url: overrides the document's first server.
        headers: sent with every call, for a key or token; never shown to a model.

    Raises:
        ConfigError: the document names no server and `base_url` is not given.
        PermissionDenied: the server is not on `allow`.
    """

    def __init__(
        self,
        document: Document,
        allow: AllowList,
        *,
        base_url: str | None = None,
        headers: Mapping[str, str] | None = None,
        limits: Limits | None = None,
    ) -> None:
        base = (base_url or document.base_url).rstrip("/")
        if "://" not in base:
            raise ConfigError(
                f"{document.source} does not say where its server is", "give the address of the API"
            )
        allow.check(base)
        self.document = document
        self.base_url = base
        self.operations = operations(document)
        self._http = async_client(allow, limits, headers=dict(headers or {}))

    def operation(self, name: str) -> Operation:
        """The operation with that id. Raises InvalidArgument."""
        for one in self.operations:
            if one.id == name:
                return one
        raise InvalidArgument(f"the API has no operation {name!r}")

    async def call(self, operation: Operation, arguments: Mapping[str, object]) -> ApiResponse:
        """Check the arguments (by parameter name, as text or JSON values), send, and return the answer.

        An answer of HTTP 400 and above is returned, not raised.

        Raises:
            InvalidArgument: nothing was sent.
            PermissionDenied, ToolError: see `HttpCall.send`.
        """
        values = bind(operation, arguments)
        url, headers = self._address(operation, values)
        content = _content(operation, values)
        if content is not None:
            headers["content-type"] = operation.content_type
        return await _exchange(self._http, operation.method, url, headers=headers, content=content)

    def _address(
        self, operation: Operation, values: Mapping[Parameter, object]
    ) -> tuple[str, dict[str, str]]:
        """The URL with its path and query filled in, and the headers that are arguments."""
        path = operation.path
        query: list[tuple[str, str]] = []
        headers: dict[str, str] = {}
        cookies: list[str] = []
        for parameter, value in values.items():
            if parameter.location == "path":
                path = path.replace("{" + parameter.name + "}", _segment(parameter, value))
            elif parameter.location == "query":
                query += _pairs(parameter.name, value)
            elif parameter.location == "header":
                headers[parameter.name] = _line(parameter, value)
            elif parameter.location == "cookie":
                cookies.append(f"{parameter.name}={quote(shown(value), safe='')}")
        if cookies:
            headers["cookie"] = "; ".join(cookies)
        return self.base_url + path + ("?" + _encoded(query) if query else ""), headers

    async def close(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> ApiClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def bind(operation: Operation, arguments: Mapping[str, object]) -> dict[Parameter, object]:
    """Each given argument as the JSON value that its schema permits.

    Raises:
        InvalidArgument: unknown, missing, or of the wrong kind; the first such argument is named.
    """
    if operation.unsupported:
        raise InvalidArgument(f"{operation.label} cannot be called here: {operation.unsupported}")
    known = {parameter.name: parameter for parameter in operation.parameters}
    for name in arguments:
        if name not in known:
            raise InvalidArgument(f"{operation.label} has no argument {name!r}")
    values: dict[Parameter, object] = {}
    for name, parameter in known.items():
        if name in arguments:
            values[parameter] = checked(parameter, arguments[name])
        elif parameter.required:
            raise InvalidArgument(f"{parameter.label} is required")
    return values


def checked(parameter: Parameter, value: object) -> object:
    """The value as the parameter's schema permits it. Raises InvalidArgument with one sentence."""
    try:
        return coerce(value, parameter.schema)
    except Refused as refusal:
        raise InvalidArgument(f"{parameter.label} {refusal}, not {shown(value)[:80]!r}") from None


def _content(operation: Operation, values: Mapping[Parameter, object]) -> bytes | None:
    """The request's body; None where nothing was given for it."""
    given = {parameter: value for parameter, value in values.items() if parameter.location == "body"}
    if not given:
        required = any(parameter.location == "body" for parameter in operation.parameters)
        return b"{}" if required and "json" in operation.content_type else None
    whole: object = {}
    for parameter, value in given.items():
        if not parameter.path:
            whole = value
            continue
        assert isinstance(whole, dict)
        node = whole
        for key in parameter.path[:-1]:
            node = node.setdefault(key, {})
        node[parameter.path[-1]] = value
    if "json" in operation.content_type:
        return json.dumps(whole, ensure_ascii=False).encode()
    assert isinstance(whole, dict)
    return _encoded([pair for key, value in whole.items() for pair in _pairs(key, value)]).encode()


def _pairs(name: str, value: object) -> list[tuple[str, str]]:
    """A list repeats its name, once an entry."""
    return [(name, shown(item)) for item in (value if isinstance(value, list) else [value])]


def _encoded(pairs: list[tuple[str, str]]) -> str:
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)


def _segment(parameter: Parameter, value: object) -> str:
    """A value as one segment of a path; one that would change the path is refused."""
    text = ",".join(map(shown, value)) if isinstance(value, list) else shown(value)
    if text in ("", ".", ".."):
        raise InvalidArgument(f"{parameter.label} cannot be {text!r}")
    return quote(text, safe="")


def _line(parameter: Parameter, value: object) -> str:
    text = shown(value)
    if not text.isascii() or not text.isprintable():
        raise InvalidArgument(f"{parameter.label} must be plain ASCII text on one line")
    return text


async def _exchange(
    http: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    headers: dict[str, str],
    content: bytes | None = None,
    json_body: object = None,
) -> ApiResponse:
    import httpx

    started = time.perf_counter()
    try:
        answer = await http.request(method, url, headers=headers, content=content, json=json_body)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ToolError(f"{method} {url} got no proper answer ({error})") from None
    spent = (time.perf_counter() - started) * 1000
    body = _body(answer.content, answer)
    return ApiResponse(answer.status_code, answer.reason_phrase, dict(answer.headers), body, spent)


def _body(content: bytes, answer: httpx.Response) -> object:
    if not content:
        return None
    if "json" in answer.headers.get("content-type", ""):
        try:
            return json.loads(content)
        except (ValueError, RecursionError):
            pass  # it says JSON and is not: the text is what there is
    return answer.text


def _said(body: object) -> str:
    """The message in an error body: RFC 9457, FastAPI, and the usual `message` or `error`."""
    if isinstance(body, str):
        return body
    if isinstance(body, list):
        return "; ".join(filter(None, map(_said, body[:5])))
    if not isinstance(body, dict):
        return ""
    if isinstance(body.get("msg"), str):
        where = [str(part) for part in body.get("loc") or [] if part not in ("body", "query", "path")]
        return f"{' '.join(where)}: {body['msg']}" if where else body["msg"]
    for key in ("detail", "message", "error_description", "error", "errors", "title"):
        said = _said(body.get(key))
        if said:
            return said
    return ""
