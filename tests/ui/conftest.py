"""The page on a server of its own, and a real Chromium that records every request."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

from examples.maintenance.server import serve
from examples.maintenance.store import Store as Tickets
from llava_agent.assembly import Core
from llava_agent.gateway.principal import ROLES
from llava_agent.service.app import create_app
from llava_agent.service.context import Service
from llava_agent.service.settings import Settings
from tests.filing.records import target
from tests.service.serving import PASSWORD, application, running, service
from tests.ui.words import PHOTOS, core
from tools.browser.find import find_browser
from tools.browser.session import FLAGS

#: For everything that is waited for; a busy machine is slow.
PATIENCE = 120_000


@dataclass
class Site:
    """The running page.

    Attributes:
        core: what the page thinks with; may be exchanged between questions.
        hosts: every host that a visiting browser asked.
    """

    url: str
    runs: Path
    core: Callable[[], Core] = core
    hosts: set[str] = field(default_factory=set)


@dataclass
class Closed:
    """The running page of a server with login."""

    url: str
    service: Service


@dataclass(frozen=True)
class OtherSystem:
    """The example application that records are filed in."""

    url: str
    tickets: Tickets


@pytest.fixture(scope="session")
def tickets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OtherSystem]:
    path = tmp_path_factory.mktemp("tickets") / "tickets.db"
    with serve(path) as url:
        yield OtherSystem(url, Tickets(path))


def desk_file(folder: Path, url: str) -> Path:
    """A desk that files in the example application, under the shipped policy, which asks."""
    target(folder, url, policy="")
    path = folder / "desk.yaml"
    path.write_text("filing: [maintenance.yaml]\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, tickets: OtherSystem) -> Iterator[Site]:
    runs = tmp_path_factory.mktemp("runs")
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    site = Site(f"http://127.0.0.1:{listener.getsockname()[1]}", runs)
    folder = tmp_path_factory.mktemp("state")
    settings = Settings(
        database=str(folder / "state.db"),
        ui=True,
        runs=runs,
        desk=desk_file(folder, tickets.url),
        examples=(str(PHOTOS / "pump.jpg"),),
    )
    app = create_app(settings, lambda: site.core())
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.05)
    yield site
    server.should_exit = True
    thread.join(timeout=20)
    listener.close()


@pytest.fixture(scope="session")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Closed]:
    """The page of a server that asks for a login, with an account of each role, called like the role."""
    folder = tmp_path_factory.mktemp("closed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLAVA_AGENT_AUDIT_HEADS", str(folder / "heads"))  # of its own chain
        app = application(folder, lambda: core(), ui=True, login=True, runs=folder / "runs")
    for role in ROLES:
        service(app).users.add(role, PASSWORD, [role])
    with running(app) as url:
        yield Closed(url, service(app))


def log_in(page: Page, closed: Closed, name: str, path: str = "/") -> None:
    """Through the form, as a person does."""
    page.set_default_timeout(PATIENCE)
    page.goto(f"{closed.url}/login?next={quote(path)}")
    page.fill("#name", name)
    page.fill("#password", PASSWORD)
    page.click("button")
    page.wait_for_selector(".account")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    # Not for the session: Playwright's loop would run on under the tests that come after.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def page(site: Site, chromium: Browser) -> Iterator[Page]:
    site.core = core
    page = chromium.new_page(viewport={"width": 390, "height": 844})
    page.set_default_timeout(PATIENCE)
    page.on("request", lambda request: site.hosts.add(urlsplit(request.url).netloc))
    page.goto(site.url)
    page.wait_for_selector("#ask-button")
    yield page
    page.close()
