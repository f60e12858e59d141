from __future__ import annotations

from pathlib import Path

import pytest

from llava_agent.database import Database, open_database
from llava_agent.encryption import Vault, open_vault


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """An installation of its own: database and configuration under `tmp_path`."""
    for name in ("LLAVA_AGENT_KMS_COMMAND", "LLAVA_AGENT_MASTER_KEY", "LLAVA_AGENT_MASTER_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LLAVA_AGENT_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("LLAVA_AGENT_DATABASE", str(tmp_path / "data" / "state.db"))
    return open_database()


@pytest.fixture
def vault(database: Database) -> Vault:
    return open_vault(database)
