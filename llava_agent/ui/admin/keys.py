"""The section *API keys*: one's own, made and revoked."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from html import escape
from typing import TYPE_CHECKING

from llava_agent.errors import ConfigError, LlavaAgentError
from llava_agent.service.auth.identity import Identity
from llava_agent.service.auth.tokens import Token
from llava_agent.ui.admin import words
from llava_agent.ui.cards import hint_card, problem_card
from llava_agent.ui.elements import boxes, button, field, form, hidden, note, secret, table
from llava_agent.ui.forms import Sent, form_desk
from llava_agent.ui.tab import Tab

if TYPE_CHECKING:
    from llava_agent.service.context import Service


def answer(service: Service, identity: Identity, sent: Sent) -> str:
    """The whole desk after what a form asked for."""
    who, said = identity.require("tokens.own"), ""
    user = service.accounts.found(who.user)
    try:
        if sent.act == "make":
            days = _days(sent.one("days"))
            narrowed = sent.many("roles") or None
            key, _ = service.accounts.create_key(who, user, sent.one("label"), narrowed, days)
            said = secret(words.KEY, key, words.KEY_ONCE)
        elif sent.act == "revoke":
            service.accounts.revoke_key(who, sent.one("id"), who.user)
            said = note(words.REVOKED.format(id=sent.one("id")), "good")
    except LlavaAgentError as error:
        said = problem_card(error)
    mine = service.tokens.all(who.user)
    listed = table(words.MY_KEYS, (words.LABEL, words.STATE, words.CHANGE), [_row(key) for key in mine])
    new = form(
        field("label", words.LABEL, required=True),
        field("days", words.DAYS),
        boxes("roles", words.NARROWED, sorted({*user.roles, "agent_service"})),
        button("make", words.MAKE_KEY, "primary"),
        shade="card",
    )
    shown = listed if mine else hint_card(words.NO_OWN_KEYS)
    return f'<div class="admin">{said}{shown}<h2>{words.NEW_KEY}</h2>{new}</div>'


def state_of(key: Token) -> str:
    """Whether a key works, and until when."""
    if key.revoked is not None:
        return words.ENDED
    if key.expires is None:
        return words.WORKS
    over = key.expires <= datetime.now(UTC).timestamp()
    day = datetime.fromtimestamp(key.expires, UTC).date()
    return (words.OVER if over else words.UNTIL).format(day=day)


def _row(key: Token) -> list[str]:
    end = form(hidden("id", key.id), button("revoke", words.REVOKE, "danger")) if key.revoked is None else ""
    return [escape(f"{key.label} ({key.id})"), state_of(key), end]


def _days(text: str) -> float | None:
    try:
        return float(text.replace(",", ".")) if text else None
    except ValueError:
        raise ConfigError(words.DAYS_WRONG, words.DAYS_MEND) from None


TAB = Tab(
    "keys",
    words.KEYS_TAB,
    ("tokens.own",),
    lambda service: form_desk("keys-desk", partial(answer, service)),
)
