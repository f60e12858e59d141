"""How much does the server carry, and does it grow? Starts a server of its own on this machine.

`python -m benchmarks.serve_load --out load.json` asks the real models the same question about the pump
at 1, 8 and 32 clients at once, each for some seconds; has as many upload photos, and begin inspections and
wait for them; then sends requests one by one and watches the memory. A refusal with 429 is waited out as
`Retry-After` says, as a client would. Nothing leaves the machine.
"""

from __future__ import annotations

import argparse
import base64
import json
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import httpx
import psutil

from llava_agent.bench.machine import measure_machine

PUMP = Path(__file__).parents[1] / "examples" / "photos" / "pump.jpg"
LEVELS = (1, 8, 32)


@dataclass
class Level:
    """What came of some clients at once; seconds are those of the answers, waits after a 429 included."""

    clients: int
    seconds: float = 0.0
    answered: int = 0
    refused: int = 0
    failed: int = 0
    latencies: list[float] = field(default_factory=list)

    def row(self) -> dict[str, float]:
        taken = sorted(self.latencies) or [0.0]
        return {
            "clients": self.clients,
            "answers_per_s": round(self.answered / self.seconds, 2),
            "p50_s": round(statistics.median(taken), 3),
            "p95_s": round(taken[int(0.95 * (len(taken) - 1))], 3),
            "answered": self.answered,
            "refused_429": self.refused,
            "failed": self.failed,
        }


def body() -> dict[str, object]:
    url = "data:image/jpeg;base64," + base64.b64encode(PUMP.read_bytes()).decode()
    parts = [
        {"type": "image_url", "image_url": {"url": url}},
        {"type": "text", "text": "What is the serial number?"},
    ]
    return {"model": "auto", "messages": [{"role": "user", "content": parts}]}


@contextmanager
def server() -> Iterator[tuple[str, psutil.Process]]:
    """A server over an empty database, ready and warm."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "llava_agent.cli",
            "serve",
            "--port",
            "0",
            "--runs",
            f"{folder}/runs",
        ]
        process = subprocess.Popen(
            [*command, "--database", f"{folder}/state.db"], stderr=subprocess.PIPE, text=True
        )
        try:
            assert process.stderr is not None
            found = re.search(r"http://\S+", process.stderr.readline())
            assert found, "the server did not start"
            httpx.post(f"{found[0]}/v1/chat/completions", json=body(), timeout=300).raise_for_status()
            yield found[0], psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait()


#: One piece of work of a client, begun again while it is refused.
Work = Callable[[httpx.Client, str], httpx.Response]
_QUESTION = json.dumps(body()).encode()
_PHOTO = PUMP.read_bytes()


def ask(browser: httpx.Client, url: str) -> httpx.Response:
    """A question about a photo, answered by the models."""
    headers = {"content-type": "application/json"}
    return browser.post(f"{url}/v1/chat/completions", content=_QUESTION, headers=headers)


def upload(browser: httpx.Client, url: str) -> httpx.Response:
    """A photo: decoded, turned, written anew, measured, stored and synced."""
    headers = {"idempotency-key": uuid.uuid4().hex}
    return browser.post(f"{url}/api/photos", files={"file": ("pump.jpg", _PHOTO)}, headers=headers)


def inspect(browser: httpx.Client, url: str) -> httpx.Response:
    """A run from its beginning to its end."""
    made = upload(browser, url)
    if made.is_error:
        return made
    begun = browser.post(f"{url}/api/inspections", json={"photos": [made.json()["id"]]})
    if begun.is_error:
        return begun
    ended = browser.get(f"{url}/api/runs/{begun.json()['id']}/events")
    done = '"state": "done"' in ended.text
    return ended if done else httpx.Response(500, text=ended.text)


def load(url: str, work: Work, clients: int, seconds: float) -> Level:
    """Clients that begin again as soon as they are done."""
    level, lock, until = Level(clients), threading.Lock(), time.monotonic() + seconds

    def client() -> None:
        with httpx.Client(timeout=600) as browser:
            while time.monotonic() < until:
                began = time.monotonic()
                answer = work(browser, url)
                while answer.status_code == 429 and time.monotonic() < until:
                    with lock:
                        level.refused += 1
                    time.sleep(float(answer.headers["retry-after"]))
                    answer = work(browser, url)
                with lock:
                    if answer.is_success:
                        level.answered += 1
                        level.latencies.append(time.monotonic() - began)
                    elif answer.status_code != 429:
                        level.failed += 1

    began = time.monotonic()
    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    level.seconds = time.monotonic() - began
    return level


def memory(url: str, process: psutil.Process, requests: int) -> dict[str, float]:
    """Slope of the resident memory over questions, and an upload after each four, in KiB a request."""
    sizes = []
    with httpx.Client(timeout=300) as browser:
        for number in range(requests):
            (upload if number % 5 == 4 else ask)(browser, url).raise_for_status()
            sizes.append(process.memory_info().rss / 1024)
    slope = statistics.linear_regression(range(len(sizes)), sizes).slope
    return {
        "requests": requests,
        "first_mib": round(sizes[0] / 1024, 1),
        "last_mib": round(sizes[-1] / 1024, 1),
        "slope_kib": round(slope, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20, help="for each number of clients")
    parser.add_argument("--requests", type=int, default=500, help="for the memory")
    parser.add_argument("--levels", type=int, nargs="+", default=LEVELS, help="clients at once")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    result: dict[str, object] = {"machine": asdict(measure_machine(2))}
    with server() as (url, process):
        for name, work in {"questions": ask, "uploads": upload, "inspections": inspect}.items():
            result[name] = [load(url, work, clients, options.seconds).row() for clients in options.levels]
        result["memory"] = memory(url, process, options.requests)
    text = json.dumps(result, indent=2)
    if options.out:
        options.out.write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
