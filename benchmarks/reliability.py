# ruff: noqa: E501  (pages are easier to read on one line)
"""Pages and servers that misbehave, and browsers that die: does each run end in its budget, with a clear status?

    python benchmarks/reliability.py [--only NAME] [--steps 200] [--json FILE]

Scripted policies on a real browser; no model is needed. `tests/agent/test_reliability.py` runs the same, shorter.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from llava_agent.agent.baselines import OraclePolicy
from llava_agent.agent.expect import Expectation, Shows
from llava_agent.agent.result import RunResult
from llava_agent.agent.run import run_task
from llava_agent.agent.state import Budget, State
from llava_agent.agent.surfaces import open_page
from llava_agent.gateway.gateway import Gateway
from tools.action import Action, Click, Scroll, Target, Type, Wait
from tools.browser import PageSurface
from tools.observation import Observation, Surface

PAGES = {
    "/form": """<title>Form</title><form action="/saved"><label>Name <input name="n"></label><button>Save</button></form>""",
    "/saved": "<title>Saved</title><h1>It was saved</h1>",
    "/huge": """<title>Huge</title><h1>Huge</h1><button>Go on</button><div id="b"></div><script>
      const parts = []; for (let i = 0; i < 20000; i++) parts.push(i % 2 ? `<button>x${i}</button>` : `<p>t${i}</p>`);
      b.innerHTML = parts.join("");</script>""",
    "/endless": """<title>Endless</title><ul id="l"></ul><script>
      const more = () => { for (let i = 0; i < 50; i++) l.insertAdjacentHTML("beforeend", "<li>row " + l.childElementCount); };
      more(); addEventListener("scroll", more);</script>""",
    "/reloading": """<title>Reloading</title><button>Go on</button><script>setTimeout(() => location.reload(), 50)</script>""",
    "/modal": """<title>Modal</title><button>Go on</button><script>setInterval(() => alert("again"), 1)</script>""",
    "/busy": """<title>Busy</title><button onclick="for (;;) {}">Go on</button>""",
    "/flicker": """<title>Flicker</title><div id="d"></div><script>
      setInterval(() => { d.innerHTML = "<button>Go on</button>" + Math.random(); }, 5)</script>""",
    "/counter": """<title>Counter</title><button onclick="n.textContent = +n.textContent + 1">Add</button><b id="n">0</b>
      <label>Note <input></label>""",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a scenario ended."""

    name: str
    status: str
    reason: str
    steps: int
    seconds: float
    budget: float
    marks: int = 0

    @property
    def held(self) -> bool:
        """Within the budget (and what it takes to stop a browser), with a sentence."""
        return self.seconds <= self.budget + 15 and bool(self.reason)


