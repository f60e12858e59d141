"""Entries that are written in the background: in order, all of them, and a broken ledger stops nobody."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from llava_agent.errors import ToolError
from llava_agent.gateway.ledger import Entry
from llava_agent.gateway.sinks import Background, Observers


def entry(step: int) -> Entry:
    return Entry("run", step, "act", "choose", "here", "text", "the words are enough")


class Kept:
    def __init__(self, fails: int = 0) -> None:
        self.entries: list[Entry] = []
        self.fails = fails

    def write(self, entry: Entry) -> None:
        if self.fails:
            self.fails -= 1
            raise ToolError("the database cannot be used (locked)")
        self.entries.append(entry)


def test_all_are_written_in_order_and_nobody_waits_for_the_opening() -> None:
    kept, opened, go = Kept(), [], threading.Event()

    def open_sink() -> Kept:
        go.wait(10)
        opened.append(threading.current_thread().name)
        return kept

    sink = Background(open_sink)
    for step in range(50):
        sink.write(entry(step))
    assert kept.entries == []
    go.set()
    assert sink.flush()
    assert [one.step for one in kept.entries] == list(range(50))
    assert opened == ["ledger"]


def test_a_ledger_that_cannot_be_written_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    kept = Kept(fails=2)
    sink = Background(lambda: kept)
    with caplog.at_level(logging.WARNING):
        for step in range(3):
            sink.write(entry(step))
        assert sink.flush()
    assert [record.message for record in caplog.records] == [
        "calls are not entered in the ledger of all runs: the database cannot be used (locked)"
    ]
    assert [one.step for one in kept.entries] == [2]


def test_a_process_that_ends_at_once_has_written_its_calls(tmp_path: Path) -> None:
    out = tmp_path / "written"
    code = f"""
import time
from pathlib import Path
from llava_agent.gateway.sinks import Background
from tests.gateway.test_sinks import entry

class Slow:
    def write(self, one):
        time.sleep(0.2)
        Path({str(out)!r}).write_text(str(one.step))

Background(Slow).write(entry(7))
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
    assert out.read_text() == "7"


def test_observers_get_what_comes_after_they_asked_and_only_once() -> None:
    kept, observers = Kept(), Observers()
    observers.write(entry(0))
    observers.add(kept)
    observers.add(kept)
    observers.write(entry(1))
    assert [one.step for one in kept.entries] == [1]
