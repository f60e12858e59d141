"""`llava-agent data`: look at training data before a run, and make some."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from llava_agent.commands.options import AsJson
from llava_agent.commands.output import note, print_json, say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from llava_agent.vlm.chat import Chat
    from training.data.show import Piece
    from training.data.survey import Survey

data = typer.Typer(name="data", help="Training data: check it, make it.", no_args_is_help=True)

#: Status of a check that found more refused rows than allowed.
TOO_MANY = 1


@data.command()
def check(
    file: Annotated[
        Path, typer.Argument(help="LLaVA JSON, JSON lines of chat messages, or a saved data set's folder.")
    ],
    images: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where paths of images begin; the file's folder.")
    ] = None,
    tokenizer: Annotated[
        str | None,
        typer.Option(metavar="NAME|DIR", help="Count tokens of this model; words are counted without it."),
    ] = None,
    template: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="One round with {prompt} in it, for a tokenizer without template."),
    ] = None,
    image_tokens: Annotated[int, typer.Option(min=1, help="What an image costs.")] = 576,
    limit: Annotated[int | None, typer.Option(min=1, help="A longer sample cannot be used.")] = None,
    allow: Annotated[
        float, typer.Option(min=0, max=1, help="Share of rows that may be unusable before the check fails.")
    ] = 0.0,
    decode: Annotated[bool, typer.Option(help="Decode every image, not only its head.")] = True,
    sample: Annotated[int, typer.Option(min=0, help="Which usable sample to show.")] = 0,
    html: Annotated[
        Path | None, typer.Option(metavar="OUT", help="Also write a page with all of it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say which rows cannot be used and why, how long samples are, and show one with what is learnt.

    Fails (status 1) where more rows than --allow are unusable.

    \b
    Examples:
      llava-agent data check blip_laion_cc_sbu_558k.json --images images
      llava-agent data check mine.jsonl --tokenizer models/vicuna --template "USER: {prompt} ASSISTANT:"
      llava-agent data check saved_dataset --json --html report.html
    """
    from llava_agent.agent.trace import write_whole
    from training.data.files import read_rows
    from training.data.show import page, pieces
    from training.data.survey import survey

    rows = read_rows(file, images)
    chat = _chat(tokenizer, template)
    with _Bar("looking at images") as show:
        found = survey(rows, chat, image_tokens=image_tokens, decode=decode, limit=limit, progress=show)
    refused = {one.row for one in found.refused}
    usable = [one for one in rows.samples if one.row not in refused]
    chosen = usable[min(sample, len(usable) - 1)] if usable else None
    shown = pieces(chosen, chat) if chosen else []
    if html is not None:
        html.parent.mkdir(parents=True, exist_ok=True)
        write_whole(html, page(found.as_dict(), chosen, shown).encode())
    if as_json:
        print_json(found.as_dict())
    else:
        _tell(found, chosen.id if chosen else "", shown)
        if html is not None:
            say(f"Report: {html}")
    if found.refused_share > allow:
        note(f"{len(found.refused)} of {found.rows} rows cannot be used, more than {allow:.2%}")
        raise typer.Exit(TOO_MANY)


@data.command()
def render(
    what: Annotated[Literal["screens", "equipment"], typer.Argument(help="What to draw.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the pictures and of data.json.")],
    count: Annotated[int, typer.Option(min=1, help="How many pictures.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Which pictures; runs of other seeds share none.")] = 0,
    held_out: Annotated[
        bool, typer.Option(help="Screens of the UI kits and icons that no training page uses.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make pictures with questions whose answers are known, as LLaVA JSON. A seed gives the same bytes.

    A run that was cut off goes on where it stopped.

    \b
    Examples:
      llava-agent data render equipment --count 2000 --out data/equipment
      llava-agent data render screens --count 500 --seed 7 --out data/screens
    """
    from training.render.conversations import write_conversations

    made = write_conversations(what, count, seed, out, held_out=held_out)
    if as_json:
        print_json({"file": str(made.file), "pictures": made.pictures, "questions": made.questions})
    else:
        say(f"{made.pictures} pictures with {made.questions} questions: {made.file}")


def _chat(tokenizer: str | None, template: str | None) -> Chat | None:
    if tokenizer is None:
        return None
    from llava_agent.errors import WeightsError
    from llava_agent.vlm.chat import Chat

    try:
        from transformers import AutoTokenizer

        words = AutoTokenizer.from_pretrained(str(Path(tokenizer).expanduser()))
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise WeightsError(
            f"the tokenizer {tokenizer!r} cannot be had ({reason})", "name a folder or hub id"
        ) from error
    # No text becomes this id, so it stands for images without a token of the model's own.
    return Chat(words, len(words), template)


class _Bar:
    """A progress bar on stderr; calling it sets how much is done."""

    def __init__(self, text: str) -> None:
        from rich.console import Console
        from rich.progress import MofNCompleteColumn, Progress

        self._progress = Progress(
            *Progress.get_default_columns(),
            MofNCompleteColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._progress.add_task(text, total=None)

    def __enter__(self) -> Callable[[int, int], None]:
        self._progress.start()
        return lambda done, total: self._progress.update(self._task, completed=done, total=total)

    def __exit__(self, *_: object) -> None:
        self._progress.stop()


def _tell(found: Survey, name: str, shown: Sequence[Piece]) -> None:
    from rich.console import Console
    from rich.text import Text

    usable = found.rows - len(found.refused)
    say(f"{found.path}: {usable} of {found.rows} rows can be used")
    for one in found.refused[:20]:
        say(f"  row {one.row} ({one.id}): {one.reason}")
    if len(found.refused) > 20:
        say(f"  and {len(found.refused) - 20} more; --json names all")
    say("images a sample: " + ", ".join(f"{k}: {v}" for k, v in sorted(found.images.items())))
    say("answers a sample: " + ", ".join(f"{k}: {v}" for k, v in sorted(found.turns.items())))
    most = max((count for _, count in found.histogram()), default=0) or 1
    say(f"length in {found.unit}:")
    for label, count in found.histogram():
        say(f"  {label:>7} {count:>8} {'█' * round(40 * count / most)}")
    say(f"supervised: {found.supervised_share:.1%} of {sum(found.lengths)} {found.unit}")
    if shown:
        say(f"sample {name}, in green what is learnt:")
        text = Text()
        for piece in shown:
            text.append(piece.text, style="black on green" if piece.learnt else "")
        Console().print(text, soft_wrap=True)
