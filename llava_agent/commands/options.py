"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
Preset = Annotated[
    str,
    typer.Option(
        "--model",
        metavar="MODEL",
        help="A model of the policy, a preset (`llava-agent models list`) or a file; `auto`: the policy's.",
    ),
]
