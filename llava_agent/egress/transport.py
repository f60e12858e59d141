"""httpx transports that enforce an `AllowList` and `Limits` on every request, redirects included.

The check sits in the transport, below everything that a caller can configure, and the connection goes to the
very address that was checked: a host name is resolved once, refused where it leads to this machine or to a
link-local address without being listed as such, and the socket is opened to that result (no second look-up
that could answer differently).
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator

import certifi
import httpx

from llava_agent.egress.allow import (
    AllowList,
    EgressTimeout,
    Limits,
    NotConnected,
    Origin,
    is_link_local,
    is_loopback,
    is_public,
)
from llava_agent.errors import PermissionDenied, ToolError

#: How many addresses of one host are tried before giving up.
_ADDRESSES = 4


def client(allow: AllowList, limits: Limits, headers: dict[str, str]) -> httpx.Client:
    """See `llava_agent.egress.client`."""
    return httpx.Client(
        transport=GuardedTransport(allow, limits),
        headers={"accept-encoding": "identity", **headers},
        timeout=httpx.Timeout(limits.seconds, connect=limits.connect),
        follow_redirects=limits.redirects > 0,
        max_redirects=limits.redirects,
        trust_env=False,
    )


def async_client(allow: AllowList, limits: Limits, headers: dict[str, str]) -> httpx.AsyncClient:
    """See `llava_agent.egress.async_client`."""
    return httpx.AsyncClient(
        transport=AsyncGuardedTransport(allow, limits),
        headers={"accept-encoding": "identity", **headers},
        timeout=httpx.Timeout(limits.seconds, connect=limits.connect),
        follow_redirects=limits.redirects > 0,
        max_redirects=limits.redirects,
        trust_env=False,
    )


def fetch(url: str, allow: AllowList, limits: Limits) -> bytes:
    """See `llava_agent.egress.fetch`."""
    with client(allow, limits, {}) as http:
        answer = http.get(url)
    if answer.has_redirect_location:
        raise PermissionDenied(f"{Origin.of(url)} answers with a redirect", "ask for the final address")
    if answer.status_code != 200:
        raise ToolError(f"{Origin.of(url)} answers with the status {answer.status_code}", "check the address")
    return answer.content


class GuardedTransport(httpx.BaseTransport):
    """Blocking transport; the time cap is checked between reads, each of which may wait `limits.seconds`."""

    def __init__(self, allow: AllowList, limits: Limits) -> None:
        self._guard = _Guard(allow, limits)
        self._inner: dict[Origin, httpx.HTTPTransport] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        deadline = self._guard.deadline()
        origin = self._guard.origin(request)
        try:
            found = _known(origin) or socket.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise _not_connected(origin, error) from None
        inner = self._inner.get(origin)
        if inner is None:
            inner = self._inner[origin] = httpx.HTTPTransport(verify=_context(origin), trust_env=False)
        refused: Exception | None = None
        for address in self._guard.addresses(origin, found):
            try:
                response = inner.handle_request(_pinned(request, origin, address))
                break
            except httpx.ConnectError as error:
                refused = error
            except httpx.HTTPError as error:
                raise _translated(origin, error) from None
        else:
            raise _not_connected(origin, refused)
        try:
            self._guard.vet(request, origin, response)
        except BaseException:
            response.close()
            raise
        assert isinstance(response.stream, httpx.SyncByteStream)
        return _rewrapped(response, _Capped(response.stream, self._guard.meter(origin, deadline), origin))

    def close(self) -> None:
        for inner in self._inner.values():
            inner.close()


class AsyncGuardedTransport(httpx.AsyncBaseTransport):
    """Transport for coroutines; the time cap covers look-up, connection, headers and body."""

    def __init__(self, allow: AllowList, limits: Limits) -> None:
        self._guard = _Guard(allow, limits)
        self._inner: dict[Origin, httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        deadline = self._guard.deadline()
        origin = self._guard.origin(request)
        try:
            async with asyncio.timeout(self._guard.limits.seconds):
                response = await self._send(request, origin)
        except TimeoutError:
            raise _too_slow(origin, self._guard.limits.seconds) from None
        try:
            self._guard.vet(request, origin, response)
        except BaseException:
            await response.aclose()
            raise
        assert isinstance(response.stream, httpx.AsyncByteStream)
        return _rewrapped(
            response, _AsyncCapped(response.stream, self._guard.meter(origin, deadline), origin)
        )

    async def _send(self, request: httpx.Request, origin: Origin) -> httpx.Response:
        try:
            found = _known(origin) or await asyncio.get_running_loop().getaddrinfo(
                origin.host, origin.port, type=socket.SOCK_STREAM
            )
        except OSError as error:
            raise _not_connected(origin, error) from None
        inner = self._inner.get(origin)
        if inner is None:
            inner = self._inner[origin] = httpx.AsyncHTTPTransport(verify=_context(origin), trust_env=False)
        refused: Exception | None = None
        for address in self._guard.addresses(origin, found):
            try:
                return await inner.handle_async_request(_pinned(request, origin, address))
            except httpx.ConnectError as error:
                refused = error
            except httpx.HTTPError as error:
                raise _translated(origin, error) from None
        raise _not_connected(origin, refused)

    async def aclose(self) -> None:
        for inner in self._inner.values():
            await inner.aclose()


class _Guard:
    """The rules, shared by both transports."""

    def __init__(self, allow: AllowList, limits: Limits) -> None:
        self.allow = allow
        self.limits = limits

    def deadline(self) -> float:
        return time.monotonic() + self.limits.seconds

    def origin(self, request: httpx.Request) -> Origin:
        """The permitted origin of a request. Credentials in the URL are refused, also without a redirect."""
        return self.allow.check(str(request.url))

    def addresses(self, origin: Origin, found: list) -> list[str]:
        """The addresses to try, from the answer of a look-up.

        Raises:
            PermissionDenied: a name (but `localhost`) that leads to this machine or a link-local address; any
                address that is not public, where the limits say so.
        """
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if self.limits.public_only and not all(map(is_public, addresses)):
            raise PermissionDenied(
                f"{origin.host} leads to an address that is not public", "only public servers may be asked"
            )
        if origin.address is None and origin.host != "localhost":
            for address in addresses:
                if is_loopback(address) or is_link_local(address):
                    raise PermissionDenied(
                        f"{origin.host} leads to {address}, which is this machine or its own network segment",
                        "list that address itself if it is meant",
                    )
        return addresses[:_ADDRESSES]

    def vet(self, request: httpx.Request, origin: Origin, response: httpx.Response) -> None:
        """Refuse a redirect out of the origin, an unasked compression, and a body announced as too large."""
        if response.has_redirect_location:
            target = request.url.join(response.headers["location"])
            if not AllowList(frozenset({origin})).permits(str(target)):
                raise PermissionDenied(
                    f"{origin} redirects to {target}, which is another host", "ask that one itself"
                )
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise ToolError(f"{origin} answered with a compressed body that was not asked for")
        length = response.headers.get("content-length", "")
        if request.method != "HEAD" and length.isdigit() and int(length) > self.limits.bytes:
            raise _too_large(origin, self.limits.bytes)

    def meter(self, origin: Origin, deadline: float) -> Callable[[bytes], None]:
        """A function to be called with each piece of a body; it raises once the caps are passed."""
        seen = 0

        def count(piece: bytes) -> None:
            nonlocal seen
            seen += len(piece)
            if seen > self.limits.bytes:
                raise _too_large(origin, self.limits.bytes)
            if time.monotonic() > deadline:
                raise _too_slow(origin, self.limits.seconds)

        return count


class _Capped(httpx.SyncByteStream):
    def __init__(self, inner: httpx.SyncByteStream, count: Callable[[bytes], None], origin: Origin) -> None:
        self._inner, self._count, self._origin = inner, count, origin

    def __iter__(self) -> Iterator[bytes]:
        try:
            for piece in self._inner:
                self._count(piece)
                yield piece
        except httpx.HTTPError as error:
            raise _translated(self._origin, error) from None

    def close(self) -> None:
        self._inner.close()


class _AsyncCapped(httpx.AsyncByteStream):
    def __init__(self, inner: httpx.AsyncByteStream, count: Callable[[bytes], None], origin: Origin) -> None:
        self._inner, self._count, self._origin = inner, count, origin

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._inner:
                self._count(piece)
                yield piece
        except httpx.HTTPError as error:
            raise _translated(self._origin, error) from None

    async def aclose(self) -> None:
        await self._inner.aclose()


def _known(origin: Origin) -> list | None:
    """A look-up's answer for a host that is an address already."""
    return [(None, None, None, None, (origin.host, origin.port))] if origin.address is not None else None


def _pinned(request: httpx.Request, origin: Origin, address: str) -> httpx.Request:
    """The same request, addressed to `address`; the Host header and the TLS name stay those of the origin."""
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": origin.host},
    )


def _rewrapped(response: httpx.Response, stream: _Capped | _AsyncCapped) -> httpx.Response:
    return httpx.Response(
        response.status_code, headers=response.headers, stream=stream, extensions=response.extensions
    )


def _context(origin: Origin) -> ssl.SSLContext | bool:
    """Certificates of the system and of certifi; none is loaded for plain http."""
    if origin.scheme == "http":
        return False
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _translated(origin: Origin, error: httpx.HTTPError) -> ToolError:
    if isinstance(error, httpx.TimeoutException):
        return EgressTimeout(f"{origin} did not answer in time", "try again or raise the time limit")
    return _unreachable(origin, error)


def _unreachable(origin: Origin, error: Exception) -> ToolError:
    return ToolError(*_no_answer(origin, error))


def _not_connected(origin: Origin, error: Exception | None) -> NotConnected:
    return NotConnected(*_no_answer(origin, error))


def _no_answer(origin: Origin, error: Exception | None) -> tuple[str, str]:
    cause = str(error) if error is not None and str(error) else "no connection"
    return f"{origin} cannot be reached ({cause})", "check that the server runs and the address is right"


def _too_large(origin: Origin, limit: int) -> ToolError:
    return ToolError(f"{origin} sent more than {limit:,} bytes", "ask for less or raise the limit")


def _too_slow(origin: Origin, seconds: float) -> EgressTimeout:
    return EgressTimeout(f"{origin} took longer than {seconds:g} s", "try again or raise the time limit")
