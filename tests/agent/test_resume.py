from __future__ import annotations

from pathlib import Path

import pytest

from llava_agent.agent.baselines import OraclePolicy
from llava_agent.agent.expect import Shows
from llava_agent.agent.record import Intent, Resumed, StepRecord, now
from llava_agent.agent.resume import restore
from llava_agent.agent.run import resume_task, run_task
from llava_agent.agent.trace import RunSettings, Trace, read_records
from llava_agent.errors import ConfigError, ToolError
from llava_agent.gateway.gateway import Gateway
from tests.agent.world import ADDRESS, Form
from tools.action import Action, Click, Select, Target, Type
from tools.observation import Observation, Outcome

NAME = Type(target=Target(text="Name"), text="Ada")
GREEN = Select(target=Target(text="Colour"), option="green")
SAVE = Click(target=Target(text="Save"))


class Killed(BaseException):
    """Stands for SIGKILL: nothing of the product catches it."""


class Deadly(Form):
    """Dies in the middle of an action, before or after it took effect."""

    die_at: int = 0
    late: bool = False

    async def act(self, action: Action, observation: Observation) -> Outcome:
        if len(self.acts) == self.die_at:
            if self.late:
                await super().act(action, observation)
            raise Killed
        return await super().act(action, observation)


async def begin(folder: Path, form: Form, script: list[object]) -> None:
    with pytest.raises(Killed):
        await run_task(
            ADDRESS,
            "save Ada",
            gateway=Gateway({}),
            out=folder,
            policy=lambda _: OraclePolicy(script),  # type: ignore[arg-type]
            open_surface=form.open,
        )
    assert not (folder / "result.json").exists()


async def test_a_killed_run_goes_on_with_what_it_knew(tmp_path: Path) -> None:
    form = Deadly()
    form.die_at = 1
    await begin(tmp_path / "run", form, [NAME, GREEN, SAVE])
    form.die_at = -1
    result = await resume_task(
        tmp_path / "run",
        gateway=Gateway({}),
        policy=lambda _: OraclePolicy([NAME, GREEN, SAVE]),
        expectations=(Shows("form was saved"),),
        open_surface=form.open,
    )
    assert result.status == "passed" and result.spent.steps == 4
    records = list(read_records(tmp_path / "run"))
    kinds = [type(record) for record in records]
    assert kinds == [StepRecord, Resumed, StepRecord, Intent, StepRecord, StepRecord]
    assert "resumed after 1 steps" in result.report.read_text()


@pytest.mark.parametrize("late", [False, True])
async def test_what_may_have_been_sent_is_never_sent_twice(late: bool, tmp_path: Path) -> None:
    form = Deadly()
    form.die_at, form.late = 1, late
    await begin(tmp_path / "run", form, [NAME, SAVE])
    filed = len(form.filed)
    assert filed == int(late)
    again = Form()  # the page is opened anew: the form is empty and can be sent again
    result = await resume_task(
        tmp_path / "run",
        gateway=Gateway({}),
        policy=lambda _: OraclePolicy([NAME, SAVE, SAVE]),
        open_surface=again.open,
    )
    assert again.filed == []
    assert "click" not in again.acts
    assert result.counters.refused >= 1
    resumed = next(record for record in read_records(tmp_path / "run") if isinstance(record, Resumed))
    assert 'click "Save" button' in resumed.note and "unknown" in resumed.note


async def test_it_stays_withheld_after_a_second_kill(tmp_path: Path) -> None:
    form = Deadly()
    form.die_at = 0
    await begin(tmp_path / "run", form, [SAVE])
    for script in ([GREEN, GREEN, GREEN], [GREEN, SAVE]):
        dead = Deadly()
        dead.die_at = 1 if script[-1] is GREEN else -1
        options = {
            "gateway": Gateway({}),
            "policy": lambda _, script=script: OraclePolicy(script),
            "open_surface": dead.open,
        }
        if dead.die_at == 1:
            with pytest.raises(Killed):
                await resume_task(tmp_path / "run", **options)
        else:
            await resume_task(tmp_path / "run", **options)
        assert dead.filed == []


async def test_what_was_typed_into_a_lost_page_is_not_claimed(tmp_path: Path) -> None:
    form = Deadly()
    form.die_at = 2
    await begin(tmp_path / "run", form, [NAME, GREEN, NAME])
    histories: list[tuple[str, ...]] = []

    class Watcher(OraclePolicy):
        def decide(self, state, observation):  # type: ignore[no-untyped-def]
            histories.append(state.history)
            return super().decide(state, observation)

    await resume_task(
        tmp_path / "run", gateway=Gateway({}), policy=lambda _: Watcher([]), open_surface=Form().open
    )
    assert histories[0] == ()


async def test_a_torn_last_line_is_tolerated_and_closed(tmp_path: Path) -> None:
    form = Deadly()
    form.die_at = 1
    await begin(tmp_path / "run", form, [NAME, NAME])
    steps = tmp_path / "run" / "steps.jsonl"
    whole = steps.read_bytes()
    steps.write_bytes(whole + whole[: len(whole) // 2])
    assert len(list(read_records(tmp_path / "run"))) == 1
    result = await resume_task(
        tmp_path / "run", gateway=Gateway({}), policy=lambda _: OraclePolicy([]), open_surface=Form().open
    )
    assert result.spent.steps == 2
    assert len(list(read_records(tmp_path / "run"))) == 3


async def test_what_cannot_be_resumed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no run"):
        await resume_task(tmp_path, gateway=Gateway({}))
    folder = tmp_path / "run"
    await run_task(
        ADDRESS,
        "x",
        gateway=Gateway({}),
        out=folder,
        policy=lambda _: OraclePolicy([]),
        open_surface=Form().open,
    )
    with pytest.raises(ConfigError, match="finished"):
        await resume_task(folder, gateway=Gateway({}))
    (folder / "run.json").write_text("{}")
    with pytest.raises(ConfigError, match="cannot be read"):
        Trace.open(folder)


async def test_a_step_of_another_version_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    await run_task(
        ADDRESS,
        "x",
        gateway=Gateway({}),
        out=folder,
        policy=lambda _: OraclePolicy([NAME]),
        open_surface=Form().open,
    )
    with (folder / "steps.jsonl").open("a") as file:
        file.write('{"kind": "step", "v": 99}\n')
    with pytest.raises(ConfigError, match="another version"):
        list(read_records(folder))


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")  # a folder inside a file can be made by nobody, root included
    order = RunSettings(
        id="1", goal="x", address=ADDRESS, policy="oracle", max_steps=1, started=now(), product="0"
    )
    with pytest.raises(ToolError, match="cannot be written"):
        Trace.create(tmp_path / "file" / "run", order)


async def test_the_plan_is_told_in_the_trace_and_its_ticks_outlive_a_kill(tmp_path: Path) -> None:
    goal = 'Enter the name "Ada" into the name field and press Save'
    world = Deadly()
    world.die_at = 1
    with pytest.raises(Killed):
        await run_task(ADDRESS, goal, gateway=Gateway({}), out=tmp_path / "run", open_surface=world.open)
    trace = Trace.open(tmp_path / "run")
    assert trace.settings.plan == ('fill "name" field with "Ada"', 'click "Save"')
    steps = [record for record in read_records(tmp_path / "run") if isinstance(record, StepRecord)]
    assert [(step.part, step.ticks) for step in steps] == [(0, ("held", "open"))]
    restored = restore(trace, ())
    assert restored.state.plan.ticks == ("open", "open"), "what was typed is lost with its page"
