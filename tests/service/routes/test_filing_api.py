"""Filing over HTTP and on the command line: looked at, approved, sent by the worker, found in the history."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from examples.maintenance.server import serve
from examples.maintenance.store import Store as Tickets
from llava_agent.cli import main
from llava_agent.gateway.principal import LOCAL, Principal
from llava_agent.service.context import Service
from llava_agent.service.store.ids import now
from llava_agent.service.store.records import Record
from tests.filing.records import body, target
from tests.inspection.test_intake import camera_file
from tests.service.serving import application, client, key_of, service
from tests.service.stores import picture

ADA = Principal("ada")
ASK = "rules: []\notherwise: ask\n"


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Tickets]]:
    path = tmp_path_factory.mktemp("tickets") / "tickets.db"
    with serve(path) as url:
        yield url, Tickets(path)


@pytest.fixture
def desk_file(tmp_path: Path, other: tuple[str, Tickets], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LLAVA_AGENT_CONFIG", str(tmp_path / "config"))
    target(tmp_path / "desk", other[0], policy=ASK)
    path = tmp_path / "desk" / "desk.yaml"
    path.write_text("photos: {keep_time: false}\nfiling: [maintenance.yaml]\n", encoding="utf-8")
    return path


@pytest.fixture
def app(tmp_path: Path, desk_file: Path) -> FastAPI:
    return application(tmp_path, login=True, requests_per_minute=0, desk=desk_file, runs=tmp_path / "runs")


@pytest.fixture
def ada(app: FastAPI) -> Iterator[TestClient]:
    with client(app, key_of(app, "ada")) as browser:
        yield browser


def recorded(parts: Service, user: str = "ada") -> Record:
    who = LOCAL if user == "local" else ADA
    photo = parts.desk.photos.add(who, picture(), name="pump.png")[0].id
    return parts.desk.records.add(who, body(), [photo], asset="PUMP-07")[0]


def ended(browser: TestClient, record: str) -> dict[str, Any]:
    """The last filing of a record, once it is over; `unknown` is what it is until it was looked for."""
    for _ in range(600):
        (last, *_) = browser.get(f"/api/records/{record}/filings").json()["items"]
        if last["state"] not in ("waiting", "ready", "sending", "unknown"):
            return dict(last)
        time.sleep(0.1)
    raise AssertionError(f"it is still {last['state']}")


def test_looked_at_approved_sent_and_found(app: FastAPI, ada: TestClient, other: tuple[str, Tickets]) -> None:
    record = recorded(service(app))
    at = f"/api/records/{record.id}"
    assert ada.get("/api/destinations").json()["items"][0]["title"] == "Maintenance ticket"
    shown = ada.get(f"{at}/filing").json()
    assert shown["problems"] == [] and shown["decision"] == "ask"
    assert shown["values"]["serial_number"] == "SN-48213" and len(shown["photos"]) == 1
    draft = ada.post(f"{at}/filings", json={})
    assert draft.status_code == 409 and "confirm it first" in draft.text
    ada.patch(at, json={"version": 1, "confirmed": True})
    other_content = ada.post(f"{at}/filings", json={"content_sha256": "0" * 64})
    assert other_content.status_code == 409 and "no longer what was shown" in other_content.text
    asked = ada.post(f"{at}/filings", json={"content_sha256": shown["content_sha256"]})
    assert asked.status_code == 202 and asked.json()["state"] == "waiting"
    assert ada.post(f"{at}/filings", json={}).json()["id"] == asked.json()["id"]
    approval = f"/api/approvals/{asked.json()['approval']}"
    assert ada.post(approval, json={"verdict": "approve"}).status_code == 403
    lead = client(app, key_of(app, "lead", "approver"))
    (waits,) = lead.get("/api/approvals").json()["items"]
    assert "SN-48213" in waits["summary"] and waits["requester"] == "ada"
    assert lead.post(approval, json={"verdict": "approve"}).json()["state"] == "approved"
    filing = ended(ada, record.id)
    assert (filing["state"], filing["verified"], filing["approved_by"]) == ("filed", True, "lead")
    assert len(other[1].find(record.id)) == 1
    assert ada.get(f"/api/runs/{filing['run']}").json()["result"]["reference"] == filing["reference"]
    again = ada.post(f"{at}/filings", json={})
    assert again.status_code == 409 and filing["link"] in again.text
    assert ada.get(at).json()["filed"]["reference"] == filing["reference"]
    bob = client(app, key_of(app, "bob"))
    assert bob.get(f"{at}/filings").status_code == bob.get(f"{at}/filing").status_code == 404
    settle = ada.post(f"{at}/filings/{filing['id']}/settle", json={"arrived": False})
    assert settle.status_code == 409


def test_what_is_missing_is_a_sentence(app: FastAPI, ada: TestClient) -> None:
    parts = service(app)
    who = ADA
    bare = parts.desk.records.add(who, body(lines=[]), [], asset="P-9")[0]
    parts.desk.records.change(who, bare.id, 1, confirmed=True)
    answer = ada.post(f"/api/records/{bare.id}/filings", json={})
    assert answer.status_code == 422 and "serial number: the record lacks" in answer.json()["detail"]


def test_a_filing_whose_process_died_is_found_by_the_next(
    app: FastAPI, ada: TestClient, other: tuple[str, Tickets]
) -> None:
    """The run is taken up again, and looks instead of sending."""
    parts = service(app)
    desk, who = parts.desk, ADA
    record = recorded(parts)
    desk.records.change(who, record.id, 1, confirmed=True)
    filing, _ = desk.filing.begin(who, record.id)
    with desk.filing.filings.database.writing() as connection:
        desk.filing.filings.move(filing, "sending", connection, started=now())
        desk.records.begin_filing(who, record.id, 2, connection)
    desk.begin(who, "file", {"filing": filing.id})
    found = ended(ada, record.id)
    assert found["state"] == "failed" and "never arrived" in found["reason"]
    assert other[1].find(record.id) == []


def test_upkeep_marks_what_was_cut_off_and_looks(
    app: FastAPI, ada: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = service(app)
    desk, who = parts.desk, ADA
    record = recorded(parts)
    desk.records.change(who, record.id, 1, confirmed=True)
    filing, _ = desk.filing.begin(who, record.id)
    with desk.filing.filings.database.writing() as connection:
        desk.filing.filings.move(filing, "sending", connection, started=now())
        desk.records.begin_filing(who, record.id, 2, connection)
    desk.upkeep()
    assert desk.filing.filings.get(who, filing.id).state == "sending"  # it may well be going on
    monkeypatch.setattr("llava_agent.service.desk._FILING", timedelta(minutes=-1))
    desk.upkeep()
    assert ended(ada, record.id)["state"] == "failed"


def test_the_command_shows_waits_and_files(
    tmp_path: Path, desk_file: Path, other: tuple[str, Tickets], capsys: pytest.CaptureFixture[str]
) -> None:
    app = application(tmp_path, desk=desk_file, runs=tmp_path / "runs")
    parts = service(app)
    record = recorded(parts, "local")
    parts.desk.records.change(LOCAL, record.id, 1, confirmed=True)
    given = ["file", record.id, "--desk", str(desk_file), "--database", str(tmp_path / "state.db"), "--json"]

    def run(*more: str) -> tuple[int, Any]:
        with pytest.raises(SystemExit) as stop:
            main([*given, *more])
        return int(stop.value.code or 0), json.loads(capsys.readouterr().out)

    code, (shown,) = run("--dry-run")
    assert code == 0 and shown["values"]["serial_number"] == "SN-48213" and shown["problems"] == []
    code, (waits,) = run()
    assert code == 3 and waits["state"] == "waiting" and other[1].find(record.id) == []
    with client(app) as browser:  # the person at this machine approves on the page, and the service sends it
        assert (
            browser.post(f"/api/approvals/{waits['approval']}", json={"verdict": "approve"}).status_code
            == 200
        )
        assert ended(browser, record.id)["state"] == "filed"
    code, error = run()
    assert code == 2 and "filed already" in error["error"]["what"]
    # Under a policy that allows it, the command files at once.
    free = target(tmp_path / "free", other[0])
    second = recorded(parts, "local")
    parts.desk.records.change(LOCAL, second.id, 1, confirmed=True)
    given[1] = second.id
    code, (done,) = run("--to", str(free.beside / "maintenance.yaml"))
    assert code == 0 and done["verified"] is True and len(other[1].find(second.id)) == 1


def test_the_time_of_a_photo_is_kept_only_where_the_desk_file_says_so(ada: TestClient) -> None:
    answer = ada.post("/api/photos", files={"file": ("a.jpg", camera_file())})
    assert answer.status_code == 201 and answer.json()["taken"] is None and answer.json()["place"] is None
