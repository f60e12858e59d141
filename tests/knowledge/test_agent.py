"""The agent looks in the manuals for what no photo shows, through the same gate as any tool."""

from __future__ import annotations

from pathlib import Path

import pytest

from llava_agent.agent.baselines import OraclePolicy
from llava_agent.agent.decision import offered_verbs
from llava_agent.agent.permission import Permission, Rule
from llava_agent.agent.record import StepRecord
from llava_agent.agent.result import RunResult
from llava_agent.agent.run import run_task
from llava_agent.agent.state import State
from llava_agent.agent.supervision import Supervision
from llava_agent.agent.trace import read_records
from llava_agent.database import Database
from llava_agent.gateway.gateway import Gateway
from llava_agent.knowledge.library import Library, Shelf
from llava_agent.knowledge.search import Search
from llava_agent.knowledge.tool import AskManuals, SearchManuals
from tests.agent.world import ADDRESS, Form
from tools.action import Look, Target, Type
from tools.observation import Observation
from tools.tool import Toolbox

MANUALS = Path(__file__).parents[2] / "examples" / "manuals"


@pytest.fixture
def toolbox(tmp_path: Path) -> Toolbox:
    database = Database(tmp_path / "state.db")
    database.prepare()
    library = Library(database)
    list(library.add([MANUALS / "norpump-nk-65-200.pdf"], Shelf()))
    list(library.add([MANUALS / "wk-120-boiler.pdf"], Shelf(data_class="restricted")))
    search = Search(database)
    return Toolbox([AskManuals(search, highest="internal"), SearchManuals(search, highest="internal")])


async def _run(toolbox: Toolbox, folder: Path, permission: Permission, form: Form) -> RunResult:
    def type_it(state: State, _: Observation) -> Type:
        return Type(target=Target(text="Name"), text=state.facts[0].value if state.facts else "nothing")

    script = [Look(question="error E14 on the NK 65-200"), Look(question="error E02 on the boiler"), type_it]
    return await run_task(
        ADDRESS,
        "note what the error means",
        gateway=Gateway({}),
        out=folder,
        policy=lambda _: OraclePolicy(script),
        open_surface=form.open,
        supervision=Supervision(permission, tools=toolbox),
    )


async def test_an_error_code_is_looked_up_and_typed(toolbox: Toolbox, tmp_path: Path) -> None:
    form = Form()
    result = await _run(toolbox, tmp_path / "run", Permission.read(), form)
    steps = [record for record in read_records(result.folder) if isinstance(record, StepRecord)]
    assert steps[0].fact is not None and "Dry running: no liquid" in steps[0].fact.value
    assert (steps[1].outcome, steps[1].outcome_reason) == ("refused", "not_found")  # not for this run's eyes
    assert form.values["name"].startswith("Code: E14; Meaning: Dry running")


async def test_a_policy_that_denies_the_tool_denies_the_look(toolbox: Toolbox, tmp_path: Path) -> None:
    rules = (
        Rule(name="no manuals", tools=("knowledge.*",), decision="deny"),
        Rule(name="rest", decision="allow"),
    )
    result = await _run(toolbox, tmp_path / "run", Permission(rules=rules), Form())
    first = next(record for record in read_records(result.folder) if isinstance(record, StepRecord))
    assert (first.outcome, first.outcome_reason, first.fact) == ("refused", "denied", None)


async def test_the_verb_is_offered_only_where_there_is_something_to_look_at() -> None:
    seen = await Form().observe()
    assert "look" not in offered_verbs(State("goal"), seen, seen.marks)
    assert "look" in offered_verbs(State("goal", manuals=True), seen, seen.marks)


async def test_tools_cite_their_passages(toolbox: Toolbox) -> None:
    answer = await toolbox.call("knowledge.ask", {"question": "What does E14 mean on the Norpump?"})
    assert "(norpump-nk-65-200.pdf, page 3)" in str(answer.data["text"])
    found = await toolbox.call("knowledge.search", {"words": "mechanical seal", "count": 2})
    assert str(found.data["text"]).count("norpump-nk-65-200.pdf, page") == 2
    assert (await toolbox.call("knowledge.search", {"words": "seal", "count": 99})).reason == "invalid"
