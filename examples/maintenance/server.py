"""The application over HTTP on this machine."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from examples.maintenance.app import create_app


@contextmanager
def serve(database: Path, port: int = 0) -> Iterator[str]:
    """Serve the tickets in `database` on 127.0.0.1 in a thread; gives the URL, and stops at the end.

    Args:
        database: SQLite file, made if absent.
        port: 0 picks a free one.

    Raises:
        OSError: the port is taken.
        RuntimeError: the server did not start within ten seconds.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with listener:
        listener.bind(("127.0.0.1", port))
        config = uvicorn.Config(create_app(database), log_level="warning", access_log=False, lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True, name="maintenance")
        thread.start()
        try:
            _wait_for(server, thread)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            server.force_exit = True  # an idle browser connection must not hold the end up
            thread.join(timeout=10)


def _wait_for(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + 10
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise RuntimeError("the maintenance application did not start")
        time.sleep(0.01)
