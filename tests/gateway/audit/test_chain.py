"""Appending: several writers, no content, and what happens where nothing can be written."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from llava_agent.database import Database
from llava_agent.encryption import KeyUnavailable, open_vault
from llava_agent.errors import ToolError
from llava_agent.gateway.audit import Audit, open_audit
from llava_agent.gateway.audit.heads import EVERY, Heads
from llava_agent.gateway.audit.record import digest
from llava_agent.gateway.audit.verify import verify

#: Writes `count` pairs into the installation of the environment.
_WRITER = """
import sys
from llava_agent.database import open_database
from llava_agent.gateway.audit import open_audit

audit = open_audit(open_database())
for number in range(int(sys.argv[1])):
    audit.outcome(audit.intent({"n": number}), {"ok": True})
    print(number, flush=True)
"""


def bodies(audit: Audit) -> list[dict[str, object]]:
    return [json.loads(record)["body"] for _, record, _ in audit.rows()]


def test_an_intent_is_committed_before_and_its_outcome_after(audit: Audit, database: Database) -> None:
    sequence = audit.intent({"run": "r1", "model": "m"})
    assert sequence == 1 and verify(open_audit(database)).open == [1]
    audit.outcome(sequence, {"outcome": "ok"})
    assert audit.event({"event": "role given"}) == 3
    found = verify(audit)
    assert found.whole and found.records == 3 and found.open == []


def test_an_empty_log_is_whole(audit: Audit) -> None:
    assert verify(audit).whole


def test_the_keys_are_their_owners_alone(audit: Audit, tmp_path: Path) -> None:
    audit.event({})
    for name in ("audit.key", "audit-signing.key"):
        assert stat.S_IMODE((tmp_path / "config" / "keys" / name).stat().st_mode) == 0o600


def test_no_content_gets_into_a_record(audit: Audit) -> None:
    audit.intent(
        {
            "error": "no such user ann@example.com",
            "text": "x" * 5000,
            "image": b"pixels",
            "nested": [{"card": "4111 1111 1111 1111"}],
        }
    )
    (body,) = bodies(audit)
    assert body == {
        "error": "no such user [email_1]",
        "text": digest(b"x" * 5000),
        "image": digest(b"pixels"),
        "nested": [{"card": "[credit_card_1]"}],
    }


def test_threads_and_processes_make_one_chain(audit: Audit) -> None:
    others = [
        subprocess.Popen([sys.executable, "-c", _WRITER, "15"], stdout=-1, env=_env()) for _ in range(2)
    ]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: audit.event({"n": number}), range(40)))
    assert [one.wait() for one in others] == [0, 0]
    found = verify(audit)
    assert found.whole and found.records == 40 + 2 * 30 and found.heads == 1 == 100 // EVERY


def test_a_kill_leaves_a_whole_chain(audit: Audit) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", _WRITER, "10000"], stdout=subprocess.PIPE, text=True, env=_env()
    )
    assert writer.stdout is not None
    for _ in range(5):
        writer.stdout.readline()
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    found = verify(audit)
    assert found.whole and found.records >= 10 and len(found.open) <= 1
    audit.event({"after": "the kill"})
    assert verify(audit).whole


def test_where_the_database_cannot_be_written_the_call_is_refused(audit: Audit, database: Database) -> None:
    audit.event({})
    sa.event.listen(database.engine, "connect", lambda raw, _: raw.execute("PRAGMA max_page_count = 1"))
    database.engine.dispose()
    with pytest.raises(ToolError, match="full"):
        for _ in range(100):
            audit.intent({"some": "x" * 250})
    assert verify(audit).whole


def test_where_the_heads_cannot_be_written_the_call_is_refused(database: Database, tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("")
    with pytest.raises(ToolError, match="cannot be written"):
        Audit(database, heads=Heads(tmp_path / "a file")).intent({})


def test_a_lost_key_is_never_replaced_silently(audit: Audit, database: Database, tmp_path: Path) -> None:
    audit.event({})
    (tmp_path / "config" / "keys" / "audit.key").unlink()
    with pytest.raises(KeyUnavailable):
        open_audit(database).intent({})
    with pytest.raises(KeyUnavailable):
        verify(open_audit(database))


def test_a_clock_that_jumps_back_breaks_nothing(database: Database) -> None:
    times = iter([datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)])
    audit = Audit(database, now=lambda: next(times))
    audit.event({})
    audit.event({})
    assert verify(audit).whole


def test_an_erased_key_leaves_the_chain_whole(audit: Audit, database: Database) -> None:
    vault = open_vault(database)
    sealed = vault.seal("workshop", "photo", b"pixels")
    audit.event({"artifact": digest(sealed)})
    vault.erase("workshop")
    assert verify(audit).whole and bodies(audit)[0]["artifact"] == digest(sealed)


@pytest.mark.parametrize("value", [object(), {"deep": [object()]}, 2**60, float("nan")])
def test_what_is_no_json_refuses_the_call(audit: Audit, value: object) -> None:
    with pytest.raises((ToolError, TypeError)):
        audit.intent({"value": value})
    assert audit.last() is None


def _env() -> dict[str, str]:
    import llava_agent

    return {**os.environ, "PYTHONPATH": str(Path(llava_agent.__path__[0]).parent)}
