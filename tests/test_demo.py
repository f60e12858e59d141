"""The demo's job on the real application, its real API, and (where a browser is there) its real pages.

The decisions come from a script, so that what is tested is everything around the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from examples.maintenance import Ticket, serve
from llava_agent.agent.baselines import OraclePolicy
from llava_agent.agent.decision import Decision
from llava_agent.agent.expect import Reads
from llava_agent.agent.fact import Fact
from llava_agent.agent.run import run_task
from llava_agent.agent.state import State
from llava_agent.demo import CONDITION, expected_values, run_demo, summary, verify
from llava_agent.errors import ConfigError
from llava_agent.gateway.gateway import Gateway
from llava_agent.gateway.request import Candidate, Choice, ModelRequest
from tests.gateway.doubles import Double, choice
from tools.action import Action, Click, Look, Select, Target, Type
from tools.geometry import Box
from tools.mark import Mark
from tools.observation import Observation
from tools.photo import Photo

PUMP = Path(__file__).parent.parent / "examples" / "photos" / "pump.jpg"
RIGHT = {
    "asset tag": "P-1042",
    "serial number": "SN-48213",
    "model": "NK 65-200",
    "pressure reading": "6.4 bar",
}


def ticket(**changes: object) -> Ticket:
    values: dict[str, object] = {
        "id": 1,
        "created_at": datetime.now(UTC),
        "source": "web",
        "asset_tag": "P-1042",
        "serial_number": "SN-48213",
        "model": "NK 65-200",
        "pressure_bar": 6.3,
        "priority": "high",
        "condition": CONDITION,
    }
    return Ticket.model_validate(values | changes)


def test_the_right_values_of_an_included_photo_are_known() -> None:
    expected = expected_values(PUMP, [])
    assert expected == {
        "asset_tag": "P-1042",
        "serial_number": "SN-48213",
        "model": "NK 65-200",
        "pressure_bar": "6.4",
    }


def test_a_photo_of_the_users_own_is_compared_with_what_was_read(tmp_path: Path) -> None:
    facts = [
        Fact("serial number", "X1", 0.9),
        Fact("pressure reading", "3 bar", 0.8),
        Fact("colour", "red", 0.7),
    ]
    assert expected_values(tmp_path / "own.jpg", facts) == {"serial_number": "X1", "pressure_bar": "3 bar"}


@pytest.mark.parametrize(
    ("filed", "fails"),
    [
        ([ticket()], ()),
        ([ticket(pressure_bar=6.7)], ("pressure in bar",)),
        ([ticket(serial_number="SN-48218")], ("serial number",)),
        ([ticket(priority="normal"), ticket()], ("exactly one",)),
        ([ticket(source="example")], ("exactly one", "serial number")),
        ([], ("exactly one", "condition")),
    ],
)
def test_only_one_right_ticket_satisfies_the_check(filed: Sequence[Ticket], fails: Sequence[str]) -> None:
    checks = list(verify(filed, expected_values(PUMP, [])))
    assert all(check.held for check in checks) == (not fails)
    for words in fails:
        assert any(words in check.words and not check.held for check in checks)


class Script:
    """The right moves on the page, then on the API."""

    name = "script"

    def __init__(self) -> None:
        def enter(label: str, fact: str) -> object:
            def move(state: State, observation: Observation) -> Action:
                value = next(known.value for known in state.facts if known.name == fact)
                return Type(target=Target(text=label), text=value)

            return move

        self.page = OraclePolicy(
            [
                *[Look(question=name) for name in RIGHT],
                Click(target=Target(text="New ticket")),
                enter("Asset tag", "asset tag"),  # type: ignore[list-item]
                enter("Serial number", "serial number"),  # type: ignore[list-item]
                enter("Model", "model"),  # type: ignore[list-item]
                enter("Pressure reading (bar)", "pressure reading"),  # type: ignore[list-item]
                Select(target=Target(text="Priority"), option="high"),
                Type(target=Target(text="Condition"), text=CONDITION),
                Click(target=Target(text="Submit ticket")),
            ]
        )
        self.api = OraclePolicy(
            [
                Click(target=Target(ref="find_tickets")),
                enter("serial number", "serial number"),  # type: ignore[list-item]
                Click(target=Target(text="send")),
            ]
        )

    def decide(self, state: State, observation: Observation) -> Decision:
        policy = self.page if observation.surface == "page" else self.api
        return policy.decide(state, observation)


def reading(request: ModelRequest, candidates: Sequence[Candidate], verbs: Sequence[str]) -> Choice:
    index = next(n for n, name in enumerate(RIGHT) if name in request.instruction)
    return choice("read", index, of=len(candidates))


def plate(photo: Photo) -> Sequence[Mark]:
    return [Mark(name, "text", value, Box(9, 9, 99, 29), "ocr") for name, value in RIGHT.items()]


async def test_the_api_finds_what_is_there_and_only_that(tmp_path: Path) -> None:
    database = tmp_path / "tickets.db"
    with serve(database) as url:
        from examples.maintenance.store import Store
        from examples.maintenance.ticket import NewTicket

        found = Fact("serial number", "SN-48213", 0.9)
        for folder, status in (("before", "failed"), ("after", "passed")):
            result = await run_task(
                f"{url}/openapi.json",
                "Find the ticket with the serial number",
                gateway=Gateway({}),
                out=tmp_path / folder,
                surface="api",
                policy=lambda _: Script(),
                expectations=[Reads("serial number", "SN-48213")],
                known=[found],
            )
            assert result.status == status, result.reason
            Store(database).add(
                NewTicket(asset_tag="P-1042", serial_number="SN-48213", condition=CONDITION), "web"
            )


async def test_the_whole_job_in_a_browser(tmp_path: Path) -> None:
    said: list[str] = []
    gateway = Gateway({"eyes": Double("eyes", "vision", reading)})
    result = await run_demo(
        gateway, tmp_path / "demo", policy=lambda _: Script(), find=plate, say=said.append, compare=False
    )
    assert result.passed, summary(result)
    assert result.api is not None and result.api.status == "passed"
    assert "Result: passed" in summary(result)
    with pytest.raises(ConfigError, match="holds a demo already"):
        await run_demo(gateway, tmp_path / "demo", policy=lambda _: Script(), say=said.append)
