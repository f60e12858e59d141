"""A bad line to the other system: it loses what is asked or what is answered, or changes what comes back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import Request, urlopen


class Tunnel:
    """Attributes:
    mode: `open`; `lose` drops requests that change something, `drop` their answers, `break` answers 500
        after they were carried out, `alter` changes the serial number in what is read.
    posts: how often something was sent.
    """

    def __init__(self, to: str) -> None:
        self.to, self.mode, self.posts = to, "open", 0
        tunnel = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content = urlopen(tunnel.to + self.path, timeout=10).read()
                if tunnel.mode == "alter" and "/api/tickets/" in self.path:
                    content = content.replace(b"SN-48213", b"SN-48218")
                self.reply(200, content)

            def do_POST(self) -> None:
                tunnel.posts += 1
                body = self.rfile.read(int(self.headers["content-length"]))
                if tunnel.mode == "lose":
                    self.close_connection = True
                    return
                request = Request(tunnel.to + self.path, body, {"content-type": "application/json"})
                content = urlopen(request, timeout=10).read()
                if tunnel.mode == "drop":
                    self.close_connection = True
                    return
                self.reply(500 if tunnel.mode == "break" else 201, content)

            def reply(self, status: int, content: bytes) -> None:
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"


@contextmanager
def tunnel(to: str) -> Iterator[Tunnel]:
    made = Tunnel(to)
    with _run(made.server):
        yield made


@contextmanager
def serving(content: bytes) -> Iterator[str]:
    """A server that answers everything with this JSON; gives its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with _run(server):
        yield f"http://127.0.0.1:{server.server_address[1]}"


@contextmanager
def _run(server: ThreadingHTTPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield
    server.shutdown()
    server.server_close()
    thread.join(timeout=10)
