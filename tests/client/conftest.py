"""One real server for the client's tests and for the examples of the documentation."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from fastapi import FastAPI

from llava_agent.agent.picture import find_marks
from llava_agent.client import Client
from llava_agent.service.auth.secret import SECRET
from tests.service.serving import application, free_port, key_of, running
from tests.ui.words import PHOTOS, core


@dataclass(frozen=True, slots=True)
class Served:
    """A running server.

    Attributes:
        folder: holds the photo and the manual that the examples send.
    """

    url: str
    app: FastAPI
    folder: Path


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    shutil.copy(PHOTOS / "pump.jpg", folder)
    shutil.copy(PHOTOS.parent / "manuals" / "tb-40-conveyor.md", folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SECRET, base64.b64encode(bytes(range(32))).decode())
        # By words alone, whether or not this machine has the text embedder.
        patch.setattr("llava_agent.vlm.weights.present", lambda names: False)
        listener = free_port()
        app = application(
            folder,
            lambda: replace(core(), find=find_marks),
            login=True,
            requests_per_minute=0,
            runs=folder / "runs",
            # The agent of the examples opens a page of the server itself.
            private_hosts=(f"http://127.0.0.1:{listener.getsockname()[1]}",),
        )
        with running(app, listener) as url:
            yield Served(url, app, folder)


@pytest.fixture(scope="module")
def ada(served: Served) -> Iterator[Client]:
    with Client(served.url, key_of(served.app, "ada")) as client:
        yield client
