"""Whatever the world does, a run ends within its budget, with a status and a report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.reliability import MISBEHAVING, killed, long_run, misbehaving, server, side_by_side
from llava_agent.agent.trace import read_result

#: How each may end; a page that misbehaves never passes.
ENDS = {
    "huge": {"budget"},
    "endless": {"budget"},
    "reloading": {"budget", "blocked"},
    "modal": {"blocked", "budget"},
    "busy": {"blocked", "budget"},
    "flicker": {"budget"},
    "slow": {"blocked"},
}


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with server(hang=40) as url:
        yield url


@pytest.mark.parametrize("name", [name for name in MISBEHAVING if name not in ("slow", "busy")])
async def test_a_page_that_misbehaves_ends_the_run_in_time(name: str, base: str, tmp_path: Path) -> None:
    ended = await misbehaving(name, base, tmp_path / "run", seconds=6, steps=2)
    assert ended.held and ended.status in ENDS[name], ended
    assert ended.marks <= 60
    stored = read_result(tmp_path / "run")
    assert stored is not None and (tmp_path / "run" / "report.html").exists()


@pytest.mark.parametrize(("what", "at"), [("browser", 0), ("page", 2)])
async def test_a_death_at_any_step_is_reported(what: str, at: int, base: str, tmp_path: Path) -> None:
    ended = await killed(what, at, base, tmp_path / "run")
    assert ended.held and ended.status in ("blocked", "passed"), ended
    if ended.status == "blocked":
        assert "crashed" in ended.reason or "closed" in ended.reason
    stored = read_result(tmp_path / "run")
    assert stored is not None and stored.status == ended.status
    assert (tmp_path / "run" / "report.html").exists()


async def test_two_runs_do_not_mix(base: str, tmp_path: Path) -> None:
    assert await side_by_side(base, tmp_path)


async def test_many_steps_keep_the_memory_flat(base: str, tmp_path: Path) -> None:
    found = await long_run(base, tmp_path / "run", steps=10)
    assert found["steps"] == 10
    growth = found["kib_a_step"]
    assert isinstance(growth, float) and growth < 3072  # a decoded screenshot that is kept would be more
