"""Episodes in real Chromium, on little pages of our own."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from llava_agent.agent.trace import read_result
from llava_agent.egress import AllowList
from llava_agent.errors import ConfigError, NoPermittedModel, ToolError
from llava_agent.exam.miniwob.episode import SCALE, VIEWPORT, Task, start
from llava_agent.exam.miniwob.pages import serve
from llava_agent.exam.miniwob.record import EpisodeRecord
from llava_agent.exam.miniwob.run import evaluate_miniwob
from llava_agent.gateway.gateway import Gateway
from tests.exam import little
from tools.action import Click, Target
from tools.browser import BrowserSession

pytestmark = pytest.mark.asyncio(loop_scope="module")
NO_MODEL = Gateway({})


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return little.write(tmp_path_factory.mktemp("exam") / "pages")


@pytest.fixture(scope="module")
def base(pages: Path) -> Iterator[str]:
    with serve(pages) as address:
        yield address


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def session(base: str) -> AsyncIterator[BrowserSession]:
    async with BrowserSession(AllowList.of(base), viewport=VIEWPORT, scale=SCALE) as session:
        yield session


async def test_only_the_task_is_seen(session: BrowserSession, base: str) -> None:
    episode = await start(session, base, Task("even", 2), "hybrid")
    seen = await episode.observe()
    assert episode.goal == "Press é"
    assert [mark.text for mark in seen.marks] == ["Submit é"]
    assert episode.ended() is None and episode.rewarded()[0] is False


async def test_the_goal_names_nothing_on_the_page(session: BrowserSession, base: str) -> None:
    episode = await start(session, base, Task("unnamed", 0), "hybrid")
    assert episode.goal == "Enter something"
    assert [(mark.role, mark.text) for mark in (await episode.observe()).marks] == [("textbox", "")]


@pytest.mark.parametrize(
    ("name", "seed", "over", "reward"),
    [
        ("even", 2, True, 1),
        ("even", 3, True, -1),
        ("half", 0, True, 0.5),
        ("nothing", 0, False, 0),
        ("away", 0, True, 0),
    ],
)
async def test_the_raw_reward_of_a_click(
    name: str, seed: int, over: bool, reward: float, session: BrowserSession, base: str
) -> None:
    episode = await start(session, base, Task(name, seed), "hybrid")
    seen = await episode.observe()
    outcome = await episode.act(Click(target=Target(ref=seen.marks[0].ref)), seen)
    assert outcome.ok
    assert (episode.over, episode.reward) == (over, reward)
    assert (episode.ended() is not None, episode.rewarded()[0]) == (over, reward > 0)
    if over:
        after = await episode.observe()
        assert after.title == episode.ended() and after.screenshot == seen.screenshot


async def test_goals_and_late_pages(session: BrowserSession, base: str) -> None:
    assert (await start(session, base, Task("fields", 0), "hybrid")).goal == "From the fields"
    assert (await start(session, base, Task("late", 0), "hybrid")).goal == "Late"


async def test_a_tab_that_an_episode_opened_is_closed_for_the_next(
    session: BrowserSession, base: str
) -> None:
    episode = await start(session, base, Task("popup", 0), "hybrid")
    seen = await episode.observe()
    await episode.act(Click(target=Target(ref=seen.marks[0].ref)), seen)
    assert len(session.pages) == 2
    await start(session, base, Task("half", 0), "hybrid")
    assert len(session.pages) == 1


async def test_a_page_that_is_not_there_is_no_failed_agent(session: BrowserSession, base: str) -> None:
    with pytest.raises(ToolError, match="404"):
        await start(session, base, Task("missing", 0), "hybrid")


async def test_an_exam_with_its_floor_goes_on_where_it_was(pages: Path, tmp_path: Path) -> None:
    async def sit(folder: Path, **options: object) -> tuple[dict[str, float], list[EpisodeRecord]]:
        told: list[EpisodeRecord] = []
        exam = await evaluate_miniwob(
            NO_MODEL,
            tasks="even,half",
            seeds="2-3",
            policy="random",
            jobs=2,
            episodes=tmp_path / "episodes.jsonl",
            progress=lambda record, finished, total: told.append(record),
            folder=folder,
            **options,  # type: ignore[arg-type]
        )
        blind = {f"{one.task} {one.seed}": one.reward for one in exam.floors["blind"]}
        assert [(one.task, one.seed) for one in exam.records] == [
            ("even", 2), ("half", 2), ("even", 3), ("half", 3),
        ][: len(exam.records)]  # fmt: skip
        return blind, told

    rewards, first = await sit(pages, keep=tmp_path / "runs")
    assert rewards == {"even 2": 1, "half 2": 0.5, "even 3": -1, "half 3": 0.5}
    assert len(first) == 8 and {one.error for one in first} == {None}
    assert next(one for one in first if one.condition.policy == "blind" and one.task == "half").actions == (
        'click "OK" button',
    )
    kept = read_result(tmp_path / "runs" / "blind-hybrid" / "even-3")
    assert kept is not None and kept.status == "failed" and "reward -1" in kept.reason
    passed = read_result(tmp_path / "runs" / "blind-hybrid" / "even-2")
    assert passed is not None and passed.status == "passed"

    # The pages cannot be run any more, so everything must come from the file.
    empty = tmp_path / "pages"
    shutil.copytree(pages, empty)
    for page in (empty / "miniwob").glob("*.html"):
        page.write_text("gone")
    again, second = await sit(empty)
    assert again == rewards and sorted(map(repr, second)) == sorted(map(repr, first))
    assert len((await sit(empty, limit=3))[0]) == 3


async def test_without_a_model_the_exam_stops_instead_of_failing_every_task(pages: Path) -> None:
    with pytest.raises(NoPermittedModel):
        await evaluate_miniwob(NO_MODEL, tasks="half", seeds="0", policy="text", floor=False, folder=pages)


async def test_a_page_that_does_not_start_is_an_error_of_the_episode(pages: Path, tmp_path: Path) -> None:
    broken = tmp_path / "pages"
    shutil.copytree(pages, broken)
    (broken / "core" / "core.js").write_text(
        "Math.seedrandom = () => 0;"
        "const core = {cover_div: 1, startEpisodeReal() { throw new Error('broken'); }};"
    )
    exam = await evaluate_miniwob(NO_MODEL, tasks="half", seeds="0", policy="blind", folder=broken)
    assert exam.records[0].error is not None and "does not start" in exam.records[0].error
    assert exam.score.lenient.of == 1 and "1 episodes failed because of the browser" in exam.table()


@pytest.mark.parametrize("options", [{"jobs": 0}, {"limit": 0}, {"max_steps": 0}, {"policy": "none"}])
async def test_wrong_options(options: dict[str, object], pages: Path) -> None:
    with pytest.raises(ConfigError):
        await evaluate_miniwob(NO_MODEL, folder=pages, **options)  # type: ignore[arg-type]
