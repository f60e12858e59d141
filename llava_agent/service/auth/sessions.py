"""Sessions of browsers: on the server's side, so that they can be ended there."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from llava_agent.database import Database
from llava_agent.service.auth.tables import sessions, users
from llava_agent.service.auth.users import User, read_user

#: A session that is not used for this long is over, and none lives longer than the second.
IDLE_S = 12 * 3600
LIFE_S = 7 * 24 * 3600
#: Its last use is written down at most this often.
_NOTED_S = 60


@dataclass(frozen=True, slots=True)
class Session:
    """A session that is open.

    Attributes:
        csrf: what a program that keeps the cookie must send along with whatever changes something.
    """

    user: User
    csrf: str
    digest: str


class Sessions:
    """The sessions in the database.

    Args:
        clock: seconds since 1970.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database, self._clock = database, clock

    def start(self, user: str) -> str:
        """Open a session and give its secret, which only the browser keeps."""
        secret, now = secrets.token_urlsafe(32), self._clock()
        with self._database.writing() as connection:
            connection.execute(sessions.delete().where(sessions.c.expires < now))
            connection.execute(
                sessions.insert().values(
                    digest=_digest(secret), user=user, created=now, seen=now, expires=now + LIFE_S
                )
            )
        return secret

    def find(self, secret: str) -> Session | None:
        """The open session of a secret; None where it is over, ended, or its account is shut."""
        digest, now = _digest(secret), self._clock()
        query = sa.select(users, sessions.c.seen, sessions.c.expires).join(sessions)
        with self._database.reading() as connection:
            row = connection.execute(query.where(sessions.c.digest == digest)).mappings().first()
        if row is None or row["disabled"] or now >= row["expires"] or now - row["seen"] >= IDLE_S:
            return None
        if now - row["seen"] > _NOTED_S:
            with self._database.writing() as connection:
                connection.execute(sessions.update().where(sessions.c.digest == digest).values(seen=now))
        return Session(read_user(row), csrf_of(secret), digest)

    def end(self, secret: str) -> None:
        with self._database.writing() as connection:
            connection.execute(sessions.delete().where(sessions.c.digest == _digest(secret)))


def csrf_of(secret: str) -> str:
    """Bound to the session, and no way back to its secret."""
    return hmac.new(secret.encode(), b"csrf", hashlib.sha256).hexdigest()


def _digest(secret: str) -> str:
    # A fast hash will do: the secret has 256 random bits, there is nothing to guess.
    return hashlib.sha256(secret.encode()).hexdigest()
