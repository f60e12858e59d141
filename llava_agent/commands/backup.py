"""`llava-agent backup`: a server's content, kept safe and put back."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llava_agent.commands.options import AsJson
from llava_agent.commands.output import note, print_json, say

if TYPE_CHECKING:
    from llava_agent.service.backup import Backup

backup = typer.Typer(
    help="Content of a server: back it up while it runs, check a backup, restore one.", no_args_is_help=True
)

Place = Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of the backup.")]
State = Annotated[
    str | None, typer.Option("--database", metavar="URL", help="sqlite:///FILE; else your own.")
]
Files = Annotated[
    Path | None, typer.Option("--files", metavar="FOLDER", help="Folder of photos; else beside the database.")
]


@backup.command("make")
def make(folder: Place, database: State = None, files: Files = None, as_json: AsJson = False) -> None:
    """Write a backup to a new folder: the database at one moment, and the files that it speaks of.

    The server may go on. Keys are not in it: keep `llava-agent keys show` working from another place.

    \b
    Exit codes:
      0  whole
      1  written, but files were missing on the server's disk

    \b
    Examples:
      llava-agent backup make /backup/2026-11-24
      llava-agent backup make /backup/today --database sqlite:////var/lib/llava-agent/state.db
    """
    from llava_agent.database import open_database
    from llava_agent.service.backup import back_up
    from llava_agent.service.desk import files_beside

    opened = open_database(database)
    try:
        _tell(back_up(opened, files or files_beside(opened), folder), as_json)
    finally:
        opened.close()


@backup.command("check")
def check(folder: Place, as_json: AsJson = False) -> None:
    """Read a backup whole: the database by its hash, each file by its own.

    \b
    Examples:
      llava-agent backup check /backup/2026-11-24
    """
    from llava_agent.service.backup import check as read

    _tell(read(folder), as_json)


@backup.command("restore")
def restore(folder: Place, database: State = None, files: Files = None, as_json: AsJson = False) -> None:
    """Put a checked backup in place. The server must be stopped; nothing that is there is written over.

    \b
    Examples:
      llava-agent backup restore /backup/2026-11-24
    """
    from llava_agent.database import Database
    from llava_agent.database.place import default_url
    from llava_agent.errors import ConfigError
    from llava_agent.service.backup import restore as put_back
    from llava_agent.service.desk import files_beside

    target = Database(database or default_url())
    state = target.engine.url.database
    if not target.sqlite or not state:
        raise ConfigError("a PostgreSQL database is restored by its own tools", "use pg_restore")
    _tell(put_back(folder, Path(state), files or files_beside(target)), as_json)


def _tell(found: Backup, as_json: bool) -> None:
    if as_json:
        print_json(asdict(found))
    else:
        content = f"{found.files} files of {found.bytes:,} bytes"
        say(f"{found.folder}: database at revision {found.revision}, {content}")
        if found.sealed:
            say("Its files are sealed: they open with the master key alone, which is not among them.")
    for name in found.missing:
        note(f"  ! missing or damaged: {name}")
    raise typer.Exit(1 if found.missing else 0)
