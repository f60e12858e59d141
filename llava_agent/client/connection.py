"""Requests to one server: waits where it asks for that, repeats what may be, raises what is refused."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from llava_agent.egress import AllowList, Limits, client
from llava_agent.errors import (
    ConfigError,
    Conflict,
    LlavaAgentError,
    NoPermittedModel,
    NotFound,
    PermissionDenied,
    ToolError,
)
from llava_agent.service.errors import NotLoggedIn, RetryLater, TooLarge
from llava_agent.service.shapes import Paged, Shape

if TYPE_CHECKING:
    import httpx

Answer = TypeVar("Answer", bound=Shape)

#: Largest answer, such as a file of a run.
_BYTES = 512 * 2**20
#: How often a request that may be repeated is sent where the connection breaks, and seconds between.
_TRIES, _PAUSE_S = 3, 0.5
_KINDS: dict[int, type[LlavaAgentError]] = {
    401: NotLoggedIn,
    403: PermissionDenied,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    503: NoPermittedModel,
}


class ServerFailure(ToolError):
    """The server failed, or answered what this client does not understand."""


class Connection:
    """See `Client`."""

    def __init__(self, url: str, key: str, *, seconds: float, patience: float) -> None:
        if not url.isascii() or not key.isascii():
            raise ConfigError("an address and an API key are plain ASCII", "check what was pasted")
        self._url, self._patience = url.rstrip("/"), patience
        limits = Limits(bytes=_BYTES, seconds=seconds)
        headers = {"authorization": f"Bearer {key}"} if key else {}
        self._client = client(AllowList.of(url), limits, headers=headers)

    def read(self, shape: type[Answer], method: str, path: str, **request: Any) -> Answer:
        """The JSON that a request is answered with."""
        answer = self.send(method, path, **request)
        try:
            # A newer server may say more than this client knows.
            return shape.model_validate_json(answer.content, extra="ignore")
        except ValidationError as error:
            raise ServerFailure(
                f"{self._url} answered {method} {path} in a form that this client does not know",
                "take the client of the server's version",
            ) from error

    def pages(self, shape: type[Answer], path: str, params: Mapping[str, Any]) -> Iterator[Answer]:
        """Every item of a list, fetched page by page as it is asked for."""
        asked = {name: value for name, value in params.items() if value is not None}
        while True:
            page = self.read(Paged[shape], "GET", path, params=asked)  # type: ignore[valid-type]
            yield from page.items
            if page.next is None:
                return
            asked["cursor"] = page.next

    def send(self, method: str, path: str, *, key: str | None = None, **request: Any) -> httpx.Response:
        """The answer to a request.

        Args:
            key: its `Idempotency-Key`; one is made where it is empty. None for requests that take none.
        """
        headers = {"idempotency-key": key or secrets.token_hex(16)} if key is not None else {}
        repeatable = key is not None or method == "GET"
        until = time.monotonic() + self._patience
        for last in _tries(repeatable):
            try:
                return self._once(until, method, path, headers, request)
            except ToolError as error:
                if last or isinstance(error, ServerFailure):
                    raise
                time.sleep(_PAUSE_S)
        raise AssertionError("unreachable")

    @contextmanager
    def stream(self, path: str, headers: Mapping[str, str]) -> Iterator[Iterator[str]]:
        """The lines of an answer as they come."""
        with self._client.stream("GET", self._url + path, headers=dict(headers)) as answer:
            if answer.status_code >= 400:
                answer.read()
                raise error_of(answer)
            yield answer.iter_lines()

    def close(self) -> None:
        self._client.close()

    def _once(
        self, until: float, method: str, path: str, headers: dict[str, str], request: Mapping[str, Any]
    ) -> httpx.Response:
        """Send it, again as long as the server has too much to do, which it says before it does anything."""
        while True:
            answer = self._client.request(method, self._url + path, headers=headers, **request)
            if answer.status_code < 400:
                return answer
            error = error_of(answer)
            if not isinstance(error, RetryLater) or time.monotonic() + error.seconds > until:
                raise error
            time.sleep(error.seconds)


def error_of(answer: httpx.Response) -> LlavaAgentError:
    """What a server refused with, as the product's error; its note names the request in the server's log."""
    status = answer.status_code
    try:
        told = answer.json()
        said, note = str(told["detail"]).rstrip("."), f"request {told['request_id']}, code {told['code']}"
    except (ValueError, LookupError, TypeError):
        error: LlavaAgentError = ServerFailure(
            f"the server answered with status {status} and no reason",
            "check that the address is that of llava-agent",
        )
        return error
    if status == 429:
        error = RetryLater(said, "", _seconds(answer))
    elif status in _KINDS:
        error = _KINDS[status](said)
    else:
        error = ServerFailure(said) if status >= 500 else LlavaAgentError(said)
    error.add_note(note)
    return error


def _seconds(answer: httpx.Response) -> float:
    told = answer.headers.get("retry-after", "")
    return float(told) if told.isdecimal() else 1.0


def _tries(repeatable: bool) -> Iterator[bool]:
    """For each try, whether it is the last."""
    count = _TRIES if repeatable else 1
    yield from (number == count for number in range(1, count + 1))
