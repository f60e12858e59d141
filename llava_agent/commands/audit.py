"""`llava-agent audit`: verify, show and export the record of what happened."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llava_agent.commands.options import AsJson
from llava_agent.commands.output import print_json, say
from llava_agent.errors import ConfigError

if TYPE_CHECKING:
    from llava_agent.gateway.audit import Audit

audit = typer.Typer(help="The audit log: verify, show, export.", no_args_is_help=True)


@audit.command("verify")
def verify(
    file: Annotated[
        Path | None, typer.Option("--file", help="Check an exported log in place of the database.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check that no record was changed, removed, added or moved. Works offline, with the own keys.

    Exit code 1 where something is wrong.

    \b
    Examples:
      llava-agent audit verify
      llava-agent audit verify --file audit.jsonl
    """
    from llava_agent.gateway.audit.keys import find_keys
    from llava_agent.gateway.audit.verify import verify as check
    from llava_agent.gateway.audit.verify import verify_export

    found = verify_export(file, find_keys(make=False)) if file else check(_audit())
    if as_json:
        names = ("whole", "records", "heads", "count", "problems", "open")
        print_json({name: getattr(found, name) for name in names})
    else:
        verdict = "whole" if found.whole else f"NOT whole, {found.count} problems"
        say(f"{found.records} records, {found.heads} signed heads: the chain is {verdict}")
        for problem in found.problems:
            say(f"  {problem}")
        if found.open:
            last = found.open[-1]
            say(f"  {len(found.open)} calls were begun and never ended, the last one in record {last}")
    raise typer.Exit(0 if found.whole else 1)


@audit.command("show")
def show(
    last: Annotated[int, typer.Option("--last", min=1, help="How many records, from the end.")] = 20,
    run: Annotated[str, typer.Option("--run", metavar="ID", help="Only those of one run.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show the newest records: who did what when, and how it ended; never content.

    \b
    Examples:
      llava-agent audit show
      llava-agent audit show --last 100 --json
    """
    log = _audit()
    end = log.last()
    after = 0 if run or end is None else end[0] - last
    records: list[dict[str, Any]] = [json.loads(record) for _, record, _ in log.rows(max(0, after))]
    records = [one for one in records if not run or one["body"].get("run") == run][-last:]
    if as_json:
        print_json(records)
        return
    if not records:
        say("The audit log is empty." if not run else f"There is no record of the run {run}.")
    for one in records:
        say(_line(one))


@audit.command("export")
def export(
    path: Annotated[Path, typer.Argument(help="File to write, JSON lines.")],
    as_json: AsJson = False,
) -> None:
    """Write all records and signed heads to a file, which `audit verify --file` checks.

    \b
    Examples:
      llava-agent audit export audit.jsonl
    """
    from llava_agent.gateway.audit.verify import export as write

    if path.is_dir():
        raise ConfigError(f"{path} is a folder", "give the path of a file")
    log = _audit()
    count = write(log, path)
    if as_json:
        print_json(
            {"records": count, "file": str(path), "public_key": log.keys.public_hex if count else None}
        )
    else:
        say(f"{count} records in {path}")


def _audit() -> Audit:
    from llava_agent.database import open_database
    from llava_agent.gateway.audit import open_audit

    return open_audit(open_database())


def _line(record: dict[str, Any]) -> str:
    to = f" of {record['of']}" if "of" in record else ""
    told = {key: value for key, value in record["body"].items() if value not in (None, "")}
    body = ", ".join(f"{key}={_short(value)}" for key, value in told.items())
    return f"{record['sequence']:>6}  {record['time'][:19]}  {record['kind']}{to}  {body}"


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:37] + "..."
