"""A store on each kind of database, and photos to keep in it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from llava_agent.database import Database
from llava_agent.gateway.principal import Principal
from llava_agent.inspection.intake import TakenIn, take_in
from llava_agent.service.store.artifacts import Artifacts
from llava_agent.service.store.photos import Photos
from llava_agent.service.store.records import Records
from llava_agent.service.store.runs import Runs

ADA, BOB = Principal("ada", tenant="north"), Principal("bob", tenant="north")
TWIN = Principal("ada", tenant="south")


@dataclass
class Store:
    """Everything over one database and one folder."""

    database: Database
    artifacts: Artifacts
    photos: Photos
    records: Records
    runs: Runs


@pytest.fixture
def store(prepared: Database, tmp_path: Path) -> Store:
    return store_over(prepared, tmp_path / "files")


def store_over(database: Database, files: Path) -> Store:
    artifacts = Artifacts(database, files)
    return Store(database, artifacts, Photos(database, artifacts), Records(database), Runs(database))


def picture(colour: str = "navy", size: tuple[int, int] = (32, 24)) -> TakenIn:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    return take_in(buffer.getvalue())
