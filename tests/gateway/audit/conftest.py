from __future__ import annotations

from pathlib import Path

import pytest

from llava_agent.database import Database, open_database
from llava_agent.gateway.audit import Audit, open_audit


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """An installation of its own."""
    monkeypatch.setenv("LLAVA_AGENT_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("LLAVA_AGENT_DATABASE", str(tmp_path / "data" / "state.db"))
    return open_database()


@pytest.fixture
def audit(database: Database) -> Audit:
    return open_audit(database)
