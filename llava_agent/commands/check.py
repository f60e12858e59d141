"""`llava-agent check`: does a page or a picture show what it must?"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

from llava_agent.commands.options import AsJson, Preset
from llava_agent.commands.output import note, print_json, say

if TYPE_CHECKING:
    from llava_agent.checks.run import Models
    from llava_agent.checks.spec import Spec
    from llava_agent.checks.verdict import CheckResult, SpecResult

SIGNS = {"pass": "✓", "fail": "✗", "uncertain": "?", "error": "!"}


class _SpecsFirst(TyperGroup):
    """`check SPEC...` is short for `check run SPEC...`."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        if args and args[0] not in (*self.commands, "-h", "--help"):
            args = ["run", *args]
        return super().parse_args(ctx, args)


check = typer.Typer(
    cls=_SpecsFirst,
    no_args_is_help=True,
    help="Check pages and pictures against specs: `check SPEC...`, `check init URL`.",
)

Report = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Write an HTML report with the regions drawn.")
]
Junit = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write JUnit XML; its images go to the report's folder."),
]


@check.command("run")
def run(
    specs: Annotated[list[Path], typer.Argument(metavar="SPEC...", help="YAML files, or folders of them.")],
    report: Report = None,
    junit: Junit = None,
    jobs: Annotated[int, typer.Option(min=1, max=16, help="Specs at a time, each in its own browser.")] = 1,
    update_baselines: Annotated[
        bool, typer.Option("--update-baselines", help="Store what `matches` sees now as right; not in CI.")
    ] = False,
    in_ci: Annotated[bool, typer.Option("--in-ci", help="Update baselines in CI all the same.")] = False,
    model: Preset = "auto",
    as_json: AsJson = False,
) -> None:
    """Check pages and pictures against specs: exact means first, a model only for `asks` and `do`.

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
      llava-agent check checks/ --report report --junit report/junit.xml --jobs 4
      llava-agent check orders.yaml --json
      llava-agent check run checks/ --update-baselines    (`run` may be left out)
    """
    from llava_agent.checks.baselines import refuse_in_ci
    from llava_agent.checks.run import run_specs
    from llava_agent.checks.spec import read_specs

    if update_baselines:
        refuse_in_ci(asked=in_ci)
    found = read_specs(specs)
    work = run_specs(
        found, _models(model, found), update_baselines=update_baselines, jobs=jobs, progress=show
    )
    finish(asyncio.run(work), report, junit, as_json)


def finish(result: CheckResult, report: Path | None, junit: Path | None, as_json: bool) -> None:
    """Write what was asked for, say what came of it, and end with its exit code."""
    from llava_agent.checks.junit import write_junit
    from llava_agent.checks.report import write_report

    page, images = write_report(result, report) if report else (None, {})
    if junit is not None:
        write_junit(result, junit, images)
    if as_json:
        print_json(result.as_dict())
    else:
        for one in (one for spec in result.specs for one in spec.written):
            say(f"baseline {one.change}: {one.path}")
        say(result.status)
        if page:
            say(f"Report: {page}")
    raise typer.Exit(result.exit_code)


def _models(model: str, specs: list[tuple[Path, Spec]]) -> Models | None:
    """The model, loaded only where a spec asks one."""
    if not any(spec.asks_model for _, spec in specs):
        return None
    from llava_agent.assembly import assemble
    from llava_agent.checks.model import models_of

    return models_of(assemble(model))


def show(result: SpecResult, finished: int, total: int) -> None:
    """A spec as it is done, on stderr: what does not hold in full, what holds as a number."""
    held = sum(verdict.status == "pass" for verdict in result.verdicts)
    note(
        f"{finished:4}/{total} {SIGNS[result.status]} {result.name} ({result.seconds:.1f} s"
        f"{f', {held} hold' if result.verdicts else ''})"
    )
    if result.problem:
        note(f"       ! {result.problem}")
    for verdict in result.verdicts:
        if verdict.status != "pass":
            note(f"       {SIGNS[verdict.status]} {verdict.words}: {verdict.detail}")
