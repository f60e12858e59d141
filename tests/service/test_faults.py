"""What a server meets: its database goes away, its disk fills, people send too much, two look on."""

from __future__ import annotations

import errno
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from PIL import Image
from starlette.testclient import TestClient

from llava_agent.service.store import artifacts
from tests.service.serving import application, client, key_of, service


def picture(size: tuple[int, int] = (32, 24), form: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, "navy").save(buffer, form)
    return buffer.getvalue()


def send(browser: TestClient, content: bytes, **headers: str) -> Any:
    return browser.post("/api/photos", files={"file": ("a.png", content)}, headers=headers)


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    return application(tmp_path, login=True, requests_per_minute=0, runs=tmp_path / "runs")


@pytest.fixture
def ada(app: FastAPI) -> Iterator[TestClient]:
    with client(app, key_of(app, "ada")) as browser:
        yield browser


def permit(server: str, name: str, *, connections: bool) -> None:
    """Shut a database of a PostgreSQL server to everybody, and throw out who is in; or open it again."""
    engine = sa.create_engine(
        f"{server}/postgres".replace("postgresql:", "postgresql+pg8000:"), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        connection.exec_driver_sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {str(connections).lower()}")
        ends = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
        connection.execute(sa.text(ends), {"name": name})
    engine.dispose()


def test_a_database_that_goes_away_and_comes_back(
    postgres_server: str, postgres_url: str, tmp_path: Path
) -> None:
    app = application(
        tmp_path, database=postgres_url, login=True, requests_per_minute=0, files=tmp_path / "files"
    )
    name, key = postgres_url.rsplit("/", 1)[1], key_of(app, "ada")
    with client(app, key) as browser, client(app) as stranger:
        kept = send(browser, picture(), **{"Idempotency-Key": "k"}).json()["id"]
        permit(postgres_server, name, connections=False)
        workers = [thread for thread in threading.enumerate() if thread.name == "runs"]
        assert workers
        try:
            for answer in (browser.get("/api/photos"), send(browser, picture(), **{"Idempotency-Key": "l"})):
                assert answer.status_code == 502, answer.text
                assert answer.headers["content-type"] == "application/problem+json"
                assert name not in answer.text and "postgres" not in answer.text.lower()
            assert stranger.get("/health").status_code == 200
            ready = stranger.get("/ready")
            assert ready.status_code == 503 and ready.json()["parts"]["database"] is False
        finally:
            permit(postgres_server, name, connections=True)
        assert stranger.get("/ready").status_code == 200
        assert [one["id"] for one in browser.get("/api/photos").json()["items"]] == [kept]
        again = send(browser, picture(), **{"Idempotency-Key": "l"})
        assert again.status_code == 201 and again.json()["id"] != kept
        assert all(thread.is_alive() for thread in workers)  # they wait for it too
        run = browser.post("/api/inspections", json={"photos": [kept]}).json()["id"]
        assert "event: end" in browser.get(f"/api/runs/{run}/events").text


def test_a_full_disk_is_said_and_the_same_request_works_later(
    ada: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(artifacts, "_write_whole", full)
        answer = send(ada, picture(), **{"Idempotency-Key": "k"})
        assert answer.status_code == 502 and answer.headers["content-type"] == "application/problem+json"
    assert ada.get("/api/photos").json()["items"] == []
    assert send(ada, picture(), **{"Idempotency-Key": "k"}).status_code == 201


def test_a_photo_of_50_megabytes_is_taken_and_a_larger_one_refused(ada: TestClient) -> None:
    large = picture((4080, 4080), "BMP")
    assert 49_000_000 < len(large) < 50_000_000
    made = send(ada, large)
    assert made.status_code == 201 and (made.json()["width"], made.json()["height"]) == (4080, 4080)
    refused = send(ada, large + bytes(1_000_000))
    assert refused.status_code == 413 and "50 MB" in refused.json()["detail"]


def test_script_in_values_and_names_is_text_wherever_it_goes(ada: TestClient) -> None:
    nasty = '"><script>alert(1)</script><img src=x onerror=alert(2)>.png'
    made = ada.post("/api/photos", files={"file": (nasty, picture())}, data={"asset": nasty}).json()
    assert "<script>" in made["asset"]  # kept as it is, and nothing shows it as a page:
    for address in ("/api/photos", f"/api/photos/{made['id']}", f"/api/photos/{made['id']}/content"):
        answer = ada.get(address)
        assert answer.headers["content-type"] in ("application/json", "image/png")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_two_browsers_on_one_run_see_the_same_and_one_order_counts(app: FastAPI, ada: TestClient) -> None:
    service(app).desk.worker.stop()
    photo = send(ada, picture()).json()["id"]
    run = ada.post("/api/inspections", json={"photos": [photo]}).json()["id"]
    other = client(app, key_of(app, "ada"))
    assert ada.post(f"/api/runs/{run}/pause").status_code == other.post(f"/api/runs/{run}/pause").status_code
    codes = [browser.post(f"/api/runs/{run}/cancel").status_code for browser in (ada, other)]
    assert codes == [200, 409]
    told = [browser.get(f"/api/runs/{run}/events").text for browser in (ada, other)]
    assert told[0] == told[1] and "pause" in told[0]
    assert ada.get(f"/api/runs/{run}").json() == other.get(f"/api/runs/{run}").json()


def test_two_browsers_on_one_record_lose_nothing(app: FastAPI, ada: TestClient) -> None:
    photo = send(ada, picture()).json()["id"]
    run = ada.post("/api/inspections", json={"photos": [photo]}).json()["id"]
    ended = ada.get(f"/api/runs/{run}/events").text
    assert json.loads(ended.strip().rsplit("data: ", 1)[1])["state"] == "done", ended
    record = ada.get(f"/api/runs/{run}").json()["result"]["record"]
    other = client(app, key_of(app, "ada"))
    first = ada.patch(f"/api/records/{record}", json={"version": 1, "asset": "P-1"})
    second = other.patch(f"/api/records/{record}", json={"version": 1, "asset": "P-2"})
    assert (first.status_code, second.status_code) == (200, 409)
    assert other.get(f"/api/records/{record}").json()["asset"] == "P-1"
