from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from llava_agent.agent.baselines import BlindPolicy, Move, OraclePolicy, RandomPolicy
from llava_agent.agent.decision import Decision
from llava_agent.agent.expect import AddressHas, Expectation, Holds, Shows
from llava_agent.agent.policy import Policy
from llava_agent.agent.record import StepRecord
from llava_agent.agent.result import RunResult
from llava_agent.agent.run import run_task
from llava_agent.agent.state import Budget, State
from llava_agent.agent.trace import read_records, read_result
from llava_agent.errors import ConfigError, NoPermittedModel, ToolError
from llava_agent.gateway.gateway import Gateway
from tests.agent.world import ADDRESS, Form
from tools.action import Click, Done, Look, Select, Target, Type
from tools.observation import Observation

NAME = Type(target=Target(text="Name"), text="Ada")
SAVE = Click(target=Target(text="Save"))


def steps(result: RunResult) -> list[StepRecord]:
    return [record for record in read_records(result.folder) if isinstance(record, StepRecord)]


async def play(form: Form, script: Sequence[Move] | Policy, out: Path, **options: Any) -> RunResult:
    policy = OraclePolicy(script) if isinstance(script, (list, tuple)) else script
    make: Callable[[Gateway], Policy] = lambda _: policy  # type: ignore[assignment,return-value]  # noqa: E731
    gateway = Gateway({})
    return await run_task(
        ADDRESS, "save Ada", gateway=gateway, out=out, policy=make, open_surface=form.open, **options
    )


async def test_a_script_passes_only_by_its_expectation(tmp_path: Path) -> None:
    form = Form()
    expected = (
        Shows("the form was  SAVED"),
        AddressHas("/saved"),
        Holds("Ada is filed", lambda: form.filed[-1:] == [form.values]),
    )
    result = await play(form, [NAME, SAVE], tmp_path / "run", expectations=expected)
    assert (result.status, result.exit_code) == ("passed", 0)
    assert [step.verification.status for step in steps(result)] == ["held", "held", "held"]
    lines = ['type Ada in "Name" textbox', 'click "Save" button', "done"]
    assert [step.line for step in steps(result)] == lines
    stored = read_result(result.folder)
    assert stored is not None and stored.status == "passed" and stored.steps == 3
    assert result.report.read_text().count("<article") == 3


@pytest.mark.parametrize(
    ("expected", "status", "code"),
    [((), "unverified", 5), ((Shows("never there"),), "failed", 1)],
)
async def test_done_alone_never_passes(
    expected: tuple[Expectation, ...], status: str, code: int, tmp_path: Path
) -> None:
    form = Form()
    # It goes on saying done where that does not hold, until it has said so too often.
    result = await play(form, [Done()] * 40, tmp_path / "run", expectations=expected, budget=Budget(60))
    assert (result.status, result.exit_code) == (status, code)
    assert not result.verification.held


@pytest.mark.parametrize("typed", ["Ada", "name ada"])
async def test_what_the_run_typed_is_not_what_the_page_shows(typed: str, tmp_path: Path) -> None:
    # a form that refuses, with the value still in its field
    result = await play(Form(), [NAME, Done()], tmp_path / "run", expectations=(Shows(typed),))
    assert result.status == "failed"


async def test_a_page_that_claims_success_after_an_http_error_has_failed(tmp_path: Path) -> None:
    result = await play(Form(fails=True), [NAME, SAVE], tmp_path / "run")
    saved = steps(result)[1]
    assert saved.verification.status == "failed"
    assert "500" in saved.verification.detail
    assert result.counters.unconfirmed == 1


async def test_a_value_that_did_not_arrive_is_noticed(tmp_path: Path) -> None:
    script = [
        Type(target=Target(text="Size"), text="12 mm"),
        Select(target=Target(text="Colour"), option="green"),
    ]
    first, second, _ = steps(await play(Form(), script, tmp_path / "run"))
    assert first.verification.status == "failed" and "'12'" in first.verification.detail
    assert second.verification.status == "held" and second.verification.by == "value"


async def test_a_checkbox_is_verified_by_its_state(tmp_path: Path) -> None:
    (first, _) = steps(await play(Form(), [Click(target=Target(text="Urgent"))], tmp_path / "run"))
    assert first.verification.detail == "it is now checked"


async def test_refusals_are_fed_back_with_their_reason(tmp_path: Path) -> None:
    seen: list[State] = []

    class Curious(OraclePolicy):
        def decide(self, state: State, observation: Observation) -> Decision:
            seen.append(state)
            return super().decide(state, observation)

    script = [
        Select(target=Target(text="Colour"), option="blue"),
        Click(target=Target(ref="gone")),
    ]
    result = await play(Form(), Curious(script), tmp_path / "run")
    assert seen[1].history == ('select blue in "Colour" combobox: refused, no such option',)
    assert seen[1].trouble == "there is no option 'blue'"
    assert seen[2].history[1] == "click gone: refused, not found"
    assert result.counters.refused == 2


