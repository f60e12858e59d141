"""What stands around the models, shared by all runs: guards, audit, budgets, breakers, sessions."""

from __future__ import annotations

from dataclasses import dataclass, field

from llava_agent.gateway.breaker import Breakers
from llava_agent.gateway.budget import Budgets
from llava_agent.gateway.screen import AuditLog, Screen
from llava_agent.gateway.session import Sessions


@dataclass(frozen=True, slots=True)
class Safeguards:
    """Attributes:
    screen: the guards; None where the installation has none.
    audit: the record of every call; None where nothing is recorded beside the ledger.
    budgets: None where there is no database; a policy with budgets then permits nobody who has one.
    """

    screen: Screen | None = None
    audit: AuditLog | None = None
    budgets: Budgets | None = None
    breakers: Breakers = field(default_factory=Breakers)
    sessions: Sessions = field(default_factory=Sessions)
