"""Accounts: who there is, with which roles."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from llava_agent.database import Database
from llava_agent.errors import ConfigError
from llava_agent.gateway.principal import ROLES, Principal, Role
from llava_agent.service.auth import passwords
from llava_agent.service.auth.rights import PERMISSIONS, clash
from llava_agent.service.auth.tables import sessions, tokens, users

_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
#: Names that stand for somebody without an account.
_TAKEN = frozenset({"local", "nobody"})


@dataclass(frozen=True, slots=True)
class User:
    """An account.

    Attributes:
        denied: permissions that no role gives to this user.
        must_change: the password was set by somebody else, so it serves to set another one only.
        created: seconds since 1970.
    """

    name: str
    roles: frozenset[Role]
    denied: frozenset[str] = frozenset()
    department: str = ""
    tenant: str = "default"
    disabled: bool = False
    must_change: bool = False
    created: float = 0.0

    def principal(self, key: str = "", roles: frozenset[Role] | None = None) -> Principal:
        """Who the gateway sees.

        Args:
            key: id of the API key that was shown.
            roles: those of the key, where it narrows them.
        """
        return Principal(self.name, self.department, self.roles if roles is None else roles, key, self.tenant)

    def as_dict(self) -> dict[str, object]:
        return {
            "name": self.name,
            "roles": sorted(self.roles),
            "denied": sorted(self.denied),
            "department": self.department,
            "tenant": self.tenant,
            "disabled": self.disabled,
            "must_change_password": self.must_change,
            "created": self.created,
        }


class Users:
    """The accounts in the database. Safe to share between threads.

    Args:
        clock: seconds since 1970.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self.database, self._clock = database, clock

    def add(
        self,
        name: str,
        password: str,
        roles: Iterable[str],
        *,
        department: str = "",
        tenant: str = "default",
        denied: Iterable[str] = (),
        must_change: bool = False,
    ) -> User:
        """A new account.

        Raises:
            ConfigError: a bad name, password, role or permission, or the name is taken.
        """
        known = checked_roles(roles)
        bad = sorted(set(denied) - set(PERMISSIONS))
        if bad:
            raise ConfigError(
                f"there is no permission {bad[0]!r}", f"known permissions: {', '.join(PERMISSIONS)}"
            )
        user = User(
            checked_name(name),
            known,
            frozenset(denied),
            department,
            tenant,
            False,
            must_change,
            self._clock(),
        )
        row = {
            "name": user.name,
            "password_hash": passwords.hashed(password),
            "roles": sorted(user.roles),
            "denied": sorted(user.denied),
            "department": department,
            "tenant": tenant,
            "disabled": False,
            "must_change": must_change,
            "created": user.created,
        }
        with self.database.writing() as connection:
            if connection.execute(sa.select(users.c.name).where(users.c.name == user.name)).first():
                raise ConfigError(f"there is a user {user.name!r} already", "choose another name")
            connection.execute(users.insert().values(row))
        return user

    def find(self, name: str) -> User | None:
        with self.database.reading() as connection:
            row = connection.execute(sa.select(users).where(users.c.name == name)).mappings().first()
        return read_user(row) if row else None

    def password_hash(self, name: str) -> str | None:
        """None where there is no such user."""
        with self.database.reading() as connection:
            return connection.execute(
                sa.select(users.c.password_hash).where(users.c.name == name)
            ).scalar_one_or_none()

    def all(self) -> list[User]:
        with self.database.reading() as connection:
            rows = connection.execute(sa.select(users).order_by(users.c.name)).mappings().all()
        return [read_user(row) for row in rows]

    def set_password(self, name: str, password: str, *, must_change: bool = False) -> None:
        """Replace a password; every session and the lock of the user end with the old one.

        Raises:
            ConfigError: there is no such user, or the password is too weak.
        """
        self._change(name, {"password_hash": passwords.hashed(password), "must_change": must_change})

    def disable(self, name: str, *, disabled: bool = True) -> None:
        """Shut an account, with its sessions; its API keys stop working as long as it is shut.

        Raises:
            ConfigError: there is no such user, or nobody could manage users afterwards.
        """
        if disabled:
            self._keep_an_admin(name)
        self._change(name, {"disabled": disabled})

    def set_roles(self, name: str, roles: Iterable[str]) -> None:
        """Replace the roles of an account.

        Raises:
            ConfigError: there is no such user, an unknown role, or nobody could manage users afterwards.
        """
        known = checked_roles(roles)
        if "admin" not in known:
            self._keep_an_admin(name)
        self._change(name, {"roles": sorted(known)})

    def set_department(self, name: str, department: str) -> None:
        """Whose budget the user spends from now on. Raises ConfigError where there is no such user."""
        self._change(name, {"department": department[:64]})

    def _keep_an_admin(self, name: str) -> None:
        admins = [user.name for user in self.all() if "admin" in user.roles and not user.disabled]
        if admins == [name]:
            raise ConfigError(f"{name!r} is the only admin", "make another one first")

    def _change(self, name: str, values: dict[str, Any]) -> None:
        with self.database.writing() as connection:
            done = connection.execute(users.update().where(users.c.name == name).values(values))
            if not done.rowcount:
                raise ConfigError(f"there is no user {name!r}", "see: llava-agent users list")
            connection.execute(sessions.delete().where(sessions.c.user == name))
            if "roles" in values:  # a key may have been narrowed to a role that is gone
                connection.execute(
                    tokens.update()
                    .where(tokens.c.user == name, tokens.c.roles.is_not(None), tokens.c.revoked.is_(None))
                    .values(revoked=self._clock())
                )


def checked_name(name: str) -> str:
    """Raises ConfigError for a name that cannot be one."""
    folded = name.strip().lower()
    if not _NAME.fullmatch(folded) or folded in _TAKEN:
        raise ConfigError(
            f"{name!r} cannot be the name of a user",
            "use letters, digits, '.', '_', '@' and '-', at most 64; 'local' and 'nobody' are taken",
        )
    return folded


def checked_roles(roles: Iterable[str]) -> frozenset[Role]:
    """Raises ConfigError for an unknown role, none at all, or roles that exclude each other."""
    given = set(roles)
    known: frozenset[Role] = frozenset(role for role in ROLES if role in given)
    unknown = sorted(given - known)
    if unknown or not given:
        raise ConfigError(
            f"there is no role {unknown[0]!r}" if unknown else "a user needs at least one role",
            f"known roles: {', '.join(ROLES)}",
        )
    if why := clash(known):
        raise ConfigError(why, "make two accounts")
    return known


def read_user(row: Any) -> User:
    """A row of the table; a role that this version does not know is left out."""
    return User(
        row["name"],
        frozenset(role for role in ROLES if role in row["roles"]),
        frozenset(row["denied"]),
        row["department"],
        row["tenant"],
        bool(row["disabled"]),
        bool(row["must_change"]),
        row["created"],
    )
