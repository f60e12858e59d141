"""Runs specs: opens what they name, does their steps, and looks until each expectation is decided."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from llava_agent.checks.judge import Ask, judge
from llava_agent.checks.sighting import PageSubject, PictureSubject, Subject
from llava_agent.checks.spec import Spec, Step
from llava_agent.checks.verdict import CheckResult, SpecResult, Verdict
from llava_agent.errors import ConfigError, LlavaAgentError, ToolError

if TYPE_CHECKING:
    from tools.action import Action
    from tools.browser import PageSurface
    from tools.observation import Observation

#: Seconds between two looks at a page that does not show yet what it should.
_AGAIN = 0.25
_PAGES = (".html", ".htm", ".xhtml", ".svg")

Progress = Callable[[SpecResult, int, int], None]


async def run_specs(
    specs: Sequence[tuple[Path, Spec]],
    ask: Ask | None = None,
    *,
    update_baselines: bool = False,
    progress: Progress | None = None,
) -> CheckResult:
    """Run the specs one after the other; one that cannot be run is an error and does not stop the others."""
    results = []
    for number, (file, spec) in enumerate(specs, start=1):
        began = time.perf_counter()
        verdicts: tuple[Verdict, ...] = ()
        problem = ""
        try:
            verdicts = tuple(await run_spec(spec, file.parent, ask, update_baselines=update_baselines))
        except LlavaAgentError as error:
            problem = str(error)
        result = SpecResult(spec.name, file, verdicts, time.perf_counter() - began, problem)
        results.append(result)
        if progress:
            progress(result, number, len(specs))
    return CheckResult(tuple(results))


async def run_spec(
    spec: Spec, folder: Path, ask: Ask | None = None, *, update_baselines: bool = False
) -> list[Verdict]:
    """The verdicts of one spec, in its order.

    Args:
        folder: what its paths are relative to.
        ask: the model for `asks`; those stay undecided without one.

    Raises:
        ConfigError: the page's file does not exist, or a step names what is not there.
        ToolError: the page cannot be reached, or a step is refused.
    """
    async with _subject(spec, folder) as subject:
        if update_baselines:
            await _write_baselines(spec, folder, subject)
        waits = spec.timeout if isinstance(subject, PageSubject) else 0.0
        return await _decided(spec, folder, subject, ask, time.monotonic() + waits)


async def _decided(
    spec: Spec, folder: Path, subject: Subject, ask: Ask | None, deadline: float
) -> list[Verdict]:
    """Look again until everything exact holds at once or the time is over; only then is a model asked."""
    verdicts: dict[int, Verdict] = {}
    exact = [index for index, one in enumerate(spec.expect) if one.asks is None]
    while True:
        seen = await subject.look()
        for index in exact:
            verdicts[index] = await asyncio.to_thread(judge, spec.expect[index], seen, folder, None)
        waiting = any(verdicts[index].status != "pass" for index in exact)
        if not waiting or time.monotonic() >= deadline:
            break
        await asyncio.sleep(_AGAIN)
    for index, one in enumerate(spec.expect):
        if one.asks is not None:
            verdicts[index] = await asyncio.to_thread(judge, one, seen, folder, ask)
    return [verdicts[index] for index in range(len(spec.expect))]


async def _write_baselines(spec: Spec, folder: Path, subject: Subject) -> None:
    from llava_agent.agent.trace import write_whole

    wanted = [one.matches for one in spec.expect if one.matches is not None]
    if wanted:
        seen = await subject.look()
        for one in wanted:
            (folder / one.baseline).parent.mkdir(parents=True, exist_ok=True)
            write_whole(folder / one.baseline, seen.parts[0].screenshot)


@asynccontextmanager
async def _subject(spec: Spec, folder: Path) -> AsyncIterator[Subject]:
    """What the spec names: a page in a browser that can reach its host only, or a picture."""
    if spec.page.startswith(("http://", "https://")):
        async with _page(spec, spec.page) as subject:
            yield subject
        return
    path = (folder / spec.page).resolve()
    if not path.is_file():
        raise ConfigError(f"the page {path} does not exist", "give an address, or a file beside the spec")
    if path.suffix.lower() not in _PAGES:
        if spec.steps:
            raise ConfigError("a picture has no controls, so it takes no steps", "remove `steps`")
        yield PictureSubject(path)
        return
    with _Served(path.parent) as base:
        async with _page(spec, f"{base}/{path.name}") as subject:
            yield subject


@asynccontextmanager
async def _page(spec: Spec, url: str) -> AsyncIterator[PageSubject]:
    from llava_agent.egress import AllowList
    from tools.browser import BrowserSession, PageSurface

    async with BrowserSession(AllowList.of(url), viewport=spec.viewport) as session:
        surface = PageSurface(session, limit=10_000, text=20_000)
        outcome = await surface.open(url)
        if not outcome.ok:
            raise ToolError(f"{url} answers with an error ({outcome.detail})", "check the address")
        for step in spec.steps:
            await _do(step, surface, time.monotonic() + spec.timeout)
        yield PageSubject(surface)


async def _do(step: Step, surface: PageSurface, deadline: float) -> None:
    """One step; its control may take a while to appear."""
    while True:
        seen = await surface.observe()
        action = _action(step, seen)
        if action is not None:
            outcome = await surface.act(action, seen)
            if outcome.ok:
                return
            problem = outcome.detail
        else:
            problem = "there is no such control"
        if time.monotonic() >= deadline:
            raise ToolError(
                f"the step {_words(step)} cannot be done ({problem})", "check the names in `steps`"
            )
        await asyncio.sleep(_AGAIN)


def _action(step: Step, seen: Observation) -> Action | None:
    """The typed action of a step; None where its control is not there."""
    from tools.action import Click, Press, Select, Target, Type

    if step.press is not None:
        return Press(key=step.press)
    name = step.click or (step.type.into if step.type else step.select.of if step.select else "")
    controls = [mark for mark in seen.marks if mark.role not in ("text", "heading")]
    wanted = " ".join(name.split()).casefold()
    found = next((mark for mark in controls if " ".join(mark.text.split()).casefold() == wanted), None)
    if found is None:
        return None
    target = Target(ref=found.ref)
    if step.type is not None:
        return Type(target=target, text=step.type.text)
    if step.select is not None:
        return Select(target=target, option=step.select.option)
    return Click(target=target)


def _words(step: Step) -> str:
    return str(step.model_dump(exclude_unset=True))


class _Served:
    """Serves a folder on loopback while a page in it is checked: scripts and fonts work as on a site."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> str:
        import threading
        from functools import partial
        from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

        class Quiet(SimpleHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(self._folder)))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_port}"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
