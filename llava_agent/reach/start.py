"""The start of the server with its pages, in a process of its own: it asks nobody for anything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile

from llava_agent.reach.attempt import Attempt

_SECONDS = 120
_PROGRAM = "from llava_agent.reach.start import report; report()"
_PATH, _TRIED = "start", "the server with its pages, and its first answers"


def attempt() -> Attempt:
    """Start it in an empty home and ask it for its pages."""
    with tempfile.TemporaryDirectory() as folder:
        places = {"LLAVA_AGENT_CONFIG": folder, "LLAVA_AGENT_DATABASE": f"{folder}/data.db"}
        try:
            ended = subprocess.run(
                [sys.executable, "-c", _PROGRAM],
                env=os.environ | places,
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                stdin=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired:
            return Attempt(_PATH, _TRIED, "not_run", f"it took longer than {_SECONDS} s")
    lines = ended.stdout.strip().splitlines()
    if ended.returncode != 0 or not lines:
        last = (ended.stderr.strip().splitlines() or ["it said nothing"])[-1]
        return Attempt(_PATH, _TRIED, "not_run", last)
    seen = [f"{host}:{port}" for host, port in json.loads(lines[-1])]
    if seen:
        return Attempt(_PATH, _TRIED, "reached", f"{', '.join(dict.fromkeys(seen))} was asked for")
    return Attempt(_PATH, _TRIED, "refused", "it asks for nothing on the network")


def _started() -> list[tuple[str, int]]:
    """Runs in the process of its own: where it connected to beside itself."""
    from pathlib import Path

    from llava_agent.reach.watch import Watch

    watch = Watch()
    watch.begin()
    with tempfile.TemporaryDirectory() as folder:
        from starlette.testclient import TestClient

        from llava_agent.service.app import create_app
        from llava_agent.service.settings import Settings

        settings = Settings(ui=True, runs=Path(folder), files=Path(folder) / "files")
        with TestClient(create_app(settings), base_url="http://localhost") as http:
            for path in ("/healthz", "/readyz", "/v1/models", "/metrics", "/"):
                http.get(path)
    return [place for place in watch.end() if place[0] not in ("127.0.0.1", "localhost", "::1", "")]


def report() -> None:
    """Print what `_started` saw, and end at once: weights may still be loading in threads of their own."""
    print(json.dumps(_started()), flush=True)
    os._exit(0)
