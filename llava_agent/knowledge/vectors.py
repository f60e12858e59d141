"""Exact search by meaning: every permitted vector is compared (docs/knowledge.md has the times)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from llava_agent.knowledge.tables import documents, vectors

Floats = NDArray[np.float32]


class Embedder(Protocol):
    """Texts to unit vectors."""

    @property
    def name(self) -> str:
        """Vectors of different models are never compared."""
        ...

    def embed(self, texts: Sequence[str]) -> Floats:
        """`[N, width]`."""
        ...


def packed(found: Floats) -> bytes:
    """`[N, width]` as it is stored; half precision changes a similarity by less than 0.001."""
    return found.astype("<f2").tobytes()


class VectorSearch:
    """Compares a question with the vectors in the database, which are kept in memory until they change."""

    def __init__(self, embedder: Embedder) -> None:
        self.embedder = embedder
        self._kept: tuple[object, Floats, NDArray[np.str_], NDArray[np.int64]] | None = None

    def nearest(
        self, connection: sa.Connection, words: str, permitted: sa.ColumnElement[bool], count: int
    ) -> list[tuple[str, int, float]]:
        """Document, number and similarity of the nearest permitted passages, the nearest first."""
        matrix, owners, numbers = self._load(connection, permitted)
        if not len(matrix):
            return []
        similar = matrix @ self.embedder.embed([words])[0]
        best = np.argsort(-similar, kind="stable")[:count]
        return [(str(owners[at]), int(numbers[at]), float(similar[at])) for at in best]

    def _load(
        self, connection: sa.Connection, permitted: sa.ColumnElement[bool]
    ) -> tuple[Floats, NDArray[np.str_], NDArray[np.int64]]:
        """The permitted vectors. What is kept is used only for the same documents in the same state."""
        mine = sa.and_(permitted, vectors.c.model == self.embedder.name)
        joined = sa.join(documents, vectors, documents.c.id == vectors.c.document)
        state = tuple(
            map(
                tuple,
                connection.execute(
                    sa.select(documents.c.id, documents.c.added)
                    .select_from(joined)
                    .where(mine)
                    .order_by(documents.c.id)
                ),
            )
        )
        if self._kept is not None and self._kept[0] == state:
            return self._kept[1:]
        rows = connection.execute(
            sa.select(documents.c.id, vectors.c.width, vectors.c.data).select_from(joined).where(mine)
        ).all()
        parts = [np.frombuffer(data, "<f2").reshape(-1, width).astype(np.float32) for _, width, data in rows]
        if not parts:
            return np.zeros((0, 0), np.float32), np.array([], np.str_), np.array([], np.int64)
        owners = np.repeat([id for id, _, _ in rows], [len(part) for part in parts])
        numbers = np.concatenate([np.arange(len(part)) for part in parts])
        self._kept = state, np.concatenate(parts), owners, numbers
        return self._kept[1:]
