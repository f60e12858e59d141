"""Canaries through everything, then every byte of what the product wrote is searched for them.

A word that no pattern knows, personal data, and secrets go in as prompts, chunks of streams, tool arguments,
text inside images, file names, headers, addresses and error messages, by real commands in processes of their
own. They may stand where content is kept for its owner, and nowhere else.
"""

from __future__ import annotations

import base64
import io
import json
import os
import re
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image, ImageDraw, ImageFont

from llava_agent.database import open_database

WORD = "quillfeather"  # nothing but content: no guard can know it
EMAIL = "ann.canary@leak.example.com"
CARD = "4111 1111 1111 1111"
IBAN = "DE89 3704 0044 0532 0130 00"
PHONE = "+49 30 901820"
KEY = "AKIAIOSFODNN7EXAMPLE"
PERSONAL = (EMAIL, CARD, IBAN, PHONE)
TEXT = f"{WORD} {EMAIL} {CARD} {IBAN} {PHONE}"
CANARIES = (WORD, *PERSONAL, KEY)

#: Columns that hold content for its owner, and are read by nobody else; nothing else in the database may.
CONTENT = {
    "photos": {"name", "about"},
    "knowledge_documents": {"name", "title", "path"},
    "knowledge_passages": {"heading", "text"},
    "knowledge_words": {"heading", "text"},
    "knowledge_words_data": {"block"},
    "knowledge_words_content": {"c0", "c1"},
}

POLICY = """
version: 1
models:
  depot: {{server: {{base_url: "{url}/v1", model: any, seconds: 20}}}}
  cloud: {{server: {{base_url: "{url}/far/v1", model: any, seconds: 20}}, leaves_machine: true}}
rules: [{{name: all, allow: all}}]
fallback: {{attempts: 1}}
breaker: {{in_a_row: 1000, of_last: 10000}}
audit: true
"""


@dataclass
class Provider:
    """A model server that repeats what it is told, also in errors; it keeps what the far one is sent."""

    far: list[str] = field(default_factory=list)
    http: ThreadingHTTPServer = field(init=False)

    def __post_init__(self) -> None:
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_port}"


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(200, json.dumps(_document(provider.url)))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            if self.path.startswith("/far"):
                provider.far.append(body)
            if "chat/completions" not in self.path:
                self._send(422, json.dumps({"detail": f"{TEXT} {KEY} is no number"}))
            else:
                self._chat(json.loads(body), body)

        def _chat(self, asked: dict[str, Any], body: str) -> None:
            if "REFUSE" in body:
                self._send(500, f"cannot do {TEXT} {KEY}")
            elif "NONSENSE" in body:
                self._send(200, f"<html>{TEXT} {KEY}")
            elif asked.get("stream"):
                self._stream(breaks="BREAK" in body)
            else:
                self._send(200, json.dumps(_answer(asked)))

        def _stream(self, *, breaks: bool) -> None:
            whole = f"{TEXT} {KEY} and on"
            events = [
                {"choices": [{"delta": {"content": whole[at : at + 5]}}]} for at in range(0, len(whole), 5)
            ]
            if breaks:
                events[3:] = [{"error": {"message": f"broke at {TEXT} {KEY}"}}]
            text = "".join(f"data: {json.dumps(one)}\n\n" for one in events)
            self._send(200, text + ("" if breaks else "data: [DONE]\n\n"), "text/event-stream")

        def _send(self, status: int, text: str, kind: str = "application/json") -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def _answer(asked: dict[str, Any]) -> dict[str, Any]:
    said = f"{TEXT} {KEY}"
    schema = (asked.get("response_format") or {}).get("json_schema", {}).get("schema", {})
    properties = schema.get("properties", {})
    if "verb" in properties:
        verbs = properties["verb"]["enum"]
        verb = next((one for one in ("read", "type", "click") if one in verbs), verbs[0])
        said = json.dumps({"verb": verb, "mark": min(1, properties["mark"]["maximum"]), "text": WORD})
    elif schema:
        said = json.dumps({"tool": "note", "arguments": {"text": said}})
    usage = {"prompt_tokens": 5, "completion_tokens": 5}
    return {"choices": [{"message": {"content": said}, "finish_reason": "stop"}], "usage": usage}


def _document(url: str) -> dict[str, Any]:
    """An API whose only operation takes a number."""
    body = {"type": "object", "required": ["note"], "properties": {"note": {"type": "string"}}}
    operation = {
        "operationId": "file_note",
        "requestBody": {"content": {"application/json": {"schema": body}}},
        "responses": {"200": {"description": "ok"}},
    }
    return {
        "openapi": "3.0.0",
        "info": {"title": "notes", "version": "1"},
        "servers": [{"url": url}],
        "paths": {"/notes": {"post": operation}},
    }


