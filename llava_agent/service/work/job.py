"""What a worker hands to the code that does a run, and what it gets back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from llava_agent.gateway.principal import Principal
from llava_agent.service.store.runs import Runs, StoredRun


class Stopped(Exception):
    """Somebody asked to end the run, or it was given to another worker."""


@dataclass(frozen=True, slots=True)
class Job:
    """One attempt at a run.

    Attributes:
        stop: set once the run is to end; long work looks at it, or calls `check`.
    """

    run: StoredRun
    runs: Runs
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def who(self) -> Principal:
        """On whose behalf it is done."""
        return Principal(self.run.owner, tenant=self.run.tenant)

    def say(self, kind: str, body: Mapping[str, Any]) -> int:
        """An event for those who watch; gives its number.

        Raises:
            Stopped: the run is to end.
        """
        self.check()
        return self.runs.say(self.run, kind, body)

    def check(self) -> None:
        """Raises Stopped where the run is to end."""
        if self.stop.is_set():
            raise Stopped


@dataclass(frozen=True, slots=True)
class Done:
    """How a run came out.

    Attributes:
        result: what the run's row keeps.
        write: writes what was made, in the transaction that ends the run; it gives more of the result.
        after: called once that transaction is in the database.
    """

    result: Mapping[str, Any]
    write: Callable[[sa.Connection], Mapping[str, Any]] | None = None
    after: Callable[[], None] | None = None


#: Does a run of one kind. It may be called again for a run that was cut off: it takes up what it finds.
Handler = Callable[[Job], Done]
