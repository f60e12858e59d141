"""A small forward proxy that lets the browser reach listed origins and nothing else.

Playwright's request interception alone has holes: it does not see the later hops of a redirect, nor what the
browser fetches for itself. A proxy sees every connection: requests, redirects, web sockets, popups.
It listens on loopback, one per browser, and reads no encrypted traffic (CONNECT is checked by host and port).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from urllib.parse import urlsplit

from llava_agent.egress import ANYWHERE, AllowList, Origin, Reach
from llava_agent.errors import PermissionDenied

_HEAD = 64 * 1024
_CHUNK = 64 * 1024
_CONNECT_SECONDS = 5.0
_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Wall:
    """Start it, give `address` to the browser, close it after the browser.

    Attributes:
        failures: `host:port` of permitted servers that could not be reached, with the cause in words.
    """

    def __init__(self, allow: AllowList, reach: Reach = ANYWHERE) -> None:
        self._allow, self._bounds = allow, reach
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.failures: dict[str, str] = {}

    @property
    def address(self) -> str:
        assert self._server is not None, "the wall is not started"
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=_HEAD)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._server = None

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            pass  # one side went away or spoke no HTTP: the connection ends, which is all that can be said
        except asyncio.CancelledError:
            pass  # the wall is closed while a server still keeps its answer; nobody waits for this task
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        line, _, rest = head.partition(b"\r\n")
        method, target, version = line.decode("latin-1").split(" ", 2)
        if method == "CONNECT":
            server = await self._reach(target, (f"https://{target}", f"http://{target}"), writer)
            if server:
                writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
                await asyncio.gather(_copy(reader, server[1]), _copy(server[0], writer))
            return
        parts = urlsplit(target)
        server = await self._reach(parts.netloc, (target,), writer)
        if server:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            await _exchange(reader, writer, server, f"{method} {path} {version}\r\n".encode("latin-1"), rest)

    async def _reach(
        self, place: str, urls: tuple[str, ...], writer: asyncio.StreamWriter
    ) -> _Streams | None:
        """A connection to the origin of the first permitted URL; None after having refused."""
        for url in urls:
            try:
                origin = self._allow.check(url)
            except PermissionDenied:
                continue
            try:
                return await asyncio.wait_for(self._connect(origin), _CONNECT_SECONDS)
            except (OSError, TimeoutError, PermissionDenied) as error:
                self.failures[place] = _cause(error)
                return None  # closing without an answer is what an unreachable server looks like
        await _refuse(writer)
        return None

    async def _connect(self, origin: Origin) -> _Streams:
        """To an address that was looked up once and may be reached; there is no second look-up."""
        if not self._bounds.public_only:
            return await asyncio.open_connection(origin.host, origin.port)
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        for address in addresses:
            self._bounds.check(origin, address)
        failed: OSError | None = None
        for address in addresses:
            try:
                return await asyncio.open_connection(address, origin.port)
            except OSError as error:
                failed = error
        raise failed or OSError("no address")


async def _refuse(writer: asyncio.StreamWriter) -> None:
    text = b"This host is not on the list of permitted hosts.\n"
    writer.write(
        b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nConnection: close\r\n"
        + f"Content-Length: {len(text)}\r\n\r\n".encode()
        + text
    )
    await writer.drain()


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, server: _Streams, line: bytes, rest: bytes
) -> None:
    """One request and its response; then the connection ends: the next request may be for another host."""
    headers = rest.split(b"\r\n")
    kept = [one for one in headers if one and not one.lower().startswith((b"proxy-", b"connection:"))]
    length = next((int(one.split(b":")[1]) for one in kept if one.lower().startswith(b"content-length:")), 0)
    incoming, outgoing = server
    outgoing.write(line + b"\r\n".join([*kept, b"Connection: close", b"", b""]))
    body = asyncio.create_task(_body(reader, outgoing, length))
    try:
        head = await incoming.readuntil(b"\r\n\r\n")
        lines = [one for one in head.split(b"\r\n") if one and not one.lower().startswith(b"connection:")]
        writer.write(b"\r\n".join([*lines, b"Connection: close", b"", b""]))
        await _copy(incoming, writer)
    finally:
        body.cancel()
        outgoing.close()


async def _body(reader: asyncio.StreamReader, outgoing: asyncio.StreamWriter, length: int) -> None:
    while length > 0:
        data = await reader.read(min(_CHUNK, length))
        if not data:
            return
        length -= len(data)
        outgoing.write(data)
        await outgoing.drain()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError, RuntimeError):
        if writer.can_write_eof():
            writer.write_eof()


def _cause(error: BaseException) -> str:
    if isinstance(error, PermissionDenied):
        return str(error)
    if isinstance(error, TimeoutError):
        return "no answer"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    text = getattr(error, "strerror", None) or str(error)
    return str(text).lower()
