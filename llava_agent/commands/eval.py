"""`llava-agent eval`: sit an exam that others made, with the floor measured beside it."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from llava_agent.commands.options import AsJson, Preset
from llava_agent.commands.output import INTERRUPTED, note, print_json, say

if TYPE_CHECKING:
    from llava_agent.exam.miniwob.record import EpisodeRecord
    from llava_agent.exam.miniwob.result import Exam
    from llava_agent.exam.questions.run import Reply

evaluate = typer.Typer(
    name="eval", help="Exams: benchmarks that the product is measured on.", no_args_is_help=True
)


@evaluate.callback()
def _group() -> None:
    pass


@evaluate.command("miniwob")
def miniwob(
    tasks: Annotated[str, typer.Option(metavar="A,B", help="Names of tasks; all 125 where not given.")] = "",
    seeds: Annotated[str, typer.Option(metavar="LIST", help="Seeds, such as 0-4 or 0,3.")] = "0-4",
    observation: Annotated[
        Literal["pixels", "hybrid"],
        typer.Option(help="See by pixels alone, or also by the page's accessibility tree."),
    ] = "hybrid",
    policy: Annotated[
        str,
        typer.Option(
            metavar="A,B",
            help="Who decides: routed, unplanned, vision (or vlm), text, random, blind. Several are compared "
            "on the same episodes, with the first one as the measure.",
        ),
    ] = "routed",
    jobs: Annotated[int, typer.Option(min=1, help="Browsers at the same time.")] = 1,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only the first so many episodes, by seed, then task.")
    ] = None,
    floor: Annotated[bool, typer.Option(help="Also run the blind policy on the same episodes.")] = True,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder of the results, runs/miniwob-<time> where not given. Episodes that it holds already "
            "are not run again.",
        ),
    ] = None,
    keep: Annotated[
        bool, typer.Option(help="Keep the trace and report of each episode in the folder.")
    ] = False,
    model: Preset = "embedded",
    as_json: AsJson = False,
) -> None:
    """Run MiniWoB++, offline: 125 small web tasks, at most 10 steps each.

    Success is told twice: lenient (raw reward above 0, as BrowserGym counts) and strict (the full reward),
    with 95 % intervals and the blind floor on the same episodes. The pages are never trained on.

    \b
    Examples:
      llava-agent eval miniwob
      llava-agent eval miniwob --tasks click-button,login-user --seeds 0-9 --policy text
      llava-agent eval miniwob --policy vlm,routed,text --seeds 0-1
      llava-agent eval miniwob --out runs/exam --jobs 2     (the same again goes on after a kill)
    """
    from llava_agent.agent.trace import write_whole
    from llava_agent.assembly import assemble, without_models
    from llava_agent.exam.miniwob.compare import PolicyComparison
    from llava_agent.exam.miniwob.policies import WITHOUT_MODEL, pick
    from llava_agent.exam.miniwob.run import evaluate_miniwob
    from llava_agent.exam.weights import fingerprint

    folder = out or Path("runs") / datetime.now().strftime("miniwob-%Y%m%d-%H%M%S")
    names = pick(policy)
    asks = not WITHOUT_MODEL.issuperset(names)
    core = assemble(model) if asks else without_models()
    print_of = fingerprint(model) if asks else ""

    async def sit() -> list[Exam]:
        return [
            await evaluate_miniwob(
                core.gateway,
                tasks=tasks,
                seeds=seeds,
                observation=observation,
                policy=name,
                weights="" if name in WITHOUT_MODEL else print_of,
                jobs=jobs,
                limit=limit,
                episodes=folder / "episodes.jsonl",
                keep=folder / "episodes" if keep else None,
                floor=floor,
                progress=_show,
            )
            for name in names
        ]

    try:
        exams = asyncio.run(sit())
    except KeyboardInterrupt:
        note(f"interrupted; the same command with --out {folder} goes on")
        raise typer.Exit(INTERRUPTED) from None
    exam: Exam | PolicyComparison = exams[0] if len(exams) == 1 else PolicyComparison(tuple(exams))
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / "result.json", (json.dumps(exam.as_dict(), indent=2) + "\n").encode())
    write_whole(folder / "table.txt", (exam.table() + "\n").encode())
    if as_json:
        print_json(exam.as_dict())
        return
    say(exam.table())
    say(f"Results: {folder}")


@evaluate.command("questions")
def questions(
    file: Annotated[Path, typer.Argument(help="Questions with answers, one JSON object a line.")],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write every reply, one JSON object a line.")
    ] = None,
    model: Preset = "embedded",
    as_json: AsJson = False,
) -> None:
    """Measure `ask` on images with known answers, such as your own photos.

    Each line names an image (relative to the file), a question, its answer and how to compare
    (exact, contains, number, yesno, box); docs/evaluation.md gives the fields. Nothing is trained.

    \b
    Examples:
      llava-agent eval questions photos/questions.jsonl
      llava-agent eval questions photos/questions.jsonl --out replies.jsonl --json
    """
    from llava_agent.agent.trace import write_whole
    from llava_agent.assembly import assemble
    from llava_agent.exam.questions.question import read_questions
    from llava_agent.exam.questions.run import evaluate_questions

    asked = read_questions(file)
    core = assemble(model)
    result = evaluate_questions(asked, core.gateway, core.find, _show_reply)
    if out is not None:
        lines = [json.dumps(reply.as_dict(), ensure_ascii=False) + "\n" for reply in result.replies]
        write_whole(out, "".join(lines).encode())
    if as_json:
        print_json(result.as_dict())
        return
    say(result.table())


@evaluate.command("knowledge")
def manuals(
    folder: Annotated[Path, typer.Argument(help="A folder of manuals with a questions.jsonl in it.")] = Path(
        "examples/manuals"
    ),
    floor: Annotated[
        bool, typer.Option(help="Also search by the mean of the language model's embeddings.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Measure search and answers on manuals with known passages: words, meaning, and both.

    The manuals are read into a database of their own, which is thrown away.

    \b
    Examples:
      llava-agent eval knowledge
      llava-agent eval knowledge my-manuals --json
    """
    from llava_agent.exam.manuals.floor import TokenMean
    from llava_agent.exam.manuals.question import read_questions
    from llava_agent.exam.manuals.run import evaluate_manuals
    from llava_agent.vlm.text_embedder import load_text_embedder
    from llava_agent.vlm.weights import EMBEDDED, KNOWLEDGE, paths, present

    asked = read_questions(folder / "questions.jsonl")
    embedder = load_text_embedder() if present(KNOWLEDGE) else None
    if embedder is None:
        note("by words alone; to measure search by meaning: llava-agent models pull knowledge")
    floors = [TokenMean(paths(EMBEDDED)["language"])] if floor and present(EMBEDDED) else []
    result = evaluate_manuals(folder, asked, embedder, floors, note)
    if as_json:
        print_json(result.as_dict())
        return
    say(result.table())


def _show_reply(reply: Reply, finished: int, total: int) -> None:
    sign = "!" if reply.error else "✓" if reply.verdict.right else "✗"
    said = reply.error or f"{reply.answer} ({reply.confidence:.0%})"
    note(f"{finished:4}/{total} {sign} {reply.question.id}: {said}")


def _show(record: EpisodeRecord, finished: int, total: int) -> None:
    sign = "!" if record.error else "✓" if record.strict else "~" if record.lenient else "✗"
    steps = f"{record.steps} step{'s' if record.steps != 1 else ''}"
    how = record.error or f"reward {record.reward:g}, {steps}, {record.seconds:.1f} s"
    note(f"{finished:4}/{total} {sign} {record.condition.policy}  {record.task} {record.seed}: {how}")
