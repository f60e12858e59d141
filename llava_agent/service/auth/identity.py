"""From the headers of a request to who asks and what they may do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Literal

from llava_agent.errors import PermissionDenied
from llava_agent.gateway.principal import Principal, Role
from llava_agent.service.auth.rights import Permission, rights
from llava_agent.service.auth.sessions import Sessions
from llava_agent.service.auth.tokens import Token, Tokens
from llava_agent.service.auth.users import User
from llava_agent.service.errors import NotLoggedIn

#: Under TLS the prefix makes browsers refuse the cookie from another host or an unprotected page.
COOKIE, SECURE_COOKIE = "llava_agent_session", "__Host-llava_agent_session"

#: Whoever sits at this machine may do what one person alone needs; accounts are managed on the command line.
_MACHINE_ROLES: frozenset[Role] = frozenset({"member", "approver", "auditor", "policy_officer"})


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks.

    Attributes:
        by: how it is known.
        secret: the session's, for ending it; empty without one.
        csrf: what must come with a change that is asked for with a cookie alone.
        must_change: the password has to be changed before anything else.
    """

    principal: Principal
    rights: frozenset[Permission]
    by: Literal["machine", "session", "token", "nobody"]
    secret: str = ""
    csrf: str = ""
    must_change: bool = False

    def may(self, permission: Permission) -> bool:
        return permission in self.rights

    def require(self, permission: Permission) -> Principal:
        """Who asks, if they may.

        Raises:
            PermissionDenied: they may not.
        """
        if not self.may(permission):
            raise PermissionDenied(f"you may not do this: it needs the permission {permission}")
        return self.principal


NOBODY = Identity(Principal(user="nobody", roles=frozenset()), frozenset({"public"}), "nobody")
MACHINE = Identity(
    Principal(roles=_MACHINE_ROLES), rights(_MACHINE_ROLES) - {"account.own", "tokens.own"}, "machine"
)


@dataclass(frozen=True, slots=True)
class Identifier:
    """Knows callers by key, session, or by being this machine.

    Args:
        login: whether callers without key or session are nobody; else they are this machine's user.
    """

    tokens: Tokens
    sessions: Sessions
    login: bool

    def of(self, headers: Mapping[str, str]) -> Identity:
        """Who asks. Reads the database.

        Args:
            headers: by lower-case name.

        Raises:
            NotLoggedIn: a key was given and it is no key.
        """
        scheme, _, key = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and (found := self.tokens.find(key.strip())):
            return _of_token(*found)
        if scheme and self.login:
            raise NotLoggedIn(
                "the API key is unknown, expired or revoked", "make one with: llava-agent tokens create"
            )
        if (secret := _cookie(headers.get("cookie", ""))) and (session := self.sessions.find(secret)):
            user = session.user
            held = rights(user.roles, user.denied)
            if user.must_change:
                held &= {"public", "account.own"}
            return Identity(user.principal(), held, "session", secret, session.csrf, user.must_change)
        # A client that must be given some key (every OpenAI client) still works on the user's own machine.
        return NOBODY if self.login else MACHINE


def _of_token(user: User, token: Token) -> Identity:
    """The user's rights, cut down to what the key's roles give as well."""
    held = rights(user.roles, user.denied)
    if token.roles is not None:
        held &= rights(token.roles)
    return Identity(user.principal(token.id, token.roles), held, "token")


def _cookie(header: str) -> str:
    try:
        cookies = SimpleCookie(header)
    except CookieError:
        return ""
    found = cookies.get(SECURE_COOKIE) or cookies.get(COOKIE)
    return found.value if found else ""
