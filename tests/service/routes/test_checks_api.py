"""Checks over HTTP: from a spec to verdicts, reports, baselines and history; and what a server refuses."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from fastapi import FastAPI
from PIL import Image, ImageDraw
from starlette.testclient import TestClient

from llava_agent.checks.served import Served
from tests.service.routes.test_desk_api import events
from tests.service.serving import application, client, key_of

PAGE = "<!doctype html><h1>Orders</h1><p>Total: {total} EUR</p><button>Save changes</button>"
SPEC = """name: orders
page: {page}
timeout: 0
expect:
  - shows: Save changes
  - text: "Total: 42 EUR"
  - matches: {{baseline: front.png, tolerance: 0}}
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    folder = tmp_path_factory.mktemp("pages")
    (folder / "orders.html").write_text(PAGE.format(total=42))
    with Served(folder) as base:
        yield folder, base


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, pages: tuple[Path, str]) -> Iterator[FastAPI]:
    folder = tmp_path_factory.mktemp("server")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLAVA_AGENT_SERVER_SECRET", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
        given: dict[str, Any] = {"login": True, "requests_per_minute": 0, "private_hosts": (pages[1],)}
        yield application(folder, runs=folder / "runs", **given)


@pytest.fixture(scope="module")
def ada(app: FastAPI) -> Iterator[TestClient]:
    with client(app, key_of(app, "ada")) as browser:
        yield browser


def store(browser: TestClient, text: str, *pictures: tuple[str, bytes], **headers: str) -> Any:
    files = [("pictures", one) for one in pictures]
    return browser.post("/api/checks", data={"text": text}, files=files or None, headers=headers)


def ran(browser: TestClient, check: str) -> dict[str, Any]:
    """A run of a check, once it is over."""
    run = browser.post(f"/api/checks/{check}/runs")
    assert run.status_code == 202 and run.headers["location"] == f"/api/runs/{run.json()['id']}"
    said = events(browser, run.json()["id"])
    assert said[-1][0] == "end"
    found: dict[str, Any] = browser.get(f"/api/runs/{run.json()['id']}").json()
    return found


