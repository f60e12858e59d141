"""Approvals: a person with the right role lets one exact action happen, once, in time.

An approval is bound to the hash of the canonical action, so that nothing else can be done with it. Whoever
asked can never decide, whatever their roles. Each change of state is one conditional update: of two that come
at the same time, one wins.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa

from llava_agent.database import Database, metadata
from llava_agent.errors import ConfigError, PermissionDenied
from llava_agent.gateway.audit.change import recorded
from llava_agent.gateway.principal import LOCAL, Principal, Role
from llava_agent.gateway.screen import AuditLog

State = Literal["waiting", "approved", "refused", "consumed"]

#: How long an approval can be given and used, in seconds.
LIFETIME = 15 * 60.0
#: Name under which an agent asks.
AGENT = "agent"
#: Longest summary that is kept, in characters.
SUMMARY = 500

approvals = sa.Table(
    "approvals",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("action", sa.String(64), nullable=False),
    sa.Column("summary", sa.String(SUMMARY), nullable=False),
    sa.Column("role", sa.String(20), nullable=False),
    sa.Column("tenant", sa.String(200), nullable=False),
    sa.Column("requester", sa.String(200), nullable=False),
    sa.Column("run", sa.String(200), nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("asked", sa.Float, nullable=False),
    sa.Column("expires", sa.Float, nullable=False),
    sa.Column("decided", sa.Float, nullable=True),
    sa.Column("decider", sa.String(200), nullable=False),
    sa.Column("reason", sa.String(SUMMARY), nullable=False),
    sa.Index("ix_approvals_state", "tenant", "state", "expires"),
)


@dataclass(frozen=True, slots=True)
class Approval:
    """One row.

    Attributes:
        action: sha256 (hex) of the canonical action; never the action itself.
        summary: what is to be done, in words for the person who decides.
        role: whoever decides must have it.
        asked, expires, decided: seconds since 1970, UTC.
        decider: user who approved or refused; empty before.
    """

    id: str
    action: str
    summary: str
    role: Role
    tenant: str
    requester: str
    run: str
    state: State
    asked: float
    expires: float
    decided: float | None
    decider: str
    reason: str

    def live(self, now: float) -> bool:
        """Whether it is in time. A clock that was put back before the question makes it dead, not young."""
        return self.asked - 1 <= now < self.expires


def requester(who: Principal) -> Principal:
    """Who asks on somebody's behalf: the agent for the person at this machine, who could not decide else."""
    return Principal(AGENT, tenant=who.tenant) if who.user == LOCAL.user else who


def action_hash(action: Mapping[str, object]) -> str:
    """sha256 (hex) of the canonical JSON (RFC 8785) of an action.

    Raises:
        ConfigError: it holds something that JSON has not.
    """
    import rfc8785

    content: dict[str, Any] = dict(action)
    try:
        return hashlib.sha256(rfc8785.dumps(content)).hexdigest()
    except (rfc8785.CanonicalizationError, TypeError, ValueError) as error:
        raise ConfigError(
            f"the action cannot be written as canonical JSON ({type(error).__name__})",
            "use strings, numbers, booleans, lists and mappings",
        ) from None


