"""Why a model may not be asked just now, although rules and capabilities permit it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from llava_agent.gateway import cost
from llava_agent.gateway.breaker import Breakers
from llava_agent.gateway.budget import Accounts, Room, exceeded, rooms_for
from llava_agent.gateway.classify import Case
from llava_agent.gateway.deployment import Deployment
from llava_agent.gateway.policy import Policy
from llava_agent.gateway.route import Objection, Stage


def well(breakers: Breakers) -> Objection:
    """A deployment that failed too often is left alone."""

    def objection(deployment: Deployment) -> tuple[Stage, str] | None:
        said = breakers.refusal(deployment.entry)
        return ("health", said) if said else None

    return objection


def affordable(case: Case, policy: Policy, budgets: Accounts | None) -> Objection | None:
    """Every budget that applies must have room for the most that a call can cost; None where none applies."""
    if not policy.budgets:
        return None
    now = budgets.now() if budgets else datetime.now(UTC)
    rooms = rooms_for(policy.budgets, case.request.principal, case.request.run, now)
    if not rooms:
        return None
    left: dict[Room, Decimal] = {}

    def objection(deployment: Deployment) -> tuple[Stage, str] | None:
        if budgets is None:
            return "budget", "a budget applies, and there is no database to keep it in"
        if deployment.model.price is None:
            return "price", "it has no price, and a budget applies"
        most = cost.most(case, deployment, policy.fallback.deadline_seconds)
        for room in rooms:
            if room not in left:
                left[room] = budgets.left(room)
            if most > left[room]:
                return "budget", exceeded(room, most, left[room]).what
        return None

    return objection
