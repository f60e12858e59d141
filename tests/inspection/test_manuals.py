"""Next steps quote the manuals that their reader may see, word for word, or say nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from llava_agent.database import Database
from llava_agent.gateway.principal import Principal
from llava_agent.inspection.finding import Citation, Fault, Line
from llava_agent.inspection.guidance import next_steps
from llava_agent.inspection.manuals import Manuals
from llava_agent.knowledge.library import Library, Shelf
from llava_agent.service.auth.users import Users
from llava_agent.service.desk import _manuals

MANUALS = Path(__file__).parents[2] / "examples" / "manuals"
PUMP = MANUALS / "norpump-nk-65-200.pdf"
ANN, BOB = Principal("ann", department="plant"), Principal("bob", department="office")


@pytest.fixture
def manuals(prepared: Database, monkeypatch: pytest.MonkeyPatch) -> Manuals:
    monkeypatch.setattr("llava_agent.vlm.weights.present", lambda _: False)
    list(Library(prepared).add([PUMP], Shelf(department="plant")))
    return Manuals(lambda: prepared)


def steps(manuals: Manuals, who: Principal, code: str) -> tuple[Citation, ...]:
    fault = Fault("error_code", "fault", f"error code {code}", f"the display shows {code}", 0.9, ())
    model = Line("plate", "model", "Model", "NK 65-200", 0.9, ())
    (step,) = next_steps([fault], [], [model], manuals.of(who))
    return step.citations


def test_a_step_carries_document_page_and_passage(manuals: Manuals) -> None:
    (one,) = steps(manuals, ANN, "E14")
    assert one.source == PUMP.name and one.page is not None and "E14" in one.passage
    assert one.quote in one.passage


def test_what_the_manual_does_not_say_is_not_cited(manuals: Manuals) -> None:
    assert steps(manuals, ANN, "E99") == ()


def test_another_departments_manual_is_not_quoted(manuals: Manuals) -> None:
    assert steps(manuals, BOB, "E14") == ()
    assert steps(manuals, Principal("ann", department="plant", tenant="south"), "E14") == ()


def test_a_run_reads_with_the_rights_of_its_owners_account(manuals: Manuals, prepared: Database) -> None:
    users = Users(prepared)
    for name, department in (("ann", "plant"), ("bob", "office")):
        users.add(name, "correct horse battery staple", ("member",), department=department)
    users.add("root", "correct horse battery staple", ("admin",), department="plant")
    asked = {
        name: _manuals(prepared, manuals, Principal(name)) for name in ("ann", "bob", "root", "somebody")
    }
    assert asked["root"] is None
    found = {name: len(search("error code E14")) for name, search in asked.items() if search is not None}
    assert found == {"ann": 1, "bob": 0, "somebody": 0}