class Approvals:
    """Asks for approvals, decides them, uses them up. Safe between threads and processes.

    Args:
        database: with its tables made.
        clock: seconds since 1970.
        audit: where each decision is put on record before it holds; None for nowhere.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], float] = time.time,
        audit: AuditLog | None = None,
    ) -> None:
        self.database = database
        self.clock = clock
        self.audit = audit

    def request(
        self,
        action: Mapping[str, object],
        requester: Principal,
        *,
        role: Role = "approver",
        summary: str = "",
        run: str = "",
        seconds: float = LIFETIME,
    ) -> Approval:
        """Ask for one action; the answer comes from `get`, once a person has decided.

        Args:
            action: tool, arguments and target, exactly as they will be carried out.
            requester: on whose behalf it is done; never the one who decides. Where an agent asks the person
                who started it at the same machine, the agent itself is the requester.
            summary: already masked; it is stored as it is, and cut.

        Raises:
            ConfigError: the action is not JSON.
            ToolError: the database cannot be used.
        """
        now = self.clock()
        asked = Approval(
            secrets.token_hex(16), action_hash(action), summary[:SUMMARY], role, requester.tenant,
            requester.user, run, "waiting", now, now + seconds, None, "", "",
        )  # fmt: skip
        with self.database.writing() as connection:
            connection.execute(
                approvals.insert().values(
                    {column.name: getattr(asked, column.name) for column in approvals.c}
                )
            )
        return asked

    def get(self, id: str, tenant: str | None = None) -> Approval | None:
        """None where there is no such approval, or it is another tenant's."""
        query = sa.select(approvals).where(approvals.c.id == id)
        if tenant is not None:
            query = query.where(approvals.c.tenant == tenant)
        with self.database.reading() as connection:
            row = connection.execute(query).first()
        return Approval(**row._mapping) if row else None

    def last(self, action: Mapping[str, object], requester: Principal) -> Approval | None:
        """The newest approval of this very action for this requester that can still be decided or used."""
        now = self.clock()
        query = (
            sa.select(approvals)
            .where(
                approvals.c.tenant == requester.tenant,
                approvals.c.requester == requester.user,
                approvals.c.action == action_hash(action),
                approvals.c.state != "consumed",
                approvals.c.expires > now,
            )
            .order_by(approvals.c.asked.desc())
        )
        with self.database.reading() as connection:
            found = [Approval(**row._mapping) for row in connection.execute(query)]
        return next((one for one in found if one.live(now)), None)

    def waiting(self, by: Principal) -> list[Approval]:
        """What this principal may decide now, oldest first."""
        now = self.clock()
        query = (
            sa.select(approvals)
            .where(approvals.c.tenant == by.tenant, approvals.c.state == "waiting", approvals.c.expires > now)
            .order_by(approvals.c.asked)
        )
        with self.database.reading() as connection:
            found = [Approval(**row._mapping) for row in connection.execute(query)]
        return [one for one in found if one.live(now) and one.requester != by.user and one.role in by.roles]

    def approve(self, id: str, by: Principal, reason: str = "") -> Approval:
        """Let it happen.

        Raises:
            PermissionDenied: unknown, decided, out of time, asked by the same person, or for another role.
        """
        return self._decide(id, by, "approved", reason)

    def refuse(self, id: str, by: Principal, reason: str = "") -> Approval:
        """Do not let it happen. Raises as `approve` does."""
        return self._decide(id, by, "refused", reason)

    def consume(self, id: str, action: Mapping[str, object], requester: Principal) -> Approval:
        """Use an approval up, immediately before the action is carried out.

        Raises:
            PermissionDenied: not approved, used already, out of time, for another action or requester.
            ToolError: the database cannot be used; then nothing may be done either.
        """
        now = self.clock()
        found = self._known(id, requester.tenant)
        if found.requester != requester.user:
            raise PermissionDenied(f"the approval {id} was given to {found.requester}", "ask for your own")
        if found.action != action_hash(action):
            raise PermissionDenied(
                f"the approval {id} is for another action than this one", "ask for this one itself"
            )
        self._check(found, now, "approved")
        self._change(found, "approved", {"state": "consumed"})
        return self._known(id, requester.tenant)

    def _decide(self, id: str, by: Principal, state: State, reason: str) -> Approval:
        now = self.clock()
        found = self._known(id, by.tenant)
        if found.requester == by.user:
            raise PermissionDenied(f"{by.user} asked for the approval {id}", "another person must decide")
        if found.role not in by.roles:
            raise PermissionDenied(
                f"{by.user} may not decide the approval {id}", f"it takes the role {found.role}"
            )
        self._check(found, now, "waiting")
        values = {"state": state, "decided": now, "decider": by.user, "reason": reason[:SUMMARY]}
        if self.audit is None:
            self._change(found, "waiting", values)
        else:
            about = {"approval": id, "action": found.action, "requester": found.requester, "run": found.run}
            with recorded(self.audit, by, f"approval {state}", **about):
                self._change(found, "waiting", values)
        return self._known(id, by.tenant)

    def _known(self, id: str, tenant: str) -> Approval:
        found = self.get(id, tenant)
        if found is None:
            raise PermissionDenied(f"there is no approval {id}", "list those that wait")
        return found

    def _check(self, found: Approval, now: float, state: State) -> None:
        if found.state != state:
            raise PermissionDenied(f"the approval {found.id} is {found.state}, not {state}", "ask again")
        if not found.live(now):
            ended = datetime.fromtimestamp(found.expires, UTC).isoformat(timespec="seconds")
            raise PermissionDenied(f"the approval {found.id} was good until {ended} only", "ask again")

    def _change(self, found: Approval, state: State, values: Mapping[str, object]) -> None:
        update = approvals.update().where(approvals.c.id == found.id, approvals.c.state == state)
        with self.database.writing() as connection:
            if connection.execute(update.values(**values)).rowcount != 1:
                raise PermissionDenied(f"the approval {found.id} was just decided or used", "ask again")
