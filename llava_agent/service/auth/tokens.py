"""API keys for programs: shown once, kept as an HMAC under the server's secret."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from llava_agent.database import Database
from llava_agent.errors import ConfigError
from llava_agent.gateway.principal import Role
from llava_agent.service.auth.tables import tokens, users
from llava_agent.service.auth.users import User, checked_roles, read_user

#: `la_ID_SECRET`: the beginning tells scanners of leaked keys what it is.
_FORM = re.compile(r"la_([a-z0-9]{12})_([A-Za-z0-9_-]{43})")
_NOTED_S = 60


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a key; the key itself is not.

    Attributes:
        roles: what the key is narrowed to; None for all that its user may do.
        created, expires, revoked, used: seconds since 1970; None for never.
    """

    id: str
    user: str
    label: str
    roles: frozenset[Role] | None
    created: float
    expires: float | None = None
    revoked: float | None = None
    used: float | None = None

    def as_dict(self) -> dict[str, object]:
        return {
            "id": self.id,
            "user": self.user,
            "label": self.label,
            "roles": None if self.roles is None else sorted(self.roles),
            "created": self.created,
            "expires": self.expires,
            "revoked": self.revoked,
            "last_used": self.used,
        }


class Tokens:
    """The API keys in the database.

    Args:
        secret: the server's; without it the stored digests are of no use to anyone.
        clock: seconds since 1970.
    """

    def __init__(self, database: Database, secret: bytes, clock: Callable[[], float] = time.time) -> None:
        self._database, self._secret, self._clock = database, secret, clock

    def create(
        self, user: User, label: str, roles: Iterable[str] | None = None, days: float | None = None
    ) -> tuple[str, Token]:
        """A new key of a user, and what is known of it. The key cannot be shown again.

        Args:
            roles: narrower than the user's; `agent_service` gives what an agent may do for that user.
            days: how long it works; None for until it is revoked.

        Raises:
            ConfigError: a role that the user does not hold, or no time at all.
        """
        narrowed = None if roles is None else checked_roles(roles)
        if narrowed and (beyond := sorted(narrowed - user.roles - {"agent_service"})):
            raise ConfigError(
                f"{user.name} does not hold the role {beyond[0]!r}, so a key of theirs cannot either",
                f"roles of {user.name}: {', '.join(sorted(user.roles))}",
            )
        if days is not None and days <= 0:
            raise ConfigError("a key must work for more than 0 days", "give for example 90")
        now = self._clock()
        name = secrets.token_hex(6)
        key = f"la_{name}_{secrets.token_urlsafe(32)}"
        token = Token(
            name, user.name, label[:100], narrowed, now, None if days is None else now + days * 86400
        )
        with self._database.writing() as connection:
            connection.execute(
                tokens.insert().values(
                    id=name,
                    user=user.name,
                    label=token.label,
                    digest=self._digest(key),
                    roles=None if narrowed is None else sorted(narrowed),
                    created=now,
                    expires=token.expires,
                )
            )
        return key, token

    def find(self, key: str) -> tuple[User, Token] | None:
        """Whose key this is; None where it is unknown, over, revoked, or its account is shut."""
        form = _FORM.fullmatch(key)
        if form is None:
            return None
        columns = [column.label(f"token_{column.name}") for column in tokens.c]
        query = sa.select(users, *columns).join(tokens).where(tokens.c.id == form[1])
        with self._database.reading() as connection:
            row = connection.execute(query).mappings().first()
        stored = row["token_digest"] if row else "0" * 64
        if not hmac.compare_digest(stored, self._digest(key)) or row is None:
            return None
        token = _read({name.removeprefix("token_"): value for name, value in row.items() if "token_" in name})
        now = self._clock()
        if row["disabled"] or token.revoked is not None:
            return None
        if token.expires is not None and now >= token.expires:
            return None
        if token.used is None or now - token.used > _NOTED_S:
            with self._database.writing() as connection:
                connection.execute(tokens.update().where(tokens.c.id == token.id).values(used=now))
        return read_user(row), token

    def all(self, user: str | None = None) -> list[Token]:
        """Newest first; those of one user, or everybody's."""
        query = sa.select(tokens).order_by(tokens.c.created.desc(), tokens.c.id)
        if user is not None:
            query = query.where(tokens.c.user == user)
        with self._database.reading() as connection:
            return [_read(row) for row in connection.execute(query).mappings()]

    def revoke(self, name: str, user: str | None = None) -> None:
        """End a key at once.

        Args:
            user: whose it must be.

        Raises:
            ConfigError: there is no such key.
        """
        which = tokens.update().where(tokens.c.id == name)
        if user is not None:
            which = which.where(tokens.c.user == user)
        with self._database.writing() as connection:
            if not connection.execute(which.values(revoked=self._clock())).rowcount:
                raise ConfigError(f"there is no API key {name[:40]!r}", "see: llava-agent tokens list")

    def _digest(self, key: str) -> str:
        return hmac.new(self._secret, key.encode(), hashlib.sha256).hexdigest()


def _read(row: Any) -> Token:
    roles = row["roles"]
    return Token(
        row["id"],
        row["user"],
        row["label"],
        None if roles is None else frozenset(roles),
        row["created"],
        row["expires"],
        row["revoked"],
        row["used"],
    )
