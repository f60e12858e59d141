"""The same record through the web form, in a real browser."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from pydantic import JsonValue

from llava_agent.filing.config import FormTarget
from llava_agent.filing.form import FormDestination, compared
from tests.filing.conftest import OtherSystem
from tests.filing.records import confirmed, desk, target
from tests.service.stores import ADA, Store
from tools.mark import Mark


def test_a_form_is_filled_in_sent_once_and_read_back(
    store: Store, other: OtherSystem, tmp_path: Path
) -> None:
    through = target(tmp_path, other.url, "maintenance-form")
    at, record = desk(store, tmp_path, through), confirmed(store)
    filing = at.send(at.begin(ADA, record.id)[0])
    assert (filing.state, filing.verified) == ("filed", True), filing.reason
    (ticket,) = other.tickets.find(record.id)
    assert (ticket.serial_number, ticket.priority, ticket.source) == ("SN-48213", "high", "web")
    assert ticket.pressure_bar == 17.2369 and filing.reference == str(ticket.id)
    assert filing.link == f"{other.url}/tickets/{ticket.id}/created"
    # What the agent did stays with the filing.
    kept = store.artifacts.held(ADA.tenant, filing.id)
    assert "report.html" in kept and "steps.jsonl" in kept
    # A page that only repeats what was searched for does not count as a find.
    to = through.config.to
    assert isinstance(to, FormTarget)
    absent: dict[str, JsonValue] = {"Condition": "leaks (record record_never)"}
    found = asyncio.run(FormDestination(to, None).look_up(absent, "record_never"))
    assert found.state == "failed" and "never arrived" in found.reason


def texts(*words: str) -> list[Mark]:
    return [Mark(str(at), "text", word, None, "dom") for at, word in enumerate(words)]


@pytest.mark.parametrize(
    ("sent", "shown", "same"),
    [
        ("SN-1", ["Serial", "SN-1"], True),
        ("SN-1", ["Serial: SN-1"], True),
        ("SN-1", ["Serial", "SN-10", "SN-1"], False),
        (6.2, ["Serial", "6.20 bar"], True),
        (6.2, ["Serial", "6.3 bar"], False),
        (True, ["Serial", "yes"], True),
        (False, ["Serial", "yes"], False),
        ("SN-1", ["Serials", "SN-1"], False),
        ("SN-1", [], False),
    ],
)
def test_what_a_page_shows_is_compared(sent: JsonValue, shown: list[str], same: bool) -> None:
    assert (compared({"x": "Serial"}, {"x": sent}, texts(*shown)) == ()) is same