async def test_going_in_circles_is_stopped(tmp_path: Path) -> None:
    form = Form(dead=True)

    class Stubborn:
        name = "stubborn"

        def decide(self, state: State, observation: Observation) -> Decision:
            return Decision(Click(target=Target(ref="save")), "again")

    result = await play(form, Stubborn(), tmp_path / "run")
    assert result.status == "blocked"
    assert "circles" in result.reason
    # Twice on the page; every further attempt is refused before it reaches the surface.
    assert form.acts == ["click", "click"]
    assert [step.banned for step in steps(result)] == [None, None, "save", "save", "save"]


async def test_the_step_limit_is_hard_and_says_so(tmp_path: Path) -> None:
    result = await play(Form(), [NAME, SAVE], tmp_path / "run", budget=Budget(steps=1))
    assert (result.status, result.exit_code, result.spent.steps) == ("budget", 4, 1)
    assert "1 steps" in result.reason


async def test_a_run_that_was_cut_off_passes_where_the_goal_holds(tmp_path: Path) -> None:
    expected = (Shows("form was saved"),)
    result = await play(Form(), [NAME, SAVE], tmp_path / "r", budget=Budget(steps=2), expectations=expected)
    assert result.status == "passed" and "limit" in result.reason


async def test_the_time_limit_is_hard(tmp_path: Path) -> None:
    class Slow(Form):
        async def observe(self) -> Observation:
            if self.looks:
                await asyncio.sleep(60)
            return await super().observe()

    result = await play(Slow(), [NAME, SAVE], tmp_path / "run", budget=Budget(seconds=0.5))
    assert result.status == "budget" and "seconds" in result.reason


async def test_it_stops_when_the_goal_is_met_if_asked_to(tmp_path: Path) -> None:
    script = [NAME, SAVE, NAME, NAME]
    expected = (Shows("form was saved"),)
    result = await play(Form(), script, tmp_path / "r", stop_when_met=True, expectations=expected)
    assert (result.status, result.spent.steps) == ("passed", 2)


async def test_what_held_from_the_start_ends_nothing_early(tmp_path: Path) -> None:
    expected = (AddressHas("form.test"),)
    result = await play(Form(), [NAME, SAVE], tmp_path / "r", stop_when_met=True, expectations=expected)
    assert result.spent.steps == 3


async def test_looking_without_a_photo_is_refused(tmp_path: Path) -> None:
    (first, _) = steps(await play(Form(), [Look(question="serial number")], tmp_path / "run"))
    assert (first.outcome, first.outcome_reason) == ("refused", "not_found")


@pytest.mark.parametrize("error", [ToolError("the browser crashed"), NoPermittedModel("no model")])
async def test_a_broken_world_ends_the_run_with_a_report(error: Exception, tmp_path: Path) -> None:
    class Broken(Form):
        async def act(self, action: Any, observation: Observation) -> Any:
            raise error

    result = await play(Broken(), [NAME], tmp_path / "run")
    assert (result.status, result.exit_code) == ("blocked", 3)
    assert result.reason == str(error)
    assert str(error) in result.report.read_text()


async def test_a_bug_is_raised_and_still_on_record(tmp_path: Path) -> None:
    class Buggy(Form):
        async def act(self, action: Any, observation: Observation) -> Any:
            raise ZeroDivisionError("oops")

    with pytest.raises(ZeroDivisionError):
        await play(Buggy(), [NAME], tmp_path / "run")
    stored = read_result(tmp_path / "run")
    assert stored is not None and stored.status == "blocked" and "oops" in stored.reason


async def test_an_unreadable_photo_still_leaves_a_run_folder(tmp_path: Path) -> None:
    result = await play(Form(), [NAME], tmp_path / "run", images=[tmp_path / "none.jpg"])
    assert result.status == "blocked"
    assert "none.jpg" in result.reason
    assert json.loads((tmp_path / "run" / "result.json").read_text())["status"] == "blocked"


async def test_bad_orders_are_refused_in_one_sentence(tmp_path: Path) -> None:
    form = Form()
    with pytest.raises(ConfigError, match="task is empty"):
        await run_task(ADDRESS, " ", gateway=Gateway({}), out=tmp_path / "a", open_surface=form.open)
    with pytest.raises(ConfigError, match="no policy 'magic'"):
        await run_task(
            ADDRESS, "x", gateway=Gateway({}), out=tmp_path / "a", open_surface=form.open, policy="magic"
        )
    await play(form, [NAME], tmp_path / "a")
    with pytest.raises(ConfigError, match="holds a run already"):
        await play(form, [NAME], tmp_path / "a")


async def test_the_floors_run(tmp_path: Path) -> None:
    form = Form()
    blind = await play(form, BlindPolicy(), tmp_path / "blind", expectations=(Shows("form was saved"),))
    assert blind.status == "passed" and form.acts == ["click"]
    for seed in range(3):
        result = await play(Form(), RandomPolicy(seed), tmp_path / f"random-{seed}", budget=Budget(steps=12))
        assert result.status in ("unverified", "budget", "blocked")
