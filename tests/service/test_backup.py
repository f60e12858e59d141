"""Backups: taken while others write, found out when damaged, restored to a server that serves them."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from llava_agent.cli import app
from llava_agent.database import Database
from llava_agent.encryption import open_vault
from llava_agent.errors import ConfigError
from llava_agent.service.backup import FILES, MANIFEST, STATE, back_up, check, restore
from llava_agent.service.store.artifacts import Artifacts
from llava_agent.service.store.photos import Photos
from tests.service.stores import ADA, TWIN, picture


@pytest.fixture
def state(tmp_path: Path) -> Database:
    database = Database(tmp_path / "server" / "state.db")
    (tmp_path / "server").mkdir()
    database.prepare()
    return database


def photos_of(database: Database, files: Path, *, sealed: bool = False) -> Photos:
    return Photos(database, Artifacts(database, files, open_vault(database) if sealed else None))


@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "sealed"])
def test_what_was_backed_up_is_served_again(state: Database, tmp_path: Path, sealed: bool) -> None:
    files = tmp_path / "server" / "files"
    photos = photos_of(state, files, sealed=sealed)
    mine, _ = photos.add(ADA, picture("navy"), name="a.png")
    theirs, _ = photos.add(TWIN, picture("red"), name="b.png")
    gone, _ = photos.add(ADA, picture("green"), name="c.png")
    photos.delete(ADA, gone.id)
    made = back_up(state, files, tmp_path / "backup")
    photos.add(ADA, picture("white"), name="later.png")
    assert (made.files, made.sealed, made.missing) == (2, sealed, ())
    back = tmp_path / "again"
    assert restore(tmp_path / "backup", back / "state.db", back / "files").files == 2
    found = Database(back / "state.db")
    again = photos_of(found, back / "files", sealed=sealed)
    assert again.content(ADA, mine.id) == photos.content(ADA, mine.id)
    assert again.content(TWIN, theirs.id) == photos.content(TWIN, theirs.id)
    assert [one.id for one in again.list(ADA).items] == [mine.id]
    found.close()
    with pytest.raises(ConfigError, match="there already"):
        restore(tmp_path / "backup", back / "state.db", back / "files")


def test_a_backup_of_a_server_at_work_is_whole(state: Database, tmp_path: Path) -> None:
    files = tmp_path / "server" / "files"
    photos, stop = photos_of(state, files), threading.Event()

    def work() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            photos.add(ADA, picture("navy", (8 + number, 8)), name="a.png")

    photos.add(ADA, picture("navy"), name="a.png")
    writer = threading.Thread(target=work)
    writer.start()
    try:
        for number in range(3):
            made = back_up(state, files, tmp_path / f"backup-{number}")
            assert made.missing == () and made.files >= 1
            assert check(tmp_path / f"backup-{number}") == made
    finally:
        stop.set()
        writer.join(30)


def test_damage_is_found_before_anything_is_put_back(state: Database, tmp_path: Path) -> None:
    files = tmp_path / "server" / "files"
    photos_of(state, files).add(ADA, picture(), name="a.png")
    back_up(state, files, tmp_path / "backup")
    (one,) = [path for path in (tmp_path / "backup" / FILES).rglob("*") if path.is_file()]
    one.write_bytes(b"other")
    assert check(tmp_path / "backup").missing == (one.name,)
    with pytest.raises(ConfigError, match="missing"):
        restore(tmp_path / "backup", tmp_path / "new" / "state.db", tmp_path / "new" / "files")
    assert not (tmp_path / "new").exists()
    with (tmp_path / "backup" / STATE).open("ab") as file:
        file.write(b"x")
    with pytest.raises(ConfigError, match="not the one"):
        check(tmp_path / "backup")
    (tmp_path / "backup" / MANIFEST).write_text("[]")
    with pytest.raises(ConfigError, match="no backup"):
        check(tmp_path / "backup")


def test_a_full_disk_leaves_no_half_backup(
    state: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = tmp_path / "server" / "files"
    photos_of(state, files).add(ADA, picture(), name="a.png")

    def full(source: object, target: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("llava_agent.service.backup.shutil.copyfile", full)
    answer = CliRunner().invoke(
        app, ["backup", "make", str(tmp_path / "backup"), "--database", str(state.engine.url.database)]
    )
    assert answer.exit_code != 0 and "No space left" in str(answer.exception)
    assert not list(tmp_path.glob("*backup*"))


def test_the_commands(state: Database, tmp_path: Path) -> None:
    files = tmp_path / "server" / "files"
    photos_of(state, files).add(ADA, picture(), name="a.png")
    run, place = CliRunner(), str(tmp_path / "backup")
    made = run.invoke(
        app, ["backup", "make", place, "--database", f"sqlite:///{tmp_path}/server/state.db", "--json"]
    )
    assert made.exit_code == 0 and json.loads(made.stdout)["files"] == 1
    assert run.invoke(app, ["backup", "check", place]).exit_code == 0
    back = run.invoke(app, ["backup", "restore", place, "--database", f"sqlite:///{tmp_path}/b/state.db"])
    assert back.exit_code == 0 and (tmp_path / "b" / "files").is_dir()
    for verb in ("make", "restore"):
        refused = run.invoke(app, ["backup", verb, f"{place}2", "--database", "postgresql://x/y"])
        assert refused.exit_code != 0
