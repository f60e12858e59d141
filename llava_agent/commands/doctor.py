"""`llava-agent doctor`: is everything there, and what to do where it is not."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from llava_agent.commands.options import AsJson
from llava_agent.commands.output import note, print_json

if TYPE_CHECKING:
    from llava_agent.reach import Attempt

_SIGNS = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "fail": ("✗", "red")}


_VERDICTS = {
    "refused": ("✓", "green"),
    "allowed": ("•", "blue"),
    "reached": ("✗", "red"),
    "not_run": ("!", "yellow"),
}


def doctor(
    egress: Annotated[
        bool, typer.Option("--egress", help="Try every path to the network and show what lets it through.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check Python, packages, browser, weights, GPU, disk and memory, and say the mend for each problem.

    Exit code 1 where something is missing that the main job needs. With --egress: where something could be
    reached that nothing permits, or where a path could not be tried.

    \b
    Examples:
      llava-agent doctor
      llava-agent doctor --json
      llava-agent doctor --egress
    """
    if egress:
        raise typer.Exit(_egress(as_json))
    from llava_agent.doctor import diagnose, healthy

    checks = diagnose()
    if as_json:
        print_json({"healthy": healthy(checks), "checks": [asdict(check) for check in checks]})
    else:
        from rich.console import Console
        from rich.text import Text

        console = Console(highlight=False, soft_wrap=True)
        for check in checks:
            sign, colour = _SIGNS[check.status]
            console.print(Text.assemble((f"{sign} ", colour), f"{check.name:<10}{check.found}"))
            if check.mend:
                console.print(Text(f"  {'':<10}-> {check.mend}", style="bold"))
    raise typer.Exit(0 if healthy(checks) else 1)


def _egress(as_json: bool) -> int:
    """Show what can be reached and by what; the exit code."""
    from llava_agent.reach import prove, proved

    if as_json:
        found = prove()
        print_json({"proved": proved(found), "attempts": [asdict(one) for one in found]})
        return 0 if proved(found) else 1
    found = prove(_show)
    counts = {verdict: sum(one.verdict == verdict for one in found) for verdict in _VERDICTS}
    note(
        f"{len(found)} paths: {counts['refused']} refused, {counts['allowed']} allowed, "
        f"{counts['reached']} REACHED, {counts['not_run']} not run"
    )
    return 0 if proved(found) else 1


def _show(one: Attempt) -> None:
    from rich.console import Console
    from rich.text import Text

    sign, colour = _VERDICTS[one.verdict]
    said = one.verdict.replace("_", " ")
    line = Text.assemble((f"{sign} {said:<8}", colour), f"{one.path}: {one.tried}")
    console = Console(highlight=False, soft_wrap=True)
    console.print(line)
    console.print(Text(f"            by {one.by}", style="dim"))
