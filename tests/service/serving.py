"""A server of a test's own: in process for quick questions, on a real port for real clients."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from starlette.testclient import TestClient

from llava_agent.assembly import Core
from llava_agent.service.app import create_app
from llava_agent.service.context import Service
from llava_agent.service.settings import Settings
from tests.ui.words import core

#: Long enough, and of more than a few letters.
PASSWORD = "correct horse battery staple"


def settings(folder: Path, **given: object) -> Settings:
    """Settings over a database in `folder`."""
    return Settings(**{"database": str(folder / "state.db"), **given})  # type: ignore[arg-type]


def application(folder: Path, make: Callable[[], Core] = core, **given: object) -> FastAPI:
    return create_app(settings(folder, **given), make)


def service(app: FastAPI) -> Service:
    found: Service = app.state.service
    return found


def client(app: FastAPI, key: str = "", **headers: str) -> TestClient:
    """A client in process that says it is at the server's own address."""
    if key:
        headers["authorization"] = f"Bearer {key}"
    return TestClient(
        app, "http://127.0.0.1:8080", headers=headers, raise_server_exceptions=False, follow_redirects=False
    )


def key_of(app: FastAPI, name: str, *roles: str, narrowed: list[str] | None = None) -> str:
    """An API key of a new user with these roles."""
    parts = service(app)
    user = parts.users.find(name) or parts.users.add(name, PASSWORD, roles or ("member",))
    return parts.tokens.create(user, "test", narrowed)[0]


def free_port() -> socket.socket:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    return listener


@contextmanager
def running(app: FastAPI, listener: socket.socket | None = None) -> Iterator[str]:
    """Serve on a free port of this machine, or on the one that is given; gives the base URL."""
    listener = listener or free_port()
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        listener.close()
