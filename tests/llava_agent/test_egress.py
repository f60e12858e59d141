"""The network guard, against real servers on this machine."""

from __future__ import annotations

import gzip
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llava_agent.egress import AllowList, EgressTimeout, Limits, Origin, async_client, client, is_loopback
from llava_agent.errors import ConfigError, PermissionDenied, ToolError


class _Handler(BaseHTTPRequestHandler):
    """Answers by path; what it was asked is kept on the server."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        host, _, query = self.path.partition("?")
        if host == "/redirect":
            self.send_response(302)
            self.send_header("location", query)
            self.send_header("content-length", "0")
            self.end_headers()
        elif host == "/announced":
            self._send(b"x" * 5000)
        elif host == "/chunked":
            self.send_response(200)
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            for _ in range(50):
                self.wfile.write(b"64\r\n" + b"x" * 100 + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")
        elif host == "/trickle":
            self.send_response(200)
            self.send_header("content-length", "1000")
            self.end_headers()
            try:
                for _ in range(1000):
                    self.wfile.write(b"x")
                    self.wfile.flush()
                    time.sleep(0.02)
            except OSError:
                self.close_connection = True
        elif host == "/zipped":
            self._send(gzip.compress(b"x" * 100_000), encoding="gzip")
        else:
            self._send(self.headers.get("host", "").encode())

    def _send(self, body: bytes, encoding: str | None = None) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        if encoding:
            self.send_header("content-encoding", encoding)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class _Server:
    def __init__(self) -> None:
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.http.daemon_threads = True
        self.http.asked = []  # type: ignore[attr-defined]
        self.port = self.http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def asked(self) -> list[str]:
        return self.http.asked  # type: ignore[attr-defined]


@pytest.fixture
def server() -> Iterator[_Server]:
    made = _Server()
    yield made
    made.http.shutdown()
    made.http.server_close()


@pytest.fixture
def other() -> Iterator[_Server]:
    made = _Server()
    yield made
    made.http.shutdown()
    made.http.server_close()


def test_listed_origin_is_reached_and_sees_its_own_name(server: _Server) -> None:
    with client(AllowList.of(server.url)) as http:
        assert http.get(f"{server.url}/").text == f"127.0.0.1:{server.port}"


async def test_listed_origin_is_reached_by_coroutines(server: _Server) -> None:
    async with async_client(AllowList.of(f"http://localhost:{server.port}")) as http:
        assert (await http.get(f"http://localhost:{server.port}/")).text == f"localhost:{server.port}"


def test_nothing_listed_means_nothing_reached(server: _Server) -> None:
    with client(AllowList()) as http, pytest.raises(PermissionDenied, match="not on the list"):
        http.get(server.url)
    assert server.asked == []


@pytest.mark.parametrize(
    "spelling",
    [
        "http://2130706433:{port}/",
        "http://0x7f000001:{port}/",
        "http://0177.0.0.1:{port}/",
        "http://127.1:{port}/",
        "http://127.0.0.1.:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://[::1]:{port}/",
        "http://0.0.0.0:{port}/",
        "http://localhost:{port}/",
        "http://LOCALHOST:{port}/",
        "https://127.0.0.1:{port}/",
        "http://127.0.0.1/",
        "http://user@127.0.0.1:{port}/",
        "http://user:secret@127.0.0.1:{port}/",
        "http://127.0.0.1:{port}@elsewhere.test/",
        "http://elsewhere.test#@127.0.0.1:{port}/",
        "http://elsewhere.test\\@127.0.0.1:{port}/",
    ],
)
def test_other_spellings_are_refused(server: _Server, spelling: str) -> None:
    url = spelling.format(port=server.port)
    allow = AllowList.of(server.url)
    assert not allow.permits(url)
    import httpx

    with client(allow) as http, pytest.raises((PermissionDenied, httpx.InvalidURL)):
        http.get(url)
    assert server.asked == []


@pytest.mark.parametrize("scheme", ["file", "ftp", "data", "javascript", "gopher"])
def test_other_schemes_are_refused(scheme: str) -> None:
    assert not AllowList.of("http://127.0.0.1:80").permits(f"{scheme}://127.0.0.1:80/")


def test_redirect_inside_the_origin_is_followed(server: _Server) -> None:
    with client(AllowList.of(server.url)) as http:
        assert http.get(f"{server.url}/redirect?/arrived").status_code == 200
    assert server.asked[-1] == "/arrived"


def test_redirect_loop_ends(server: _Server) -> None:
    import httpx

    with client(AllowList.of(server.url), Limits(redirects=3)) as http, pytest.raises(httpx.TooManyRedirects):
        http.get(f"{server.url}/redirect?/redirect?/redirect?/redirect?/redirect?/end")
    assert len(server.asked) <= 4


@pytest.mark.parametrize("listed", [False, True])
async def test_redirect_to_another_host_is_refused_even_where_that_one_is_listed(
    server: _Server, other: _Server, listed: bool
) -> None:
    allow = AllowList.of(server.url, *([other.url] if listed else []))
    for target in (other.url, f"//127.0.0.1:{other.port}/", f"http://x@127.0.0.1:{server.port}/"):
        with client(allow) as http, pytest.raises(PermissionDenied, match="another host"):
            http.get(f"{server.url}/redirect?{target}")
        async with async_client(allow) as aio:
            with pytest.raises(PermissionDenied, match="another host"):
                await aio.get(f"{server.url}/redirect?{target}")
    assert other.asked == []


@pytest.mark.parametrize("path", ["/announced", "/chunked"])
async def test_body_is_capped(server: _Server, path: str) -> None:
    allow, limits = AllowList.of(server.url), Limits(bytes=1000)
    with client(allow, limits) as http, pytest.raises(ToolError, match="more than 1,000 bytes"):
        http.get(server.url + path)
    async with async_client(allow, limits) as aio:
        with pytest.raises(ToolError, match="more than 1,000 bytes"):
            await aio.get(server.url + path)


async def test_slow_body_is_cut_off(server: _Server) -> None:
    allow, limits = AllowList.of(server.url), Limits(seconds=0.3)
    with client(allow, limits) as http, pytest.raises(EgressTimeout):
        http.get(f"{server.url}/trickle")
    async with async_client(allow, limits) as aio:
        with pytest.raises(EgressTimeout):
            await aio.get(f"{server.url}/trickle")


def test_compressed_body_is_refused(server: _Server) -> None:
    with client(AllowList.of(server.url)) as http, pytest.raises(ToolError, match="compressed"):
        http.get(f"{server.url}/zipped")


def test_environment_proxy_is_ignored(
    server: _Server, other: _Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, other.url)
    with client(AllowList.of(server.url)) as http:
        assert http.get(f"{server.url}/here").status_code == 200
    assert other.asked == []


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "0.0.0.0"])
async def test_name_that_leads_to_this_machine_is_refused(
    server: _Server, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    def look_up(*_: object, **__: object) -> list:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, server.port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    url = f"http://rebinding.test:{server.port}"
    with client(AllowList.of(url)) as http, pytest.raises(PermissionDenied, match="leads to"):
        http.get(url)
    async with async_client(AllowList.of(url)) as aio:
        with pytest.raises(PermissionDenied, match="leads to"):
            await aio.get(url)
    assert server.asked == []


async def test_unreachable_server_is_one_clear_sentence() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with client(AllowList.of(url)) as http, pytest.raises(ToolError, match="cannot be reached"):
            http.get(url)
        async with async_client(AllowList.of(url)) as aio:
            with pytest.raises(ToolError, match="cannot be reached"):
                await aio.get(url)


@pytest.mark.parametrize(
    "entry", ["", "127.0.0.1", "http://", "http://a:0", "http://a:x", "http://a b", "http://ü.test"]
)
def test_bad_entry_of_the_list_is_refused(entry: str) -> None:
    with pytest.raises(ConfigError):
        AllowList.of(entry)


def test_default_port_case_and_web_sockets() -> None:
    allow = AllowList.of("HTTPS://Example.TEST", "http://[0:0:0:0:0:0:0:1]:8000")
    assert allow.permits("https://example.test:443/path?q#f")
    assert allow.permits("wss://example.test/socket")
    assert allow.permits("http://[::1]:8000/")
    assert not allow.permits("http://example.test/")
    assert not allow.permits("https://example.test.evil.test/")
    assert str(Origin.of("http://[::1]:8000/")) == "http://[::1]:8000"


@given(st.text(max_size=60))
def test_no_text_passes_an_empty_list(text: str) -> None:
    assert not AllowList().permits(text)
    assert not AllowList().permits("http://" + text)


@given(st.text(alphabet="ab.:/@\\#?%0123456789[]x\t \u3002", max_size=30))
def test_what_passes_is_read_alike_by_httpx(text: str) -> None:
    """A URL that the list lets pass leads httpx to the very same host and port."""
    import httpx

    url = f"http://{text}"
    try:
        origin = Origin.of(url)
    except ConfigError:
        return
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return
    assert parsed.host == origin.host
    assert (parsed.port or 80) == origin.port


def test_loopback_forms() -> None:
    assert all(map(is_loopback, ["127.8.8.8", "::1", "::ffff:127.0.0.1", "0.0.0.0", "::"]))
    assert not is_loopback("192.0.2.1")


def test_importing_the_guard_does_not_import_httpx() -> None:
    code = "import sys, llava_agent.egress; sys.exit('httpx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
