"""Manuals of a server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from llava_agent.client.address import one
from llava_agent.client.connection import Connection
from llava_agent.errors import ConfigError
from llava_agent.gateway.data_class import UNCLASSIFIED, DataClass
from llava_agent.service.shapes import AddedDocument, Answer, Document, Listed, Passage


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The manuals that one may read."""

    _connection: Connection

    def add(
        self,
        file: Path,
        *,
        collection: str = "manuals",
        department: str = "",
        data_class: DataClass = UNCLASSIFIED,
    ) -> AddedDocument:
        """Send a manual; the same file again is `known`.

        Args:
            department: one's own, or empty for everybody in the tenant.

        Raises:
            ConfigError: the file cannot be read here.
        """
        try:
            content = file.read_bytes()
        except OSError as error:
            raise ConfigError(f"{file} cannot be read ({error.strerror})", "check the path") from error
        shelf = {"collection": collection, "department": department, "data_class": data_class}
        files = {"file": (file.name, content)}
        return self._connection.read(
            AddedDocument, "POST", "/api/knowledge/documents", files=files, data=shelf
        )

    def documents(self) -> tuple[Document, ...]:
        return self._connection.read(Listed[Document], "GET", "/api/knowledge/documents").items

    def remove(self, id: str) -> None:
        self._connection.send("DELETE", f"/api/knowledge/documents/{one(id)}")

    def search(self, words: str, *, count: int = 5, collections: Sequence[str] = ()) -> tuple[Passage, ...]:
        """The best passages, the best first."""
        params = {"q": words, "count": count, "collection": list(collections)}
        return self._connection.read(Listed[Passage], "GET", "/api/knowledge/search", params=params).items

    def passage(self, id: str) -> Passage:
        """The passage that a citation names."""
        return self._connection.read(Passage, "GET", f"/api/knowledge/passages/{one(id)}")

    def ask(self, question: str, *, collections: Sequence[str] = ()) -> Answer:
        """A quoted answer; `found` is False where the manuals do not say it."""
        body = {"question": question, "collections": list(collections)}
        return self._connection.read(Answer, "POST", "/api/knowledge/ask", json=body)
