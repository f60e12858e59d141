"""`llava-agent file`: confirmed records to the system that keeps them."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llava_agent.commands.options import AsJson
from llava_agent.commands.output import note, print_json, say
from llava_agent.errors import ConfigError, LlavaAgentError

if TYPE_CHECKING:
    from llava_agent.service.desk import Desk
    from llava_agent.service.filing.target import Preview
    from llava_agent.service.store.filings import Filing

_EXIT = {"filed": 0, "failed": 1, "unknown": 5, "waiting": 3, "ready": 3, "sending": 3}


def file(
    records: Annotated[list[str], typer.Argument(metavar="RECORD...", help="Ids of confirmed records.")],
    to: Annotated[
        str, typer.Option(metavar="NAME|FILE", help="A destination of the desk file, or its own file.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be sent.")] = False,
    look: Annotated[
        bool, typer.Option("--look", help="Look in the other system for a filing that was cut off.")
    ] = False,
    desk: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The desk file; else your own or the shipped one.")
    ] = None,
    database: Annotated[
        str | None, typer.Option(metavar="URL", help="The server's database; your own if left out.")
    ] = None,
    files: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Folder of photos; else beside the database.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """File confirmed records through a configured API operation or web form, and check what arrived.

    What is missing is said in one sentence a field, and nothing is sent. Where the policy asks for an
    approval you are asked on the terminal; without a terminal the filing waits, and is sent by the service
    once it was approved. A record is never sent twice: what was cut off is looked for with --look.

    \b
    Exit codes:
      0  filed (with --dry-run: may be filed)
      1  failed: nothing was filed
      2  error
      3  waits for an approval, or the policy forbids it
      5  nobody knows whether it arrived: look in the other system

    \b
    Examples:
      llava-agent file record_0199f2c8b1a4 --dry-run
      llava-agent file record_0199f2c8b1a4 --to configs/filing/maintenance.yaml
      llava-agent file record_0199f2c8b1a4 --look --json
    """
    from llava_agent.gateway.principal import LOCAL

    opened = _desk(desk, database, files, to)
    name = opened.target(to)
    results: list[dict[str, Any]] = []
    codes = []
    for record in records:
        try:
            if look:
                done = opened.desk.filing.look(_unknown(opened.desk, record))
            elif dry_run:
                found = opened.desk.filing.preview(LOCAL, record, name)
                results.append(_previewed(found))
                codes.append(1 if found.parcel.problems else 3 if found.ruling.decision == "deny" else 0)
                continue
            else:
                done = _filed(opened.desk, record, name)
        except LlavaAgentError as error:
            if len(records) == 1:
                raise
            results.append({"record": record, "error": {"what": error.what, "mend": error.mend}})
            note(f"{record}: {error}")
            codes.append(error.exit_code)
            continue
        results.append(done.as_dict())
        codes.append(_EXIT[done.state])
    if as_json:
        print_json(results)
    else:
        for result in results:
            _print(result)
    raise typer.Exit(max(codes))


@dataclass(frozen=True, slots=True)
class _Opened:
    """The desk, and the name of a destination that was given as a file."""

    desk: Desk
    named: str

    def target(self, to: str) -> str:
        return self.named or to


def _desk(desk: Path | None, database: str | None, files: Path | None, to: str) -> _Opened:
    from llava_agent.assembly import assemble
    from llava_agent.database import open_database
    from llava_agent.service.desk import Desk
    from llava_agent.service.filing.target import Target
    from llava_agent.service.settings import Settings

    settings = Settings(database=database, desk=desk, files=files)
    made = Desk.make(settings, open_database(database), assemble)
    if not Path(to).suffix:
        return _Opened(made, "")
    target = Target.read(Path(to))
    others = [one for one in made.filing.targets if one.config.name != target.config.name]
    return _Opened(replace(made, filing=replace(made.filing, targets=(target, *others))), target.config.name)


def _filed(desk: Desk, record: str, to: str) -> Filing:
    """File one record here and now; a terminal is asked where the policy asks."""
    from llava_agent.gateway.principal import LOCAL

    filing, _ = desk.filing.begin(LOCAL, record, to)
    if filing.state == "waiting":
        filing = desk.filing.decided(filing)
    if filing.state == "waiting" and sys.stdin.isatty():
        _decide(desk, filing)
        filing = desk.filing.decided(filing)
    if filing.state == "waiting":
        note(f"{record} waits for the approval {filing.approval}: decide it on the page")
    return desk.filing.send(filing) if filing.state == "ready" else filing


def _decide(desk: Desk, filing: Filing) -> None:
    from llava_agent.service.auth.identity import MACHINE

    say(f"\nFile as {filing.title}?")
    for name, value in filing.sent.items():
        say(f"  {name}: {value}")
    yes = typer.prompt("y/n", default="n", show_default=False).strip().casefold() in ("y", "yes")
    decide = desk.approvals.approve if yes else desk.approvals.refuse
    decide(filing.approval, MACHINE.principal, "" if yes else "refused on the terminal")


def _unknown(desk: Desk, record: str) -> Filing:
    from llava_agent.gateway.principal import LOCAL

    found = [one for one in desk.filing.filings.of(LOCAL, record) if one.state in ("unknown", "sending")]
    if not found:
        raise ConfigError(f"the record {record} has no filing of unknown fate", "see its history")
    if found[0].state == "sending":
        raise ConfigError(
            f"the record {record} is being sent, or was until a moment ago",
            "wait ten minutes; a running service looks by itself",
        )
    return found[0]


def _previewed(found: Preview) -> dict[str, Any]:
    from llava_agent.service.routes.filings import preview_json

    return {"record": found.parcel.record, **preview_json(found)}


def _print(result: dict[str, Any]) -> None:
    if "error" in result:
        return
    if "problems" in result:
        state = "cannot be filed yet" if result["problems"] else f"may be filed ({result['decision']})"
        say(f"{result['record']}: {state} as {result['title']}")
        for name, value in result["values"].items():
            say(f"  {name}: {value}")
        for one in result["problems"]:
            say(f"  ! {one['sentence']}")
        return
    named = f" as {result['title']} {result['reference']}".rstrip() if result["state"] == "filed" else ""
    why = f" ({result['reason']})" if result["reason"] else ""
    say(f"{result['record']}: {result['state']}{named}{why}")
    if result["state"] == "filed" and result["verified"]:
        say("  read back: what is there equals what was sent")
    if result["link"]:
        say(f"  {result['link']}")
