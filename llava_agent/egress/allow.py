"""Which origins may be spoken to: an exact list of (scheme, host, port)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from llava_agent.errors import ConfigError, PermissionDenied, ToolError

_PORTS = {"http": 80, "https": 443}
#: A web socket is the same conversation with the same server as the HTTP request that opens it.
_SAME_AS = {"ws": "http", "wss": "https"}
#: Characters that URL parsers disagree on (some drop tabs and newlines, some read `\` as `/`).
_AMBIGUOUS = re.compile(r"[\x00-\x20\x7f\\]")
_HOST_NAME = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9])?)*\Z"
)
#: `2130706433`, `0x7f.1`, `127.1`: what inet_aton reads as an address although it is not in canonical form.
_NUMERIC_TAIL = re.compile(r"(^|\.)(0x[0-9a-f]*|[0-9]+)\Z")

#: Forms of IPv6 that carry an IPv4 address: NAT64, its local prefix, the deprecated compatible form.
_CARRIERS = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "::/96")))


class EgressTimeout(ToolError):
    """A server did not answer, or not wholly, within the time allowed."""

    http_status = 504


class NotConnected(ToolError):
    """No connection was made, so nothing of the request can have arrived."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps of one request.

    Attributes:
        bytes: largest response body.
        seconds: longest whole exchange, body included.
        connect: longest wait for a connection, in seconds.
        redirects: most redirects that are followed, all inside one origin.
        public_only: nothing but public addresses, whatever is listed: where strangers choose the URL.
    """

    bytes: int = 16 * 2**20
    seconds: float = 30.0
    connect: float = 5.0
    redirects: int = 5
    public_only: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """Scheme, host and port; the host in lower case, an IP address in its canonical form without brackets."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Origin:
        """The origin of an absolute http(s) or ws(s) URL.

        Raises:
            ConfigError: no such URL, or one that different parsers read differently (user names, backslashes,
                control characters, numeric host forms such as `127.1`).
        """
        return cls._from(url, _split(url))

    @classmethod
    def _from(cls, url: str, parts: SplitResult) -> Origin:
        scheme = _SAME_AS.get(parts.scheme, parts.scheme)
        if scheme not in _PORTS:
            raise ConfigError(f"{url!r} is no http or https address", "write it as http://host:port")
        if "@" in parts.netloc:
            raise ConfigError(f"{url!r} carries a user name", "leave the user name out of the address")
        try:
            port = parts.port
        except ValueError:
            raise ConfigError(f"{url!r} has an impossible port", "use a port from 1 to 65535") from None
        if port == 0 or parts.netloc.endswith(":"):
            raise ConfigError(f"{url!r} has an impossible port", "use a port from 1 to 65535")
        return cls(scheme, canonical_host(parts.hostname or ""), port or _PORTS[scheme])

    @property
    def address(self) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
        """The host as an IP address; None where it is a name."""
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            return None

    @property
    def here(self) -> bool:
        """Whether it is this machine by its very name; another name may lead here, but need not always."""
        return self.host == "localhost" or (self.address is not None and is_loopback(self.host))

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        suffix = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{suffix}"


@dataclass(frozen=True, slots=True)
class AllowList:
    """The origins that may be spoken to. Empty means none: loopback, too, only where it is listed."""

    origins: frozenset[Origin] = frozenset()

    @classmethod
    def of(cls, *urls: str) -> AllowList:
        """From addresses such as `http://127.0.0.1:8000` or full URLs, whose path is ignored."""
        return cls(frozenset(Origin.of(url) for url in urls))

    def plus(self, urls: Iterable[str]) -> AllowList:
        """This list and more."""
        return AllowList(self.origins | AllowList.of(*urls).origins)

    def check(self, url: str) -> Origin:
        """The origin of `url`.

        Raises:
            PermissionDenied: it is not listed, or the URL is not one that all parsers read alike.
        """
        try:
            origin = Origin.of(url)
        except ConfigError as error:
            raise PermissionDenied(error.what, error.mend) from None
        if origin not in self.origins:
            raise PermissionDenied(
                f"{origin} is not on the list of permitted hosts", "add exactly this to the list"
            )
        return origin

    def permits(self, url: str) -> bool:
        """Whether `check` would let the URL pass."""
        try:
            self.check(url)
        except PermissionDenied:
            return False
        return True


def canonical_host(host: str) -> str:
    """Lower case; IP addresses in canonical form.

    Raises:
        ConfigError: empty, not ASCII, a scoped IPv6 address, or a number that is no canonical IPv4 address.
    """
    host = host.lower()
    if ":" in host:
        try:
            address = ipaddress.IPv6Address(host)
        except ValueError:
            raise ConfigError(f"{host!r} is no IPv6 address") from None
        if address.scope_id is not None:
            raise ConfigError(f"{host!r} names a network interface", "leave the part after % out")
        return address.compressed
    if _NUMERIC_TAIL.search(host):
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:
            raise ConfigError(f"{host!r} is no plain IPv4 address", "write four decimal numbers") from None
    if not _HOST_NAME.match(host):
        raise ConfigError(
            f"{host!r} is no host name", "use letters, digits, dots and hyphens (punycode for others)"
        )
    return host


def is_loopback(address: str) -> bool:
    """Whether an IP address leads to this machine (IPv4-mapped IPv6 forms and `0.0.0.0` included)."""
    ip = _unmapped(address)
    return ip.is_loopback or ip.is_unspecified


def is_link_local(address: str) -> bool:
    """Whether an IP address is link-local (where clouds keep their metadata service) or multicast."""
    ip = _unmapped(address)
    return ip.is_link_local or ip.is_multicast


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public Internet, and wraps no other (6to4, Teredo, NAT64)."""
    ip = _unmapped(address)
    if isinstance(ip, ipaddress.IPv6Address) and (
        ip.sixtofour or ip.teredo or any(ip in network for network in _CARRIERS)
    ):
        return False
    return ip.is_global and not ip.is_multicast


def _unmapped(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    ip = ipaddress.ip_address(address.split("%", 1)[0])
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return mapped or ip


def _split(url: str) -> SplitResult:
    if _AMBIGUOUS.search(url):
        raise ConfigError(f"{url!r} has spaces, backslashes or control characters", "percent-encode them")
    try:
        return urlsplit(url)
    except ValueError as error:
        raise ConfigError(f"{url!r} is no address ({error})") from None
