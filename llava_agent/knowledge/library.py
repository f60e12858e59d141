"""The documents that are known: add, list, remove. Each is added whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal

import sqlalchemy as sa

from llava_agent.database import Database
from llava_agent.errors import ConfigError
from llava_agent.gateway.data_class import UNCLASSIFIED, DataClass
from llava_agent.gateway.principal import LOCAL, Principal
from llava_agent.knowledge import fulltext
from llava_agent.knowledge.access import visible
from llava_agent.knowledge.errors import DocumentError
from llava_agent.knowledge.formats import KNOWN
from llava_agent.knowledge.limits import ReadLimits
from llava_agent.knowledge.passages import VERSION, Passage, passages_of
from llava_agent.knowledge.reading import DocumentReader
from llava_agent.knowledge.tables import documents, passages, vectors
from llava_agent.knowledge.vectors import Embedder, packed

#: Passages that are embedded at a time; between two the progress is told.
_BATCH = 64
#: Begins the `path` of a document that was sent and lies nowhere on this machine.
UPLOADED = "upload:"


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where documents are put, and who may read them.

    Attributes:
        department: empty for everybody in the tenant.
        data_class: of every passage, and of what is answered from it.
    """

    collection: str = "manuals"
    department: str = ""
    data_class: DataClass = UNCLASSIFIED


@dataclass(frozen=True, slots=True)
class Added:
    """What became of one file.

    Attributes:
        status: `added`, `replaced` (the file had other content before), `embedded` (vectors were missing),
            `known` (nothing to do), `refused`.
        reason: why it was refused.
        notes: what of it could not be read.
    """

    path: str
    status: Literal["added", "replaced", "embedded", "known", "refused"]
    document: str = ""
    passages: int = 0
    reason: str = ""
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Listed:
    """A document as it is listed."""

    id: str
    name: str
    title: str
    path: str
    collection: str
    department: str
    data_class: DataClass
    pages: int | None
    passages: int
    embedded: bool
    added: datetime

    def as_dict(self) -> dict[str, object]:
        return {**asdict(self), "added": self.added.isoformat()}


#: What is done, with the number of documents that are done and of all.
Progress = Callable[[str, int, int], None]
_Tell = Callable[[str], None]


def _quiet(step: str, done: int, total: int) -> None:
    pass


def _tell(progress: Progress, done: int, total: int, step: str) -> None:
    progress(step, done, total)


