"""Photos: upright, without what the camera wrote beside the pixels, and what is known of each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

import sqlalchemy as sa

from llava_agent.database import Database
from llava_agent.errors import Conflict, NotFound
from llava_agent.gateway.principal import Principal
from llava_agent.inspection.intake import TakenIn
from llava_agent.service.store.artifacts import Artifacts
from llava_agent.service.store.idempotency import RequestKey, once
from llava_agent.service.store.ids import in_utc, new_id, now
from llava_agent.service.store.own import own
from llava_agent.service.store.page import USUAL, Page, page_of
from llava_agent.service.store.tables import holds, record_photos
from llava_agent.service.store.tables import photos as table

#: The name under which a photo holds its image.
IMAGE = "image"


@dataclass(frozen=True, slots=True)
class StoredPhoto:
    """One photo.

    Attributes:
        name: as the user's file was called, without folders and control characters.
        asset: the thing it shows, in the plant's own words; empty where nobody said.
        sha256: of the stored image file.
        width, height: of the upright image, in pixels.
        about: `media_type`, `taken`, `quality` and other things that were measured at intake.
    """

    id: str
    owner: str
    created: datetime
    name: str
    asset: str
    sha256: str
    width: int
    height: int
    about: dict[str, Any]


class Photos:
    """The photos of everybody; a call sees the caller's own alone."""

    def __init__(self, database: Database, artifacts: Artifacts) -> None:
        self.database, self.artifacts = database, artifacts

    def add(
        self, who: Principal, image: TakenIn, *, name: str, asset: str = "", key: RequestKey | None = None
    ) -> tuple[StoredPhoto, bool]:
        """Store a photo; with a key that was seen before, the photo that it made then.

        Returns:
            The photo, and whether it is new.

        Raises:
            Conflict: the key was used for another upload.
            ToolError: it cannot be stored; then nothing is.
        """
        file = self.artifacts.write(who.tenant, image.content, image.media_type)

        def make(connection: sa.Connection) -> str:
            id = new_id("photo")
            connection.execute(
                table.insert().values(
                    id=id,
                    tenant=who.tenant,
                    owner=who.user,
                    created=now(),
                    name=plain_name(name),
                    asset=asset.strip()[:100],
                    sha256=file.sha256,
                    width=image.width,
                    height=image.height,
                    about=image.about(),
                )
            )
            self.artifacts.hold(connection, file, id, IMAGE)
            return id

        id, new = once(self.database, who, key, make)
        return self.get(who, id), new

    def get(self, who: Principal, id: str) -> StoredPhoto:
        """Raises NotFound."""
        query = sa.select(table).where(own(table, who), table.c.id == id)
        with self.database.reading() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise NotFound(f"there is no photo {id}", "list the photos")
        return _photo(row)

    def list(
        self, who: Principal, *, asset: str | None = None, cursor: str | None = None, limit: int = USUAL
    ) -> Page[StoredPhoto]:
        """The newest first, of one asset or of all."""
        query = sa.select(table).where(own(table, who))
        if asset is not None:
            query = query.where(table.c.asset == asset)
        with self.database.reading() as connection:
            rows, after = page_of(connection, query, table.c.id, cursor, limit)
        return Page(tuple(map(_photo, rows)), after)

    def content(self, who: Principal, id: str) -> bytes:
        """The image file.

        Raises:
            NotFound: no such photo.
            KeyUnavailable: it is sealed and its key is not there.
        """
        return self.artifacts.read(who.tenant, self.get(who, id).sha256)

    def delete(self, who: Principal, id: str) -> None:
        """Remove a photo that no record rests on; its file goes with the next collection.

        Raises:
            NotFound: no such photo.
            Conflict: a record needs it.
        """
        self.get(who, id)
        with self.database.writing() as connection:
            used = connection.execute(
                sa.select(record_photos.c.record).where(record_photos.c.photo == id)
            ).first()
            if used is not None:
                raise Conflict(f"the record {used.record} rests on the photo {id}", "delete the record first")
            connection.execute(holds.delete().where(holds.c.tenant == who.tenant, holds.c.holder == id))
            connection.execute(table.delete().where(own(table, who), table.c.id == id))


def plain_name(name: str) -> str:
    """The last part of a path that a browser sent, without control characters; `photo` for nothing."""
    last = PurePosixPath(name.replace("\\", "/")).name
    shown = re.sub(r"[\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]", "", last).strip()
    return shown[:200] or "photo"


def _photo(row: sa.Row[Any]) -> StoredPhoto:
    created = in_utc(row.created)
    assert created is not None
    return StoredPhoto(
        row.id, row.owner, created, row.name, row.asset, row.sha256, row.width, row.height, row.about
    )
