"""`llava-agent approvals`: what waits for a person, and the person's word."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from llava_agent.commands.options import AsJson
from llava_agent.commands.output import note, print_json, say
from llava_agent.errors import ConfigError, PermissionDenied

if TYPE_CHECKING:
    from llava_agent.database import Database
    from llava_agent.gateway.approvals import Approval, Approvals
    from llava_agent.gateway.principal import Principal

approvals = typer.Typer(
    help="What waits for a person's word: list, approve, refuse. Nobody decides what they asked for.",
    no_args_is_help=True,
)

Id = Annotated[str, typer.Argument(metavar="ID", help="Of the approval, as `approvals list` shows it.")]
As = Annotated[
    str | None,
    typer.Option("--as", metavar="USER", help="Who decides; needed where the server has accounts."),
]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]
Reason = Annotated[str, typer.Option(help="Why, for the record.")]
At = Annotated[
    str | None,
    typer.Option("--database", metavar="URL", help="The server's database; your own if left out."),
]


@approvals.command("list")
def list_them(
    user: As = None, password_stdin: FromStdin = False, database: At = None, as_json: AsJson = False
) -> None:
    """List what you may decide now, the oldest first.

    \b
    Examples:
      llava-agent approvals list
      llava-agent approvals list --as lead --json
    """
    parts, by = _parts(database, user, password_stdin)
    found = parts.waiting(by)
    if as_json:
        print_json([asdict(one) for one in found])
        return
    for one in found:
        say(f"{one.id}  until {_clock(one.expires)}  {one.summary}")
    if not found:
        note("nothing waits for your decision")


@approvals.command()
def approve(
    name: Id,
    reason: Reason = "",
    user: As = None,
    password_stdin: FromStdin = False,
    database: At = None,
    as_json: AsJson = False,
) -> None:
    """Let exactly this happen, once, in time.

    \b
    Examples:
      llava-agent approvals approve 3f9a0c2b71de --reason "as agreed with the workshop"
      pass show lead | llava-agent approvals approve 3f9a0c2b71de --as lead --password-stdin
    """
    parts, by = _parts(database, user, password_stdin)
    _told(parts.approve(name, by, reason), as_json)


@approvals.command()
def refuse(
    name: Id,
    reason: Reason = "",
    user: As = None,
    password_stdin: FromStdin = False,
    database: At = None,
    as_json: AsJson = False,
) -> None:
    """Do not let it happen.

    \b
    Examples:
      llava-agent approvals refuse 3f9a0c2b71de --reason "wrong machine"
    """
    parts, by = _parts(database, user, password_stdin)
    _told(parts.refuse(name, by, reason), as_json)


def _parts(database: str | None, user: str | None, password_stdin: bool) -> tuple[Approvals, Principal]:
    """The approvals, and who decides: the person at this machine, or a user who proves to be that."""
    from llava_agent.database import open_database
    from llava_agent.gateway.approvals import Approvals
    from llava_agent.gateway.audit import open_audit
    from llava_agent.gateway.principal import Principal
    from llava_agent.service.auth.users import Users

    opened = open_database(database)
    parts = Approvals(opened, audit=open_audit(opened))
    if user is not None:
        return parts, _user(opened, user, _password(password_stdin))
    if Users(opened).all():
        raise ConfigError("the server has accounts, so a decision needs one", "give --as USER")
    return parts, Principal(roles=frozenset({"approver"}))


def _user(database: Database, name: str, password: str) -> Principal:
    """Raises WrongPassword, TooManyGuesses, PermissionDenied."""
    from llava_agent.service.auth.lockout import Lockout
    from llava_agent.service.auth.login import Door
    from llava_agent.service.auth.rights import rights
    from llava_agent.service.auth.sessions import Sessions
    from llava_agent.service.auth.users import Users

    users = Users(database)
    found = Door(users, Sessions(database), Lockout(database)).known(name, password)
    if found.must_change or "approvals.decide" not in rights(found.roles, found.denied):
        raise PermissionDenied(
            f"{found.name} may not decide approvals", "it takes a role that may, and a password of one's own"
        )
    return found.principal()


def _password(stdin: bool) -> str:
    """Never an argument: those can be read by every program of the machine."""
    if stdin:
        return sys.stdin.readline().rstrip("\r\n")
    password: str = typer.prompt("Password", hide_input=True, err=True)
    return password


def _told(one: Approval, as_json: bool) -> None:
    if as_json:
        print_json(asdict(one))
    else:
        say(f"{one.id} is {one.state} by {one.decider}, good until {_clock(one.expires)}")


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
