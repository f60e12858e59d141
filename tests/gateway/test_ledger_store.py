"""The ledger in the database: pages, sums, percentiles, masks; what commands and metrics make of it."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from llava_agent.cli import app
from llava_agent.database import Database, open_database
from llava_agent.gateway.ledger import Entry, Ledger
from llava_agent.gateway.ledger_store import LedgerStore, ledger_entries
from llava_agent.gateway.metrics import CallMetrics
from llava_agent.gateway.usage import usage_by

ONE = Entry("r1", 0, "act", "choose", "m", "text", "it is enough", prompt_tokens=7, ms={"total": 5.0})


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setenv("LLAVA_AGENT_DATABASE", str(tmp_path / "state.db"))
    return open_database()


@pytest.fixture
def store(database: Database) -> LedgerStore:
    return LedgerStore(database)


def test_pages_run_from_the_newest_to_the_oldest_and_miss_none(store: LedgerStore) -> None:
    store.write_all([replace(ONE, step=number, run=f"r{number % 2}") for number in range(25)])
    seen: list[int] = []
    before = None
    while page := store.page(before=before, size=10):
        seen += [row.entry["step"] for row in page]
        before = page[-1].id
    assert seen == list(range(24, -1, -1))
    assert [row.entry["step"] for row in store.page(run="r1", size=3)] == [23, 21, 19]
    assert store.page(model="other") == []
    assert Entry(**store.page(size=1)[0].entry) == replace(ONE, step=24, run="r0")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 1e6), st.booleans()), min_size=1, max_size=40))
def test_sums_and_percentiles_are_those_of_the_rows(
    store: LedgerStore, calls: list[tuple[str, float, bool]]
) -> None:
    with store.database.writing() as connection:
        connection.execute(ledger_entries.delete())
    store.write_all(
        [
            replace(ONE, model=model, ms={"total": ms}, cost="0.1", outcome="ok" if ok else "error")
            for model, ms, ok in calls
        ]
    )
    store.write(replace(ONE, model="a", shadow=True))
    for row in usage_by(store.database, ("model", "kind")):
        times = sorted(ms for model, ms, _ in calls if model == row.group["model"])
        assert row.calls == len(times) and row.prompt_tokens == 7 * len(times)
        assert row.cost == f"{len(times) // 10}.{len(times) % 10}".removesuffix(".0")
        for percent in (50, 95, 99):
            exact = times[math.ceil(percent / 100 * len(times)) - 1]
            assert getattr(row, f"p{percent}") == pytest.approx(exact, abs=0.01)
        good = sum(ok for model, _, ok in calls if model == row.group["model"])
        assert row.success == pytest.approx(good / len(times), abs=1e-4)


def test_old_calls_are_left_out(store: LedgerStore) -> None:
    old = (datetime.now(UTC) - timedelta(days=40)).isoformat()
    store.write_all([replace(ONE, time=old), ONE])
    (row,) = usage_by(store.database, ("model", "kind"), datetime.now(UTC) - timedelta(days=30))
    assert row.calls == 1 and row.cost is None


def test_a_ledger_writes_to_all_its_sinks_and_masks_first(store: LedgerStore, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl", [store])
    ledger.write(replace(ONE, error="ValueError: no user ann@example.com", outcome="error"))
    texts = [(tmp_path / "ledger.jsonl").read_text(), json.dumps(store.page()[0].entry), repr(ledger.entries)]
    assert all("[email_1]" in text and "ann@" not in text for text in texts)


def test_metrics_count_calls(store: LedgerStore) -> None:
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry()
    ledger = Ledger(sinks=[CallMetrics(registry)])
    ledger.write(replace(ONE, cost="0.25"))
    ledger.write(replace(ONE, outcome="error"))
    text = generate_latest(registry).decode()
    assert 'llava_agent_model_calls_total{kind="act",model="m",outcome="error"} 1.0' in text
    assert 'llava_agent_model_tokens_total{kind="act",model="m",part="prompt"} 14.0' in text
    assert 'llava_agent_model_cost_total{kind="act",model="m"} 0.25' in text


def test_the_usage_command(store: LedgerStore, tmp_path: Path) -> None:
    run = CliRunner().invoke
    assert "No calls" in run(app, ["gateway", "usage"]).output
    store.write_all([replace(ONE, cost="0.5"), replace(ONE, kind="verify", outcome="error")])
    shown = json.loads(run(app, ["gateway", "usage", "--json"]).output)["usage"]
    assert [(row["kind"], row["success"], row["cost"]) for row in shown] == [
        ("act", 1, "0.5"),
        ("verify", 0, None),
    ]
    plot = tmp_path / "usage.png"
    done = run(app, ["gateway", "usage", "--plot", str(plot)])
    assert done.exit_code == 0 and "verify" in done.output and plot.read_bytes().startswith(b"\x89PNG")
    assert run(app, ["gateway", "usage", "--plot", str(tmp_path / "no" / "x.png")]).exit_code != 0


def test_the_benchmark_runs(database: Database) -> None:
    done = CliRunner().invoke(app, ["bench", "ledger", "--rows", "1000", "--tries", "3", "--json"])
    report = json.loads(done.stdout)
    assert report["rows"] == 1000 and report["first"][0] > 0 and report["usage"] > 0
