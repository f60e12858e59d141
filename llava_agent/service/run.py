"""Listens, says where, serves until it is told to stop, and stops cleanly."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import ssl
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from llava_agent.database.place import DATABASE
from llava_agent.errors import ConfigError, ToolError
from llava_agent.gateway.place import POLICY
from llava_agent.gateway.policy import load_policy
from llava_agent.service.auth.login import FIRST_ADMIN, first_admin
from llava_agent.service.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

#: How long answers that are under way may take once the server is told to stop.
_GRACE_S = 10


def serve(settings: Settings) -> None:
    """Serve until interrupted.

    Raises:
        ConfigError: settings, a certificate or an address that cannot be.
        ToolError: the port is taken, or the database cannot be used.
    """
    import uvicorn

    from llava_agent.gateway.guards import sink
    from llava_agent.service.app import create_app

    sink.install()  # before anything can be logged
    _check_certificate(settings)
    _hand_down(settings)
    listener = listen(settings)  # first: nothing is made where the server cannot start
    settings = replace(settings, port=listener.getsockname()[1])
    try:
        app = create_app(settings)
        for line in greeting(app, settings):
            print(line, file=sys.stderr, flush=True)
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,  # addresses may hold content; the metrics count requests
            server_header=False,
            proxy_headers=bool(settings.proxies),
            forwarded_allow_ips=list(settings.proxies),
            timeout_graceful_shutdown=_GRACE_S,
            ssl_certfile=settings.tls_cert,
            ssl_keyfile=settings.tls_key,
        )
        with contextlib.suppress(KeyboardInterrupt):  # uvicorn has stopped cleanly by then
            uvicorn.Server(config).run(sockets=[listener])
    finally:
        listener.close()


def listen(settings: Settings) -> socket.socket:
    """The socket of the address.

    Raises:
        ConfigError: the address is none of this machine's, or the port needs more rights.
        ToolError: another program listens there.
    """
    host, port = settings.host, settings.port
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise ConfigError(f"{host!r} is no address ({error.strerror})", "use 127.0.0.1 or 0.0.0.0") from error
    listener = socket.socket(family, kind, proto)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise ToolError(
                f"port {port} of {host} is taken by another program", f"choose another: --port {port + 1}"
            ) from error
        mend = "use a port above 1023" if error.errno == errno.EACCES else "use 127.0.0.1 or 0.0.0.0"
        raise ConfigError(f"cannot listen on {host} port {port} ({error.strerror})", mend) from error
    return listener


def greeting(app: FastAPI, settings: Settings) -> list[str]:
    """Where the server is and how to come in; makes the first account where a login needs one."""
    base = settings.address
    lines = [f"llava-agent listens on {base}" + (" (pages and API)" if settings.ui else "")]
    lines.append(f"OpenAI clients: base_url={base}/v1 model=auto")
    if not settings.asks_login:
        lines.append("Only this machine can reach it, so there is no login; --login asks for one.")
        return lines
    password = first_admin(app.state.service.users)
    if password:
        lines.append(f"First start: log in at {base}/login as {FIRST_ADMIN!r} with the one-time password")
        lines.append(f"  {password}")
        lines.append("It is not shown again. Then make accounts: llava-agent users add NAME --role member")
    else:
        lines.append(f"Log in at {base}/login, or send an API key: llava-agent tokens create --help")
    if not settings.secure and not settings.loopback:
        lines.append("Without TLS passwords and photos cross the network in the clear: use --tls-cert.")
    return lines


def _hand_down(settings: Settings) -> None:
    """Tell the rooms below, which read the environment, what the command line said.

    Raises:
        ConfigError: there is no such policy, or it is wrong.
    """
    if settings.database is not None:
        os.environ[DATABASE] = settings.database
    if settings.policy_file is not None:
        load_policy(settings.policy_file)
        os.environ[POLICY] = str(settings.policy_file.absolute())


def _check_certificate(settings: Settings) -> None:
    """Raises ConfigError where the files are no certificate with its key."""
    if settings.tls_cert is None or settings.tls_key is None:
        return
    for path in (settings.tls_cert, settings.tls_key):
        if not Path(path).is_file():
            raise ConfigError(f"there is no file {path}", "give the PEM files of the certificate")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(settings.tls_cert, settings.tls_key)
    except (ssl.SSLError, OSError) as error:
        raise ConfigError(
            f"{settings.tls_cert} and {settings.tls_key} are no certificate with its key "
            f"({getattr(error, 'reason', None) or error})",
            "give PEM files that belong together",
        ) from error
