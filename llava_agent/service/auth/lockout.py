"""Against guessing: after some wrong passwords a name waits, longer each time."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import sqlalchemy as sa

from llava_agent.database import Database
from llava_agent.service.auth.tables import guesses

#: Wrong guesses that cost nothing; people mistype.
FREE = 5
FIRST_S = 30.0
#: No longer than this, so that a stranger cannot shut somebody out for good.
LONGEST_S = 900.0
#: After a day without a guess all is forgotten.
FORGOTTEN_S = 86400.0


class Lockout:
    """Counts wrong guesses by name in the database, so that a restart forgives nothing.

    Args:
        clock: seconds since 1970.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database, self._clock = database, clock

    def wait(self, name: str) -> float:
        """Seconds until the name may be tried again; 0 where it may be now."""
        with self._database.reading() as connection:
            until = connection.execute(
                sa.select(guesses.c.locked_until).where(guesses.c.name == name)
            ).scalar_one_or_none()
        return max(0.0, until - self._clock()) if until else 0.0

    def wrong(self, name: str) -> None:
        """One more wrong guess."""
        now = self._clock()
        with self._database.writing() as connection:
            connection.execute(guesses.delete().where(guesses.c.last < now - FORGOTTEN_S))
            _known(connection, name, now)
            # Locked until the end of the transaction, so that guesses side by side are all counted.
            row = sa.select(guesses.c.count).where(guesses.c.name == name).with_for_update()
            count = connection.execute(row).scalar_one() + 1
            beyond = count - FREE
            pause = min(LONGEST_S, FIRST_S * 2 ** min(beyond, 10)) if beyond >= 0 else 0.0
            connection.execute(
                guesses.update()
                .where(guesses.c.name == name)
                .values(count=count, last=now, locked_until=now + pause if pause else 0.0)
            )

    def right(self, name: str) -> None:
        """The right password, or a new one: all is forgotten."""
        with self._database.writing() as connection:
            connection.execute(guesses.delete().where(guesses.c.name == name))


def _known(connection: sa.Connection, name: str, now: float) -> None:
    """See to it that there is a row of the name."""
    if connection.execute(sa.select(guesses.c.name).where(guesses.c.name == name)).first() is None:
        with contextlib.suppress(sa.exc.IntegrityError), connection.begin_nested():  # another was faster
            connection.execute(guesses.insert().values(name=name, count=0, last=now, locked_until=0.0))
