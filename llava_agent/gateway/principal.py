"""On whose behalf a model is called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: What a person or a program may be; rights only add up, and a deny overrides them.
Role = Literal["admin", "policy_officer", "auditor", "approver", "member", "agent_service"]
ROLES: tuple[Role, ...] = ("admin", "policy_officer", "auditor", "approver", "member", "agent_service")


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks.

    Attributes:
        user: name of the user; `local` for whoever sits at this machine.
        department: whose budget it is; empty where there are no departments.
        key: id of the API key, never the key itself; empty without one.
        tenant: whose keys encrypt what is stored.
    """

    user: str = "local"
    department: str = ""
    roles: frozenset[Role] = frozenset({"member"})
    key: str = ""
    tenant: str = "default"


#: The person at this machine, who runs the command line.
LOCAL = Principal()
