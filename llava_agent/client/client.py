"""The client: one connection, and the parts of the API on it."""

from __future__ import annotations

from types import TracebackType

from llava_agent.client.approvals import Approvals
from llava_agent.client.connection import Connection
from llava_agent.client.knowledge import Knowledge
from llava_agent.client.photos import Photos
from llava_agent.client.records import Records
from llava_agent.client.runs import Runs
from llava_agent.service.shapes import Who


class Client:
    """A server as its API shows it. Safe to share between threads.

    Args:
        url: such as `https://desk.example.com` or `http://127.0.0.1:8080`; nothing else is ever connected to.
        key: an API key (`llava-agent tokens create`); empty for a server of one's own machine without login.
        seconds: longest wait for one answer.
        patience: seconds to wait in all, for one request, where the server says that it has too much to do.

    Raises:
        ConfigError: no such address.

    Every method raises the product's errors for what the server refuses: `NotLoggedIn`, `PermissionDenied`,
    `NotFound`, `Conflict`, `TooLarge`, `RetryLater` (patience ran out), `LlavaAgentError` for other bad
    requests, `ServerFailure` where the server itself failed, `ToolError` where it cannot be reached.
    """

    def __init__(self, url: str, key: str = "", *, seconds: float = 120.0, patience: float = 60.0) -> None:
        self._connection = Connection(url, key, seconds=seconds, patience=patience)
        self.photos = Photos(self._connection)
        self.records = Records(self._connection)
        self.runs = Runs(self._connection)
        self.knowledge = Knowledge(self._connection)
        self.approvals = Approvals(self._connection)

    def who(self) -> Who:
        """The caller, as the server knows them, with what they may do."""
        return self._connection.read(Who, "GET", "/api/session")

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
