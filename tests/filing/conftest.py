from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from examples.maintenance.server import serve
from examples.maintenance.store import Store as Tickets
from llava_agent.database import Database
from tests.service.stores import Store, store_over


@dataclass(frozen=True)
class OtherSystem:
    """The example application on a port of its own: the system that records are filed in."""

    url: str
    tickets: Tickets


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OtherSystem]:
    path = tmp_path_factory.mktemp("tickets") / "tickets.db"
    with serve(path) as url:
        yield OtherSystem(url, Tickets(path))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    database = Database(tmp_path / "state.db")
    database.prepare()
    yield store_over(database, tmp_path / "files")
    database.close()


@pytest.fixture
def either(prepared: Database, tmp_path: Path) -> Store:
    """A store on each kind of database, for what depends on its transactions."""
    return store_over(prepared, tmp_path / "files")


@pytest.fixture(autouse=True)
def own_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The keys of the audit log are a test's own."""
    monkeypatch.setenv("LLAVA_AGENT_CONFIG", str(tmp_path / "config"))
