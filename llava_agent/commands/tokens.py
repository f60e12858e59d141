"""`llava-agent tokens`: API keys for programs that use the server."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from llava_agent.commands.options import AsJson
from llava_agent.commands.output import note, print_json, say
from llava_agent.commands.users import known
from llava_agent.gateway.principal import LOCAL

if TYPE_CHECKING:
    from llava_agent.service.auth.tokens import Token

tokens = typer.Typer(help="API keys of the server's users: create, list, revoke.", no_args_is_help=True)

At = Annotated[
    str | None,
    typer.Option("--database", metavar="URL", help="The server's database; your own if left out."),
]


@tokens.command()
def create(
    user: Annotated[str, typer.Argument(help="Whose key it is; it can do no more than that user.")],
    label: Annotated[str, typer.Option(help="What it is for.")] = "",
    role: Annotated[
        list[str] | None,
        typer.Option(help="Narrow it to a role of the user, or to agent_service; may be repeated."),
    ] = None,
    days: Annotated[float | None, typer.Option(help="How long it works; until revoked if left out.")] = None,
    database: At = None,
    as_json: AsJson = False,
) -> None:
    """Make an API key. It is printed this once; the server keeps a hash.

    \b
    Examples:
      llava-agent tokens create maria --label laptop --days 90
      llava-agent tokens create maria --label robot --role agent_service
    """
    from llava_agent.service.auth.accounts import open_accounts

    accounts = open_accounts(database)
    key, token = accounts.create_key(LOCAL, known(accounts.users, user), label or "command line", role, days)
    if as_json:
        print_json({"key": key, **token.as_dict()})
        return
    say(key)
    note(f"id {token.id}; the key is not shown again.")


@tokens.command("list")
def list_them(
    user: Annotated[str | None, typer.Option(help="Of this user alone.")] = None,
    database: At = None,
    as_json: AsJson = False,
) -> None:
    """List the API keys, newest first, without the keys themselves.

    \b
    Examples:
      llava-agent tokens list
      llava-agent tokens list --user maria --json
    """
    from llava_agent.service.auth.accounts import open_accounts

    found = open_accounts(database).tokens.all(user)
    if as_json:
        print_json([token.as_dict() for token in found])
        return
    for token in found:
        say(f"{token.id}  {token.user:<20} {token.label:<24} {_state(token)}")
    if not found:
        note("there are no API keys yet: llava-agent tokens create USER")


@tokens.command()
def revoke(
    name: Annotated[str, typer.Argument(metavar="ID", help="Id of the key, as `tokens list` shows it.")],
    database: At = None,
    as_json: AsJson = False,
) -> None:
    """End an API key at once.

    \b
    Examples:
      llava-agent tokens revoke 3f9a0c2b71de
    """
    from llava_agent.service.auth.accounts import open_accounts

    open_accounts(database).revoke_key(LOCAL, name)
    if as_json:
        print_json({"id": name, "revoked": True})
    else:
        say(f"{name} is revoked")


def _state(token: Token) -> str:
    if token.revoked is not None:
        return "revoked"
    if token.expires is None:
        return "works until revoked"
    day = datetime.fromtimestamp(token.expires, UTC).date()
    return f"works until {day}" if token.expires > datetime.now(UTC).timestamp() else f"over since {day}"
