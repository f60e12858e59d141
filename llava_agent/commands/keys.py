"""`llava-agent keys`: the keys that encrypt what is stored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llava_agent.commands.options import AsJson
from llava_agent.commands.output import print_json, say
from llava_agent.errors import ConfigError

if TYPE_CHECKING:
    from llava_agent.encryption import Vault

keys = typer.Typer(help="Keys that encrypt stored content: show, rotate, erase.", no_args_is_help=True)

Tenant = Annotated[str, typer.Option("--tenant", metavar="NAME", help="Whose keys.")]


@keys.command("show")
def show(as_json: AsJson = False) -> None:
    """List the keys: never the keys themselves, only their ids and where the master key comes from.

    \b
    Examples:
      llava-agent keys show
      llava-agent keys show --json
    """
    vault = _vault()
    rows = vault.keys.list()
    master = {"id": vault.master.id, "source": vault.master.source} if rows else None
    if as_json:
        names = ("id", "tenant", "state", "master", "made", "ended")
        print_json({"master": master, "keys": [{name: getattr(row, name) for name in names} for row in rows]})
        return
    if not master:
        say("No content has been sealed yet; the keys are made at the first use.")
        return
    say(f"master key {master['id']} from {master['source']}")
    for row in rows:
        ended = f", {row.state} {(row.ended or '')[:19]}" if row.ended else ""
        say(f"{row.tenant}: {row.id} {row.state}, made {row.made[:19]}{ended}")


@keys.command("rotate")
def rotate(tenant: Tenant = "default", as_json: AsJson = False) -> None:
    """Make a new data key for a tenant. Content that is stored already stays readable with the old one.

    \b
    Examples:
      llava-agent keys rotate
      llava-agent keys rotate --tenant workshop
    """
    with _recorded("data key rotated", of=tenant) as vault:
        made = vault.rotate(tenant)
    if as_json:
        print_json({"tenant": tenant, "id": made.id})
    else:
        say(f"{tenant}: new content is sealed with the key {made.id}")


@keys.command("rotate-master")
def rotate_master(
    to_file: Annotated[
        Path | None, typer.Option("--to-file", help="The new master key; made where it is not there.")
    ] = None,
    to_variable: Annotated[
        str | None, typer.Option("--to-variable", help="Environment variable with 32 bytes in base64.")
    ] = None,
    to_kms: Annotated[
        str | None, typer.Option("--to-kms", help="Command that wraps and unwraps keys; see the docs.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Wrap all data keys under another master key; stored content is not touched.

    Without an option, a master key that lies in a file is replaced in that file.

    \b
    Examples:
      llava-agent keys rotate-master
      llava-agent keys rotate-master --to-kms "/usr/local/bin/our-kms --key llava"
    """
    from llava_agent.encryption.rotation import other_master, rotate_file

    with _recorded("master key rotated") as vault:
        if to_file is None and to_variable is None and to_kms is None:
            count, path = rotate_file(vault)
            advice = f"keep a copy of {path} in a safe place"
        else:
            new = other_master(to_file, to_variable, to_kms)
            count = vault.rotate_master(new)
            advice = f"from now on the product must be started with this master key: {new.source}"
    if as_json:
        print_json({"wrapped": count, "master": vault.master.id, "source": vault.master.source})
    else:
        say(f"{count} data keys are now wrapped under the master key {vault.master.id}; {advice}")


@keys.command("erase")
def erase(
    tenant: Annotated[str, typer.Option("--tenant", metavar="NAME", help="Whose keys to destroy.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Destroy a tenant's data keys: everything that was sealed for it becomes unreadable, for ever.

    Backups of the database still hold the wrapped keys: destroy those, or rotate the master key and destroy
    the old one.

    \b
    Examples:
      llava-agent keys erase --tenant workshop
    """
    if not yes and (as_json or not typer.confirm(f"Destroy all content of the tenant {tenant!r} for ever?")):
        raise ConfigError("nothing was erased", "confirm it, or give --yes")
    with _recorded("data keys erased", of=tenant) as vault:
        count = vault.erase(tenant)
    if as_json:
        print_json({"tenant": tenant, "erased": count})
    else:
        say(f"{tenant}: {count} keys were destroyed; what they sealed cannot be read any more")


@contextmanager
def _recorded(act: str, **about: str) -> Iterator[Vault]:
    """The vault, while a change of its keys is put on record."""
    from llava_agent.gateway.audit import open_audit
    from llava_agent.gateway.audit.change import recorded
    from llava_agent.gateway.principal import LOCAL

    vault = _vault()
    with recorded(open_audit(vault.keys.database), LOCAL, act, **about):
        yield vault


def _vault() -> Vault:
    from llava_agent.database import open_database
    from llava_agent.encryption import open_vault

    return open_vault(open_database())
