"""Where the master key comes from, and how another one takes its place."""

from __future__ import annotations

import base64
import json
import os
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from typer.testing import CliRunner

from llava_agent.cli import app
from llava_agent.database import Database
from llava_agent.encryption import KeyUnavailable, Vault, open_vault, secret_file
from llava_agent.encryption.master import LocalMaster, default_file, find
from llava_agent.encryption.rotation import rotate_file

#: A KMS as small as it can be: it keeps its key in a file beside it and wraps by exclusive or.
KMS = """
import base64, pathlib, sys
data = base64.b64decode(sys.stdin.read())
assert sys.argv[-1] in ("wrap", "unwrap")
print(base64.b64encode(bytes(byte ^ 0x5A for byte in data)).decode())
"""


def test_the_first_use_makes_a_file_for_its_owner_only(vault: Vault) -> None:
    vault.seal("workshop", "a", b"x")
    path = default_file()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(base64.b64decode(path.read_text())) == 32


def test_processes_that_start_at_once_end_with_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: secret_file.read_or_make(tmp_path / "k" / "one.key"), range(32)))
    assert len(made) == 1
    assert [path.name for path in (tmp_path / "k").iterdir()] == ["one.key"]


def test_a_key_file_that_others_can_read_is_refused(vault: Vault) -> None:
    vault.seal("workshop", "a", b"x")
    default_file().chmod(0o644)
    with pytest.raises(KeyUnavailable, match="open to other users"):
        find(make=False)


@pytest.mark.parametrize("text", ["", "short", "AAAA", "!" * 44])
def test_a_variable_without_a_key_is_refused(
    database: Database, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("LLAVA_AGENT_MASTER_KEY", text or " ")
    with pytest.raises(KeyUnavailable, match="32 bytes in base64"):
        open_vault(database).seal("workshop", "a", b"x")


def test_a_named_file_is_never_made(
    database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LLAVA_AGENT_MASTER_KEY_FILE", str(tmp_path / "mistyped.key"))
    with pytest.raises(KeyUnavailable, match=r"mistyped\.key"):
        open_vault(database).seal("workshop", "a", b"x")
    assert not (tmp_path / "mistyped.key").exists()


def test_a_kms_command_wraps_and_unwraps(
    database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = tmp_path / "kms.py"
    script.write_text(KMS)
    monkeypatch.setenv("LLAVA_AGENT_KMS_COMMAND", f"{sys.executable} {script}")
    sealed = open_vault(database).seal("workshop", "a", b"content")
    assert open_vault(database).open("workshop", "a", sealed) == b"content"
    monkeypatch.setenv("LLAVA_AGENT_KMS_COMMAND", f"{sys.executable} {script}")
    script.write_text("import sys; sys.exit(1)")
    with pytest.raises(KeyUnavailable, match="refused to unwrap"):
        open_vault(database).open("workshop", "a", sealed)
    script.write_text("print('not base64!')")
    with pytest.raises(KeyUnavailable, match="did not print base64"):
        open_vault(database).open("workshop", "a", sealed)


def test_another_master_key_takes_the_place_and_nothing_is_lost(vault: Vault, database: Database) -> None:
    sealed = {tenant: vault.seal(tenant, "a", tenant.encode()) for tenant in ("office", "workshop")}
    running = open_vault(database)
    assert running.open("office", "a", sealed["office"]) == b"office"
    before = default_file().read_text()
    count, path = rotate_file(vault)
    assert count == 2 and path == default_file() and path.read_text() != before
    # A server that was running finds the new key by itself, and what it then makes is under the new one.
    for one in (vault, running, open_vault(database)):
        assert one.open("office", "a", sealed["office"]) == b"office"
        made = one.seal("new", "a", b"new")
        assert open_vault(database).open("new", "a", made) == b"new"
        one.erase("new")


def test_a_rotation_that_was_killed_is_finished_by_the_next(vault: Vault, database: Database) -> None:
    sealed = vault.seal("workshop", "a", b"content")
    path = default_file()
    # Killed after the data keys were wrapped anew and before the file was put in its place.
    following = secret_file.read_or_make(path.with_name("master.key.next"))
    vault.rotate_master(LocalMaster(following, str(path)))
    with pytest.raises(KeyUnavailable):
        open_vault(database).open("workshop", "a", sealed)
    rotate_file(open_vault(database))
    assert open_vault(database).open("workshop", "a", sealed) == b"content"
    assert not path.with_name("master.key.next").exists()


def test_a_wrong_old_key_wraps_nothing_anew(vault: Vault) -> None:
    sealed = vault.seal("workshop", "a", b"content")
    stranger = LocalMaster(os.urandom(32), "a stranger")
    with pytest.raises(KeyUnavailable):
        vault.keys.rewrap(stranger, LocalMaster(os.urandom(32), "new"))
    assert vault.open("workshop", "a", sealed) == b"content"


def test_no_key_shows_in_words(vault: Vault) -> None:
    master = vault.master
    assert isinstance(master, LocalMaster)
    assert base64.b64encode(master.secret).decode() not in repr(master) + str(vars(vault))


def test_the_commands_show_rotate_and_erase(vault: Vault, tmp_path: Path) -> None:
    sealed = vault.seal("workshop", "a", b"content")
    run = CliRunner().invoke
    assert json.loads(run(app, ["keys", "rotate", "--tenant", "workshop", "--json"]).output)["id"]
    shown = json.loads(run(app, ["keys", "show", "--json"]).output)
    assert [key["state"] for key in shown["keys"]] == ["retired", "active"]
    assert shown["master"]["source"] == str(default_file())
    assert all("wrapped" not in key for key in shown["keys"])
    done = json.loads(run(app, ["keys", "rotate-master", "--json"]).output)
    assert done["wrapped"] == 2 and vault.open("workshop", "a", sealed) == b"content"
    assert run(app, ["keys", "erase", "--tenant", "workshop"], input="n\n").exit_code != 0
    assert vault.open("workshop", "a", sealed) == b"content"
    erased = run(app, ["keys", "erase", "--tenant", "workshop", "--yes", "--json"])
    assert json.loads(erased.output) == {"tenant": "workshop", "erased": 2}
    with pytest.raises(KeyUnavailable):
        vault.open("workshop", "a", sealed)
