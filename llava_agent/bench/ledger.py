"""How long a page of a long ledger takes: made-up rows, through the product's own store."""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from llava_agent.database import Database
from llava_agent.gateway.ledger import Entry
from llava_agent.gateway.ledger_store import LedgerStore
from llava_agent.gateway.usage import usage_by

_BATCH = 10_000
_KINDS = ("plan", "perceive", "act", "tool_args", "verify", "summarise")
_MODELS = ("embedded-text", "embedded-vision", "server-text", "server-vision")


@dataclass(frozen=True, slots=True)
class LedgerReport:
    """Milliseconds, each the median and the largest of the tries.

    Attributes:
        write: one entry in its own transaction.
        first, middle: a page of 50 at the end, and one half way down.
        run, model: a page of one run, and of one model from anywhere.
        usage: the sums and percentiles over all rows (one try).
    """

    rows: int
    file_mb: float
    write: tuple[float, float]
    first: tuple[float, float]
    middle: tuple[float, float]
    run: tuple[float, float]
    model: tuple[float, float]
    usage: float


def bench_ledger(rows: int, tries: int, progress: Callable[[int, int], None]) -> LedgerReport:
    """Write `rows` entries into a new database and measure. Needs about 600 bytes of disk a row."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        database = Database(path)
        database.prepare()
        store = LedgerStore(database)
        made = _entries(rows)
        for done in range(0, rows, _BATCH):
            store.write_all([next(made) for _ in range(min(_BATCH, rows - done))])
            progress(min(done + _BATCH, rows), rows)
        database.scrub()
        choice = random.Random(7)
        one = next(_entries(1))
        report = LedgerReport(
            rows,
            round(path.stat().st_size / 1e6, 1),
            _timed(tries, lambda: store.write(one)),
            _timed(tries, store.page),
            _timed(tries, lambda: store.page(before=rows // 2 + choice.randrange(rows // 4))),
            _timed(tries, lambda: store.page(run=f"run-{choice.randrange(max(1, rows // 40))}")),
            _timed(
                tries, lambda: store.page(model=choice.choice(_MODELS), before=choice.randrange(rows) + 1)
            ),
            _timed(1, lambda: usage_by(database, ("model", "kind")))[0],
        )
        database.close()
    return report


def _timed(tries: int, action: Callable[[], object]) -> tuple[float, float]:
    taken = []
    for _ in range(tries):
        started = time.perf_counter()
        action()
        taken.append((time.perf_counter() - started) * 1000)
    return round(statistics.median(taken), 2), round(max(taken), 2)


def _entries(rows: int) -> Iterator[Entry]:
    choice = random.Random(1)
    start = datetime.now(UTC) - timedelta(days=90)
    for number in range(rows):
        model = choice.choice(_MODELS)
        yield Entry(
            run=f"run-{number // 40}",
            step=number % 40,
            kind=choice.choice(_KINDS),  # type: ignore[arg-type]
            call="choose",
            model=model,
            tier="vision" if model.endswith("vision") else "text",
            reason="the words of the marks are enough, so the text model decides",
            prompt_tokens=choice.randrange(80, 2000),
            output_tokens=choice.randrange(1, 60),
            ms={"prefill": 100.0, "total": choice.lognormvariate(5, 1)},
            confidence=0.9,
            verb="click",
            cost=f"0.000{choice.randrange(1000):03d}",
            outcome="ok" if choice.random() < 0.97 else "error",
            time=(start + timedelta(seconds=7 * number)).isoformat(timespec="milliseconds"),
        )
