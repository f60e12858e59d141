"""Runs of a server: begin, watch, steer, end, fetch what they made."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from llava_agent.client.address import one
from llava_agent.client.connection import Connection, ServerFailure
from llava_agent.errors import ToolError
from llava_agent.service.shapes import ArtifactFile, Listed, Run

#: A stream that breaks this often without a word in between is given up.
_BREAKS = 3


@dataclass(frozen=True, slots=True)
class Event:
    """What a run said: `step`, `question`, `approval`, `end`, ...

    Attributes:
        number: counts from 1; 0 where a run ended before it began.
    """

    number: int
    kind: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Runs:
    """One's own runs."""

    _connection: Connection

    def inspect(self, photos: Sequence[str], *, asset: str = "", key: str = "") -> Run:
        """Begin to inspect photos of one piece of equipment; the record's id is in the result of the run.

        Args:
            key: the same key with the same request gives the run that was begun then; one is made if empty.
        """
        body = {"photos": list(photos), "asset": asset}
        return self._connection.read(Run, "POST", "/api/inspections", json=body, key=key)

    def create(
        self,
        goal: str,
        url: str,
        *,
        shows: Sequence[str] = (),
        photos: Sequence[str] = (),
        observation: Literal["pixels", "hybrid"] = "hybrid",
        steps: int = 30,
        key: str = "",
    ) -> Run:
        """Let the agent work on a page.

        Args:
            shows: texts that the page must show at the end.
            key: as for `inspect`.
        """
        body = {
            "goal": goal,
            "url": url,
            "shows": list(shows),
            "photos": list(photos),
            "observation": observation,
            "steps": steps,
        }
        return self._connection.read(Run, "POST", "/api/runs", json=body, key=key)

    def all(self, *, kind: str | None = None) -> Iterator[Run]:
        """The newest first, of one kind or of all; pages are fetched as they are needed."""
        return self._connection.pages(Run, "/api/runs", {"kind": kind})

    def get(self, id: str) -> Run:
        return self._connection.read(Run, "GET", f"/api/runs/{one(id)}")

    def stream(self, id: str, after: int = 0) -> Iterator[Event]:
        """What a run says, until it ends. A connection that breaks is taken up where it broke.

        Args:
            after: number of the last event that is known already.
        """
        breaks = 0
        while True:
            headers = {"last-event-id": str(after)} if after else {}
            try:
                with self._connection.stream(f"/api/runs/{one(id)}/events", headers) as lines:
                    for event in events(lines):
                        after, breaks = event.number or after, 0
                        yield event
                        if event.kind == "end":
                            return
                if self.get(id).over:
                    return  # its last word was among those that were known
            except ToolError as error:
                breaks += 1
                if breaks >= _BREAKS or isinstance(error, ServerFailure):
                    raise

    def wait(self, id: str) -> Run:
        """The run once it has ended, however it did."""
        for _ in self.stream(id):
            pass
        return self.get(id)

    def cancel(self, id: str) -> Run:
        """Raises Conflict where it has ended."""
        return self._connection.read(Run, "POST", f"/api/runs/{one(id)}/cancel")

    def pause(self, id: str) -> Run:
        """Hold a run before its next step."""
        return self._connection.read(Run, "POST", f"/api/runs/{one(id)}/pause")

    def resume(self, id: str) -> Run:
        return self._connection.read(Run, "POST", f"/api/runs/{one(id)}/resume")

    def reply(self, id: str, question: int, text: str) -> Run:
        """Answer a question; `question` is the number of its event."""
        body = {"question": question, "text": text}
        return self._connection.read(Run, "POST", f"/api/runs/{one(id)}/reply", json=body)

    def artifacts(self, id: str) -> tuple[ArtifactFile, ...]:
        """The files of a run."""
        listed = self._connection.read(Listed[ArtifactFile], "GET", f"/api/runs/{one(id)}/artifacts")
        return listed.items

    def artifact(self, id: str, name: str) -> bytes:
        """One file of a run."""
        return self._connection.send("GET", f"/api/runs/{one(id)}/artifacts/{quote(name)}").content


def events(lines: Iterable[str]) -> Iterator[Event]:
    """Server-sent events.

    Raises:
        ServerFailure: one that is none of a run's.
    """
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
            continue
        if "data" in fields:
            try:
                yield Event(int(fields.get("id", "0")), fields.get("event", ""), json.loads(fields["data"]))
            except ValueError as error:
                raise ServerFailure("the server sent an event that is none of a run's") from error
        fields = {}
