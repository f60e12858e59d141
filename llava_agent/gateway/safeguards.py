"""What stands around the models, shared by all runs: guards, audit, budgets, breakers, sessions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from llava_agent.gateway.breaker import Breakers
from llava_agent.gateway.budget import Accounts
from llava_agent.gateway.guards import guards_of
from llava_agent.gateway.ledger import Sink
from llava_agent.gateway.policy import Policy
from llava_agent.gateway.screen import AuditLog, Screen
from llava_agent.gateway.session import Sessions

if TYPE_CHECKING:
    from llava_agent.gateway.approvals import Approvals


@dataclass(frozen=True, slots=True)
class Safeguards:
    """Attributes:
    screen: guards in place of those of the policy.
    guarded: the policy's guards look at every call; a real installation always says so.
    sinks: take each entry of every run's ledger, too.
    audit: the record of every call; None where nothing is recorded beside the ledger.
    approvals: where a person is asked; None where nobody can be, so that what asks is refused.
    budgets: None where there is no database; a policy with budgets then permits nobody who has one.
    """

    screen: Screen | None = None
    guarded: bool = False
    sinks: tuple[Sink, ...] = ()
    audit: AuditLog | None = None
    approvals: Callable[[], Approvals] | None = None
    budgets: Accounts | None = None
    breakers: Breakers = field(default_factory=Breakers)
    sessions: Sessions = field(default_factory=Sessions)

    def screen_for(self, policy: Policy) -> Screen | None:
        """The guards of a call under this policy; None where nobody asked for any."""
        return self.screen or (guards_of(policy.guards) if self.guarded else None)
