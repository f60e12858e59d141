"""Logging in with a password, and the account that a first start makes."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass

from llava_agent.errors import ConfigError
from llava_agent.service.auth import passwords
from llava_agent.service.auth.lockout import Lockout
from llava_agent.service.auth.sessions import Sessions
from llava_agent.service.auth.users import User, Users
from llava_agent.service.errors import NotLoggedIn, RetryLater

#: Environment variable with the first admin's password; without it one is made and printed once.
ADMIN_PASSWORD = "LLAVA_AGENT_ADMIN_PASSWORD"
FIRST_ADMIN = "admin"
_LONGEST_NAME = 64


class WrongPassword(NotLoggedIn):
    """Name and password do not belong together."""


class TooManyGuesses(RetryLater):
    """The name has to wait."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            "there were too many wrong passwords for this name",
            f"try again in {math.ceil(seconds)} seconds",
            seconds,
        )


@dataclass(frozen=True, slots=True)
class Door:
    """Where people come in."""

    users: Users
    sessions: Sessions
    lockout: Lockout

    def log_in(self, name: str, password: str) -> str:
        """The secret of a new session. Raises as `known` does."""
        return self.sessions.start(self.known(name, password).name)

    def known(self, name: str, password: str) -> User:
        """The user whose password it is.

        Raises:
            WrongPassword: no such user, another password, or the account is shut; they look the same.
            TooManyGuesses: after too many of those.
        """
        folded = name.strip().lower()[:_LONGEST_NAME]
        if (seconds := self.lockout.wait(folded)) > 0:
            raise TooManyGuesses(seconds)
        user = self.users.find(folded)
        right = passwords.matches(self.users.password_hash(folded), password)
        if not right or user is None or user.disabled:
            self.lockout.wrong(folded)
            raise WrongPassword("the name or the password is wrong", "try again")
        self.lockout.right(folded)
        return user

    def change_password(self, name: str, old: str, new: str) -> None:
        """A user's own password; all of their sessions end.

        Raises:
            WrongPassword, TooManyGuesses: as for `log_in`.
            ConfigError: the new password is too weak, or the old one.
        """
        if (seconds := self.lockout.wait(name)) > 0:
            raise TooManyGuesses(seconds)
        if not passwords.matches(self.users.password_hash(name), old):
            self.lockout.wrong(name)
            raise WrongPassword("the present password is wrong", "try again")
        if old == new:
            raise ConfigError("the new password is the old one", "choose another one")
        self.users.set_password(name, new)
        self.lockout.right(name)


def first_admin(users: Users) -> str | None:
    """Make the first account of a server that has none.

    Returns:
        The one-time password to print; None where there are accounts, or where the environment gave one.

    Raises:
        ConfigError: the password in the environment is too weak.
    """
    if users.all():
        return None
    given = os.environ.get(ADMIN_PASSWORD)
    password = given or passwords.one_time()
    users.add(FIRST_ADMIN, password, ["admin"], must_change=given is None)
    return None if given else password
