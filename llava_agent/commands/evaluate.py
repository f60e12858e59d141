"""`llava-agent evaluate`: measure a preset on questions with known answers, or compare two measurements."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llava_agent.commands.options import AsJson
from llava_agent.commands.output import note, print_json, say

if TYPE_CHECKING:
    from llava_agent.exam.questions.run import Reply


def evaluate(
    preset: Annotated[str | None, typer.Argument(help="A preset, or the path of its YAML file.")] = None,
    suite: Annotated[
        str, typer.Option(metavar="screens|equipment|FILE", help="Rendered pictures, or questions of yours.")
    ] = "equipment",
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many questions.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the result, runs/evaluate-<time> by default."),
    ] = None,
    pictures: Annotated[Path, typer.Option(metavar="DIR", help="Where suites' pictures are kept.")] = Path(
        "runs/suites"
    ),
    against: Annotated[
        tuple[Path, Path] | None,
        typer.Option("--compare", metavar="RUN_A RUN_B", help="Compare two results instead."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Accuracy with 95 % intervals, by kind, against the floor of the most common answer.

    The pictures of the suites come from seeds, and the screens from UI kits, that nothing is trained on.
    --compare tests two results question by question and writes the changed answers as a page.

    \b
    Examples:
      llava-agent evaluate embedded --suite equipment --limit 100
      llava-agent evaluate runs/mine/preset.yaml --suite photos/questions.jsonl --json
      llava-agent evaluate --compare runs/evaluate-1 runs/evaluate-2 --out runs/compared
    """
    folder = out or Path("runs") / f"evaluate-{datetime.now():%Y%m%d-%H%M%S}"
    if against is not None:
        if preset is not None:
            raise typer.BadParameter("--compare takes results, no preset")
        _compare(against, folder, as_json)
        return
    if preset is None:
        raise typer.BadParameter("name a preset, or give --compare RUN_A RUN_B")
    from training.suite.measure import measure

    result = measure(preset, suite, pictures, limit, _show)
    result.save(folder)
    if as_json:
        print_json({**result.as_dict(), "folder": str(folder)})
    else:
        say(result.table())
        say(f"Result: {folder}")


def _compare(runs: tuple[Path, Path], folder: Path, as_json: bool) -> None:
    from llava_agent.agent.trace import write_whole
    from training.suite.compare import compare, page

    compared = compare(*runs)
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / "compare.html", page(compared, *runs).encode())
    if as_json:
        print_json({**compared.as_dict(), "page": str(folder / "compare.html")})
        return
    found = compared.as_dict()
    low, high = found["interval"]
    say(
        f"{runs[0]}: {compared.right[0]} of {compared.total}; {runs[1]}: {compared.right[1]}; difference "
        f"{found['difference']:+.1%} [{low:+.1%}, {high:+.1%}], won {compared.won}, lost {compared.lost}, "
        f"p = {compared.p:.3g}"
    )
    say(f"Changed answers: {folder / 'compare.html'}")


def _show(reply: Reply, finished: int, total: int) -> None:
    note(f"{finished:4}/{total} {'✓' if reply.verdict.right else '✗'} {reply.question.id}: {reply.answer}")
