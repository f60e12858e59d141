"""One episode: a page of the exam that is set going with a seed, seen as a surface that ends by itself."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from llava_agent.errors import LlavaAgentError, ToolError
from tools.action import Action, Effect
from tools.browser import ObservationMode, PageSurface
from tools.browser.session import BrowserSession
from tools.observation import Observation, Outcome

if TYPE_CHECKING:
    from playwright.async_api import Page

Seen = TypeVar("Seen", Observation, Outcome)

#: CSS pixels of the window. The task is the left 160x210; a few pages are up to ten pixels taller.
VIEWPORT = (332, 224)
#: Screenshot pixels per CSS pixel: the pages are written in a 10-pixel font.
SCALE = 2.0
#: The page's own clock, in milliseconds: long enough never to end an episode.
_CLOCK_MS = 3_600_000
_READY_MS = 10_000

#: What is no part of the task: the score, the click's trail, the start cover, and the box of the goal.
_HIDDEN = """
#reward-display, #click-canvas, #sync-task-cover { display: none !important; }
#query { visibility: hidden !important; }
"""
_BUILT = "() => typeof core === 'object' && !!core.cover_div"
_START = """([seed, clock]) => {
  Math.seedrandom(seed);
  core.EPISODE_MAX_TIME = clock;
  core.startEpisodeReal();
  core.begun = true;
}"""
_READY = "() => WOB_TASK_READY === true"
# The goal is given as text; left on the page it would be taken for the label of whatever stands below it.
_EMPTY = "() => document.getElementById('query').replaceChildren()"
_GOAL = "() => { const said = core.getUtterance(); return typeof said === 'string' ? said : said.utterance; }"
# Another document in the tab (a link, a form that was sent) has lost the task, and the reward with it.
_STATE = """() => typeof core === 'undefined' || core.begun !== true ? {done: true, reward: 0}
  : {done: WOB_DONE_GLOBAL, reward: WOB_RAW_REWARD_GLOBAL}"""


@dataclass(frozen=True, slots=True)
class Task:
    """One page with one seed."""

    name: str
    seed: int


class Episode:
    """A `tools.observation.Surface` over the running episode; once the page says that it is over, so does
    `ended`, and the page is not looked at any more.

    Attributes:
        goal: what the page asks for, in words.
        over: the page has ended the episode.
        reward: the page's raw reward, -1 to 1, not scaled by time; 0 until it is over.
        broken: why the browser failed, None where it did not: such an episode says nothing about the agent.
    """

    def __init__(self, page: Page, surface: PageSurface, goal: str) -> None:
        self.goal = goal
        self.over = False
        self.reward = 0.0
        self.broken: str | None = None
        self._page = page
        self._surface = surface
        self._last: Observation | None = None

    def ended(self) -> str | None:
        """The sentence that ends the run, None while the episode goes on."""
        return f"the page ended the episode with reward {self.reward:g}" if self.over else None

    def rewarded(self) -> tuple[bool, str]:
        """Whether the page has given a positive reward, and the sentence for it."""
        return self.over and self.reward > 0, self.ended() or "the page has not ended the episode"

    async def observe(self) -> Observation:
        await self._update()
        if self._last is not None and self.over:
            # No need to look again, and what comes after the end is not the task any more.
            return replace(self._last, title=self.ended() or "")
        self._last = await self._noting(self._surface.observe())
        return self._last

    async def act(self, action: Action, observation: Observation) -> Outcome:
        outcome = await self._noting(self._surface.act(action, observation))
        await self._update()
        return outcome

    async def value(self, ref: str) -> str | None:
        return None if self.over else await self._surface.value(ref)

    def effect(self, action: Action, observation: Observation) -> Effect:
        return self._surface.effect(action, observation)

    async def close(self) -> None:
        """Nothing: the browser goes on to the next episode."""

    async def _update(self) -> None:
        from playwright.async_api import Error

        if self.over:
            return
        try:
            state = await self._page.evaluate(_STATE)
        except Error as error:
            self.broken = f"the page cannot be asked for its reward ({str(error).splitlines()[0]})"
            raise ToolError(self.broken) from error
        self.over = bool(state["done"])
        self.reward = float(state["reward"] or 0) if self.over else 0.0

    async def _noting(self, work: Awaitable[Seen]) -> Seen:
        """Remember why the browser failed."""
        try:
            return await work
        except LlavaAgentError as error:
            self.broken = str(error)
            raise


async def start(session: BrowserSession, base: str, task: Task, mode: ObservationMode) -> Episode:
    """Open the task's page afresh in the session's browser and start its episode.

    Args:
        session: with `VIEWPORT` and `SCALE`, allowed to reach `base`.
        base: address of the folder of pages.

    Raises:
        ToolError: the page does not load or does not get ready.
    """
    from playwright.async_api import Error

    for page in session.pages[1:]:
        await page.close()
    page = session.page
    status = await session.open(f"{base}/miniwob/{task.name}.html")
    if status != 200:
        raise ToolError(f"the page of {task.name} was answered with {status}")
    try:
        await page.wait_for_function(_BUILT, timeout=_READY_MS)
        await page.add_style_tag(content=_HIDDEN)
        await page.evaluate(_START, [task.seed, _CLOCK_MS])
        await page.wait_for_function(_READY, timeout=_READY_MS)
        goal = str(await page.evaluate(_GOAL))
        await page.evaluate(_EMPTY)
    except Error as error:
        raise ToolError(f"{task.name} does not start ({str(error).splitlines()[0]})") from error
    session.watch.drain()
    return Episode(page, PageSurface(session, observation_mode=mode), goal)
