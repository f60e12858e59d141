"""Addresses of images: fetched only where the policy lists their server, and then as pixels alone."""

from __future__ import annotations

import io
import ipaddress
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from llava_agent.assembly import Core
from llava_agent.egress import transport
from llava_agent.egress.allow import is_public
from llava_agent.errors import ConfigError, ImageError, PermissionDenied, ToolError
from llava_agent.gateway.gateway import Gateway
from llava_agent.gateway.live import Fixed, Snapshot
from llava_agent.gateway.policy import load_policy
from llava_agent.gateway.principal import LOCAL
from llava_agent.gateway.safeguards import Safeguards
from llava_agent.service.errors import BadRequest
from llava_agent.service.openai.remote import Remote
from tests.gateway.policies import Audit, policy, written
from tests.ui.words import find_known

CANARY = b"taken at Canary Street 7"


def _jpeg() -> bytes:
    image = Image.new("RGB", (40, 30), "red")
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = CANARY.decode(), 6  # a description, and to be turned
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif)
    return out.getvalue()


def _bomb() -> bytes:
    out = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(out, "PNG")
    return out.getvalue()


class _Handler(BaseHTTPRequestHandler):
    bodies: ClassVar = {
        "/photo.jpg": _jpeg(),
        "/bomb.png": _bomb(),
        "/long": b"x" * 3_000_000,
        "/words": b"<html>",
    }

    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        body = self.bodies.get(self.path, b"")
        self.send_response(200 if body else 302 if self.path == "/away" else 404)
        if self.path == "/away":
            self.send_header("location", "/photo.jpg")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[ThreadingHTTPServer]:
    made = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    made.asked = []  # type: ignore[attr-defined]
    threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def base(server: ThreadingHTTPServer) -> str:
    server.asked.clear()  # type: ignore[attr-defined]
    return f"http://127.0.0.1:{server.server_port}"


@pytest.fixture
def as_if_public(monkeypatch: pytest.MonkeyPatch) -> None:
    """The only server of a test is on this machine, which is never public."""
    monkeypatch.setattr(transport, "is_public", lambda address: address == "127.0.0.1")


def remote(*origins: str, audit: Audit | None = None, **more: Any) -> Remote:
    rules = policy(image_urls={"origins": list(origins), **more}, audit=audit is not None)
    gateway = Gateway(Fixed(Snapshot(rules, ())), safeguards=Safeguards(audit=audit))
    return Remote(lambda: Core(gateway, find_known), LOCAL)


def test_nothing_is_fetched_by_default(base: str, server: Any) -> None:
    with pytest.raises(BadRequest, match="nothing is fetched"):
        remote().photo(f"{base}/photo.jpg", "image")
    assert server.asked == []


@pytest.mark.usefixtures("as_if_public")
def test_a_listed_server_is_asked_and_the_picture_is_pixels_alone(base: str) -> None:
    assert CANARY in _jpeg()
    photo = remote(base).photo(f"{base}/photo.jpg", "image")
    assert photo.image.size == (30, 40), "turned upright before its metadata was dropped"
    assert photo.image.info == {} and not photo.image.getexif()
    out = io.BytesIO()
    photo.image.save(out, "JPEG")
    assert CANARY not in out.getvalue()


