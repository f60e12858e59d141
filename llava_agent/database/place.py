"""Where the product's database is."""

from __future__ import annotations

import os
from pathlib import Path

from llava_agent.database.engine import Database
from llava_agent.errors import ToolError

#: Environment variable with the URL or path of the database.
DATABASE = "LLAVA_AGENT_DATABASE"


def default_url() -> str:
    """`$LLAVA_AGENT_DATABASE`, else an SQLite file in the user's data folder. Nothing is made by asking."""
    chosen = os.environ.get(DATABASE)
    if chosen:
        return chosen
    from platformdirs import user_data_path

    return str(user_data_path("llava-agent") / "llava-agent.db")


def open_database(url: str | None = None) -> Database:
    """The product's database with its tables; the folder of an SQLite file is made, for its owner only.

    Args:
        url: as `Database` takes it; `default_url()` if None.

    Raises:
        ConfigError: a URL of an unknown kind.
        ToolError: the database cannot be reached or written.
    """
    database = Database(url or default_url())
    file = database.engine.url.database
    if database.sqlite and file and file != ":memory:":
        try:
            Path(file).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise ToolError(
                f"the folder of the database {file} cannot be made ({error.strerror})", "check the path"
            ) from error
    database.prepare()
    return database
