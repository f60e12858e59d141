"""Sits the exam: every task with every seed, each an ordinary run of the product."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from llava_agent.agent.expect import Holds
from llava_agent.agent.permission import Permission
from llava_agent.agent.record import StepRecord
from llava_agent.agent.result import RunResult
from llava_agent.agent.run import run_task
from llava_agent.agent.state import Budget
from llava_agent.agent.supervision import Supervision
from llava_agent.egress import AllowList
from llava_agent.errors import ConfigError, LlavaAgentError, ToolError
from llava_agent.exam.miniwob.episode import SCALE, VIEWPORT, Episode, Task, start
from llava_agent.exam.miniwob.pages import serve
from llava_agent.exam.miniwob.policies import WITHOUT_MODEL, Candidate, make
from llava_agent.exam.miniwob.record import Condition, EpisodeRecord, Episodes
from llava_agent.exam.miniwob.result import Exam
from llava_agent.exam.miniwob.tasks import pages_folder, pick_seeds, pick_tasks
from llava_agent.gateway.gateway import Gateway
from tools.browser import BrowserSession, ObservationMode
from tools.observation import Surface

MAX_STEPS = 10
#: An episode that hangs is cut off; far above what ten steps take.
_MAX_SECONDS = 900.0
#: The floor of every exam. It looks for words on buttons, which only the page's structure gives.
FLOOR = "blind"
_TRIES = 2

#: Called with each finished episode, how many are finished, and how many there are.
Progress = Callable[[EpisodeRecord, int, int], None]


async def evaluate_miniwob(
    gateway: Gateway,
    *,
    tasks: str | Sequence[str] = "",
    seeds: str | Sequence[int] = "0-4",
    observation: ObservationMode = "hybrid",
    policy: str = "routed",
    weights: str = "",
    jobs: int = 1,
    limit: int | None = None,
    max_steps: int = MAX_STEPS,
    episodes: Path | None = None,
    keep: Path | None = None,
    floor: bool = True,
    progress: Progress | None = None,
    folder: Path | None = None,
) -> Exam:
    """Run MiniWoB++ episodes through the product's own browser, policy and loop, and score them.

    Args:
        gateway: its models decide; may be empty for the policies `blind` and `random`.
        tasks: names, `a,b` or a sequence; all 125 where empty.
        seeds: such as `0-4` or `0,3`.
        observation: marks from the page's structure (`hybrid`), or from the screenshot alone (`pixels`).
        policy: `routed`, `vision`, `text`, `random` or `blind`.
        weights: fingerprint of the weights, so that episodes of others are never taken for these.
        jobs: browsers at the same time; the models are asked one after the other.
        limit: only the first so many episodes, in order of seed, then task.
        episodes: file of finished episodes; what it holds is not run again.
        keep: folder for the trace and report of each run; nothing is kept without it.
        floor: also run the blind policy on the same tasks and seeds.
        folder: the pages; the installed package's where None.

    Raises:
        ConfigError: the pages are not installed, or an option is wrong.
        NoPermittedModel, WeightsError: no model can decide.
        ToolError: no browser, or the file of episodes cannot be written.
    """
    if jobs < 1 or max_steps < 1 or (limit is not None and limit < 1):
        raise ConfigError("jobs, limit and max_steps must be 1 or more")
    make(policy, gateway, 0)
    pages = folder or pages_folder()
    chosen, numbers = pick_tasks(tasks, pages), pick_seeds(seeds)
    plan = [Task(name, seed) for seed in numbers for name in chosen][:limit]
    store = Episodes(episodes)
    condition = Condition(policy=policy, observation=observation, max_steps=max_steps, weights=weights)
    conditions = [condition]
    if floor and policy != FLOOR:
        conditions.append(Condition(policy=FLOOR, observation="hybrid", max_steps=max_steps))
    sitting = _Sitting(gateway, store, keep, threading.Lock(), progress, len(plan) * len(conditions))
    with serve(pages) as base:
        await sitting.run([(one, task) for one in conditions for task in plan], base, jobs)

    def of(one: Condition) -> tuple[EpisodeRecord, ...]:
        return tuple(record for task in plan if (record := store.get(one, task.name, task.seed)))

    return Exam(condition, numbers, of(condition), {one.policy: of(one) for one in conditions[1:]})


@dataclass(slots=True)
class _Sitting:
    """One evaluation: what its browsers share."""

    gateway: Gateway
    store: Episodes
    keep: Path | None
    turn: threading.Lock
    progress: Progress | None
    total: int
    finished: int = 0

    async def run(self, work: Sequence[tuple[Condition, Task]], base: str, jobs: int) -> None:
        todo = []
        for condition, task in work:
            known = self.store.get(condition, task.name, task.seed)
            if known is None:
                todo.append((condition, task))
            else:
                self._tell(known)
        queue = iter(todo)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(jobs, len(todo))):
                    group.create_task(self._browser(queue, base))
        except* LlavaAgentError as several:
            raise several.exceptions[0] from None

    async def _browser(self, queue: Iterator[tuple[Condition, Task]], base: str) -> None:
        """Take episodes from the queue until it is empty, all in one browser."""
        async with BrowserSession(AllowList.of(base), viewport=VIEWPORT, scale=SCALE) as session:
            for condition, task in queue:
                record = await self._episode(session, base, condition, task)
                self.store.add(record)
                self._tell(record)

    def _tell(self, record: EpisodeRecord) -> None:
        self.finished += 1
        if self.progress:
            self.progress(record, self.finished, self.total)

    async def _episode(
        self, session: BrowserSession, base: str, condition: Condition, task: Task
    ) -> EpisodeRecord:
        """One episode; where the browser fails, once more in a fresh one."""
        problem = ""
        for attempt in range(_TRIES):
            if attempt:
                await session.restart()
            began = time.monotonic()
            try:
                mode: ObservationMode = "pixels" if condition.observation == "pixels" else "hybrid"
                episode = await start(session, base, task, mode)
                record = await self._attempt(episode, session.page.url, condition, task, began)
            except ToolError as error:
                problem = str(error)
                continue
            if episode.broken is None:
                return record
            problem = episode.broken
        return EpisodeRecord(condition=condition, task=task.name, seed=task.seed, error=problem)

    async def _attempt(
        self, episode: Episode, address: str, condition: Condition, task: Task, began: float
    ) -> EpisodeRecord:
        @contextlib.asynccontextmanager
        async def running(_address: str) -> AsyncIterator[Surface]:
            yield episode

        candidates: list[Candidate] = []

        def candidate(gateway: Gateway) -> Candidate:
            turn = threading.Lock() if condition.policy in WITHOUT_MODEL else self.turn
            candidates.append(Candidate(make(condition.policy, gateway, task.seed), turn))
            return candidates[0]

        steps: list[StepRecord] = []
        with self._folder(condition, task) as out:
            result = await run_task(
                address,
                episode.goal,
                gateway=self.gateway,
                out=out,
                policy=candidate,
                budget=Budget(condition.max_steps, _MAX_SECONDS),
                expectations=[Holds("the page gives a positive reward", episode.rewarded)],
                progress=steps.append,
                open_surface=running,
                # The pages are made to be played with, and nothing on them is real.
                supervision=Supervision(Permission.everything()),
            )
        if candidates[0].error is not None:
            raise candidates[0].error
        return _record(condition, task, episode, result, steps, time.monotonic() - began)

    @contextlib.contextmanager
    def _folder(self, condition: Condition, task: Task) -> Iterator[Path]:
        """Where the run leaves its trace: kept where asked for, else thrown away."""
        if self.keep is None:
            with tempfile.TemporaryDirectory(prefix="llava-agent-") as name:
                yield Path(name) / "run"
            return
        wanted = self.keep / f"{condition.policy}-{condition.observation}" / f"{task.name}-{task.seed}"
        number = 2
        out = wanted
        while out.exists():
            out = wanted.with_name(f"{wanted.name}-{number}")
            number += 1
        yield out


def _record(
    condition: Condition,
    task: Task,
    episode: Episode,
    result: RunResult,
    steps: Sequence[StepRecord],
    seconds: float,
) -> EpisodeRecord:
    return EpisodeRecord(
        condition=condition,
        task=task.name,
        seed=task.seed,
        goal=episode.goal,
        reward=episode.reward,
        ended=episode.over,
        steps=len(steps),
        unasked=sum(not step.calls for step in steps),
        reason=result.reason,
        actions=tuple(step.line for step in steps),
        refused=sum(step.outcome == "refused" for step in steps),
        invalid=sum(step.outcome == "invalid" for step in steps),
        escalated=result.counters.escalated,
        tokens=result.spent.tokens,
        image_tokens=result.spent.image_tokens,
        money=float(result.spent.money),
        model_ms=round(sum(total.ms for total in result.models.values()), 1),
        seconds=round(seconds, 3),
    )
