"""The ticket application over real HTTP."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from examples.maintenance import serve, tickets
from examples.maintenance.store import Store

_FORM = {
    "asset_tag": "PUMP-07",
    "serial_number": "SN-48213",
    "model": "CX-200",
    "pressure_bar": "6,4 bar",
    "priority": "high",
    "condition": "Leaks <b>oil</b>",
    "machine_stopped": "on",
}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tickets") / "made" / "tickets.db"


@pytest.fixture(scope="module")
def web(database: Path) -> Iterator[httpx.Client]:
    with serve(database) as url, httpx.Client(base_url=url, follow_redirects=True, trust_env=False) as client:
        yield client


def test_form_files_a_ticket(web: httpx.Client, database: Path) -> None:
    page = web.post("/tickets/new", data=_FORM)
    stored = tickets(database)[-1]
    assert page.status_code == 200
    assert f"Ticket #{stored.id} created" in page.text
    assert "6.4 bar" in page.text
    assert "&lt;b&gt;oil&lt;/b&gt;" in page.text
    assert (stored.serial_number, stored.pressure_bar, stored.priority) == ("SN-48213", 6.4, "high")
    assert stored.machine_stopped
    assert stored.source == "web"


@pytest.mark.parametrize(
    ("field", "text", "complaint"),
    [
        ("asset_tag", " ", "Enter the asset tag"),
        ("serial_number", "", "Enter the serial number"),
        ("serial_number", "?;--", "Enter the serial number"),
        ("pressure_bar", "much", "number from 0 to 1000"),
        ("pressure_bar", "nan", "number from 0 to 1000"),
        ("pressure_bar", "-1", "number from 0 to 1000"),
        ("priority", "urgent", "Choose low, normal or high"),
        ("condition", "", "Describe the condition"),
    ],
)
def test_form_with_a_bad_field_says_so_and_keeps_the_rest(
    web: httpx.Client, database: Path, field: str, text: str, complaint: str
) -> None:
    before = len(tickets(database))
    page = web.post("/tickets/new", data=_FORM | {field: text})
    assert page.status_code == 422
    assert complaint in page.text
    assert "1 field needs attention" in page.text
    if field != "asset_tag":
        assert 'value="PUMP-07"' in page.text
    assert len(tickets(database)) == before


def test_optional_fields_may_stay_empty(web: httpx.Client, database: Path) -> None:
    form = {
        "asset_tag": "FAN-1",
        "serial_number": "S9",
        "model": " ",
        "pressure_bar": "",
        "condition": "Hums",
    }
    assert web.post("/tickets/new", data=form).status_code == 200
    stored = tickets(database)[-1]
    assert (stored.model, stored.pressure_bar, stored.priority) == (None, None, "normal")
    assert not stored.machine_stopped


def test_search_finds_by_every_word_and_takes_wildcards_literally(web: httpx.Client) -> None:
    web.post("/tickets/new", data=_FORM | {"serial_number": "ZZ-1", "condition": "Bearing 100% worn"})
    assert "ZZ-1" in web.get("/", params={"q": "pump zz-1"}).text
    assert "ZZ-1" in web.get("/", params={"q": "100% worn"}).text
    assert "No ticket matches" in web.get("/", params={"q": "zz_1"}).text
    assert "No ticket matches “&lt;i&gt;”" in web.get("/", params={"q": "<i>"}).text


def test_api_creates_finds_and_shows(web: httpx.Client, database: Path) -> None:
    body = {"asset_tag": "C-1", "serial_number": "API-77", "condition": "Hot", "pressure_bar": 2.5}
    made = web.post("/api/tickets", json=body)
    assert made.status_code == 201
    number = made.json()["id"]
    assert [row["id"] for row in web.get("/api/tickets", params={"serial_number": "api-77"}).json()] == [
        number
    ]
    assert web.get(f"/api/tickets/{number}").json()["pressure_bar"] == 2.5
    assert tickets(database)[-1].source == "api"


@pytest.mark.parametrize("number", ["999999", str(2**70), str(-(2**63) - 1)])
def test_unknown_numbers_are_not_found(web: httpx.Client, number: str) -> None:
    assert web.get(f"/api/tickets/{number}").status_code == 404
    assert web.get(f"/tickets/{number}").status_code == 404


def test_api_refuses_what_the_form_refuses(web: httpx.Client, database: Path) -> None:
    before = len(tickets(database))
    for body in ({}, {"asset_tag": "C-1", "serial_number": "S1", "condition": "Hot", "colour": "red"}):
        assert web.post("/api/tickets", json=body).status_code == 422
    assert len(tickets(database)) == before


def test_openapi_document_names_every_operation(web: httpx.Client) -> None:
    paths = web.get("/openapi.json").json()["paths"]
    operations = {verb["operationId"] for path in paths.values() for verb in path.values()}
    assert operations == {"create_ticket", "find_tickets", "get_ticket"}


def test_pages_load_nothing_from_elsewhere(web: httpx.Client) -> None:
    for path in ("/", "/tickets/new", "/static/style.css"):
        answer = web.get(path)
        assert answer.status_code == 200
        assert "http" not in answer.text.replace("http-equiv", "")


def test_examples_are_added_once(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    Store(path).add_examples()
    Store(path).add_examples()
    assert len(tickets(path)) == 3


def test_reading_an_absent_database_makes_none(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        tickets(tmp_path / "none.db")
    assert list(tmp_path.iterdir()) == []


def test_runs_as_a_program(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "examples.maintenance", "--db", str(tmp_path / "t.db"), "--port", "0"]
    with subprocess.Popen([*command, "--examples"], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[3]
            assert "BOIL-01" in httpx.get(url, trust_env=False).text
        finally:
            process.terminate()