def _picture() -> bytes:
    image = Image.new("RGB", (900, 260), "white")
    font = ImageFont.load_default(40)
    for row, text in enumerate((f"{WORD} 7731", EMAIL, CARD)):
        ImageDraw.Draw(image).text((30, 20 + 75 * row), text, "black", font=font)
    exif = Image.Exif()
    exif[0x010E] = TEXT
    out = io.BytesIO()
    image.save(out, "JPEG", quality=95, exif=exif)
    return out.getvalue()


@dataclass
class Home:
    """Everything that the product writes, and what it said."""

    folder: Path
    provider: Provider
    said: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {
            "LLAVA_AGENT_CONFIG": str(self.folder / "config"),
            "LLAVA_AGENT_DATABASE": str(self.folder / "state.db"),
            "LLAVA_AGENT_POLICY": str(self.folder / "policy.yaml"),
            "XDG_DATA_HOME": str(self.folder / "data"),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "TMPDIR": str(self.folder / "tmp"),
        }

    def command(self, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "llava_agent.cli", *words]
        ended = subprocess.run(
            command, capture_output=True, text=True, env=self.environment, cwd=self.folder, timeout=120
        )
        self.said[name] = ended.stdout + ended.stderr
        return ended


def _ask(http: httpx.Client, home: Home, name: str, words: str, **more: Any) -> None:
    body = {"model": "depot", "messages": [{"role": "user", "content": words}], **more}
    answer = http.post("/v1/chat/completions", json=body, headers={"user-agent": TEXT, "x-trace": KEY})
    home.said[name] = answer.text if answer.status_code >= 400 else ""


def _use(http: httpx.Client, home: Home) -> None:
    """Everything that a client can do with content."""
    _ask(http, home, "chat", TEXT)
    _ask(http, home, "secret", f"{TEXT} {KEY}")
    _ask(http, home, "stream", TEXT, stream=True)
    _ask(http, home, "refused by the server", f"REFUSE {TEXT}")
    _ask(http, home, "no answer", f"NONSENSE {TEXT}")
    _ask(http, home, "broken stream", f"BREAK {TEXT}", stream=True)
    tool = {"type": "function", "function": {"name": "note", "parameters": {"type": "object"}}}
    _ask(http, home, "tools", TEXT, tools=[tool])
    _ask(http, home, "wrong parameter", TEXT, **{f"{WORD}": EMAIL})
    _ask(http, home, "wrong model", TEXT, model=f"{WORD}-{KEY}")
    _ask(http, home, "masked", TEXT, model="cloud")
    _ask(http, home, "blocked", f"{TEXT} {KEY}", model="cloud")
    url = f"data:image/jpeg;base64,{base64.b64encode(_picture()).decode()}"
    about = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": f"Who is {WORD}?"}]
    body = {"model": "cloud", "messages": [{"role": "user", "content": about}]}
    home.said["image"] = http.post("/v1/chat/completions", json=body).text
    about[0] = {"type": "image_url", "image_url": {"url": f"http://{WORD}.example/{EMAIL}.jpg"}}
    body = {"model": "depot", "messages": [{"role": "user", "content": about}]}
    home.said["address"] = http.post("/v1/chat/completions", json=body).text
    home.said["path"] = http.get(f"/api/{WORD}/{EMAIL}?key={KEY}").text
    files = {"file": (f"{WORD} {EMAIL}.jpg", _picture(), "image/jpeg")}
    assert (
        http.post("/api/photos", files=files, headers={"idempotency-key": f"{WORD}-{KEY}"}).status_code < 300
    )
    home.said["no photo"] = http.post(
        "/api/photos", files={"file": (f"{WORD}.jpg", b"no", "image/jpeg")}
    ).text
    home.said["half a json"] = http.post(
        "/v1/chat/completions", content=f'{{"model": "{TEXT}', headers={"content-type": "application/json"}
    ).text
    home.said["metrics"] = http.get("/metrics").text


def _serve(home: Home) -> None:
    """A server, used and stopped; its log lies beside what it wrote."""
    folder = home.folder
    words = ["--port", "0", "--encrypt", "--files", str(folder / "files"), "--runs", str(folder / "runs")]
    command = [sys.executable, "-m", "llava_agent.cli", "serve", *words]
    log = folder / "server.log"
    with log.open("w") as out:
        server = subprocess.Popen(command, stdout=out, stderr=out, env=home.environment, cwd=folder)
    try:
        until = time.monotonic() + 60
        while not (base := re.search(r"http://\S+", log.read_text())):
            assert server.poll() is None and time.monotonic() < until, log.read_text()
            time.sleep(0.1)
        with httpx.Client(base_url=base[0], timeout=60) as http:
            _use(http, home)
    finally:
        server.terminate()
        server.wait(30)


def _learn(home: Home) -> None:
    """A manual, and a file that is none."""
    (home.folder / f"{WORD}.md").write_text(f"# Manual\n\nThe pump of {TEXT} has the key {KEY}.\n")
    (home.folder / f"{WORD}.pdf").write_bytes(b"%PDF-1.4 " + TEXT.encode())
    added = home.command("knowledge", "knowledge", "add", f"{WORD}.md", f"{WORD}.pdf")
    assert WORD in added.stdout + added.stderr, "the person is told about their own file"


