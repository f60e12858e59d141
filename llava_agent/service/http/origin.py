"""Other people's web pages get nothing: neither by a name that points here, nor by a request across sites."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from llava_agent.errors import PermissionDenied

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_PROXIES = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


def check_host(headers: Mapping[str, str], allowed: Collection[str], *, login: bool) -> None:
    """Refuse a host name that is not this server's, which is how a page rebinds its own name to it.

    Args:
        headers: by lower-case name.
        allowed: names without port; none for any name, which only a server with login may have.

    Raises:
        PermissionDenied: another name, or a proxy in front of a server without login.
    """
    name = host_name(headers.get("host", ""))
    if allowed and name not in allowed:
        raise PermissionDenied(
            "this server does not answer to that host name", "use its address, or start it with --allow-host"
        )
    if not login and any(header in headers for header in _PROXIES):
        raise PermissionDenied(
            "this server has no login, so it does not serve callers behind a proxy", "start it with --login"
        )


def check_site(method: str, headers: Mapping[str, str]) -> bool:
    """Refuse what another site's page asks for.

    Returns:
        Whether a browser vouches that the request comes from this server's own page.

    Raises:
        PermissionDenied: it comes from another site and is more than following a link.
    """
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower():
        raise PermissionDenied("requests from other sites are refused")
    follows_link = method in SAFE and headers.get("sec-fetch-mode") == "navigate"
    if site in ("cross-site", "same-site") and not follows_link:
        raise PermissionDenied("requests from other sites are refused")
    return origin is not None or site == "same-origin"


def host_name(host: str) -> str:
    """`[::1]:8000` as `::1`; empty where it is no host."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""
