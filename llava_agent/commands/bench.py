"""`llava-agent bench`: how fast it is here, beside a peer and beside the machine's limits."""

from __future__ import annotations

from typing import Annotated

import typer

from llava_agent.commands.options import AsJson
from llava_agent.commands.output import print_json, say

bench = typer.Typer(help="Measure speed on this machine.", no_args_is_help=True)


@bench.callback()
def common() -> None:
    """Keeps `decode` a sub-command although it is the only one."""


@bench.command()
def decode(
    pairs: Annotated[int, typer.Option(min=2, max=200, help="Timed runs of each engine.")] = 20,
    prompt_tokens: Annotated[int, typer.Option(min=8, max=4096, help="Length of the prompt.")] = 128,
    new_tokens: Annotated[int, typer.Option(min=4, max=1024, help="Tokens generated after it.")] = 64,
    threads: Annotated[int, typer.Option(min=1, max=64, help="Cores to use.")] = 2,
    as_json: AsJson = False,
) -> None:
    """Time the embedded model's engine against transformers on the same weights.

    Agreement with fp32 is checked first; then the engines run in turns. Takes a few minutes.

    \b
    Examples:
      llava-agent bench decode
      llava-agent bench decode --pairs 5 --json
    """
    from dataclasses import asdict

    from llava_agent.bench.decode import Settings
    from llava_agent.bench.embedded import bench_embedded
    from llava_agent.bench.table import lines
    from llava_agent.vlm.weights import progress_bar

    settings = Settings(pairs=pairs, prompt_tokens=prompt_tokens, new_tokens=new_tokens, threads=threads)
    with progress_bar() as progress:
        report = bench_embedded(settings, progress)
    if as_json:
        print_json(asdict(report))
        return
    for line in lines(report):
        say(line)
