"""What the ledger says about preferences: proposed as a change of the policy's text, never applied."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from llava_agent.gateway.policy import Policy
from llava_agent.gateway.usage import UsageLine

#: Fewer calls say too little about a model.
ENOUGH = 50
#: A share of success that is better by less is chance.
BETTER = 0.02


@dataclass(frozen=True, slots=True)
class Proposal:
    """A preference for one kind of step, and what it would change a call, as the ledger has it.

    Attributes:
        entry: the model of the policy to prefer.
        instead_of: the one that took most calls.
        success: change of the share that ends well.
        ms: change of the median, in milliseconds.
        cost: change of the mean cost of a call; None where one has no price.
        calls: how many the comparison rests on.
    """

    step: str
    entry: str
    instead_of: str
    success: float
    ms: float
    cost: str | None
    calls: int


def proposals(usage: Iterable[UsageLine], policy: Policy) -> list[Proposal]:
    """A preference for each kind of step where another model of the same tier did clearly better.

    Args:
        usage: by `model` and `kind`.

    Better is: more calls end well; else as many do, for less money, or for no more money in less time.
    """
    groups: dict[tuple[str, str], list[tuple[str, UsageLine]]] = {}
    for one in usage:
        entry, tier = _entry(one.group["model"], policy)
        if entry and one.calls >= ENOUGH:
            groups.setdefault((one.group["kind"], tier), []).append((entry, one))
    found = []
    for (kind, _), members in sorted(groups.items()):
        now, used = max(members, key=lambda member: member[1].calls)
        entry, best = min(members, key=lambda member: _badness(member[1], used))
        if entry != now and _badness(best, used) < _badness(used, used):
            cost, before = _cost(best), _cost(used)
            change = f"{cost - before:f}" if cost is not None and before is not None else None
            ms, success = best.p50 - used.p50, best.success - used.success
            found.append(Proposal(kind, entry, now, round(success, 4), ms, change, best.calls + used.calls))
    return found


def diff(text: str, name: str, found: Iterable[Proposal]) -> str:
    """The change of a policy's text as a unified diff; empty where nothing is proposed."""
    lines = text.splitlines(keepends=True)
    place = next((number for number, line in enumerate(lines) if line.startswith("rules:")), None)
    blocks = [
        f"  - name: learned for {one.step}, {one.entry}\n"
        f"    prefer: [{one.entry}]\n"
        f"    when: {{step: [{one.step}]}}\n"
        for one in found
    ]
    if place is None or not blocks:
        return ""
    changed = [*lines[: place + 1], *"".join(blocks).splitlines(keepends=True), *lines[place + 1 :]]
    return "".join(difflib.unified_diff(lines, changed, name, f"{name} (proposed)"))


def _entry(model: str, policy: Policy) -> tuple[str, str]:
    """The policy's entry of a model's name, and its tier; empty where the policy does not know it."""
    for tier in ("text", "vision"):
        if model.removesuffix(f"-{tier}") in policy.models and model.endswith(f"-{tier}"):
            return model.removesuffix(f"-{tier}"), tier
    return (model, "text") if model in policy.models else ("", "")


def _badness(one: UsageLine, used: UsageLine) -> tuple[int, Decimal, float]:
    """Smaller is better: failures in steps that are no chance, then money, then time."""
    worse = -round((one.success - used.success) / BETTER - 0.5) if one.success > used.success else 0
    if one.success < used.success - BETTER:
        worse = 1
    cost = _cost(one)
    return worse, cost if cost is not None else Decimal(0), one.p50


def _cost(one: UsageLine) -> Decimal | None:
    return None if one.cost is None else Decimal(one.cost) / one.calls
