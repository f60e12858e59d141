"""Every way of tampering is seen: flips, deletions, moves, repetitions, a cut end; the commands say so."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from llava_agent.cli import app
from llava_agent.database import Database
from llava_agent.gateway.audit import Audit
from llava_agent.gateway.audit.heads import EVERY
from llava_agent.gateway.audit.verify import export, verify, verify_export

COUNT = EVERY + 6
SAME_FOLDER = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
Row = tuple[int, str, str]


@pytest.fixture
def filled(audit: Audit) -> Audit:
    for number in range(COUNT // 2):
        audit.outcome(audit.intent({"run": f"r{number % 3}", "n": number}), {"outcome": "ok"})
    assert verify(audit).whole
    return audit


@contextmanager
def tampered(audit: Audit) -> Iterator[sqlite3.Connection]:
    """A connection past the product; what it did is undone at the end."""
    path = str(audit.database.engine.url.database)
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT sequence, record, mac FROM audit_records").fetchall()
    try:
        yield connection
    finally:
        connection.rollback()
        write(connection, rows)
        connection.close()


def write(connection: sqlite3.Connection, rows: list[Row]) -> None:
    connection.execute("DELETE FROM audit_records")
    connection.executemany("INSERT INTO audit_records VALUES (?, ?, ?)", rows)
    connection.commit()


def read(connection: sqlite3.Connection) -> list[Row]:
    return connection.execute("SELECT * FROM audit_records ORDER BY sequence").fetchall()


@SAME_FOLDER
@given(data=st.data())
def test_any_flipped_character_is_seen(filled: Audit, data: st.DataObject) -> None:
    with tampered(filled) as connection:
        rows = read(connection)
        index = data.draw(st.integers(0, len(rows) - 1))
        sequence, *texts = rows[index]
        which = data.draw(st.integers(0, 1))
        place = data.draw(st.integers(0, len(texts[which]) - 1))
        other = data.draw(
            st.characters(min_codepoint=32, max_codepoint=126).filter(lambda c: c != texts[which][place])
        )
        texts[which] = texts[which][:place] + other + texts[which][place + 1 :]
        rows[index] = (sequence, texts[0], texts[1])
        write(connection, rows)
        found = verify(filled)
        assert not found.whole and str(sequence) in " ".join(found.problems)


@SAME_FOLDER
@given(data=st.data())
def test_any_deletion_move_or_repetition_is_seen(filled: Audit, data: st.DataObject) -> None:
    with tampered(filled) as connection:
        rows = read(connection)
        first, second = sorted(
            data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=2, max_size=2, unique=True))
        )
        kind = data.draw(
            st.sampled_from(["delete", "delete many", "swap", "renumbered delete", "repeat", "truncate"])
        )
        if kind == "delete":
            del rows[first]
        elif kind == "delete many":
            del rows[first:second]
        elif kind == "swap":
            a, b = rows[first], rows[second]
            rows[first], rows[second] = (a[0], b[1], b[2]), (b[0], a[1], a[2])
        elif kind == "renumbered delete":
            del rows[first]
            rows = [(number + 1, record, mac) for number, (_, record, mac) in enumerate(rows)]
        elif kind == "repeat":
            rows.insert(second, rows[first])
            rows = [(number + 1, record, mac) for number, (_, record, mac) in enumerate(rows)]
        else:
            rows = rows[:second]
        write(connection, rows)
        assert not verify(filled).whole


def test_cutting_off_the_last_record_or_all_of_them_is_seen(filled: Audit) -> None:
    for keep in (COUNT - 1, EVERY, 0):
        with tampered(filled) as connection:
            write(connection, read(connection)[:keep])
            found = verify(filled)
            assert not found.whole and f"once reached record {COUNT}" in " ".join(found.problems)


def test_a_chain_that_was_written_anew_disagrees_with_the_signed_heads(filled: Audit, tmp_path: Path) -> None:
    # Whoever has the chain's key can write a whole chain; the heads that were copied away tell.
    heads = filled.heads.signed.read_text()
    with tampered(filled) as connection:
        connection.execute("DELETE FROM audit_records")
        connection.commit()
        for number in range(COUNT):
            filled.event({"n": number})
        filled.heads.signed.write_text(heads)
        found = verify(filled)
        assert found.problems == [f"the signed head of record {EVERY} says otherwise than the chain"]


def test_tampered_heads_are_seen(filled: Audit) -> None:
    path, text = filled.heads.signed, filled.heads.signed.read_text()
    head = json.loads(text)
    for change in (
        {"sequence": 3},
        {"mac": "0" * 64},
        {"signature": "00"},
        {"public": "1" * 64},
        {"time": "x"},
    ):
        path.write_text(json.dumps({**head, **change}) + "\n")
        assert not verify(filled).whole, change
    path.write_text("not json\n")
    assert not verify(filled).whole
    path.write_text(text)
    latest = filled.heads.latest_path
    for damage in ("", "{}", '{"sequence": 2, "mac": "0"}'):
        latest.write_text(damage)
        assert not verify(filled).whole, damage
    latest.unlink()
    assert "cut off" in " ".join(verify(filled).problems)


def test_an_export_is_checked_without_the_database(filled: Audit, tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    assert export(filled, path) == COUNT
    shutil.rmtree(Path(str(filled.database.engine.url.database)).parent)
    assert verify_export(path, filled.keys).whole
    lines = path.read_text().splitlines()
    for changed in (
        lines[1:],
        lines[: COUNT - 1] + lines[COUNT:],
        lines[:-1],
        [*lines[:3], lines[4], lines[3], *lines[5:]],
    ):
        path.write_text("\n".join(changed))
        assert not verify_export(path, filled.keys).whole


def test_the_commands(filled: Audit, tmp_path: Path, database: Database) -> None:
    run = CliRunner().invoke
    shown = json.loads(run(app, ["audit", "show", "--last", "3", "--json"]).output)
    assert [one["sequence"] for one in shown] == [COUNT - 2, COUNT - 1, COUNT]
    one_run = json.loads(run(app, ["audit", "show", "--run", "r1", "--json"]).output)
    assert {one["body"]["run"] for one in one_run} == {"r1"}
    assert "intent" in run(app, ["audit", "show"]).output
    path = tmp_path / "a.jsonl"
    assert json.loads(run(app, ["audit", "export", str(path), "--json"]).output)["records"] == COUNT
    assert (
        run(app, ["audit", "verify"]).exit_code
        == run(app, ["audit", "verify", "--file", str(path)]).exit_code
        == 0
    )
    with tampered(filled) as connection:
        write(connection, read(connection)[:-1])
        done = run(app, ["audit", "verify", "--json"])
        assert done.exit_code == 1 and json.loads(done.output)["whole"] is False
