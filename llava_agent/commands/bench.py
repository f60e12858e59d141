"""`llava-agent bench`: how fast it is here, beside a peer and beside the machine's limits."""

from __future__ import annotations

from typing import Annotated

import typer

from llava_agent.commands.options import AsJson
from llava_agent.commands.output import note, print_json, say

bench = typer.Typer(help="Measure speed on this machine.", no_args_is_help=True)


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


@bench.command()
def ledger(
    rows: Annotated[int, typer.Option(min=1000, max=20_000_000, help="Calls to make up.")] = 1_000_000,
    tries: Annotated[int, typer.Option(min=3, max=1000, help="Times each page is read.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Time pages of a long ledger, in a database of its own that is removed again.

    \b
    Examples:
      llava-agent bench ledger
      llava-agent bench ledger --rows 100000 --json
    """
    from dataclasses import asdict

    from llava_agent.bench.ledger import bench_ledger

    def progress(done: int, of: int) -> None:
        if done % 100_000 == 0:
            note(f"{done:,} of {of:,} rows written")

    report = bench_ledger(rows, tries, progress)
    if as_json:
        print_json(asdict(report))
        return
    say(f"{report.rows:,} rows, {report.file_mb:,.0f} MB; median and largest of {tries}, in ms")
    for name in ("first", "middle", "run", "model", "write"):
        median, largest = getattr(report, name)
        say(f"  {name:<8}{median:>9.2f}{largest:>9.2f}")
    say(f"  usage   {report.usage:>9.0f}  (sums and percentiles over all rows)")
