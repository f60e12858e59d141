"""The proof of what can be reached: it sees every kind of hole, and finds none in the product."""

from __future__ import annotations

import ast
import json
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from llava_agent.cli import main
from llava_agent.errors import PermissionDenied
from llava_agent.reach import Attempt, browser, content, models, proved, start, tools, transport
from llava_agent.reach.ends import Ends
from llava_agent.reach.ground import Ground
from llava_agent.reach.prove import _awaited
from llava_agent.reach.watch import Watch

ROOT = Path(__file__).parents[2]
_WATCH = Watch()


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    with Ends(browser.page) as ends:
        yield Ground(ends, _WATCH)


def test_a_connection_to_what_is_not_listed_is_a_hole_whatever_the_product_says(ground: Ground) -> None:
    def reaches_and_denies_it() -> None:
        urllib.request.urlopen(ground.ends.host.url)
        with socket.create_connection(("127.0.0.1", ground.ends.trap.port)):
            raise PermissionDenied("nothing was reached", "")

    found = ground.forbidden("x", "y", reaches_and_denies_it)
    assert found.verdict == "reached"
    assert ground.ends.trap.url in found.by


def test_a_packet_is_a_hole_too(ground: Ground) -> None:
    def sends() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as packets:
            packets.sendto(b"x", ("127.0.0.1", ground.ends.trap.port))

    assert ground.forbidden("x", "y", sends, inert="said to be harmless").verdict == "reached"


def test_asking_for_a_name_is_a_hole_too(ground: Ground) -> None:
    def asks() -> None:
        with pytest.raises(OSError):
            socket.getaddrinfo("elsewhere.invalid", 443)

    found = ground.forbidden("x", "y", asks, inert="said to be harmless")
    assert (found.verdict, found.by) == ("reached", "elsewhere.invalid:443 was asked for")


def test_an_attempt_that_fails_by_itself_proves_nothing(ground: Ground) -> None:
    def breaks() -> None:
        raise ValueError("a bug")

    assert ground.forbidden("x", "y", breaks) == Attempt("x", "y", "not_run", "ValueError: a bug")
    assert ground.forbidden("x", "y", lambda: None).verdict == "not_run"
    assert ground.permitted("x", "y", lambda: None, "its list").verdict == "not_run"
    assert not proved([Attempt("x", "y", "not_run", "z")])
    assert not proved([Attempt("x", "y", "allowed", "z"), Attempt("x", "y", "reached", "z")])


@pytest.fixture(scope="module")
def found(ground: Ground) -> list[Attempt]:
    """Everything but the start of the server."""
    attempts = [*transport.attempts(ground), *models.attempts(ground), *content.attempts(ground)]
    attempts += tools.attempts(ground)
    for more in (transport.attempts_too(ground), tools.attempts_too(ground), browser.attempts(ground)):
        attempts += _awaited(more)
    return attempts


def test_nothing_but_what_is_listed_is_reached_through_the_product(found: list[Attempt]) -> None:
    assert [one for one in found if one.verdict not in ("refused", "allowed")] == []
    # Each path has its control, so its refusals are refusals and no broken path.
    for path in ("transport", "transport (async)", "provider", "API", "browser"):
        verdicts = {one.verdict for one in found if one.path == path}
        assert verdicts == {"allowed", "refused"}, path
    assert sum(one.path == "browser" for one in found) == len(browser.WAYS) + 2


def test_the_command_says_so_and_fails_where_something_is_reached(
    found: list[Attempt], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def answering(attempts: list[Attempt]) -> None:
        monkeypatch.setattr("llava_agent.reach.prove", lambda report=None: attempts)

    answering(found)
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--egress", "--json"])
    said = json.loads(capsys.readouterr().out)
    assert (ended.value.code or 0, said["proved"], len(said["attempts"])) == (0, True, len(found))
    answering([*found, Attempt("browser", "fetch of a page", "reached", "http://127.0.0.1:1")])
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--egress"])
    assert ended.value.code == 1
    assert "1 REACHED" in capsys.readouterr().err


#: What may open connections or listen, and why.
NETWORKING = {
    "llava_agent/egress/transport.py": "the one transport",
    "llava_agent/vlm/weights/hub.py": "the command `models pull`",
    "llava_agent/vlm/weights/transfer.py": "the command `models pull`",
    "llava_agent/vlm/weights/fetch.py": "the command `models pull`",
    "llava_agent/service/run.py": "listens",
    "llava_agent/service/work/worker.py": "the name of this machine",
    "llava_agent/exam/miniwob/pages.py": "listens",
    "llava_agent/checks/served.py": "listens",
    "llava_agent/reach/ends.py": "listens for what should not come",
    "examples/maintenance/server.py": "listens",
    "tools/browser/wall.py": "the browser's proxy, by the same list",
}
_LIBRARIES = ("socket", "http.client", "http.server", "urllib.request", "aiohttp", "requests", "websockets")


def test_no_other_module_can_open_a_connection() -> None:
    strangers = []
    for room in ("llava_agent", "tools", "training", "projector", "examples"):
        for path in (ROOT / room).rglob("*.py"):
            name = path.relative_to(ROOT).as_posix()
            if name not in NETWORKING and "configs" not in name and (used := _networking(path)):
                strangers.append(f"{name}: {used}")
    assert strangers == []


def _networking(path: Path) -> str:
    """How a module could open a connection by itself; importing httpx for its types and errors is none."""
    source = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names] + [node.module or ""]
        elif isinstance(node, ast.Attribute):
            called = ast.unparse(node)
            if called in ("asyncio.open_connection", "httpx.Client", "httpx.AsyncClient", "httpx.get"):
                parent = f"{called}("
                if parent in source:
                    return called
        for name in names:
            if name in _LIBRARIES:
                return name
    return ""


def test_the_server_starts_without_asking_anybody_for_anything() -> None:
    found = start.attempt()
    assert (found.verdict, found.by) == ("refused", "it asks for nothing on the network")
