"""Records of a server: what was found on photos, corrected, confirmed, compared, exported."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from llava_agent.client.address import one
from llava_agent.client.connection import Connection
from llava_agent.inspection.document import InspectionDocument
from llava_agent.service.shapes import Record, RecordDifferences


@dataclass(frozen=True, slots=True)
class Records:
    """One's own records."""

    _connection: Connection

    def all(self, *, asset: str | None = None) -> Iterator[Record]:
        """The newest first, of one asset or of all; pages are fetched as they are needed."""
        return self._connection.pages(Record, "/api/records", {"asset": asset})

    def get(self, id: str) -> Record:
        return self._connection.read(Record, "GET", f"/api/records/{one(id)}")

    def change(
        self,
        record: Record,
        *,
        inspection: InspectionDocument | None = None,
        asset: str | None = None,
        confirmed: bool | None = None,
    ) -> Record:
        """Change what is given, and leave the rest.

        Args:
            record: as it was read; the change is made on its version.

        Raises:
            Conflict: somebody else changed it since.
        """
        body: dict[str, Any] = {"version": record.version}
        if inspection is not None:
            body["inspection"] = inspection.model_dump(mode="json")
        if asset is not None:
            body["asset"] = asset
        if confirmed is not None:
            body["confirmed"] = confirmed
        return self._connection.read(Record, "PATCH", f"/api/records/{one(record.id)}", json=body)

    def changes(self, id: str, *, since: str | None = None) -> RecordDifferences:
        """What is another than in an earlier record; than in the last one of the asset if none is named."""
        params = {} if since is None else {"since": since}
        return self._connection.read(
            RecordDifferences, "GET", f"/api/records/{one(id)}/changes", params=params
        )

    def export(self, id: str, form: Literal["pdf", "csv"] = "pdf") -> bytes:
        """The record as a file."""
        path = f"/api/records/{one(id)}/export"
        return self._connection.send("GET", path, params={"as": form}).content

    def delete(self, id: str) -> None:
        """Its photos stay."""
        self._connection.send("DELETE", f"/api/records/{one(id)}")