class Library:
    """The documents in a database.

    Args:
        embedder: None leaves vectors out; `add` fills them in later.
    """

    def __init__(
        self, database: Database, embedder: Embedder | None = None, limits: ReadLimits | None = None
    ) -> None:
        self.database, self.embedder, self.limits = database, embedder, limits
        fulltext.prepare(database)

    def add(
        self,
        paths: Iterable[Path],
        shelf: Shelf,
        principal: Principal = LOCAL,
        progress: Progress = _quiet,
    ) -> Iterator[Added]:
        """Read files and folders, one after the other; each result as it comes.

        A killed call goes on where it stopped when it is made again: what is there and whole is `known`.

        Raises:
            ConfigError: a path that is not there, or a folder without documents.
            ToolError: the database cannot be used.
        """
        files = list(_files(paths))
        with DocumentReader(self.limits) as reader:
            for at, path in enumerate(files):
                tell = partial(_tell, progress, at, len(files))
                try:
                    yield self._add(path, shelf, principal, reader, tell)
                except DocumentError as error:
                    yield Added(str(path), "refused", reason=str(error))

    def add_upload(self, file: Path, shelf: Shelf, principal: Principal) -> Added:
        """Read a file that somebody sent and that does not stay on this machine.

        A later one of the same name, collection and department takes its place.

        Raises:
            DocumentError: it cannot be read.
            ToolError: the database cannot be used.
        """
        source = f"{UPLOADED}{shelf.department}/{file.name}"
        with DocumentReader(self.limits) as reader:
            return self._add(file, shelf, principal, reader, lambda step: None, source)

    def listed(self, principal: Principal = LOCAL, collections: Sequence[str] = ()) -> list[Listed]:
        """Documents that `principal` may see, by name."""
        names = [name for name in Listed.__dataclass_fields__ if name != "embedded"]
        has = sa.exists().where(vectors.c.document == documents.c.id).label("embedded")
        query = (
            sa.select(*(documents.c[name] for name in names), has)
            .where(visible(principal, collections))
            .order_by(documents.c.name, documents.c.id)
        )
        with self.database.reading() as connection:
            return [Listed(**row._mapping) for row in connection.execute(query)]

    def remove(self, names: Sequence[str], principal: Principal = LOCAL) -> list[Listed]:
        """Forget documents, by id, file name or path.

        Raises:
            ConfigError: one that is not there; then none is removed.
        """
        known = self.listed(principal)
        chosen: list[Listed] = []
        for name in names:
            absolute = str(Path(name).expanduser().resolve())
            fits = [one for one in known if name in (one.id, one.name) or one.path == absolute]
            if not fits:
                raise ConfigError(f"there is no document {name!r}", "see: llava-agent knowledge list")
            chosen += [one for one in fits if one not in chosen]
        with self.database.writing() as connection:
            connection.execute(sa.delete(documents).where(documents.c.id.in_([one.id for one in chosen])))
        return chosen

    def _add(
        self,
        path: Path,
        shelf: Shelf,
        principal: Principal,
        reader: DocumentReader,
        tell: _Tell,
        source: str = "",
    ) -> Added:
        tell(f"read {path.name}")
        sha256 = _sha256(path)
        id = _id(principal.tenant, shelf, sha256)
        known = self._known(id, shelf)
        if known == "whole":
            return Added(str(path), "known", id)
        if known == "without vectors":
            return Added(str(path), "embedded", id, self._embed_again(id, path.name, tell))
        document = reader.read(path)
        cut = passages_of(document, path.stem)
        blob = self._embedded([one.embedded for one in cut], path.name, tell)
        row = {
            "id": id, "tenant": principal.tenant, **asdict(shelf), "name": path.name,
            "title": document.title or path.stem, "path": source or str(path), "sha256": sha256,
            "pages": document.pages, "passages": len(cut), "cut": VERSION, "notes": list(document.notes),
            "added": datetime.now(UTC),
        }  # fmt: skip
        replaced = self._store(row, cut, blob)
        return Added(str(path), "replaced" if replaced else "added", id, len(cut), notes=document.notes)

    def _known(self, id: str, shelf: Shelf) -> Literal["", "without vectors", "whole"]:
        """Whether this content stands on this shelf already."""
        query = sa.select(documents).where(documents.c.id == id)
        with self.database.reading() as connection:
            row = connection.execute(query).one_or_none()
            if row is None or row.cut != VERSION or row.department != shelf.department:
                return ""
            if row.data_class != shelf.data_class:
                return ""
            if self.embedder is None:
                return "whole"
            have = sa.select(sa.func.count()).where(
                vectors.c.document == id, vectors.c.model == self.embedder.name
            )
            return "whole" if connection.execute(have).scalar_one() else "without vectors"

    def _embed_again(self, id: str, name: str, tell: _Tell) -> int:
        query = (
            sa.select(passages.c.heading, passages.c.text)
            .where(passages.c.document == id)
            .order_by(passages.c.number)
        )
        with self.database.reading() as connection:
            texts = [f"{heading}\n{text}" for heading, text in connection.execute(query)]
        blob = self._embedded(texts, name, tell)
        assert blob is not None
        with self.database.writing() as connection:
            connection.execute(sa.insert(vectors).values(document=id, **blob))
        return len(texts)

    def _embedded(self, texts: Sequence[str], name: str, tell: _Tell) -> dict[str, object] | None:
        import numpy as np

        if self.embedder is None:
            return None
        parts = []
        for start in range(0, len(texts), _BATCH):
            tell(f"embed {name}, {start} of {len(texts)} passages")
            parts.append(self.embedder.embed(texts[start : start + _BATCH]))
        found = np.concatenate(parts)
        return {"model": self.embedder.name, "width": found.shape[1], "data": packed(found)}

    def _store(self, row: dict[str, object], cut: Sequence[Passage], blob: dict[str, object] | None) -> bool:
        """In one transaction; gives whether an older state of the same file, or this one, gave way."""
        older = sa.and_(
            documents.c.tenant == row["tenant"],
            documents.c.collection == row["collection"],
            sa.or_(documents.c.id == row["id"], documents.c.path == row["path"]),
        )
        with self.database.writing() as connection:
            gone = connection.execute(sa.delete(documents).where(older)).rowcount
            connection.execute(sa.insert(documents).values(row))
            connection.execute(sa.insert(passages), [{"document": row["id"], **asdict(one)} for one in cut])
            if blob is not None:
                connection.execute(sa.insert(vectors).values(document=row["id"], **blob))
        return bool(gone)


def _id(tenant: str, shelf: Shelf, sha256: str) -> str:
    """Two departments may hold the same document without knowing of each other."""
    owner = f"{tenant}\n{shelf.department}" if shelf.department else tenant
    return hashlib.sha256(f"{owner}\n{shelf.collection}\n{sha256}".encode()).hexdigest()[:12]


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    """The documents among files and folders, each once, in order."""
    seen: set[Path] = set()
    for given in paths:
        path = given.expanduser().resolve()
        if not path.exists():
            raise ConfigError(f"there is no {given}", "check the path")
        found = [path] if path.is_file() else sorted(_below(path))
        if not found:
            raise ConfigError(f"{given} holds no documents", f"known endings: {', '.join(sorted(KNOWN))}")
        for one in found:
            if one not in seen:
                seen.add(one)
                yield one


def _below(folder: Path) -> Iterator[Path]:
    """Documents in a folder; hidden ones and what links lead out of it are left alone."""
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix.lower() in KNOWN and not hidden and path.is_file():
            resolved = path.resolve()
            if resolved.is_relative_to(folder):
                yield resolved


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
    except OSError as error:
        raise DocumentError(
            f"{path.name} cannot be read ({error.strerror})", "check its permissions"
        ) from error
    return digest.hexdigest()
