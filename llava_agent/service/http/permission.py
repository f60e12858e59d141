"""Each route says what it needs; one that says nothing is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from fastapi import Request

from llava_agent.errors import PermissionDenied
from llava_agent.gateway.principal import Principal
from llava_agent.service.auth.identity import Identity
from llava_agent.service.auth.rights import Permission

if TYPE_CHECKING:
    from fastapi import FastAPI

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
_MARK = "__needs__"


def needs(permission: Permission) -> Callable[[Endpoint], Endpoint]:
    """Say what a caller of a route must be permitted. Stands below the route's own decorator."""

    def mark(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _MARK, permission)
        return endpoint

    return mark


def mount_needs(app: FastAPI, path: str, permission: Permission) -> None:
    """Say the same for an application that is mounted at `path`, with all that is below."""
    app.state.mounts = {**getattr(app.state, "mounts", {}), path.rstrip("/"): permission}


@dataclass(frozen=True, slots=True)
class Rule:
    """A route.

    Attributes:
        methods: empty for a mounted application, which takes any.
        permission: None where the route does not say, so that nobody may use it.
    """

    path: str
    methods: frozenset[str]
    permission: Permission | None
    matches: Callable[[MutableMapping[str, Any]], tuple[Any, Any]]


def rules(app: FastAPI) -> Iterator[Rule]:
    """Every route of an application, those of included routers and mounts too, in order of precedence."""
    from fastapi.routing import iter_route_contexts

    mounts: dict[str, Permission] = getattr(app.state, "mounts", {})
    for route in iter_route_contexts(app.routes):
        endpoint, path = route.endpoint, route.path or ""
        permission = getattr(endpoint, _MARK, None) if endpoint else mounts.get(path.rstrip("/"))
        yield Rule(path, frozenset(route.methods or ()), permission, route.matches)


def permission_of(app: FastAPI, scope: MutableMapping[str, Any]) -> tuple[bool, Permission | None]:
    """Whether a route takes the request, and what it needs (None: it does not say)."""
    from starlette.routing import Match

    known, table = getattr(app.state, "rules", (-1, ()))
    if known != len(app.routes):  # a route may have been added since
        known, table = app.state.rules = (len(app.routes), tuple(rules(app)))
    for rule in table:
        if rule.matches(scope)[0] is Match.FULL:
            return True, rule.permission
    return False, None


async def checked(request: Request) -> None:
    """Dependency of every route: the permission that was granted is the one that this route needs.

    The check itself comes before the body is read (`access.py`). Should the two ever disagree about which
    route takes a request, nobody gets in.
    """
    wanted = getattr(request.scope.get("endpoint"), _MARK, None)
    if wanted is None or wanted != getattr(request.state, "granted", None):
        raise PermissionDenied("this address is open to nobody")


def identity_of(request: Request) -> Identity:
    """Who asks, for routes and pages."""
    found: Identity = request.state.identity
    return found


def caller(request: Request) -> Principal:
    """Dependency: on whose behalf a route acts."""
    return identity_of(request).principal
