"""A large file over HTTP that goes on where it stopped, in one call and after a kill."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

#: A broken connection is taken up again so many times in one call.
TRIES = 5
SECONDS = 30.0


def client(headers: dict[str, str]) -> httpx.Client:
    """A client for downloads: what is asked for by ranges must not come compressed."""
    import httpx

    return httpx.Client(
        headers=headers | {"Accept-Encoding": "identity"}, follow_redirects=True, timeout=SECONDS
    )


def transfer(http: httpx.Client, url: str, part: Path, size: int, report: Callable[[int], None]) -> None:
    """Append to `part` what it still lacks of `size` bytes; the caller checks the content.

    Raises:
        httpx.HTTPError: the server refuses, or the connection broke `TRIES` times.
    """
    import httpx

    for attempt in range(TRIES):
        try:
            _append(http, url, part, size, report)
            return
        except httpx.TransportError:
            if attempt == TRIES - 1:
                raise


def _append(http: httpx.Client, url: str, part: Path, size: int, report: Callable[[int], None]) -> None:
    done = part.stat().st_size if part.is_file() else 0
    if done >= size > 0:
        return
    with http.stream("GET", url, headers={"Range": f"bytes={done}-"} if done else {}) as answer:
        answer.raise_for_status()
        goes_on = answer.status_code == 206
        done = done if goes_on else 0
        with part.open("ab" if goes_on else "wb") as out:
            for piece in answer.iter_bytes(1 << 20):
                out.write(piece)
                done += len(piece)
                report(done)
