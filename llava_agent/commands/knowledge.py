"""`llava-agent knowledge`: manuals that the agent looks things up in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llava_agent.commands.options import AsJson
from llava_agent.commands.output import INTERRUPTED, note, print_json, say

if TYPE_CHECKING:
    from llava_agent.gateway.data_class import DataClass
    from llava_agent.knowledge.library import Added, Library
    from llava_agent.knowledge.search import Search
    from llava_agent.knowledge.vectors import Embedder

knowledge = typer.Typer(
    help="Manuals: read them in, search them, ask them; answers carry document, page and passage.",
    no_args_is_help=True,
)

Collections = Annotated[
    list[str] | None, typer.Option("--collection", metavar="NAME", help="Only this one; may be repeated.")
]
ByWords = Annotated[bool, typer.Option("--words-only", help="Full text alone, without the text embedder.")]


@knowledge.command("add")
def add(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="MANUALS...", help="Files and folders: PDF, DOCX, Markdown, HTML, text, images."
        ),
    ],
    collection: Annotated[str, typer.Option(metavar="NAME", help="Where they are put.")] = "manuals",
    department: Annotated[
        str, typer.Option(metavar="NAME", help="Only this department may read them; everybody if empty.")
    ] = "",
    data_class: Annotated[
        str, typer.Option("--class", metavar="CLASS", help="public, internal, confidential or restricted.")
    ] = "internal",
    words_only: ByWords = False,
    as_json: AsJson = False,
) -> None:
    """Read manuals in. What is known already is not read again; a killed call goes on where it stopped.

    Each file is read in a process of its own within limits; one that is encrypted, damaged, empty or made to
    exhaust the machine is refused with a sentence, and the others go on. Scanned pages are read by OCR.

    \b
    Exit codes:
      0  all were read or known
      1  at least one was refused

    \b
    Examples:
      llava-agent knowledge add examples/manuals
      llava-agent knowledge add boiler.pdf --collection heating --department facilities --class confidential
    """
    from llava_agent.knowledge.library import Shelf
    from llava_agent.vlm.weights import progress_bar

    shelf = Shelf(collection, department, _data_class(data_class))
    library = _library(words_only)
    done: list[Added] = []
    try:
        with progress_bar() as progress:
            for one in library.add(paths, shelf, progress=progress):
                done.append(one)
                _show_added(one)
    except KeyboardInterrupt:
        note("interrupted; the same command goes on where it stopped")
        raise typer.Exit(INTERRUPTED) from None
    refused = sum(one.status == "refused" for one in done)
    if as_json:
        print_json({"documents": [one.as_dict() for one in done], "refused": refused})
    else:
        passages = sum(one.passages for one in done)
        say(f"{len(done) - refused} of {len(done)} documents are known, {passages} passages new")
    raise typer.Exit(1 if refused else 0)


@knowledge.command("list")
def list_them(collection: Collections = None, as_json: AsJson = False) -> None:
    """List the documents.

    \b
    Examples:
      llava-agent knowledge list
      llava-agent knowledge list --collection heating --json
    """
    found = _library(words_only=True).listed(collections=collection or ())
    if as_json:
        print_json([one.as_dict() for one in found])
        return
    for one in found:
        pages = f", {one.pages} pages" if one.pages else ""
        vectors = "" if one.embedded else ", without vectors"
        say(f"{one.id}  {one.name}: {one.title} ({one.collection}, {one.data_class}{pages}{vectors})")
    if not found:
        say("No documents are known; read some in with: llava-agent knowledge add MANUALS/")


@knowledge.command("remove")
def remove(
    names: Annotated[list[str], typer.Argument(metavar="DOCUMENT...", help="Ids, file names or paths.")],
    as_json: AsJson = False,
) -> None:
    """Forget documents; the files themselves stay where they are.

    \b
    Examples:
      llava-agent knowledge remove boiler.pdf
    """
    gone = _library(words_only=True).remove(names)
    if as_json:
        print_json({"removed": [one.id for one in gone]})
    else:
        for one in gone:
            say(f"removed {one.name} ({one.id})")


@knowledge.command("search")
def search(
    words: Annotated[str, typer.Argument(help="What to look for.")],
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=50, help="How many passages.")] = 5,
    collection: Collections = None,
    words_only: ByWords = False,
    as_json: AsJson = False,
) -> None:
    """Find passages, by their words and by their meaning.

    \b
    Examples:
      llava-agent knowledge search "mechanical seal leaks"
      llava-agent knowledge search E14 --json
    """
    from llava_agent.gateway.principal import LOCAL

    found = _search(words_only).find(words, LOCAL, collections=collection or (), count=count)
    if as_json:
        print_json({"passages": [one.as_dict() for one in found]})
        return
    for one in found:
        say(f"[{one.id}] {one.place}: {one.heading}")
        say("    " + one.text.replace("\n", "\n    "))
    if not found:
        say("Nothing was found.")


@knowledge.command("ask")
def ask(
    question: Annotated[str, typer.Argument(help="Your question.")],
    collection: Collections = None,
    words_only: ByWords = False,
    as_json: AsJson = False,
) -> None:
    """Answer from the manuals, in their words, with document, page and passage.

    "not in the manuals" is an answer. Nothing is generated: the answer is quoted.

    \b
    Examples:
      llava-agent knowledge ask "What does error E14 mean on the Norpump?"
      llava-agent knowledge ask "How heavy is the pump?" --json
    """
    from llava_agent.gateway.principal import LOCAL
    from llava_agent.knowledge.answer import ask as answer_from

    answer = answer_from(_search(words_only), question, LOCAL, collections=collection or ())
    if as_json:
        print_json(answer.as_dict())
        return
    say(answer.text)
    for one in answer.citations:
        page = f", page {one.page}" if one.page else ""
        say(f"  [{one.id}] {one.document}{page}: {one.heading}")
        say(f"  {one.link}")


@knowledge.command("show")
def show(
    id: Annotated[
        str, typer.Argument(metavar="ID", help="Id of a passage, as a search or an answer gave it.")
    ],
    as_json: AsJson = False,
) -> None:
    """Show the passage that a citation names.

    \b
    Examples:
      llava-agent knowledge show 5a2648489c65-9
    """
    from llava_agent.gateway.principal import LOCAL

    one = _search(words_only=True).passage(id, LOCAL)
    if as_json:
        print_json(one.as_dict())
        return
    say(f"{one.place}: {one.heading}")
    say(one.text)
    say(one.link)


def _library(words_only: bool) -> Library:
    from llava_agent.database import open_database
    from llava_agent.knowledge.library import Library

    return Library(open_database(), None if words_only else _embedder())


def _search(words_only: bool) -> Search:
    from llava_agent.database import open_database
    from llava_agent.knowledge.search import Search

    return Search(open_database(), None if words_only else _embedder())


def _embedder() -> Embedder | None:
    """The text embedder, where it was pulled; else a line says what is missing without it."""
    from llava_agent.vlm.text_embedder import load_text_embedder
    from llava_agent.vlm.weights import KNOWLEDGE, present

    if present(KNOWLEDGE):
        return load_text_embedder()
    note("searching by words alone; to search by meaning as well: llava-agent models pull knowledge")
    return None


def _data_class(name: str) -> DataClass:
    from llava_agent.errors import ConfigError
    from llava_agent.gateway.data_class import DATA_CLASSES

    for one in DATA_CLASSES:
        if one == name:
            return one
    raise ConfigError(f"there is no data class {name!r}", f"choose one of {', '.join(DATA_CLASSES)}")


def _show_added(one: Added) -> None:
    name = Path(one.path).name
    if one.status == "refused":
        note(f"  ! {one.reason}")
    elif one.status != "known":
        note(f"  ✓ {name}: {one.status}, {one.passages} passages")
    for line in one.notes:
        note(f"    {name}: {line}")
