"""`llava-agent run`: the agent works on a page or an API until the end is verified or a limit is reached."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from llava_agent.commands.options import AsJson, Preset
from llava_agent.commands.output import INTERRUPTED, note, print_json, say
from llava_agent.commands.steps import live_steps
from llava_agent.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llava_agent.agent.attendant import Terminal
    from llava_agent.agent.expect import Expectation
    from llava_agent.agent.loop import Progress
    from llava_agent.agent.result import RunResult
    from llava_agent.agent.run import MakePolicy
    from llava_agent.agent.supervision import Supervision
    from llava_agent.assembly import Core

PolicyName = Literal["routed", "unplanned", "vision", "text", "random", "blind"]
#: Policies that ask no model: the floors that figures are compared with.
_WITHOUT_MODEL = ("random", "blind")


def run(
    url: Annotated[str | None, typer.Option(metavar="URL", help="Page to work on.")] = None,
    task: Annotated[str | None, typer.Option(metavar="TEXT", help="The goal, in your words.")] = None,
    image: Annotated[
        list[Path] | None, typer.Option(metavar="PHOTO", help="Photo the agent may look at; may be repeated.")
    ] = None,
    surface: Annotated[
        Literal["page", "api"], typer.Option(help="`api`: the URL is an OpenAPI document, used as a form.")
    ] = "page",
    observation: Annotated[
        Literal["pixels", "hybrid"],
        typer.Option(help="See by pixels alone, or also by the page's accessibility tree."),
    ] = "hybrid",
    policy: Annotated[
        PolicyName | None,
        typer.Option(help="Who decides (routed); `random` and `blind` are floors to compare with."),
    ] = None,
    expect_text: Annotated[
        list[str] | None,
        typer.Option(metavar="TEXT", help="The page must show this at the end; may be repeated."),
    ] = None,
    expect_url: Annotated[
        list[str] | None,
        typer.Option(metavar="TEXT", help="The address must contain this at the end; may be repeated."),
    ] = None,
    max_steps: Annotated[int | None, typer.Option(min=1, help="Hard limit of steps (30).")] = None,
    max_seconds: Annotated[float | None, typer.Option(min=1, help="Hard limit of seconds (600).")] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="Hard limit of tokens (none).")] = None,
    max_image_tokens: Annotated[
        int | None, typer.Option(min=1, help="Hard limit of image tokens (none).")
    ] = None,
    max_money: Annotated[
        float | None, typer.Option(min=0, help="Hard limit of money, by the prices of the presets (none).")
    ] = None,
    permissions: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What the agent may do; configs/policy/agent.yaml if not given."),
    ] = None,
    secrets: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What {{secret:NAME}} in the task stands for; see docs/agent.md."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of the run; runs/<time> where not given.")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Go on with the run in this folder after a kill.")
    ] = None,
    tools: Annotated[
        Path | None,
        typer.Option(
            metavar="YAML",
            help="Tools that the run may call, such as the manuals; `default` takes the shipped file.",
        ),
    ] = None,
    model: Preset = "auto",
    as_json: AsJson = False,
) -> None:
    """Work on a page until the result is verified, a limit is reached, or nothing can go on.

    Success is checked, never claimed: without --expect-text or --expect-url the best end is `unverified`.

    What deletes or costs money, and what sends anything to another host than the page's, waits for your `y`
    on the terminal; without a terminal the run ends as `blocked`. --permissions gives other rules.

    \b
    Exit codes:
      0  passed       the expectations were checked and hold
      1  failed       they were checked and do not hold
      2  error        wrong options, no weights
      3  blocked      nothing can go on, or a guard refused
      4  budget       a limit was reached first
      5  unverified   done, but there was nothing to check it by
      130             interrupted; --resume goes on

    \b
    Examples:
      llava-agent run --url http://localhost:8000 --task "Log in as ada" --expect-text "Welcome"
      llava-agent run --url http://localhost:8000/new --image pump.jpg \\
          --task "File a ticket with the serial number from the photo" --expect-url /tickets/
      llava-agent run --url http://localhost:8000/new --tools default \\
          --task "File a ticket with the meaning of error E14 on the NK 65-200"
      llava-agent run --resume runs/20260102-101500
    """
    expectations = _expectations(expect_text or (), expect_url or ())
    if resume is not None:
        _only_resume(url, task, image, out, max_steps, max_seconds, max_tokens, max_image_tokens, max_money)
        folder = resume
        decider, looks = _stored(resume, policy)
    else:
        if not url or not task:
            raise ConfigError("a run needs --url and --task", "or --resume with the folder of an earlier run")
        folder = out or Path("runs") / datetime.now().strftime("%Y%m%d-%H%M%S")
        decider, looks = policy or "routed", bool(image)
    terminal = terminal_here()
    supervision = supervision_of(permissions, terminal, secrets)
    core = _core(model, decider, looks)

    async def work(progress: Progress) -> RunResult:
        from llava_agent.toolset.config import DEFAULT, read_toolset
        from llava_agent.toolset.open import open_toolbox

        if tools is None:
            return await go(progress, supervision)
        chosen = Path(DEFAULT) if tools == Path("default") else tools
        async with open_toolbox(read_toolset(chosen), folder, beside=chosen.parent) as toolbox:
            return await go(progress, replace(supervision, tools=toolbox))

    async def go(progress: Progress, supervision: Supervision) -> RunResult:
        from llava_agent.agent.run import resume_task, run_task
        from llava_agent.agent.state import Budget

        if resume is not None:
            return await resume_task(
                folder,
                gateway=core.gateway,
                policy=_policy(decider),
                expectations=expectations,
                find=core.find,
                progress=progress,
                supervision=supervision,
            )
        limits = Budget()
        return await run_task(
            str(url),
            str(task),
            gateway=core.gateway,
            out=folder,
            images=image or (),
            surface=surface,
            observation=observation,
            policy=_policy(decider),
            budget=Budget(
                max_steps or limits.steps,
                max_seconds or limits.seconds,
                max_tokens,
                max_image_tokens,
                None if max_money is None else Decimal(str(max_money)),
            ),
            expectations=expectations,
            find=core.find,
            progress=progress,
            supervision=supervision,
        )

    try:
        with live_steps(terminal) as progress:
            result = asyncio.run(work(progress))
    except KeyboardInterrupt:
        _report(folder)
        note(f"interrupted; go on with: llava-agent run --resume {folder}")
        raise typer.Exit(INTERRUPTED) from None
    if as_json:
        print_json(result.as_dict())
    else:
        _print(result)
    raise typer.Exit(result.exit_code)


def _report(folder: Path) -> None:
    """The report of a run that was interrupted, if it had begun."""
    from llava_agent.agent.report import write_report

    if (folder / "run.json").exists():
        write_report([folder], folder / "report.html", title="Interrupted run")


def _only_resume(*others: object) -> None:
    if any(other for other in others):
        raise ConfigError(
            "--resume goes on with what the run was asked",
            "leave out --url, --task, --image, --out and the limits",
        )


def _stored(folder: Path, policy: str | None) -> tuple[str, bool]:
    """Who decides in a run that goes on, and whether it has photos to look at.

    Raises:
        ConfigError: the folder holds no run.
    """
    from llava_agent.agent.trace import Trace

    settings = Trace.open(folder).settings
    return policy or settings.policy, bool(settings.photos)


def _core(model: str, policy: str, looks: bool) -> Core:
    from llava_agent.assembly import assemble, without_models

    return assemble(model) if looks or policy not in _WITHOUT_MODEL else without_models()


def _policy(name: str) -> str | MakePolicy:
    from llava_agent.agent.baselines import BlindPolicy, RandomPolicy

    if name == "random":
        return lambda _: RandomPolicy()
    return (lambda _: BlindPolicy()) if name == "blind" else name


def terminal_here() -> Terminal | None:
    """The person at the terminal, where there is one."""
    from llava_agent.agent.attendant import Terminal

    return Terminal() if sys.stdin.isatty() and sys.stderr.isatty() else None


def supervision_of(permissions: Path | None, terminal: Terminal | None, secrets: Path | None) -> Supervision:
    from llava_agent.agent.permission import DEFAULT, Permission
    from llava_agent.agent.secret import Secrets
    from llava_agent.agent.supervision import Supervision

    known = Secrets.read(secrets) if secrets else Secrets()
    return Supervision(Permission.read(permissions or DEFAULT), terminal, secrets=known)


def _expectations(texts: Sequence[str], addresses: Sequence[str]) -> list[Expectation]:
    from llava_agent.agent.expect import AddressHas, Shows

    return [*(Shows(text) for text in texts), *(AddressHas(part) for part in addresses)]


def _print(result: RunResult) -> None:
    say(f"{result.status}: {result.reason}")
    for fact in result.facts:
        say(f"  {fact.name}: {fact.value}   ({fact.confidence:.0%} sure)")
    for name, total in result.models.items():
        say(f"  {name}: {total.calls} calls, {total.tokens} tokens, {total.ms / 1000:.1f} s")
    say(f"  {result.spent.steps} steps in {result.spent.seconds:.1f} s")
    say(f"Report: {result.report}")
