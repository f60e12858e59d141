"""How a server is to run; checked before anything is opened."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from llava_agent.egress import AllowList, Reach
from llava_agent.errors import ConfigError
from llava_agent.service.http.origin import LOOPBACK_NAMES

MEBIBYTE = 2**20


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of one server.

    Attributes:
        host, port: where it listens.
        database: URL or path; the user's own database if None.
        model: `auto` for all models of the policy, or the one that answers.
        login: ask everybody for a session or an API key; always so where others can reach the server.
        names: further host names that the server answers to.
        tls_cert, tls_key: PEM files; both or none.
        proxies: addresses or networks of reverse proxies that speak TLS to the world; they alone are believed
            about who asks. Such a server asks everybody for a login.
        ui: serve the pages as well.
        runs: folder for the runs that are started on the pages.
        lab: folder of training runs that the model lab shows; `runs` if None, none where there is a login.
        files: folder for photos and other files; beside the database if None.
        encrypt: seal these files with a key a tenant; what is there already stays as it is.
        desk: what is kept of photos, where records are filed; the user's own or the shipped one if None.
        private_hosts: origins of a private network that checks and the agent may open; without a login any.
        policy_file: which models may be used by whom, and for what; the built-in policy if None.
        body_bytes: largest request.
        requests_per_minute: of one caller in the long run; 0 for no limit.
        at_once: requests that the models work on at once; local weights take one, a server may take more.
        waiting: requests that may wait for a turn.
        waiting_each: of which one caller may have.
        examples: paths of images that the pages offer.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    database: str | None = None
    model: str = "auto"
    login: bool = False
    names: tuple[str, ...] = ()
    tls_cert: Path | None = None
    tls_key: Path | None = None
    proxies: tuple[str, ...] = ()
    ui: bool = False
    runs: Path = Path("runs")
    lab: Path | None = None
    files: Path | None = None
    encrypt: bool = False
    desk: Path | None = None
    private_hosts: tuple[str, ...] = ()
    policy_file: Path | None = None
    body_bytes: int = 64 * MEBIBYTE
    requests_per_minute: int = 1200
    at_once: int = 1
    waiting: int = 64
    waiting_each: int = 16
    examples: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        """Raises ConfigError for settings that contradict each other."""
        if not 0 <= self.port <= 65535:
            raise ConfigError(f"there is no port {self.port}", "use 1 to 65535")
        if self.at_once < 1:
            raise ConfigError("at least one request must be worked on at once", "use --at-once 1")
        if (self.tls_cert is None) != (self.tls_key is None):
            missing = "--tls-key" if self.tls_key is None else "--tls-cert"
            raise ConfigError("TLS needs a certificate and its key", f"give {missing} as well")
        for proxy in self.proxies:
            try:
                ipaddress.ip_network(proxy, strict=False)
            except ValueError:
                raise ConfigError(
                    f"{proxy!r} is no address of a proxy", "give it as 10.0.0.2 or 10.0.0.0/24"
                ) from None
        AllowList.of(*self.private_hosts)

    @property
    def reach(self) -> Reach:
        """Where pages that callers name may lead: whoever logs in gets to see the public network alone."""
        return Reach(self.asks_login, AllowList.of(*self.private_hosts))

    @property
    def tls(self) -> bool:
        return self.tls_cert is not None

    @property
    def secure(self) -> bool:
        """Whether browsers speak TLS, to this server or to the proxy before it."""
        return self.tls or bool(self.proxies)

    @property
    def asks_login(self) -> bool:
        return self.login or not self.loopback or bool(self.proxies)

    @property
    def training_runs(self) -> Path | None:
        """What the lab shows. Runs belong to who runs the machine, so others see what was meant for them."""
        return self.lab or (None if self.asks_login else self.runs)

    @property
    def loopback(self) -> bool:
        """Whether only this machine reaches the address; a name that may mean another does not count."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def hosts(self) -> frozenset[str]:
        """Host names that are answered; none for any."""
        if self.loopback:
            return LOOPBACK_NAMES | {self.host, *self.names}
        # A page can point its own name here, never this machine's: health checks may always ask by that.
        return LOOPBACK_NAMES | frozenset(self.names) if self.names else frozenset()

    @property
    def address(self) -> str:
        """Where a person finds the server."""
        host = {"0.0.0.0": "localhost", "::": "localhost"}.get(self.host, self.host)
        host = f"[{host}]" if ":" in host else host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"