@contextlib.contextmanager
def server(hang: float = 120.0) -> Iterator[str]:
    """The pages; `/slow` answers nothing for `hang` seconds."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/slow":
                time.sleep(hang)
            text = PAGES.get(path, "")
            self.send_response(200 if text else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(text.encode())

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.daemon_threads = True
    threading.Thread(target=running.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{running.server_port}"
    finally:
        running.shutdown()
        running.server_close()


class Again(OraclePolicy):
    """Does the same for ever, each time a little differently, so that only a budget ends it."""

    def __init__(self, moves: Callable[[int], Action]) -> None:
        super().__init__([lambda state, seen, at=at: moves(at) for at in range(10_000)])  # type: ignore[misc]


def go_on(at: int) -> Action:
    return Click(target=Target(text="Go on")) if at % 2 == 0 else Wait(seconds=0.1 + at / 1000)


def down(at: int) -> Action:
    return Scroll() if at % 2 == 0 else Wait(seconds=0.05 + at / 1000)


async def play(url: str, policy: OraclePolicy, budget: Budget, out: Path, expectations: tuple[Expectation, ...] = (), **more: object) -> RunResult:  # fmt: skip
    return await run_task(
        url, "go on", gateway=Gateway({}), out=out, policy=lambda _: policy, budget=budget,
        expectations=expectations, **more,  # type: ignore[arg-type]
    )  # fmt: skip


async def misbehaving(name: str, base: str, out: Path, seconds: float, steps: int) -> Outcome:
    """One page that misbehaves; the run is over after `seconds` or `steps`."""
    marks: list[int] = []
    policy = Again(down if name == "endless" else go_on)
    began = time.monotonic()
    result = await play(
        f"{base}/{name}", policy, Budget(steps, seconds), out,
        progress=lambda step: marks.append(len(step.observation.marks)),
    )  # fmt: skip
    took = time.monotonic() - began
    return Outcome(
        name, result.status, result.reason, result.spent.steps, round(took, 2), seconds, max(marks, default=0)
    )


async def killed(what: str, at: int, base: str, out: Path) -> Outcome:
    """The browser process, or its page, dies before step `at` of a form that is filled and sent."""

    @contextlib.asynccontextmanager
    async def opening(address: str) -> AsyncIterator[Surface]:
        async with open_page(address) as surface:
            assert isinstance(surface, PageSurface)
            open_.append(surface)
            yield surface

    open_: list[PageSurface] = []
    script = [
        Type(target=Target(text="Name"), text="Ada"),
        Click(target=Target(text="Save")),
        Wait(seconds=0.1),
    ]

    class Killer(OraclePolicy):
        def decide(self, state: State, observation: Observation):  # type: ignore[no-untyped-def]
            if state.spent.steps == at:
                asyncio.run_coroutine_threadsafe(_kill(what, open_[0]), loop).result(20)
            return super().decide(state, observation)

    loop = asyncio.get_running_loop()
    began = time.monotonic()
    result = await play(
        f"{base}/form", Killer(script), Budget(10, 60), out, (Shows("It was saved"),), open_surface=opening
    )
    took = time.monotonic() - began
    return Outcome(
        f"{what} killed at step {at}", result.status, result.reason, result.spent.steps, round(took, 2), 60
    )


async def _kill(what: str, surface: PageSurface) -> None:
    session = surface.session
    if what == "page":
        await session.page.close()
        return
    talk = await session.page.context.new_cdp_session(session.page)
    with contextlib.suppress(Exception):  # it dies before it answers
        await asyncio.wait_for(talk.send("Browser.crash"), 5)
    for _ in range(50):
        if session.watch.crashed:
            return
        await asyncio.sleep(0.1)


def memory() -> float:
    """Resident MiB of this process."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def long_run(base: str, out: Path, steps: int) -> dict[str, object]:
    """Many steps in one process: memory after a quarter of them, and at the end."""
    sizes: list[float] = []

    def add(at: int) -> Action:
        return (
            Click(target=Target(text="Add"))
            if at % 2 == 0
            else Type(target=Target(text="Note"), text=f"n{at}")
        )

    began = time.monotonic()
    result = await play(
        f"{base}/counter", Again(add), Budget(steps, 3600), out, progress=lambda step: sizes.append(memory())
    )
    quarter = sizes[len(sizes) // 4]
    return {
        "steps": result.spent.steps,
        "seconds": round(time.monotonic() - began, 1),
        "mib_after_a_quarter": round(quarter, 1),
        "mib_at_the_end": round(sizes[-1], 1),
        "kib_a_step": round((sizes[-1] - quarter) * 1024 / max(1, len(sizes) * 3 / 4), 1),
        "report_kib": round(result.report.stat().st_size / 1024, 1),
    }


async def side_by_side(base: str, out: Path) -> bool:
    """Two runs at once: each has its own browser, folder and facts."""

    async def one(name: str) -> RunResult:
        script = [
            Type(target=Target(text="Name"), text=name),
            Wait(seconds=0.3),
            Click(target=Target(text="Save")),
        ]
        return await play(
            f"{base}/form", OraclePolicy(script), Budget(10, 60), out / name, (Shows("It was saved"),)
        )

    both = await asyncio.gather(one("Oona"), one("Luis"))  # no name that a hash could spell
    texts = [(result.folder / "steps.jsonl").read_text() for result in both]
    return (
        all(result.status == "passed" for result in both)
        and "Luis" not in texts[0]
        and "Oona" not in texts[1]
        and "n=Oona" in texts[0]
    )


MISBEHAVING = ("huge", "endless", "reloading", "modal", "busy", "flicker", "slow")


async def measure(only: str, steps: int) -> dict[str, object]:
    found: dict[str, object] = {}
    with server() as base, tempfile.TemporaryDirectory(prefix="reliability-") as folder:
        out = Path(folder)
        outcomes = [
            await misbehaving(name, base, out / name, 30.0, 20) for name in MISBEHAVING if only in ("", name)
        ]
        for what in ("browser", "page"):
            for at in range(3):
                if only in ("", what):
                    outcomes.append(await killed(what, at, base, out / f"{what}-{at}"))
        found["scenarios"] = [{**asdict(one), "held": one.held} for one in outcomes]
        if only in ("", "side"):
            found["two_runs_do_not_mix"] = await side_by_side(base, out / "side")
        if only in ("", "long"):
            found["long_run"] = await long_run(base, out / "long", steps)
    return found


def main() -> int:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--only", default="", help="one scenario, or browser, page, side, long")
    options.add_argument("--steps", type=int, default=200)
    options.add_argument("--json", type=Path, default=None)
    chosen = options.parse_args()
    found = asyncio.run(measure(chosen.only, chosen.steps))
    text = json.dumps(found, indent=2)
    if chosen.json:
        chosen.json.write_text(text + "\n")
    print(text)
    scenarios = found["scenarios"]
    assert isinstance(scenarios, list)
    return 0 if all(one["held"] for one in scenarios) and found.get("two_runs_do_not_mix", True) else 1


if __name__ == "__main__":
    sys.exit(main())
