"""The policy in force with its deployments, replaced as a whole; the old one stays where a new one is bad."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from llava_agent.errors import LlavaAgentError
from llava_agent.gateway.deployment import Deployment
from llava_agent.gateway.policy import Policy, load_policy

#: The file is looked at no oftener than this, in seconds.
_LOOK_EVERY = 1.0

Build = Callable[[Policy], tuple[Deployment, ...]]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one call is decided by, whatever is reloaded meanwhile."""

    policy: Policy
    deployments: tuple[Deployment, ...]


class Fixed:
    """A snapshot that never changes."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def current(self) -> Snapshot:
        return self._snapshot


class PolicyFile:
    """A policy that is read again when its file changes. Safe to share between threads.

    Args:
        path: the file.
        build: makes the deployments of a policy; cheap, since weights load when they are first asked.
        clock: monotonic seconds; another one for tests.

    Raises:
        ConfigError: the file is bad at the start, when there is no old policy to keep.
    """

    def __init__(self, path: Path, build: Build, clock: Callable[[], float] = time.monotonic) -> None:
        self._path, self._build, self._clock = path, build, clock
        self._lock = threading.Lock()
        self._state = self._stamp()
        self._snapshot = self._load()
        self._looked = clock()
        #: Why the file's present content is not in force; None where it is.
        self.problem: LlavaAgentError | None = None

    def current(self) -> Snapshot:
        """The snapshot in force. A file that cannot be read or is wrong changes nothing; see `problem`."""
        if self._clock() - self._looked >= _LOOK_EVERY and self._lock.acquire(blocking=False):
            try:
                self._looked = self._clock()
                state = self._stamp()
                if state != self._state:
                    self._state = state
                    self._renew()
            finally:
                self._lock.release()
        return self._snapshot

    def _renew(self) -> None:
        try:
            self._snapshot = self._load()
            self.problem = None
        except LlavaAgentError as error:
            self.problem = error

    def _load(self) -> Snapshot:
        policy = load_policy(self._path)
        return Snapshot(policy, self._build(policy))

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino
