"""Sealing and opening: what is bound, what is refused, and what is left after an erasure."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llava_agent.database import Database
from llava_agent.encryption import KeyUnavailable, Unreadable, Vault, open_vault
from llava_agent.encryption.vault import key_id

CONTENT = b"a photo of the pump, serial SN-48213"


def test_what_was_sealed_opens_again_and_is_not_readable_on_the_way(vault: Vault) -> None:
    sealed = vault.seal("workshop", "artifact 1", CONTENT)
    assert CONTENT not in sealed and b"SN-48213" not in sealed
    assert vault.open("workshop", "artifact 1", sealed) == CONTENT
    assert vault.seal("workshop", "artifact 1", CONTENT) != sealed


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_any_changed_byte_is_refused(vault: Vault, data: st.DataObject) -> None:
    sealed = vault.seal("workshop", "a", CONTENT)
    place = data.draw(st.integers(0, len(sealed) - 1))
    flip = data.draw(st.integers(1, 255))
    changed = sealed[:place] + bytes([sealed[place] ^ flip]) + sealed[place + 1 :]
    with pytest.raises((Unreadable, KeyUnavailable)):
        vault.open("workshop", "a", changed)
    with pytest.raises(Unreadable):
        vault.open("workshop", "a", sealed[: data.draw(st.integers(0, 40))])


@pytest.mark.parametrize(("tenant", "name"), [("office", "a"), ("workshop", "b"), ("worksho", "pa")])
def test_sealed_content_opens_only_where_it_belongs(vault: Vault, tenant: str, name: str) -> None:
    vault.seal("office", "a", b"so that the other tenant has a key")
    sealed = vault.seal("workshop", "a", CONTENT)
    with pytest.raises((Unreadable, KeyUnavailable)):
        vault.open(tenant, name, sealed)


def test_after_a_rotation_old_and_new_content_opens(vault: Vault) -> None:
    old = vault.seal("workshop", "a", CONTENT)
    made = vault.rotate("workshop")
    new = vault.seal("workshop", "a", CONTENT)
    assert key_id(new) == made.id != key_id(old)
    assert vault.open("workshop", "a", old) == vault.open("workshop", "a", new) == CONTENT
    assert [key.state for key in vault.keys.list("workshop")] == ["retired", "active"]


def test_an_erasure_reaches_every_process_and_only_its_tenant(vault: Vault, database: Database) -> None:
    other_process = open_vault(database)
    sealed = vault.seal("workshop", "a", CONTENT)
    kept = vault.seal("office", "a", CONTENT)
    assert other_process.open("workshop", "a", sealed) == CONTENT
    vault.rotate("workshop")
    assert vault.erase("workshop") == 2
    for one in (vault, other_process):
        with pytest.raises(KeyUnavailable, match="was erased"):
            one.open("workshop", "a", sealed)
        assert one.open("office", "a", kept) == CONTENT
    again = vault.seal("workshop", "a", CONTENT)
    assert vault.open("workshop", "a", again) == CONTENT


def test_an_erased_key_is_gone_from_the_files_of_the_database(vault: Vault, database: Database) -> None:
    vault.seal("workshop", "a", CONTENT)
    wrapped = vault.keys.list("workshop")[0].wrapped
    assert wrapped is not None and wrapped in _files(database)
    vault.erase("workshop")
    assert wrapped not in _files(database)


def test_a_lost_master_key_is_never_replaced_silently(vault: Vault, database: Database) -> None:
    sealed = vault.seal("workshop", "a", CONTENT)
    Path(vault.master.source).unlink()
    fresh = open_vault(database)
    with pytest.raises(KeyUnavailable, match="cannot be read"):
        fresh.open("workshop", "a", sealed)
    with pytest.raises(KeyUnavailable):
        fresh.seal("new tenant", "a", CONTENT)


def test_with_another_master_key_nothing_is_sealed_or_opened(
    vault: Vault, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed = vault.seal("workshop", "a", CONTENT)
    monkeypatch.setenv("LLAVA_AGENT_MASTER_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
    wrong = open_vault(database)
    for attempt in (lambda: wrong.open("workshop", "a", sealed), lambda: wrong.seal("office", "a", b"x")):
        with pytest.raises(KeyUnavailable, match="wrapped under the master key"):
            attempt()


def test_without_the_database_nothing_is_sealed(vault: Vault, database: Database) -> None:
    from llava_agent.errors import ToolError

    vault.seal("workshop", "a", CONTENT)
    locker = sqlite3.connect(str(database.engine.url.database))
    locker.execute("DROP TABLE data_keys")
    locker.commit()
    with pytest.raises(ToolError):
        vault.seal("workshop", "a", CONTENT)


def _files(database: Database) -> bytes:
    path = Path(str(database.engine.url.database))
    return b"".join(one.read_bytes() for one in path.parent.iterdir() if one.name.startswith(path.name))
