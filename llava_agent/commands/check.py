"""`llava-agent check`: does a page or a picture show what it must?"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llava_agent.commands.options import AsJson, Preset
from llava_agent.commands.output import note, print_json, say

if TYPE_CHECKING:
    from llava_agent.checks.judge import Ask
    from llava_agent.checks.spec import Spec
    from llava_agent.checks.verdict import SpecResult

_SIGNS = {"pass": "✓", "fail": "✗", "uncertain": "?", "error": "!"}


def check(
    specs: Annotated[list[Path], typer.Argument(metavar="SPEC...", help="YAML files, or folders of them.")],
    report: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write an HTML report with the regions drawn.")
    ] = None,
    junit: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write JUnit XML; its images go to the report's folder."),
    ] = None,
    update_baselines: Annotated[
        bool, typer.Option("--update-baselines", help="Store what `matches` sees now as right.")
    ] = False,
    model: Preset = "auto",
    as_json: AsJson = False,
) -> None:
    """Check pages and pictures against specs: exact means first, a model only for `asks`.

    \b
    Exit codes:
      0  pass       everything holds
      1  fail       something does not
      2  error      a spec is wrong, or a page cannot be reached
      3  uncertain  nothing failed, but something could not be decided

    \b
    The smallest spec:
      name: orders
      page: http://localhost:8000/orders
      expect:
        - shows: Save changes
        - text: "Total: 42 EUR"

    \b
    Examples:
      llava-agent check checks/ --report report --junit report/junit.xml
      llava-agent check orders.yaml --json
    """
    from llava_agent.checks.junit import write_junit
    from llava_agent.checks.report import write_report
    from llava_agent.checks.run import run_specs
    from llava_agent.checks.spec import read_specs

    found = read_specs(specs)
    result = asyncio.run(
        run_specs(found, _ask(model, found), update_baselines=update_baselines, progress=_show)
    )
    page, images = write_report(result, report) if report else (None, {})
    if junit is not None:
        write_junit(result, junit, images)
    if as_json:
        print_json(result.as_dict())
    else:
        say(f"{result.status}")
        if page:
            say(f"Report: {page}")
    raise typer.Exit(result.exit_code)


def _ask(model: str, specs: list[tuple[Path, Spec]]) -> Ask | None:
    """The model, loaded only where a spec asks one."""
    if not any(one.asks for _, spec in specs for one in spec.expect):
        return None
    from llava_agent.assembly import assemble
    from llava_agent.checks.model import ask_with

    return ask_with(assemble(model))


def _show(result: SpecResult, finished: int, total: int) -> None:
    note(f"{finished:4}/{total} {_SIGNS[result.status]} {result.name} ({result.seconds:.1f} s)")
    if result.problem:
        note(f"       ! {result.problem}")
    for verdict in result.verdicts:
        detail = f": {verdict.detail}" if verdict.detail else ""
        note(f"       {_SIGNS[verdict.status]} {verdict.words}{detail}")