def text_picture(words: str) -> bytes:
    image = Image.new("RGB", (420, 120), "white")
    ImageDraw.Draw(image).text((30, 30), words, fill="black", font_size=40)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def test_from_a_spec_to_verdicts_baselines_and_history(
    ada: TestClient, app: FastAPI, pages: tuple[Path, str]
) -> None:
    folder, base = pages
    check = store(ada, SPEC.format(page=f"{base}/orders.html"))
    assert check.status_code == 201 and check.json()["name"] == "orders"
    id = check.json()["id"]

    first = ran(ada, id)
    assert first["result"]["status"] == "error" and first["result"]["counts"] == {"pass": 2, "error": 1}
    (variant,) = ada.get(f"/api/checks/{id}/runs/{first['id']}/verdicts").json()["items"]
    shows, _, matches = variant["verdicts"]
    assert shows["status"] == "pass" and len(shows["box"]) == 4 and shows["size"][0] == 1000
    assert matches["baseline"] == "front.png" and "there is no baseline front.png yet" in matches["detail"]
    picture = ada.get(f"/runs/{first['id']}/{matches['picture']}")
    assert Image.open(io.BytesIO(picture.content)).size == tuple(matches["size"])

    accept = {"run": first["id"], "name": "front.png"}
    robot = client(app, key_of(app, "ada", narrowed=["agent_service"]))
    assert robot.post(f"/api/checks/{id}/baselines", json=accept).status_code == 403
    for _ in range(2):
        (baseline,) = ada.post(f"/api/checks/{id}/baselines", json=accept).json()["baselines"]
    assert (baseline["accepter"], baseline["run"]) == ("ada", first["id"])
    assert ada.get(f"/api/checks/{id}/baselines/front.png").content == picture.content

    second = ran(ada, id)
    assert second["result"]["status"] == "pass"
    (folder / "orders.html").write_text(PAGE.format(total=43))
    third = ran(ada, id)
    (folder / "orders.html").write_text(PAGE.format(total=42))
    assert third["result"]["status"] == "fail" and third["result"]["counts"] == {"pass": 1, "fail": 2}
    fourth = ran(ada, id)
    assert fourth["result"]["status"] == "pass"
    late = ada.post(f"/api/checks/{id}/baselines", json={"run": first["id"], "name": "front.png"})
    assert late.status_code == 200  # the same picture: nothing changes
    history = ada.get(f"/api/checks/{id}/history").json()
    assert [one["id"] for one in history["runs"]] == [one["id"] for one in (first, second, third, fourth)]
    by_words = {one["expects"]: one for one in history["expectations"]}
    total = next(one for words, one in by_words.items() if "Total: 42 EUR" in words)
    assert total["statuses"] == ["pass", "pass", "fail", "pass"] and total["standing"] == "flaky"
    assert by_words["matches front.png"]["standing"] == "flaky"
    assert by_words["the check can be run"]["standing"] == "holds"

    run = third["id"]
    junit = ElementTree.fromstring(ada.get(f"/api/runs/{run}/artifacts/junit.xml").content)
    suite = junit.find("testsuite")
    assert suite is not None and suite.get("failures") == "2" and suite.get("file") == "spec.yaml"
    report = ada.get(f"/runs/{run}/index.html")
    assert "script" not in report.headers["content-security-policy"] and "Total: 42 EUR" in report.text
    named = {one["name"] for one in ada.get(f"/api/runs/{run}/artifacts").json()["items"]}
    assert {"index.html", "junit.xml", "results.json", "spec.yaml", "given/front.png"} <= named
    assert str(folder) not in report.text and "/runs/" not in report.text
    # What is stored may be sealed; nothing of it stays in the open.
    assert not (app.state.service.desk.folder / run).exists()

    changed = ada.post(f"/api/checks/{id}/baselines", json={"run": run, "name": "front.png"})
    assert changed.status_code == 200 and changed.json()["baselines"][0]["run"] == run
    stale = ada.post(f"/api/checks/{id}/baselines", json={"run": second["id"], "name": "front.png"})
    assert stale.status_code == 409
    assert ada.delete(f"/api/checks/{id}").status_code == 204
    assert ada.get(f"/api/checks/{id}/history").status_code == 404
    assert ada.get(f"/runs/{run}/index.html").status_code == 200


def test_uploaded_screenshots_are_checked(ada: TestClient) -> None:
    spec = "name: shot\npage: front shot.png\nexpect:\n  - shows: Save changes\n  - not_shows: Deleted\n"
    picture = ("front shot.png", text_picture("Save changes"))
    missing = store(ada, spec)
    assert missing.status_code == 400 and "no picture of this check" in missing.json()["detail"]
    first, again = (store(ada, spec, picture, **{"Idempotency-Key": "c1"}) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200) and first.json() == again.json()
    assert first.json()["pictures"] == ["front shot.png"]
    run = ran(ada, first.json()["id"])
    assert run["result"]["status"] == "pass", run
    # A changed text keeps the pictures; somebody who read an older version changes nothing.
    body = {"text": spec.replace("Deleted", "Save"), "version": "1"}
    assert ada.put(f"/api/checks/{first.json()['id']}", data=body).json()["version"] == 2
    assert ada.put(f"/api/checks/{first.json()['id']}", data=body).status_code == 409


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("name: a\npage: http://a.example\nexpect:\n  - shows: x\n  - shos: y\n", 5, "did you mean 'shows'?"),
        ("name: a\npage: http://a.example\nexpct: []\n", 3, "did you mean 'expect'?"),
        ("name: a\nname: b\n", 2, "there twice"),
        ("name: [\n", 2, "not valid YAML"),
        ("just words\n", 1, "mapping"),
        ("name: a\npage: http://a.example\nexpect:\n  - state: {name: b, is: odd}\n", 4, "expect.0.state.is"),
    ],
)
def test_a_wrong_spec_is_shown_at_its_line(ada: TestClient, text: str, line: int, said: str) -> None:
    answer = store(ada, text)
    assert answer.status_code == 400 and answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["line"] == line and said in problem["detail"] and problem["error"]["param"] == "text"


