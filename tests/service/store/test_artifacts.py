"""Files: whole or absent, sealed where there is a vault, collected when nobody holds them."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import llava_agent
from llava_agent.encryption.vault import MAGIC
from llava_agent.errors import NotFound, ToolError
from llava_agent.service.store import artifacts as module
from llava_agent.service.store.artifacts import Artifact, Artifacts
from tests.service.stores import ADA, Store, picture

#: Stores photos one after the other and says the id of each once it is acknowledged, until it is killed.
_UPLOADER = """
import io, sys
from pathlib import Path
from PIL import Image
from llava_agent.database import Database
from llava_agent.gateway.principal import Principal
from llava_agent.inspection.intake import take_in
from llava_agent.service.store.artifacts import Artifacts
from llava_agent.service.store.photos import Photos

database = Database(sys.argv[1])
photos = Photos(database, Artifacts(database, Path(sys.argv[2])))
for number in range(100000):
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), (number % 256, number // 256 % 256, 7)).save(buffer, "PNG")
    photo, _ = photos.add(Principal("ada", tenant="north"), take_in(buffer.getvalue()), name=f"{number}.png")
    print(photo.id, flush=True)
"""


class Reversing:
    """A vault for tests that turns bytes around and remembers for whom."""

    def seal(self, tenant: str, name: str, content: bytes) -> bytes:
        return MAGIC + f"{tenant}:{name}:".encode() + content[::-1]

    def open(self, tenant: str, name: str, sealed: bytes) -> bytes:
        head = MAGIC + f"{tenant}:{name}:".encode()
        assert sealed.startswith(head)
        return sealed[len(head) :][::-1]


def hold(store: Store, made: Artifact, holder: str = "run_1", name: str = "a") -> None:
    with store.database.writing() as connection:
        store.artifacts.hold(connection, made, holder, name)


def test_the_same_content_is_one_file(store: Store) -> None:
    one = store.artifacts.write("north", b"same", "text/plain")
    two = store.artifacts.write("north", b"same", "text/plain")
    hold(store, one)
    hold(store, two, "run_2")
    assert one == two and store.artifacts.read("north", one.sha256) == b"same"
    assert list(store.artifacts.folder.glob("*/*/*")) == [store.artifacts.path("north", one.sha256)]
    with pytest.raises(NotFound):
        store.artifacts.read("south", one.sha256)


def test_a_vault_seals_what_lies_on_disk(store: Store, tmp_path: Path) -> None:
    sealed = Artifacts(store.database, tmp_path / "sealed", Reversing())
    made = sealed.write("north", b"secret plate", "text/plain")
    assert b"secret plate" not in sealed.path("north", made.sha256).read_bytes()
    assert sealed.read("north", made.sha256) == b"secret plate"
    with pytest.raises(ToolError, match="is sealed"):
        Artifacts(store.database, tmp_path / "sealed").read("north", made.sha256)
    plain = Artifacts(store.database, tmp_path / "sealed").write("north", b"older, plain", "text/plain")
    assert sealed.read("north", plain.sha256) == b"older, plain"


def test_a_changed_file_is_noticed(store: Store) -> None:
    made = store.artifacts.write("north", b"true", "text/plain")
    store.artifacts.path("north", made.sha256).write_bytes(b"false")
    with pytest.raises(ToolError, match="changed on disk"):
        store.artifacts.read("north", made.sha256)


def test_collection_takes_what_nobody_holds_and_nothing_else(store: Store) -> None:
    kept = store.artifacts.write("north", b"kept", "text/plain")
    hold(store, kept)
    dropped = store.artifacts.write("north", b"dropped", "text/plain")
    hold(store, dropped, name="b")
    hold(store, kept, name="b")  # the name speaks of another file now
    orphan = store.artifacts.write("north", b"orphan", "text/plain")
    part = store.artifacts.path("north", orphan.sha256).with_name(".left.part")
    part.write_bytes(b"half")
    assert store.artifacts.collect() == 0  # all of it may still be on its way
    assert store.artifacts.collect(grace=-1) == 3
    assert store.artifacts.read("north", kept.sha256) == b"kept"
    for gone in (dropped, orphan):
        with pytest.raises(NotFound):
            store.artifacts.read("north", gone.sha256)
    assert store.artifacts.held("north", "run_1") == {"a": kept, "b": kept}


def test_a_full_disk_leaves_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module.os, "fsync", full)
    with pytest.raises(ToolError, match="No space left"):
        store.photos.add(ADA, picture(), name="a.png")
    monkeypatch.undo()
    assert store.photos.list(ADA).items == ()
    assert list(store.artifacts.folder.glob("*/*/*")) == []


@pytest.mark.parametrize("after", [3, 17])
def test_a_kill_during_uploads_loses_nothing_acknowledged(
    store: Store, database_url: str, after: int
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _UPLOADER, database_url, str(store.artifacts.folder)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(llava_agent.__path__[0]).parent)},
    )
    assert process.stdout is not None
    said = [process.stdout.readline().strip() for _ in range(after)]
    process.send_signal(signal.SIGKILL)
    said += process.stdout.read().split()
    process.wait()
    process.stdout.close()
    stored = store.photos.list(ADA, limit=200)
    ids = {photo.id for photo in stored.items}
    assert set(said) <= ids and len(ids) - len(set(said)) <= 1
    for photo in stored.items:
        assert store.photos.content(ADA, photo.id)
    store.artifacts.collect(grace=-1)
    assert len(list(store.artifacts.folder.glob("*/*/*"))) == len(ids)
