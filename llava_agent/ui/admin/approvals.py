"""The section *Approvals*: what waits for one's word, large enough for a thumb, and it comes by itself."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from html import escape
from typing import TYPE_CHECKING

from llava_agent.errors import LlavaAgentError
from llava_agent.gateway.approvals import Approval
from llava_agent.service.auth.identity import Identity
from llava_agent.ui.admin import words
from llava_agent.ui.cards import hint_card, problem_card
from llava_agent.ui.elements import button, field, form, hidden, note
from llava_agent.ui.forms import Sent, form_desk
from llava_agent.ui.tab import Tab

if TYPE_CHECKING:
    from llava_agent.service.context import Service


def answer(service: Service, identity: Identity, sent: Sent) -> str:
    """The inbox after what a form asked for. The core refuses who may not decide, whatever the page shows."""
    who, said = identity.require("approvals.decide"), ""
    approvals = service.desk.approvals
    try:
        if sent.act == "approve":
            done = approvals.approve(sent.one("id"), who, sent.one("reason"))
            said = note(words.APPROVED.format(summary=done.summary), "good")
        elif sent.act == "refuse":
            done = approvals.refuse(sent.one("id"), who, sent.one("reason"))
            said = note(words.REFUSED.format(summary=done.summary))
    except LlavaAgentError as error:
        said = problem_card(error)
    return inbox(approvals.waiting(who), said)


def inbox(waiting: Sequence[Approval], said: str = "") -> str:
    """What waits, the oldest first."""
    cards = "".join(_card(one) for one in waiting) or hint_card(words.NONE_WAIT)
    return f'<div class="admin" data-poll>{said}{cards}</div>'


def _card(one: Approval) -> str:
    ends = datetime.fromtimestamp(one.expires, UTC)
    minutes = max(0, round((one.expires - time.time()) / 60))
    facts = [
        words.ENDS.format(time=f"{ends:%H:%M}", minutes=minutes),
        words.NEEDS_ROLE.format(role=one.role.replace("_", " ")),
        *([words.IN_RUN.format(run=one.run)] if one.run else []),
    ]
    return form(
        f'<h2>{escape(words.ASKS.format(who=one.requester))}</h2><p class="what">{escape(one.summary)}</p>',
        f'<p class="small">{escape(" · ".join(facts))}</p>',
        f"<details><summary>{words.DETAILS}</summary>"
        f"<p>{escape(words.EXACT.format(hash=one.action))}</p></details>",
        hidden("id", one.id),
        field("reason", words.WHY_SO),
        '<div class="pair">',
        button("approve", words.APPROVE, "primary"),
        button("refuse", words.REFUSE, "danger"),
        "</div>",
        shade="card approval",
    )


TAB = Tab(
    "approvals",
    words.APPROVALS_TAB,
    ("approvals.decide",),
    lambda service: form_desk("approvals-desk", partial(answer, service)),
)
