"""What the routes work with; made once for a server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request

from llava_agent.assembly import Core
from llava_agent.database import Database
from llava_agent.gateway.audit import Audit
from llava_agent.gateway.ledger_store import LedgerStore
from llava_agent.lab.models import Models
from llava_agent.service.auth.accounts import Accounts
from llava_agent.service.auth.lockout import Lockout
from llava_agent.service.auth.login import Door
from llava_agent.service.auth.sessions import Sessions
from llava_agent.service.auth.tokens import Tokens
from llava_agent.service.auth.users import Users
from llava_agent.service.desk import Desk
from llava_agent.service.http.metrics import HttpMetrics
from llava_agent.service.http.rate import Buckets
from llava_agent.service.policy_desk import PolicyDesk
from llava_agent.service.queue import FairQueue
from llava_agent.service.settings import Settings


@dataclass(frozen=True, slots=True)
class Service:
    """The parts of a server.

    Attributes:
        core: gives the models; they load when they are asked for first.
        logins: how often an address may try to log in.
        desk: photos, records and runs, and the worker that does them.
        lab: the models that may be named, and the training runs.
        queue: whose turn it is at the models.
        accounts, policy: change accounts and the policy, each time on record in `audit`.
        ledger: the calls of all runs.
    """

    settings: Settings
    database: Database
    core: Callable[[], Core]
    users: Users
    sessions: Sessions
    tokens: Tokens
    door: Door
    metrics: HttpMetrics
    logins: Buckets
    desk: Desk
    lab: Models
    queue: FairQueue
    audit: Audit
    accounts: Accounts
    policy: PolicyDesk
    ledger: LedgerStore

    @classmethod
    def make(cls, settings: Settings, database: Database, secret: bytes, core: Callable[[], Core]) -> Service:
        """The parts over a database that is ready.

        Args:
            secret: what API keys are kept under.
        """
        users, sessions, tokens = Users(database), Sessions(database), Tokens(database, secret)
        lockout, audit, ledger = Lockout(database), Audit(database), LedgerStore(database)
        return cls(
            settings,
            database,
            core,
            users,
            sessions,
            tokens,
            Door(users, sessions, lockout),
            HttpMetrics(),
            Buckets(20, 10),
            Desk.make(settings, database, core),
            Models(core, settings.training_runs),
            FairQueue(settings.at_once, settings.waiting, settings.waiting_each),
            audit,
            Accounts(users, tokens, lockout, audit),
            PolicyDesk(users, ledger, audit),
            ledger,
        )


def service_of(request: Request) -> Service:
    """Dependency of routes."""
    found: Service = request.app.state.service
    return found