@pytest.mark.parametrize(
    "page",
    [
        "file:///etc/passwd", "FILE:///etc/passwd", "/etc/passwd", "../state.db", "data:text/html,x",
        "http://127.0.0.1:1/", "http://localhost:1/", "http://[::1]/", "http://169.254.169.254/latest/",
        "http://10.0.0.7/", "http://[::ffff:192.168.0.1]/", "http://2130706433/", "http://user@10.0.0.7/",
        "http://[64:ff9b::a00:7]/", "http://[fd00::1]/", "http://0.0.0.0/", "http://100.64.0.1/",
    ],
)  # fmt: skip
def test_a_page_that_leads_into_the_server_is_refused(ada: TestClient, page: str) -> None:
    text = f"name: probe\npage: '{page}'\nexpect:\n  - shows: root\n"
    answer = store(ada, text)
    assert answer.status_code in (400, 403), answer.text
    if page.startswith("http://"):
        assert ada.post("/api/checks/drafts", json={"url": page}).status_code in (400, 403)


@pytest.mark.parametrize(
    "more",
    [
        "  - matches: {baseline: ../../state.db}",
        "  - matches: {baseline: /etc/passwd}",
        "  - matches: {baseline: .hidden.png}",
        "steps:\n  - type: {into: a, secret: HOME}",
        "viewports: " + str([[200 + at, 200] for at in range(30)]),
    ],
)
def test_a_spec_reaches_neither_files_nor_secrets_of_the_server(ada: TestClient, more: str) -> None:
    answer = store(ada, f"name: a\npage: http://a.example\nexpect:\n  - shows: x\n{more}\n")
    assert answer.status_code in (400, 403) and "root" not in answer.text


def test_a_name_that_leads_into_the_private_network_is_refused_when_it_is_opened(
    ada: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    async def resolve(self: object, host: str, *_: object, **__: object) -> list[Any]:
        assert host == "intranet.example"
        return [(None, None, None, None, ("10.1.2.3", 80))]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", resolve)
    check = store(ada, "name: a\npage: http://intranet.example/\nexpect:\n  - shows: x\n").json()
    result = ran(ada, check["id"])["result"]
    assert result["status"] == "error"
    assert "leads into a network that is not public" in result["variants"][0]["problem"]
    assert "10.1.2.3" not in json.dumps(result)


def test_a_first_spec_is_written_from_a_page(ada: TestClient, pages: tuple[Path, str]) -> None:
    run = ada.post("/api/checks/drafts", json={"url": f"{pages[1]}/orders.html"})
    assert run.status_code == 202
    assert events(ada, run.json()["id"])[-1][1]["state"] == "done"
    text = ada.get(f"/api/runs/{run.json()['id']}").json()["result"]["text"]
    assert "Save changes" in text and "Total: 42 EUR" in text
    assert store(ada, text).status_code == 201


def test_others_see_nothing(ada: TestClient, app: FastAPI) -> None:
    bob = client(app, key_of(app, "bob"))
    id = store(ada, "name: a\npage: http://a.example\nexpect:\n  - shows: x\n").json()["id"]
    for address in ("", "/history", "/runs", "/baselines/a.png", "/runs/x/verdicts"):
        assert bob.get(f"/api/checks/{id}{address}").status_code == 404, address
    assert bob.post(f"/api/checks/{id}/runs").status_code == 404
    assert bob.delete(f"/api/checks/{id}").status_code == 404
    assert bob.get("/api/checks").json()["items"] == []
    first = ada.get("/api/checks?limit=1").json()
    assert len(first["items"]) == 1 and first["next"]
    assert ada.get(f"/api/checks?limit=1&cursor={first['next']}").json()["items"] != first["items"]
