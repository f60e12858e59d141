"""`llava-agent doctor`: is everything there, and what to do where it is not."""

from __future__ import annotations

from dataclasses import asdict

import typer

from llava_agent.commands.options import AsJson
from llava_agent.commands.output import print_json

_SIGNS = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "fail": ("✗", "red")}


def doctor(as_json: AsJson = False) -> None:
    """Check Python, packages, browser, weights, GPU, disk and memory, and say the mend for each problem.

    Exit code 1 where something is missing that the main job needs.

    \b
    Examples:
      llava-agent doctor
      llava-agent doctor --json
    """
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
