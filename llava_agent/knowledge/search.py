"""Search in the passages that somebody may see: by words, by meaning, or both joined."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import sqlalchemy as sa

from llava_agent.database import Database
from llava_agent.errors import ConfigError, PermissionDenied
from llava_agent.gateway.data_class import DataClass
from llava_agent.gateway.principal import Principal
from llava_agent.knowledge import fulltext
from llava_agent.knowledge.access import visible
from llava_agent.knowledge.tables import documents, passages
from llava_agent.knowledge.vectors import Embedder, VectorSearch

By = Literal["words", "meaning", "both"]

#: Of each list that is joined.
DEPTH = 50
#: Reciprocal rank fusion (Cormack, Clarke and Buettcher, 2009).
RRF = 60


@dataclass(frozen=True, slots=True)
class Found:
    """A passage that was found.

    Attributes:
        id: names the passage in citations; only the product gives ids out.
        document: id of the document; `name` is its file's.
        similarity: cosine with the question, None where it was not compared.
        by_words, by_meaning: its place in either list, 1 for the best.
        score: of the joined lists.
    """

    id: str
    document: str
    name: str
    title: str
    path: str
    page: int | None
    heading: str
    kind: str
    text: str
    data_class: DataClass
    collection: str
    score: float = 0.0
    similarity: float | None = None
    by_words: int | None = None
    by_meaning: int | None = None

    @property
    def place(self) -> str:
        """For a person: `pump.pdf, page 3`."""
        return self.name if self.page is None else f"{self.name}, page {self.page}"

    @property
    def link(self) -> str:
        """Opens the document at the page, where its viewer can; empty where it lies nowhere here."""
        from pathlib import Path

        if not Path(self.path).is_absolute():
            return ""
        address = Path(self.path).as_uri()
        return f"{address}#page={self.page}" if self.page and self.path.lower().endswith(".pdf") else address

    def as_dict(self) -> dict[str, object]:
        return {
            "id": self.id,
            "document": self.name,
            "title": self.title,
            "page": self.page,
            "heading": self.heading,
            "text": self.text,
            "data_class": self.data_class,
            "collection": self.collection,
            "link": self.link,
            "score": round(self.score, 5),
            "similarity": None if self.similarity is None else round(self.similarity, 4),
        }


class Search:
    """Finds passages. Safe to share between threads.

    Args:
        embedder: None searches by words alone.
    """

    def __init__(self, database: Database, embedder: Embedder | None = None) -> None:
        self.database = database
        self._vectors = VectorSearch(embedder) if embedder else None
        fulltext.prepare(database)

    @property
    def embedder(self) -> Embedder | None:
        return self._vectors.embedder if self._vectors else None

    def find(
        self,
        words: str,
        principal: Principal,
        *,
        collections: Collection[str] = (),
        highest: DataClass = "restricted",
        count: int = 5,
        by: By = "both",
    ) -> list[Found]:
        """The best passages, the best first.

        Args:
            highest: see `visible`.
            by: `meaning` needs an embedder; `both` goes by words alone without one.

        Raises:
            ConfigError: nothing is asked, or there is no embedder.
            ToolError: the database cannot be used.
        """
        if not words.strip():
            raise ConfigError("nothing is asked", "say what to look for")
        if by == "meaning" and self._vectors is None:
            raise ConfigError("there is no text embedder", "fetch it with: llava-agent models pull knowledge")
        permitted = visible(principal, collections, highest)
        with self.database.reading() as connection:
            by_words = fulltext.ranked(connection, words, permitted, DEPTH) if by != "meaning" else []
            near = (
                self._vectors.nearest(connection, words, permitted, DEPTH)
                if self._vectors and by != "words"
                else []
            )
            found = _fetch(connection, permitted, by_words, [(owner, number) for owner, number, _ in near])
        return _joined(found, by_words, near)[:count]

    def passage(self, id: str, principal: Principal) -> Found:
        """The passage that a citation names.

        Raises:
            PermissionDenied: the id is unknown, its document was removed, or it is not for `principal`.
        """
        owner, _, number = id.partition("-")
        if number.isdecimal() and len(number) < 9 and number == str(int(number)):
            with self.database.reading() as connection:
                found = _fetch(connection, visible(principal), [], [(owner, int(number))])
            for one in found.values():
                return one
        raise PermissionDenied(f"there is no passage {id!r}", "cite ids that a search gave")

    def checked(self, ids: Sequence[str], given: Collection[Found]) -> list[Found]:
        """The passages that an answer cites, in its order.

        Args:
            ids: as a model wrote them.
            given: what the model was shown; nothing else may be cited.

        Raises:
            PermissionDenied: an id is not among them.
        """
        known = {one.id: one for one in given}
        for id in ids:
            if id not in known:
                raise PermissionDenied(f"the citation {id!r} was not given to the model", "reject the answer")
        return [known[id] for id in dict.fromkeys(ids)]


def _fetch(
    connection: sa.Connection,
    permitted: sa.ColumnElement[bool],
    ids: Sequence[int],
    places: Sequence[tuple[str, int]],
) -> dict[int, Found]:
    """Passages by row or by place, by row; the permission is asked again here, it costs nothing."""
    wanted = sa.or_(
        passages.c.id.in_(ids),
        sa.tuple_(passages.c.document, passages.c.number).in_(places),
    )
    query = (
        sa.select(
            passages, *(documents.c[name] for name in ("name", "title", "path", "data_class", "collection"))
        )
        .join(documents, documents.c.id == passages.c.document)
        .where(permitted, wanted)
    )
    return {
        row.id: Found(
            id=f"{row.document}-{row.number}",
            document=row.document,
            name=row.name,
            title=row.title,
            path=row.path,
            page=row.page,
            heading=row.heading,
            kind=row.kind,
            text=row.text,
            data_class=row.data_class,
            collection=row.collection,
        )
        for row in connection.execute(query)
    }


def _joined(
    found: dict[int, Found], by_words: Sequence[int], near: Sequence[tuple[str, int, float]]
) -> list[Found]:
    """Each passage scores the sum of 1 / (60 + place) over the lists that hold it."""
    places = {one.id: row for row, one in found.items()}
    for place, row in enumerate(by_words, start=1):
        if row in found:
            one = found[row]
            found[row] = replace(one, by_words=place, score=one.score + 1 / (RRF + place))
    for place, (owner, number, similarity) in enumerate(near, start=1):
        row = places.get(f"{owner}-{number}", -1)
        if row in found:
            one = found[row]
            found[row] = replace(
                one, by_meaning=place, similarity=similarity, score=one.score + 1 / (RRF + place)
            )
    return sorted(found.values(), key=lambda one: (-one.score, one.id))
