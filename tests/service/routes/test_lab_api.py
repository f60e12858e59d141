"""The model lab over HTTP: explanations, comparisons, training runs, and what must not be fetched."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.service.routes.test_desk_api import events, upload
from tests.service.serving import application, client, key_of

QUESTION = "What is the serial number?"


def training(root: Path, name: str = "align-1", lines: int = 3, preset: bool = True) -> Path:
    """The folder of a training run as `llava-agent train` leaves it."""
    folder = root / name
    (folder / "projector").mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"stage": "align", "batch": 4}))
    (folder / "environment.json").write_text(json.dumps({"python": "3.12"}))
    rows = [
        {"step": at, "steps": lines, "loss": 9 / at, "rates": {"projector": 0.1}, "tokens_per_s": 50.0}
        for at in range(1, lines + 1)
    ]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows) + '{"step": 9')
    (folder / "projector" / "projector.safetensors").write_bytes(b"weights")
    (folder / "state.pt").write_bytes(b"optimiser")
    if preset:
        (folder / "preset.yaml").write_text("kind: composed\n")
    return folder


@pytest.fixture(scope="module")
def ada(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("lab")
    training(folder / "training", lines=1000)
    training(folder / "training", "broken", preset=False)
    (folder / "secret.txt").write_text("opensesame")
    (folder / "training" / "align-1" / "projector" / "link").symlink_to(folder / "secret.txt")
    (folder / "training" / "no-run").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLAVA_AGENT_SERVER_SECRET", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
        app = application(
            folder, login=True, requests_per_minute=0, runs=folder / "runs", lab=folder / "training"
        )
        with client(app, key_of(app, "ada")) as browser:
            yield browser


def done(browser: TestClient, route: str, body: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Result and files of a run of the lab."""
    begun = browser.post(route, json=body)
    assert begun.status_code == 202, begun.text
    id = begun.json()["id"]
    assert events(browser, id)[-1] == ("end", {"state": "done", "reason": ""})
    files = [one["name"] for one in browser.get(f"/api/runs/{id}/artifacts").json()["items"]]
    assert all(browser.get(f"/runs/{id}/{name}").headers["content-type"] == "image/jpeg" for name in files)
    return browser.get(f"/api/runs/{id}").json()["result"], sorted(files)


def test_what_drove_an_answer(ada: TestClient) -> None:
    photo = upload(ada).json()["id"]
    result, files = done(ada, "/api/lab/explanations", {"photo": photo, "question": QUESTION})
    assert result["answer"] == "SN-48213" and files == ["heat.jpg", "marks.jpg"]
    assert result["why"]["method"] == "occlusion" and result["why"]["regions"][0]["text"] == "SN-48213"
    assert result["why"]["deletion"]["covered"] == result["why"]["regions"][0]["box"]
    refused = ada.post("/api/lab/explanations", json={"photo": photo, "question": "?", "view": "magic"})
    assert refused.status_code in (400, 422)
    assert ada.post("/api/lab/explanations", json={"photo": "p", "question": "?"}).status_code == 404


def test_two_models_side_by_side(ada: TestClient) -> None:
    photo = upload(ada).json()["id"]
    names = ada.get("/api/lab/models").json()["items"]
    assert names == ["auto", "words", "run:align-1"]
    body = {"photos": [photo, photo], "question": QUESTION, "models": ["auto", "words"]}
    result, files = done(ada, "/api/lab/comparisons", body)
    assert files == ["0-a.jpg", "0-b.jpg", "1-a.jpg", "1-b.jpg"]
    assert result["same"] == 2 and [one["answer"] for one in result["rows"][0]["answers"]] == ["SN-48213"] * 2


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("/etc/passwd.yaml", "there is no model"),
        ("run:broken", "no preset yet"),
        ("run:../x", "no training run"),
    ],
)
def test_only_listed_models_answer(ada: TestClient, name: str, why: str) -> None:
    photo = upload(ada).json()["id"]
    body = {"photos": [photo], "question": QUESTION, "models": ["auto", name]}
    id = ada.post("/api/lab/comparisons", json=body).json()["id"]
    kind, end = events(ada, id)[-1]
    assert kind == "end" and end["state"] == "failed" and why in end["reason"]


def test_training_runs_with_their_curves(ada: TestClient) -> None:
    items = {one["name"]: one for one in ada.get("/api/lab/runs").json()["items"]}
    assert (
        items.keys() == {"align-1", "broken"} and items["align-1"]["ready"] and not items["broken"]["ready"]
    )
    found = ada.get("/api/lab/runs/align-1").json()
    assert (found["step"], found["steps"], found["loss"]) == (1000, 1000, 0.009)
    assert found["config"]["stage"] == "align" and found["environment"] == {"python": "3.12"}
    steps = [line["step"] for line in found["metrics"]]
    assert len(steps) == 400 and steps[0] == 1 and steps[-1] == 1000 and steps == sorted(set(steps))
    assert ada.get("/api/lab/runs/no-run").status_code == 404


def test_weights_can_be_fetched_and_nothing_else(ada: TestClient) -> None:
    paths = [one["path"] for one in ada.get("/api/lab/runs/align-1").json()["files"]]
    assert "projector/projector.safetensors" in paths and "preset.yaml" in paths and "state.pt" not in paths
    got = ada.get("/api/lab/runs/align-1/files/projector/projector.safetensors")
    assert got.content == b"weights" and got.headers["content-disposition"].startswith("attachment")
    for path in ("state.pt", "projector/link", "../../secret.txt", "..%2F..%2Fsecret.txt", "/etc/passwd"):
        answer = ada.get(f"/api/lab/runs/align-1/files/{path}")
        assert answer.status_code in (400, 403, 404) and "opensesame" not in answer.text, path


def test_a_server_with_login_shows_the_runs_that_it_was_told_to(tmp_path: Path) -> None:
    training(tmp_path / "runs")
    app = application(tmp_path, login=True, requests_per_minute=0, runs=tmp_path / "runs")
    with client(app, key_of(app, "ada")) as browser:
        assert browser.get("/api/lab/runs").json()["items"] == []
    own = application(tmp_path, runs=tmp_path / "runs")
    with client(own) as browser:
        assert [one["name"] for one in browser.get("/api/lab/runs").json()["items"]] == ["align-1"]
