"""`llava-agent serve` as a process: what it says, what it refuses, how it stops."""

from __future__ import annotations

import datetime
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from llava_agent.errors import ConfigError, ToolError
from llava_agent.service.run import listen
from llava_agent.service.settings import Settings
from tests.service.serving import PASSWORD


@contextmanager
def started(folder: Path, *words: str, lines: int) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """The command with its first lines; killed at the end if it is still there."""
    command = [sys.executable, "-m", "llava_agent.cli", "serve", "--port", "0", *words]
    environment = {**os.environ, "LLAVA_AGENT_CONFIG": str(folder / "config")}
    process = subprocess.Popen(
        [*command, "--database", str(folder / "state.db")],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        assert process.stderr is not None
        yield process, [process.stderr.readline().strip() for _ in range(lines)]
    finally:
        process.kill()
        process.wait()


def address(line: str) -> str:
    found = re.search(r"https?://\S+", line)
    assert found, line
    return found[0]


def certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for localhost, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    cert, private = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return cert, private


def test_it_works_at_once_on_this_machine_and_stops_cleanly(tmp_path: Path) -> None:
    with started(tmp_path, lines=3) as (process, lines):
        url = address(lines[0])
        assert url.startswith("http://127.0.0.1:") and f"base_url={url}/v1" in lines[1]
        assert "no login" in lines[2]
        assert httpx.get(f"{url}/health").json() == {"status": "ok"}
        assert httpx.get(f"{url}/api/session").json()["user"] == "local"
        assert "server" not in httpx.get(f"{url}/health").headers
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=60)
        assert process.returncode == 0 and "Traceback" not in rest


def test_others_have_to_log_in_and_the_first_start_says_how(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    words = ("--host", "0.0.0.0", "--tls-cert", str(cert), "--tls-key", str(key))
    with started(tmp_path, *words, lines=5) as (process, lines):
        url = address(lines[0])
        assert url.startswith("https://localhost:") and "one-time password" in lines[2]
        password = lines[3]
        trusted = ssl.create_default_context(cafile=str(cert))
        with httpx.Client(base_url=url, verify=trusted) as browser:
            assert browser.get("/api/session").json()["by"] == "nobody"
            assert browser.get("/api/users").status_code == 401
            login = browser.post("/api/session", json={"name": "admin", "password": password})
            assert login.status_code == 200
            cookie = login.headers["set-cookie"]
            assert cookie.startswith("__Host-") and "secure" in cookie.lower()
            assert login.headers["strict-transport-security"]
            token = {"x-csrf-token": login.json()["csrf_token"]}
            change = {"old": password, "new": PASSWORD}
            assert browser.post("/api/password", json=change, headers=token).status_code == 204
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    with started(tmp_path, "--login", lines=3) as (_, lines):
        assert "one-time" not in " ".join(lines)


def test_a_port_that_is_taken_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ToolError, match=f"port {port} .* is taken .*--port {port + 1}"):
            listen(Settings(port=port))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"tls_cert": Path("a.pem")}, "--tls-key"),
        ({"tls_key": Path("a.pem")}, "--tls-cert"),
        ({"port": 70000}, "no port 70000"),
    ],
)
def test_settings_that_cannot_be(given: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Settings(**given)  # type: ignore[arg-type]


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(ConfigError, match="cannot listen"):
        listen(Settings(host="203.0.113.7", port=0))


@pytest.mark.parametrize(
    ("host", "asks"),
    [
        ("127.0.0.1", False),
        ("127.8.8.8", False),
        ("::1", False),
        ("localhost", False),
        ("0.0.0.0", True),
        ("::", True),
        ("192.168.1.5", True),
        ("myhost.lan", True),
        ("localhost.evil.example", True),
    ],
)
def test_only_this_machine_goes_without_login(host: str, asks: bool) -> None:
    assert Settings(host=host).asks_login is asks
    assert Settings(host=host, login=True).asks_login
    assert bool(Settings(host=host).hosts) is not asks, "without login only known names are answered"
