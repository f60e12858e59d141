"""Where a permitted name may lead: for others than this machine's user, the public network alone."""

from __future__ import annotations

import asyncio
import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llava_agent.egress import ANYWHERE, AllowList, Origin, Reach, is_public
from llava_agent.errors import PermissionDenied
from tools.browser.wall import Wall

PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "100.64.0.0/10")


def inside(network: str) -> st.SearchStrategy[ipaddress.IPv4Address]:
    return st.ip_addresses(v=4, network=network)


@given(st.sampled_from(PRIVATE).flatmap(inside))
def test_a_private_address_is_private_in_whatever_form_it_comes(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    carried = [
        f"::ffff:{address}",
        str(ipaddress.IPv6Address(number)),
        str(ipaddress.IPv6Address((0x64FF9B << 96) | number)),
        str(ipaddress.IPv6Address((0x2002 << 112) | (number << 80))),
        str(ipaddress.IPv6Address((0x20010000 << 96) | (~number & 0xFFFFFFFF))),
    ]
    assert not any(map(is_public, [str(address), *carried]))


def test_public_addresses_are_public() -> None:
    assert all(map(is_public, ("93.184.215.14", "2606:4700::6810:84e5", "::ffff:93.184.215.14")))
    assert not any(
        map(is_public, ("0.0.0.0", "::", "::1", "fe80::1%eth0", "fd00::1", "224.0.0.1", "ff02::1"))
    )


def test_what_is_listed_may_lead_anywhere_and_only_exactly_that() -> None:
    reach = Reach(True, AllowList.of("http://intranet:8000"))
    reach.check(Origin.of("http://intranet:8000/x"), "10.0.0.7")
    ANYWHERE.check(Origin.of("http://intranet/"), "10.0.0.7")
    for url in ("http://intranet/", "https://intranet:8000/", "http://other:8000/"):
        with pytest.raises(PermissionDenied, match="not public") as refused:
            reach.check(Origin.of(url), "10.0.0.7")
        assert "10.0.0.7" not in str(refused.value)


async def asked(wall: Wall, url: str) -> bytes:
    """What the proxy answers to a request for a URL."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(wall.address.rpartition(":")[2]))
    writer.write(f"GET {url} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer


async def test_a_name_is_looked_up_once_and_the_address_that_was_seen_is_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[str] = []
    opened: list[str] = []
    answers: list[str] = []

    async def resolve(self: object, host: str, port: int, **_: Any) -> list[Any]:
        looked.append(host)
        return [(None, None, None, None, (one, port)) for one in answers]

    real = asyncio.open_connection

    async def connect(host: str, port: int) -> Any:
        if port != 80:
            return await real(host, port)
        opened.append(host)
        raise ConnectionRefusedError

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", resolve)
    wall = Wall(AllowList.of("http://name.example"), Reach(True))
    await wall.start()
    monkeypatch.setattr("tools.browser.wall.asyncio.open_connection", connect)
    try:
        for found, reached in (
            (["93.184.215.14"], ["93.184.215.14"]),
            (["10.0.0.7"], []),
            (["93.184.215.14", "10.0.0.7"], []),  # one that is private spoils the name
        ):
            answers[:], opened[:], looked[:] = found, [], []
            assert await asked(wall, "http://name.example/") == b""
            assert (opened, looked.count("name.example")) == (reached, 1)
        assert "not public" in wall.failures["name.example"]
    finally:
        await wall.close()
