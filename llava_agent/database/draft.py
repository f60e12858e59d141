"""Write revision 0001 from the tables: `python -m llava_agent.database.draft`.

As long as no version with a database is released there is one revision, and whoever adds a table runs this.
From the first release on, 0001 is fixed and each change gets a revision of its own.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from llava_agent.database.engine import Database
from llava_agent.database.tables import whole_metadata
from llava_agent.database.upgrade import SCRIPTS

FIRST = SCRIPTS / "versions" / "0001_first.py"
_TEXT = '''"""All tables of the first version; written by `python -m llava_agent.database.draft`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
{up}


def downgrade() -> None:
{down}
'''


def draft() -> str:
    """The source of revision 0001, not yet formatted."""
    from alembic.autogenerate import produce_migrations, render_python_code
    from alembic.runtime.migration import MigrationContext

    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder) / "empty.db")
        with database.reading() as connection:
            found = produce_migrations(MigrationContext.configure(connection), whole_metadata())
        database.close()
    assert found.upgrade_ops is not None and found.downgrade_ops is not None
    return _TEXT.format(
        up=_body(render_python_code(found.upgrade_ops)), down=_body(render_python_code(found.downgrade_ops))
    )


def _body(code: str) -> str:
    """Without alembic's remarks on what it wrote."""
    lines = [line for line in code.splitlines() if not line.strip().startswith("#")]
    return "\n".join(f"    {line}".rstrip() for line in lines if line.strip()) or "    pass"


def main() -> None:
    FIRST.write_text(draft(), encoding="utf-8")
    for words in (("format", "--quiet"), ("check", "--fix", "--quiet")):
        subprocess.run([sys.executable, "-m", "ruff", *words, str(FIRST)], check=True)
    print(FIRST)


if __name__ == "__main__":
    main()
