"""Sees every connection and every look-up of a name that this process begins, whoever begins it."""

from __future__ import annotations

import sys
import threading
from typing import Any


class Watch:
    """Python tells an audit hook of each connection before it is made; one hook for the whole process.

    What programs of their own do (the browser, a reader of documents) is not seen here: the trap sees it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: list[tuple[str, int]] | None = None
        sys.addaudithook(self._hear)  # cannot be taken back; it does nothing between two attempts

    def begin(self) -> None:
        with self._lock:
            self._seen = []

    def end(self) -> list[tuple[str, int]]:
        """(host, port) of each connection and look-up since `begin`."""
        with self._lock:
            seen, self._seen = self._seen or [], None
            return seen

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._seen is None or not event.startswith("socket."):
            return
        place = _place(event, arguments)
        if place is not None:
            with self._lock:
                if self._seen is not None:
                    self._seen.append(place)


def _place(event: str, arguments: tuple[Any, ...]) -> tuple[str, int] | None:
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        return (str(address[0]), int(address[1])) if isinstance(address, tuple) else None  # else a local pipe
    if event == "socket.getaddrinfo":
        host, port = arguments[0], arguments[1]
        name = host.decode(errors="replace") if isinstance(host, bytes) else str(host or "")
        return name, int(port) if isinstance(port, int) else 0
    if event in ("socket.gethostbyname", "socket.gethostbyaddr"):
        return str(arguments[0]), 0
    return None
