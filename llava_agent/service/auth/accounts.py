"""Changes of accounts and keys: who may sign in, as what. Each is on record before it is made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from llava_agent.errors import NotFound
from llava_agent.gateway.audit.change import recorded
from llava_agent.gateway.principal import Principal
from llava_agent.gateway.screen import AuditLog
from llava_agent.service.auth.lockout import Lockout
from llava_agent.service.auth.tokens import Token, Tokens
from llava_agent.service.auth.users import User, Users, checked_roles


@dataclass(frozen=True, slots=True)
class Accounts:
    """What routes, pages and commands change accounts with.

    Where a change cannot be put on record they raise ToolError or KeyUnavailable, and it is not made.
    """

    users: Users
    tokens: Tokens
    lockout: Lockout
    audit: AuditLog

    def add(
        self,
        by: Principal,
        name: str,
        password: str,
        roles: Iterable[str],
        *,
        department: str = "",
        tenant: str = "default",
        denied: Iterable[str] = (),
        must_change: bool = True,
    ) -> User:
        """A new account; raises ConfigError as `Users.add` does."""
        roles, denied = list(roles), list(denied)
        with recorded(
            self.audit, by, "user added", account=name, gets=roles, denied=denied, department=department
        ):
            return self.users.add(
                name,
                password,
                roles,
                department=department,
                tenant=tenant,
                denied=denied,
                must_change=must_change,
            )

    def change(
        self,
        by: Principal,
        name: str,
        *,
        roles: list[str] | None = None,
        department: str | None = None,
        disabled: bool | None = None,
    ) -> User:
        """What is None stays as it is. Every session of the account ends.

        Raises:
            NotFound: there is no such user.
            ConfigError: a role that is unknown or excludes another, or nobody could manage users afterwards.
        """
        before = self.found(name)
        given = {"gets": roles, "department": department, "disabled": disabled}
        about = {key: value for key, value in given.items() if value is not None}
        if roles is not None:
            checked_roles(roles)
        with recorded(self.audit, by, "user changed", account=name, had=sorted(before.roles), **about):
            if roles is not None:
                self.users.set_roles(name, roles)
            if department is not None:
                self.users.set_department(name, department)
            if disabled is not None:
                self.users.disable(name, disabled=disabled)
        return self.found(name)

    def set_password(self, by: Principal, name: str, password: str, *, must_change: bool = True) -> None:
        """Another password; the lock after wrong guesses is lifted. Raises as `change` does."""
        self.found(name)
        with recorded(self.audit, by, "password set", account=name):
            self.users.set_password(name, password, must_change=must_change)
            self.lockout.right(name)

    def create_key(
        self,
        by: Principal,
        user: User,
        label: str,
        roles: Iterable[str] | None = None,
        days: float | None = None,
    ) -> tuple[str, Token]:
        """A new API key, which cannot be shown again; raises ConfigError as `Tokens.create` does."""
        narrowed = None if roles is None else list(roles)
        with recorded(
            self.audit,
            by,
            "key created",
            account=user.name,
            gets=narrowed,
            days=None if days is None else f"{days:g}",
        ):
            return self.tokens.create(user, label, narrowed, days)

    def revoke_key(self, by: Principal, id: str, user: str | None = None) -> None:
        """End a key at once; with `user` only where it is theirs. Raises ConfigError where there is none."""
        with recorded(self.audit, by, "key revoked", account=user or "", token=id[:40]):
            self.tokens.revoke(id, user)

    def found(self, name: str) -> User:
        """Raises NotFound."""
        user = self.users.find(name[:64])
        if user is None:
            raise NotFound("there is no such user", "see: GET /api/users")
        return user


def open_accounts(url: str | None = None) -> Accounts:
    """The accounts of a database, from this machine's command line.

    Raises:
        ToolError: the database cannot be used.
    """
    from llava_agent.database import open_database
    from llava_agent.gateway.audit import open_audit
    from llava_agent.service.auth.secret import server_secret

    database = open_database(url)
    return Accounts(
        Users(database), Tokens(database, server_secret()), Lockout(database), open_audit(database)
    )
