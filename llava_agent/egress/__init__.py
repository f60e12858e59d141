"""The one place that talks to the network: exact hosts only, default deny.

`AllowList` says which origins may be spoken to; `client` and `async_client` give httpx clients that cannot
speak to any other. Importing this package is cheap: httpx is imported when a client is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llava_agent.egress.allow import (
    AllowList,
    EgressTimeout,
    Limits,
    NotConnected,
    Origin,
    is_link_local,
    is_loopback,
    is_public,
)
from llava_agent.egress.reach import ANYWHERE, Reach

if TYPE_CHECKING:
    import httpx

__all__ = [
    "ANYWHERE",
    "AllowList",
    "EgressTimeout",
    "Limits",
    "NotConnected",
    "Origin",
    "Reach",
    "async_client",
    "client",
    "fetch",
    "is_link_local",
    "is_loopback",
    "is_public",
]


def fetch(url: str, allow: AllowList, limits: Limits) -> bytes:
    """The body of one address.

    Raises:
        PermissionDenied: the host is not listed, or its answer is a redirect.
        ToolError: unreachable, too slow, too large, or no answer with the status 200.
    """
    from llava_agent.egress import transport

    return transport.fetch(url, allow, limits)


def client(
    allow: AllowList, limits: Limits | None = None, *, headers: dict[str, str] | None = None
) -> httpx.Client:
    """A blocking httpx client that can reach the origins on `allow` and nothing else.

    It follows redirects inside one origin, ignores the environment's proxies, and asks for uncompressed
    bodies so that the cap on bytes is a cap on memory.

    Raises (from its requests): PermissionDenied for another host or a redirect to one, EgressTimeout,
    NotConnected for an unreachable server, ToolError for too large a body.
    """
    from llava_agent.egress import transport

    return transport.client(allow, limits or Limits(), headers or {})


def async_client(
    allow: AllowList, limits: Limits | None = None, *, headers: dict[str, str] | None = None
) -> httpx.AsyncClient:
    """The same as `client`, for coroutines."""
    from llava_agent.egress import transport

    return transport.async_client(allow, limits or Limits(), headers or {})