@pytest.mark.usefixtures("as_if_public")
def test_another_server_is_not_asked(base: str, server: Any) -> None:
    elsewhere = remote("https://photos.example.org")
    for url in (f"{base}/photo.jpg", base.replace("127.0.0.1", "localhost"), f"{base}@photos.example.org/"):
        with pytest.raises(BadRequest, match="may not be fetched") as refused:
            elsewhere.photo(url, "messages.0")
        assert "127.0.0.1" not in str(refused.value), "an address may be content"
    assert server.asked == []


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "192.168.1.9", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "::1",
     "fe80::1", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "224.0.0.1"],
)  # fmt: skip
def test_a_name_that_leads_to_a_private_address_is_refused(
    base: str, server: Any, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    asked = []

    def look_up(host: str, port: int, **_: object) -> list[Any]:
        asked.append(host)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        public = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", port))
        return [public, (family, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    url = f"http://photos.example.org:{server.server_port}"
    with pytest.raises(BadRequest, match="may not be fetched"):
        remote(url).photo(f"{url}/photo.jpg", "image")
    assert (asked, server.asked) == (["photos.example.org"], [])


def test_a_private_address_is_refused_even_where_it_is_listed_itself(base: str, server: Any) -> None:
    with pytest.raises(BadRequest, match="may not be fetched"):
        remote(base).photo(f"{base}/photo.jpg", "image")
    assert server.asked == []


@pytest.mark.usefixtures("as_if_public")
def test_the_connection_goes_to_the_address_that_was_checked(
    server: Any, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name server that answers otherwise the second time is not asked a second time."""
    answers, look_up_address = ["127.0.0.1", "10.0.0.1"], socket.getaddrinfo

    def look_up(host: str, port: int, *more: Any, **named: Any) -> list[Any]:
        if host != "photos.example.org":
            return look_up_address(host, port, *more, **named)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers.pop(0), port))]

    url = f"http://photos.example.org:{server.server_port}"
    with monkeypatch.context() as patched:
        patched.setattr(socket, "getaddrinfo", look_up)
        patched.setattr(transport, "is_loopback", lambda _: False)
        assert remote(url).photo(f"{url}/photo.jpg", "image").image.size == (30, 40)
    assert answers == ["10.0.0.1"]


@pytest.mark.usefixtures("as_if_public")
def test_redirects_caps_and_other_answers(base: str, server: Any) -> None:
    with pytest.raises(BadRequest, match="may not be fetched"):
        remote(base).photo(f"{base}/away", "image")
    assert server.asked == ["/away"], "not even a redirect inside the server is followed"
    with pytest.raises(BadRequest, match="could not be fetched"):
        remote(base, megabytes=1).photo(f"{base}/long", "image")
    with pytest.raises(BadRequest, match="could not be fetched"):
        remote(base).photo(f"{base}/nowhere", "image")
    with pytest.raises(ImageError, match="pixels"):
        remote(base).photo(f"{base}/bomb.png", "image")
    with pytest.raises(ImageError, match="not an image"):
        remote(base).photo(f"{base}/words", "image")
    with pytest.raises(ImageError, match="limit"):
        remote(base, megapixels=0.001).photo(f"{base}/photo.jpg", "image")


@pytest.mark.usefixtures("as_if_public")
def test_what_was_fetched_is_on_record_and_without_the_record_nothing_is(base: str, server: Any) -> None:
    audit = Audit()
    remote(base, audit=audit).photo(f"{base}/photo.jpg", "image")
    assert audit.intents[0]["kind"] == "image fetched" and audit.intents[0]["server"] == base
    assert "photo.jpg" not in str(audit.intents)
    assert audit.outcomes == [(1, {"outcome": "ok", "bytes": len(_jpeg())})]
    with pytest.raises(BadRequest):
        remote(base, audit=audit).photo(f"{base}/nowhere", "image")
    assert audit.outcomes[-1][1]["outcome"] == "error"
    server.asked.clear()
    with pytest.raises(ToolError, match="audit"):
        remote(base, audit=Audit(intent_fails=OSError("full"))).photo(f"{base}/photo.jpg", "image")
    assert server.asked == []


def test_the_policy_lists_addresses(tmp_path: Path) -> None:
    text = (
        "version: 1\nmodels: {a: {preset: embedded}}\nrules: [{name: x, allow: all}]\n"
        "image_urls: {origins: [%s]}\n"
    )
    assert load_policy(written(tmp_path, text % "https://photos.example.org")).image_urls.origins
    for wrong in ("photos.example.org", "'*'", "https://10.1", "https://user@host"):
        with pytest.raises((ConfigError, PermissionDenied)):
            load_policy(written(tmp_path, text % wrong))


#: IPv6 addresses that stand for an IPv4 address: compatible ones (RFC 4291), NAT64 (RFC 6052, RFC 8215).
_CARRIERS = [ipaddress.ip_network(net) for net in ("::/96", "64:ff9b::/96", "64:ff9b:1::/48")]


@given(st.ip_addresses())
@example(ipaddress.ip_address("64:ff9b:1::"))
@example(ipaddress.ip_address("64:ff9b::808:808"))
@example(ipaddress.ip_address("::808:808"))
@example(ipaddress.ip_address("2606:4700::1111"))
def test_only_addresses_of_the_public_internet_are_public(address: Any) -> None:
    if is_public(str(address)):
        assert address.is_global and not address.is_multicast
        mapped = getattr(address, "ipv4_mapped", None)
        assert mapped is None or mapped.is_global
    else:
        inner = getattr(address, "ipv4_mapped", None) or address
        wrapped = isinstance(inner, ipaddress.IPv6Address) and (
            inner.sixtofour or inner.teredo or any(inner in carrier for carrier in _CARRIERS)
        )
        assert wrapped or not inner.is_global or inner.is_multicast
