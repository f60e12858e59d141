"""Where entries of the ledger go beside their run's own file, without the caller waiting for it."""

from __future__ import annotations

import atexit
import logging
import queue
import threading
from collections.abc import Callable

from llava_agent.errors import LlavaAgentError
from llava_agent.gateway.ledger import Entry, Sink

_log = logging.getLogger(__name__)

#: How long the end of the process waits for what is still to be written, in seconds.
LAST_SECONDS = 10.0


class Background:
    """Hands entries to a sink in a thread of its own, in order.

    To open a database takes longer than a small call. What a kill loses here is still in the run's own file.

    Args:
        open_sink: makes the sink, in the thread, at the first entry.
        trouble: what it means, in words, where the sink cannot be written.
    """

    def __init__(
        self, open_sink: Callable[[], Sink], trouble: str = "calls are not entered in the ledger of all runs"
    ) -> None:
        self._open, self._trouble = open_sink, trouble
        self._waiting: queue.SimpleQueue[Entry | threading.Event] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def write(self, entry: Entry) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True, name="ledger")
                self._thread.start()
                atexit.register(self.flush)
        self._waiting.put(entry)

    def flush(self, seconds: float = LAST_SECONDS) -> bool:
        """Wait until everything so far is written; whether it was in time."""
        if self._thread is None:
            return True
        written = threading.Event()
        self._waiting.put(written)
        return written.wait(seconds)

    def _work(self) -> None:
        sink: Sink | None = None
        told = False
        while True:
            one = self._waiting.get()
            if isinstance(one, threading.Event):
                one.set()
                continue
            try:
                sink = sink or self._open()
                sink.write(one)
            except LlavaAgentError as error:
                # A ledger that cannot be written stops nobody, but it is said, once.
                if not told:
                    _log.warning("%s: %s", self._trouble, error)
                told = True


class Observers:
    """Passes entries on to whoever asked for them."""

    def __init__(self) -> None:
        self._sinks: tuple[Sink, ...] = ()

    def add(self, sink: Sink) -> None:
        if sink not in self._sinks:
            self._sinks = (*self._sinks, sink)

    def write(self, entry: Entry) -> None:
        for sink in self._sinks:
            sink.write(entry)