def _run(home: Home) -> None:
    """An agent whose API refuses with content in its words."""
    document, task = f"{home.provider.url}/openapi.json", f"File a note that says {WORD} {EMAIL}"
    ran = home.command(
        "run",
        "run",
        "--surface",
        "api",
        "--url",
        document,
        "--task",
        task,
        "--model",
        "depot",
        "--max-steps",
        "4",
    )
    assert (home.folder / "runs").is_dir(), ran.stderr


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home that everything was done in, by three processes at once."""
    folder = tmp_path_factory.mktemp("home")
    for name in ("tmp", "config"):
        (folder / name).mkdir(mode=0o700)
    provider = Provider()
    (folder / "policy.yaml").write_text(POLICY.format(url=provider.url))
    home = Home(folder, provider)
    open_database(str(folder / "state.db")).close()
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda work: work(home), (_serve, _learn, _run)))
    yield home
    provider.http.shutdown()
    provider.http.server_close()


def found_in(content: bytes) -> list[str]:
    """Canaries in any of the spellings that a log, JSON, an address or a database could have them in."""
    text = content.decode("utf-8", errors="replace")
    spellings = {
        one: {one, one.replace(" ", ""), one.replace("@", "%40"), one.replace(" ", "%20")} for one in CANARIES
    }
    encoded = {one: base64.b64encode(one.encode()).decode().rstrip("=")[:-1] for one in CANARIES}
    return [one for one in CANARIES if any(form in text for form in spellings[one]) or encoded[one] in text]


def test_the_search_sees_every_spelling() -> None:
    for one in CANARIES:
        for text in (
            one,
            one.replace(" ", ""),
            json.dumps({"a": [one]}),
            base64.b64encode(one.encode()).decode(),
        ):
            assert one in found_in(f"x{text}y".encode() if "=" not in text else text.encode()), text


def test_everything_was_really_done(home: Home) -> None:
    """Else nothing found would mean nothing."""
    entries = _rows(home, "SELECT entry FROM ledger_entries")
    kinds = {
        (json.loads(row[0])["model"].partition("-")[0], json.loads(row[0])["outcome"]) for row in entries
    }
    assert kinds == {("depot", "ok"), ("depot", "error"), ("cloud", "ok"), ("cloud", "error")} or kinds >= {
        ("depot", "ok"), ("depot", "error"), ("cloud", "ok")
    }  # fmt: skip
    assert len(_rows(home, "SELECT record FROM audit_records")) >= 2 * len(entries) - 2
    assert len(home.provider.far) >= 2 and any("image_url" in one for one in home.provider.far)
    assert "llava_agent_model_calls" in home.said["metrics"]


def test_what_leaves_the_machine_holds_no_personal_data_and_no_secret(home: Home) -> None:
    for body in home.provider.far:
        assert set(found_in(body.encode())) <= {WORD}


def test_no_answer_of_the_server_that_is_an_error_repeats_content(home: Home) -> None:
    told = [
        "refused by the server",
        "no answer",
        "broken stream",
        "wrong model",
        "blocked",
        "address",
        "path",
        "no photo",
    ]
    told += ["half a json", "metrics"]
    assert {name: found for name in told if (found := found_in(home.said[name].encode()))} == {}


def _rows(home: Home, sql: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(home.folder / "state.db") as database:
        return database.execute(sql).fetchall()


def test_no_column_of_the_database_but_those_of_content_holds_a_canary(home: Home) -> None:
    leaks = []
    for (table,) in _rows(home, "SELECT name FROM sqlite_master WHERE type = 'table'"):
        columns = [row[1] for row in _rows(home, f"PRAGMA table_info('{table}')")]
        for row in _rows(home, f'SELECT * FROM "{table}"'):
            for column, value in zip(columns, row, strict=True):
                content = value if isinstance(value, bytes) else str(value).encode()
                if column not in CONTENT.get(table, set()) and (found := found_in(content)):
                    leaks.append(f"{table}.{column}: {found} in {content[:200]!r}")
    assert leaks == []


def test_no_file_but_those_of_content_holds_a_canary(home: Home) -> None:
    leaks = {}
    for path in sorted(home.folder.rglob("*")):
        name = path.relative_to(home.folder).as_posix()
        mine = name.startswith(f"{WORD}.") or (name.startswith("runs/") and not name.endswith("ledger.jsonl"))
        database = name.startswith("state.db")  # looked at column by column, since it holds content as well
        if path.is_file() and not mine and not database and (found := found_in(path.read_bytes())):
            leaks[name] = found
        if WORD in path.name and not mine:
            leaks[name] = ["in its name"]
    assert leaks == {}


def test_a_run_keeps_no_secret_that_an_api_told(home: Home) -> None:
    ledgers = list((home.folder / "runs").rglob("ledger.jsonl"))
    assert ledgers and all(found_in(path.read_bytes()) == [] for path in ledgers)
