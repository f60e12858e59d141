"""`llava-agent users`: accounts of the server, from its own machine."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from llava_agent.commands.options import AsJson
from llava_agent.commands.output import note, print_json, say
from llava_agent.errors import ConfigError
from llava_agent.gateway.principal import LOCAL

if TYPE_CHECKING:
    from llava_agent.service.auth.accounts import Accounts
    from llava_agent.service.auth.users import User, Users

users = typer.Typer(help="Accounts of the server: add, list, disable, set a password.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the user.")]
At = Annotated[
    str | None,
    typer.Option("--database", metavar="URL", help="The server's database; your own if left out."),
]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


@users.command()
def add(
    name: Name,
    role: Annotated[
        list[str] | None,
        typer.Option(help="admin, policy_officer, auditor, approver, member, agent_service; repeatable."),
    ] = None,
    department: Annotated[str, typer.Option(help="Whose budget the user spends.")] = "",
    password_stdin: FromStdin = False,
    database: At = None,
    as_json: AsJson = False,
) -> None:
    """Add a user. Without a password of yours one is made, printed once, and has to be changed.

    \b
    Examples:
      llava-agent users add maria --role member
      llava-agent users add lead --role member --role approver --department qa
      pass show lead | llava-agent users add lead --role member --password-stdin
    """
    from llava_agent.service.auth import passwords

    made = None if password_stdin else passwords.one_time()
    user = _accounts(database).add(
        LOCAL,
        name,
        made or _from_stdin(),
        role or ["member"],
        department=department,
        must_change=made is not None,
    )
    if as_json:
        print_json({**user.as_dict(), **({"one_time_password": made} if made else {})})
        return
    say(f"added {user.name} ({', '.join(sorted(user.roles))})")
    _tell(made)


@users.command("list")
def list_them(database: At = None, as_json: AsJson = False) -> None:
    """List the users with their roles.

    \b
    Examples:
      llava-agent users list
      llava-agent users list --json
    """
    found = _accounts(database).users.all()
    if as_json:
        print_json([user.as_dict() for user in found])
        return
    for user in found:
        state = "disabled" if user.disabled else "has to change the password" if user.must_change else ""
        say(f"{user.name:<20} {', '.join(sorted(user.roles)):<32} {user.department:<12} {state}".rstrip())
    if not found:
        note("there are no users yet: llava-agent users add NAME --role member")


@users.command()
def disable(
    name: Name,
    undo: Annotated[bool, typer.Option("--undo", help="Open the account again.")] = False,
    database: At = None,
    as_json: AsJson = False,
) -> None:
    """Shut an account: its sessions end at once, its API keys stop working.

    \b
    Examples:
      llava-agent users disable maria
      llava-agent users disable maria --undo
    """
    accounts = _accounts(database)
    known(accounts.users, name)
    accounts.change(LOCAL, name, disabled=not undo)
    if as_json:
        print_json({"name": name, "disabled": not undo})
    else:
        say(f"{name} is {'open again' if undo else 'disabled'}")


@users.command()
def password(
    name: Name, password_stdin: FromStdin = False, database: At = None, as_json: AsJson = False
) -> None:
    """Set a new password; all sessions of the user end, and a lock after wrong guesses is lifted.

    \b
    Examples:
      llava-agent users password maria
      pass show maria | llava-agent users password maria --password-stdin
    """
    from llava_agent.service.auth import passwords

    made = None if password_stdin else passwords.one_time()
    accounts = _accounts(database)
    known(accounts.users, name)
    accounts.set_password(LOCAL, name, made or _from_stdin(), must_change=made is not None)
    if as_json:
        print_json({"name": name, **({"one_time_password": made} if made else {})})
        return
    say(f"{name} has a new password")
    _tell(made)


def _accounts(database: str | None) -> Accounts:
    from llava_agent.service.auth.accounts import open_accounts

    return open_accounts(database)


def known(users: Users, name: str) -> User:
    """Raises ConfigError where there is no such user."""
    found = users.find(name.lower())
    if found is None:
        raise ConfigError(f"there is no user {name!r}", "see: llava-agent users list")
    return found


def _tell(made: str | None) -> None:
    if made:
        say(f"one-time password: {made}")
        note("It is not shown again, and has to be changed at the first login.")


def _from_stdin() -> str:
    """Never an argument: those can be read by every program of the machine."""
    if sys.stdin.isatty():
        raise ConfigError("--password-stdin reads the password from a pipe", "leave it out to have one made")
    return sys.stdin.readline().rstrip("\r\n")
