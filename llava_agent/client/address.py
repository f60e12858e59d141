"""Parts of addresses."""

from __future__ import annotations

from urllib.parse import quote

from llava_agent.errors import NotFound


def one(id: str) -> str:
    """An id as one segment of a path.

    Raises:
        NotFound: it can be none.
    """
    if id in ("", ".", ".."):
        raise NotFound(f"there is no {id!r}", "take the ids that the server gave")
    return quote(id, safe="")
