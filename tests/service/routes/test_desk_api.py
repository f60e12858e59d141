"""The photo desk over HTTP: upload, inspect, watch, edit, compare, export; and what must not work."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from PIL import Image
from pypdf import PdfReader
from starlette.testclient import TestClient

from llava_agent.agent.picture import find_marks
from llava_agent.assembly import Core
from llava_agent.service import desk as desk_module
from tests.inspection.test_intake import camera_file
from tests.service.serving import application, client, key_of, service
from tests.ui.words import PHOTOS, core

PUMP = (PHOTOS / "pump.jpg").read_bytes()


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    def make() -> Core:
        return replace(core(), find=find_marks)

    return application(tmp_path, make, login=True, requests_per_minute=0, runs=tmp_path / "runs")


@pytest.fixture
def ada(app: FastAPI) -> Iterator[TestClient]:
    with client(app, key_of(app, "ada")) as browser:
        yield browser


@pytest.fixture
def bob(app: FastAPI, ada: TestClient) -> TestClient:
    return client(app, key_of(app, "bob"))


def upload(browser: TestClient, content: bytes = PUMP, name: str = "pump.jpg", **headers: str) -> Any:
    return browser.post("/api/photos", files={"file": (name, content)}, headers=headers)


def events(browser: TestClient, run: str, last: str = "") -> list[tuple[str, dict[str, Any]]]:
    headers = {"Last-Event-ID": last} if last else {}
    text = browser.get(f"/api/runs/{run}/events", headers=headers).text
    blocks = [
        dict(line.split(": ", 1) for line in block.splitlines())
        for block in text.strip().split("\n\n")
        if not block.startswith(":")  # a sign of life of a stream that had nothing to say
    ]
    # A slow run is kept alive by comments in between.
    return [(block["event"], json.loads(block["data"])) for block in blocks if "event" in block]


def inspected(browser: TestClient, **body: Any) -> dict[str, Any]:
    """The record of an inspection of one photo."""
    photo = upload(browser).json()["id"]
    run = browser.post("/api/inspections", json={"photos": [photo], **body})
    assert run.status_code == 202 and run.headers["location"] == f"/api/runs/{run.json()['id']}"
    said = events(browser, run.json()["id"])
    assert said[-1] == ("end", {"state": "done", "reason": ""})
    result = browser.get(f"/api/runs/{run.json()['id']}").json()["result"]
    found: dict[str, Any] = browser.get(f"/api/records/{result['record']}").json()
    return found


def test_from_a_photo_to_a_record_and_its_files(ada: TestClient) -> None:
    record = inspected(ada)
    values = {line["key"]: line["value"] for line in record["inspection"]["lines"]}
    assert values["serial_number"] == "SN-48213" and record["asset"] == values["asset_tag"] == "P-1042"
    assert record["state"] == "draft" and record["version"] == 1 and len(record["photos"]) == 1
    lines = record["inspection"]["lines"]
    for line in lines:
        assert line["evidence"][0]["box"] and line["evidence"][0]["photo"]
    inspection = record["inspection"]
    inspection["lines"].append(
        {"kind": "note", "key": "note", "name": "Noise", "value": "=loud", "confidence": 1, "edited": True}
    )
    change = {"version": 1, "inspection": inspection, "asset": "P-1042", "confirmed": True}
    changed = ada.patch(f"/api/records/{record['id']}", json=change)
    assert changed.json()["state"] == "confirmed" and changed.json()["version"] == 2
    again = ada.patch(f"/api/records/{record['id']}", json=change)
    assert again.status_code == 409 and again.headers["content-type"] == "application/problem+json"
    table = ada.get(f"/api/records/{record['id']}/export?as=csv")
    assert "'=loud" in table.text and table.headers["content-type"].startswith("text/csv")
    pdf = ada.get(f"/api/records/{record['id']}/export")
    assert "=loud" in PdfReader(io.BytesIO(pdf.content)).pages[0].extract_text()
    later = inspected(ada, asset="P-1042")
    changes = ada.get(f"/api/records/{later['id']}/changes").json()
    assert changes["since"] == record["id"]
    assert any("no longer seen: Noise" in one["sentence"] for one in changes["changes"])


def test_what_the_camera_wrote_is_not_served(ada: TestClient) -> None:
    made = upload(ada, camera_file(), "C:\\x\\<script>.jpg").json()
    content = ada.get(f"/api/photos/{made['id']}/content")
    assert b"Secret Camera" not in content.content and content.headers["content-type"] == "image/jpeg"
    assert content.headers["x-content-type-options"] == "nosniff"
    assert made["place"] is None and made["name"] == "<script>.jpg"
    assert [one["trouble"] for one in made["quality"]["complaints"]] == ["small"]


def test_a_repeated_request_is_done_once(ada: TestClient, bob: TestClient) -> None:
    first, again = (upload(ada, **{"Idempotency-Key": "k1"}) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert upload(ada, camera_file(), **{"Idempotency-Key": "k1"}).status_code == 409
    body, key = {"photos": [first.json()["id"]]}, {"Idempotency-Key": "k2"}
    runs = {ada.post("/api/inspections", json=body, headers=key).json()["id"] for _ in range(3)}
    assert len(runs) == 1
    assert len(ada.get("/api/photos").json()["items"]) == 1
    assert bob.get("/api/photos").json()["items"] == []


def test_others_see_nothing(ada: TestClient, bob: TestClient) -> None:
    record = inspected(ada)
    photo, run = record["photos"][0], ada.get("/api/runs").json()["items"][0]["id"]
    for address in (
        f"/api/photos/{photo}", f"/api/photos/{photo}/content", f"/api/records/{record['id']}",
        f"/api/records/{record['id']}/export", f"/api/records/{record['id']}/changes", f"/api/runs/{run}",
        f"/api/runs/{run}/events", f"/api/runs/{run}/artifacts", f"/api/runs/{run}/artifacts/x",
    ):  # fmt: skip
        assert bob.get(address).status_code == 404, address
    for answer in (
        bob.delete(f"/api/photos/{photo}"),
        bob.patch(f"/api/records/{record['id']}", json={"version": 1}),
        bob.post(f"/api/runs/{run}/cancel"),
        bob.post("/api/inspections", json={"photos": [photo]}),
    ):
        assert answer.status_code == 404
    assert ada.delete(f"/api/photos/{photo}").status_code == 409


@pytest.mark.parametrize(
    "content",
    [b"", b"<html><script>alert(1)</script>", b"\x00\x00\x00\x18ftypheic" + b"\x00" * 99, PUMP[:2000]],
    ids=["empty", "page", "false-heic", "cut-off"],
)
def test_what_is_no_photo_is_a_sentence(ada: TestClient, content: bytes) -> None:
    answer = upload(ada, content)
    assert answer.status_code == 400 and answer.json()["detail"].endswith(".")
    assert ada.get("/api/photos").json()["items"] == []


def test_too_large_is_said_before_it_is_read(ada: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llava_agent.service.routes.photos.PHOTO_BYTES", 1000)
    assert upload(ada).status_code == 413


def test_a_small_file_of_many_pixels_is_refused(ada: TestClient) -> None:
    buffer = io.BytesIO()
    Image.new("1", (12000, 12000)).save(buffer, "PNG")
    answer = upload(ada, buffer.getvalue())
    assert answer.status_code == 400 and "pixels" in answer.json()["detail"]


def test_a_stream_is_taken_up_where_it_broke(ada: TestClient) -> None:
    inspected(ada)
    run = ada.get("/api/runs?kind=inspect").json()["items"][0]["id"]
    all_of_it = events(ada, run)
    assert [kind for kind, _ in all_of_it] == ["look", "end"]
    assert events(ada, run, last="1") == all_of_it[1:]


def test_a_full_queue_says_when_to_come_back(
    ada: TestClient, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    service(app).desk.worker.stop()
    photo = upload(ada).json()["id"]
    monkeypatch.setattr(desk_module, "MOST_WAITING", 1)
    first = ada.post("/api/inspections", json={"photos": [photo]})
    full = ada.post("/api/inspections", json={"photos": [photo]})
    assert (first.status_code, full.status_code) == (202, 429) or full.status_code == 503
    assert int(full.headers["retry-after"]) > 0
    run = first.json()["id"]
    assert ada.post(f"/api/runs/{run}/cancel").json()["state"] == "cancelled"
    assert ada.post(f"/api/runs/{run}/cancel").status_code == 409
    assert events(ada, run) == [("end", {"state": "cancelled", "reason": "cancelled by ada"})]


def test_pages_and_wrong_questions(ada: TestClient) -> None:
    ids = [upload(ada, camera_file(), f"{n}.jpg").json()["id"] for n in range(3)]
    first = ada.get("/api/photos?limit=2").json()
    rest = ada.get(f"/api/photos?limit=2&cursor={first['next']}").json()
    assert [one["id"] for one in (*first["items"], *rest["items"])] == sorted(ids, reverse=True)
    assert rest["next"] is None
    for address in ("/api/photos?limit=0", "/api/photos?cursor=%25", "/api/records?limit=9999"):
        assert ada.get(address).status_code == 400
    assert ada.post("/api/inspections", json={"photos": []}).status_code == 400
    assert ada.post("/api/runs", json={"goal": "x", "url": "file:///etc/passwd"}).status_code == 400
    refused = ada.post("/api/runs", json={"goal": "x", "url": "http://127.0.0.1:1/"})
    assert (refused.status_code, "not public" in refused.json()["detail"]) == (403, True)
