"""The far ends of the attempts, both on this machine: one that is listed, and one that is not."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

#: How long a connection that was begun may take to be noticed, in seconds.
_LATE_S = 0.05


class Trap:
    """Nothing permits this address. Every TCP connection and every UDP packet to it is counted."""

    def __init__(self) -> None:
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._tcp.getsockname()[1]
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", self.port))
        self._seen = 0
        for work in (self._connections, self._packets):
            threading.Thread(target=work, daemon=True, name="egress trap").start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def count(self) -> int:
        """How often it was reached so far."""
        time.sleep(_LATE_S)
        return self._seen

    def close(self) -> None:
        # `shutdown` wakes the thread that waits; closing alone does not.
        for one in (self._tcp, self._udp):
            with contextlib.suppress(
                OSError
            ):  # one without a peer says so, and its reader wakes all the same
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _connections(self) -> None:
        while True:
            try:
                connection, _ = self._tcp.accept()
            except OSError:
                return
            self._seen += 1
            connection.close()

    def _packets(self) -> None:
        while True:
            try:
                if not self._udp.recv(2048):
                    return
            except OSError:
                return
            self._seen += 1


class Host:
    """A web server that the attempts may reach; what it sends leads to the trap.

    Args:
        trap: address that pages, redirects and documents point to.
        page: HTML at `/`.
    """

    def __init__(self, trap: str, page: str) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, trap, page))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True, name="egress host").start()
        self.asked = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def port(self) -> int:
        return self._server.server_port

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Ends:
    """Both, until the block ends."""

    def __init__(self, page: Callable[[str], str]) -> None:
        self.trap = Trap()
        self.host = Host(self.trap.url, page(self.trap.url))

    def __enter__(self) -> Ends:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.host.close()
        self.trap.close()


def _handler(host: Host, trap: str, page: str) -> type[BaseHTTPRequestHandler]:
    document = {
        "openapi": "3.0.0",
        "info": {"title": "reach", "version": "1"},
        "servers": [{"url": trap}],
        "paths": {"/": {"get": {"operationId": "get", "responses": {"200": {"description": "ok"}}}}},
    }
    answer = {
        "choices": [{"message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1},
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host.asked += 1
            if self.path.startswith("/away"):
                self._send(307, b"", "text/plain", {"Location": trap + "/from-redirect"})
            elif self.path == "/openapi.json":
                self._send(200, json.dumps(document).encode(), "application/json")
            else:
                self._send(200, page.encode(), "text/html; charset=utf-8")

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            if self.path.startswith("/away"):
                self.do_GET()
                return
            host.asked += 1
            self._send(200, json.dumps(answer).encode(), "application/json")

        def _send(self, status: int, body: bytes, kind: str, more: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in {
                "Content-Type": kind,
                "Content-Length": str(len(body)),
                **(more or {}),
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass  # nobody reads it

    return Handler
