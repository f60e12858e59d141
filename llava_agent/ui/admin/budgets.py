"""Budgets: how each account stands. Limits are the policy's, so they are changed there."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING

from llava_agent.gateway.standing import Standing, standings
from llava_agent.service.auth.identity import Identity
from llava_agent.ui.admin import words
from llava_agent.ui.admin.room import Room
from llava_agent.ui.elements import bar, note, table
from llava_agent.ui.forms import Sent

if TYPE_CHECKING:
    from llava_agent.service.context import Service


def answer(service: Service, identity: Identity, sent: Sent) -> str:
    identity.require("usage.read")
    policy = service.policy.in_force().policy
    found = standings(service.database, policy.budgets, datetime.now(UTC))
    if not found:
        return note(words.NO_BUDGETS)
    headers = (words.SCOPE, words.WHO, words.PERIOD, words.SPENT, words.HELD, words.LEFT)
    return table(words.BUDGETS, headers, [_row(one, policy.currency) for one in found])


def _row(one: Standing, currency: str) -> list[str]:
    share = float((one.spent + one.held) / one.limit) if one.limit else 1.0
    said = words.SHARE.format(spent=f"{one.spent:f}", limit=f"{one.limit:f}", currency=currency)
    return [
        escape(one.account.scope),
        escape(one.account.who),
        escape(one.account.period),
        bar(share, said, "full" if share > 0.9 else ""),
        f"{one.held:f}",
        f"<b>{one.left:f}</b>",
    ]


ROOM = Room("budgets", words.BUDGETS, "usage.read", answer)
