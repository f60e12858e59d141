"""Manuals: send them, list them, search them, ask them. A caller sees what their department may see."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from llava_agent.errors import NotFound, PermissionDenied
from llava_agent.gateway.data_class import UNCLASSIFIED, DataClass
from llava_agent.knowledge.answer import ask as answer_from
from llava_agent.knowledge.library import Library, Listed, Shelf
from llava_agent.knowledge.search import Found, Search
from llava_agent.service.errors import BadRequest, TooLarge
from llava_agent.service.http.describe import failures
from llava_agent.service.http.permission import needs
from llava_agent.service.routes.answers import Parts, Who
from llava_agent.service.shapes import AddedDocument, Answer, Citation, Document, Passage
from llava_agent.service.shapes import Listed as ListedShape
from llava_agent.service.store.ids import in_utc
from llava_agent.service.store.photos import plain_name

router = APIRouter(prefix="/api/knowledge", tags=["knowledge"])

#: Largest file of one manual.
DOCUMENT_BYTES = 60_000_000

Words = Annotated[str, Query(min_length=1, max_length=1000, description="what to look for")]
Count = Annotated[int, Query(ge=1, le=50, description="passages at most")]
Collection = Annotated[str, Field(min_length=1, max_length=100)]
Collections = Annotated[list[Collection] | None, Query(max_length=20, description="only these; else all")]


class Question(BaseModel):
    """A question about the manuals, of some collections or of all."""

    model_config = ConfigDict(extra="forbid")

    question: str = Field(min_length=1, max_length=1000, pattern=r"\S")
    collections: list[Collection] = Field(default_factory=list, max_length=20)


def library_of(desk: Parts) -> Library:
    """Dependency: the manuals as a shelf."""
    search = desk.manuals.passages()
    return Library(search.database, search.embedder)


def search_of(desk: Parts) -> Search:
    """Dependency: the manuals as an index."""
    return desk.manuals.passages()


Shelves = Annotated[Library, Depends(library_of)]
Index = Annotated[Search, Depends(search_of)]


@router.get("/documents", summary="List the manuals that the caller may read")
@needs("knowledge.read")
def documents(library: Shelves, who: Who) -> ListedShape[Document]:
    return ListedShape(items=tuple(map(_document, library.listed(who))))


@router.post("/documents", status_code=201, summary="Send a manual", responses=failures(422))
@needs("knowledge.write")
def add(
    file: UploadFile,
    library: Shelves,
    who: Who,
    collection: Annotated[str, Form(min_length=1, max_length=100)] = "manuals",
    department: Annotated[str, Form(max_length=64)] = "",
    data_class: Annotated[DataClass, Form()] = UNCLASSIFIED,
) -> AddedDocument:
    """PDF, DOCX, Markdown, HTML, text or an image, read in a process of its own within limits.

    A manual is everybody's in the tenant, or the caller's own department's. The same file again is `known`;
    one of the same name takes the place of the earlier one.
    """
    if department not in ("", who.department):
        raise PermissionDenied(
            "a manual can be given to your own department only", "leave the department out"
        )
    if file.size is not None and file.size > DOCUMENT_BYTES:
        raise TooLarge(f"the manual is larger than {DOCUMENT_BYTES // 1_000_000} MB", "divide it first")
    with tempfile.TemporaryDirectory(prefix="llava-agent-manual-") as folder:
        path = Path(folder) / _file_name(file.filename or "")
        path.write_bytes(file.file.read())
        added = library.add_upload(path, Shelf(collection, department, data_class), who)
    assert added.status != "refused"
    return AddedDocument(
        id=added.document, status=added.status, passages=added.passages, notes=tuple(added.notes)
    )


@router.delete("/documents/{id}", status_code=204, summary="Forget a manual")
@needs("knowledge.write")
def remove(id: str, library: Shelves, who: Who) -> None:
    if all(one.id != id for one in library.listed(who)):
        raise NotFound("there is no such manual", "list the manuals")
    library.remove([id], who)


@router.get("/search", summary="Find passages, by words and by meaning")
@needs("knowledge.read")
def search(
    q: Words, index: Index, who: Who, count: Count = 5, collection: Collections = None
) -> ListedShape[Passage]:
    found = index.find(q, who, collections=collection or (), count=count)
    return ListedShape(items=tuple(map(_passage, found)))


@router.get("/passages/{id}", summary="The passage that a citation names")
@needs("knowledge.read")
def passage(id: str, index: Index, who: Who) -> Passage:
    try:
        return _passage(index.passage(id, who))
    except PermissionDenied as error:
        raise NotFound("there is no such passage", "take the ids that a search gave") from error


@router.post("/ask", summary="Answer from the manuals, in their words; not in the manuals is an answer")
@needs("knowledge.read")
def ask(body: Question, index: Index, who: Who) -> Answer:
    answer = answer_from(index, body.question, who, collections=body.collections)
    return Answer(
        answer=answer.text,
        found=answer.known,
        citations=tuple(
            Citation(
                id=one.id,
                document=one.document,
                page=one.page,
                heading=one.heading,
                quote=one.quote,
                passage=one.passage,
            )
            for one in answer.citations
        ),
        score=round(answer.score, 4),
        data_class=answer.data_class,
        by=answer.by,
    )


def _file_name(given: str) -> str:
    """A name that a file may have on this machine; its ending says what it is.

    Raises:
        BadRequest: it has none.
    """
    name = plain_name(given)
    stem, ending = Path(name).stem[:80], Path(name).suffix[:10]
    if not ending or name.startswith("."):
        raise BadRequest("file: the name of a manual needs an ending, such as .pdf", "name it", "file")
    return stem + ending


def _document(one: Listed) -> Document:
    shown = {name: value for name, value in asdict(one).items() if name != "path"}
    return Document.model_validate({**shown, "added": in_utc(one.added)})


def _passage(one: Found) -> Passage:
    return Passage(
        id=one.id,
        document=one.name,
        title=one.title,
        page=one.page,
        heading=one.heading,
        text=one.text,
        data_class=one.data_class,
        collection=one.collection,
        score=round(one.score, 5),
        similarity=one.similarity,
    )
