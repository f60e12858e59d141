"""What each role may do. Rights add up; a denial, of a role or of a user, overrides them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

from llava_agent.gateway.principal import Role

#: What a route may ask for. Content always means the caller's own; nobody has a right to other people's.
Permission = Literal[
    "public",
    "account.own",
    "tokens.own",
    "pages.open",
    "models.use",
    "content.read",
    "content.write",
    "knowledge.read",
    "knowledge.write",
    "runs.use",
    "baselines.accept",
    "approvals.read",
    "approvals.decide",
    "policy.read",
    "policy.write",
    "usage.read",
    "audit.read",
    "metrics.read",
    "users.read",
    "users.manage",
]
PERMISSIONS: tuple[Permission, ...] = get_args(Permission)

#: Every account, whatever its roles.
_EVERYBODY: frozenset[Permission] = frozenset({"public", "account.own", "tokens.own", "pages.open"})

GRANTS: dict[Role, frozenset[Permission]] = {
    "member": frozenset(
        {
            "models.use",
            "content.read",
            "content.write",
            "knowledge.read",
            "knowledge.write",
            "runs.use",
            "baselines.accept",
            "approvals.read",
        }
    ),
    "agent_service": frozenset({"models.use", "content.read", "content.write", "knowledge.read", "runs.use"}),
    "approver": frozenset({"approvals.read", "approvals.decide"}),
    "auditor": frozenset(
        {"audit.read", "usage.read", "policy.read", "metrics.read", "users.read", "approvals.read"}
    ),
    "policy_officer": frozenset({"policy.read", "policy.write", "usage.read"}),
    "admin": frozenset({"users.read", "users.manage", "usage.read", "metrics.read", "policy.read"}),
}

#: Who runs the machine reads nobody's content, not even with another role beside it; an agent neither makes
#: keys nor approves, nor says what a page should look like.
DENIES: dict[Role, frozenset[Permission]] = {
    "admin": frozenset({"content.read", "content.write", "runs.use", "models.use", "baselines.accept"}),
    "agent_service": frozenset(
        {
            "tokens.own",
            "pages.open",
            "approvals.read",
            "approvals.decide",
            "users.manage",
            "baselines.accept",
        }
    ),
}


def rights(roles: Iterable[Role], denied: Iterable[str] = ()) -> frozenset[Permission]:
    """What somebody with these roles may do, less what is denied to them by name.

    Raises:
        KeyError: an unknown role, which must never pass for one without rights.
    """
    granted, refused = set(_EVERYBODY), set(denied)
    for role in roles:
        granted |= GRANTS[role]
        refused |= DENIES.get(role, frozenset())
    return frozenset(granted - refused)


def clash(roles: Iterable[Role]) -> str:
    """Why these roles make no sense together, as a clause; empty where they do."""
    held = set(roles)
    if "admin" in held and held & {"member", "agent_service"}:
        return "an admin reads no content, so admin cannot be combined with member or agent_service"
    return ""
