"""The transport that every HTTP call of the product goes through."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from llava_agent.egress import AllowList, async_client, client
from llava_agent.reach.attempt import Attempt
from llava_agent.reach.ground import ELSEWHERE, Ground

PATH = "transport"
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


def attempts(ground: Ground) -> Iterator[Attempt]:
    """Blocking calls."""
    host, trap = ground.ends.host.url, ground.ends.trap.url
    with client(AllowList.of(host)) as http:
        yield ground.permitted(PATH, "a server on the list", lambda: http.get(host), "its allow-list")
        yield ground.forbidden(PATH, "a server that is not on the list", lambda: http.get(trap))
        yield ground.forbidden(PATH, "a name that is not on the list", lambda: http.get(ELSEWHERE))
        yield ground.forbidden(PATH, "a redirect off the list", lambda: http.get(f"{host}/away"))
    with client(AllowList()) as http:
        yield ground.forbidden(PATH, "anything, with an empty list", lambda: http.get(host))
    with _proxies(trap), client(AllowList.of(host)) as http:
        by = "its allow-list; the environment's proxy is ignored"
        yield ground.permitted(PATH, "a listed server, with another one as proxy", lambda: http.get(host), by)


async def attempts_too(ground: Ground) -> AsyncIterator[Attempt]:
    """Calls of coroutines, which have a transport of their own."""
    path, host, trap = f"{PATH} (async)", ground.ends.host.url, ground.ends.trap.url
    async with async_client(AllowList.of(host)) as http:
        yield await ground.permitted_too(
            path, "a server on the list", lambda: http.get(host), "its allow-list"
        )
        yield await ground.forbidden_too(path, "a server that is not on the list", lambda: http.get(trap))
        yield await ground.forbidden_too(path, "a name that is not on the list", lambda: http.get(ELSEWHERE))
        yield await ground.forbidden_too(path, "a redirect off the list", lambda: http.get(f"{host}/away"))


@contextmanager
def _proxies(address: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in _PROXIES}
    os.environ.update(dict.fromkeys(_PROXIES, address))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
