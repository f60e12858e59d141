"""Accounts: who there is, with which roles; made, changed, shut; their keys revoked."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from llava_agent.gateway.principal import ROLES
from llava_agent.service.auth.identity import Identity
from llava_agent.service.auth.tokens import Token
from llava_agent.service.auth.users import User
from llava_agent.ui.admin import words
from llava_agent.ui.admin.keys import state_of
from llava_agent.ui.admin.room import Room
from llava_agent.ui.elements import boxes, button, field, form, hidden, note, secret, table
from llava_agent.ui.forms import Sent

if TYPE_CHECKING:
    from llava_agent.service.context import Service


def answer(service: Service, identity: Identity, sent: Sent) -> str:
    said = _done(service, identity, sent) if sent.act != "open" else ""
    identity.require("users.read")
    may = identity.may("users.manage")
    rows = [_row(service, user, may) for user in service.users.all()]
    headers = (words.NAME, words.ROLES, words.DEPARTMENT, words.STATE, words.KEYS)
    listed = table(words.ACCOUNTS, (*headers, words.CHANGE) if may else headers, rows)
    return said + listed + (_new() if may else "")


def _done(service: Service, identity: Identity, sent: Sent) -> str:
    """Carry out one change; gives what is said about it."""
    from llava_agent.service.auth import passwords

    who, name = identity.require("users.manage"), sent.one("name")
    accounts = service.accounts
    if sent.act == "add":
        made = passwords.one_time()
        user = accounts.add(who, name, made, sent.many("roles"), department=sent.one("department"))
        shown = secret(words.ONE_TIME.format(name=user.name), made, words.ONCE)
        return note(words.ADDED.format(name=user.name), "good") + shown
    if sent.act == "password":
        made = passwords.one_time()
        accounts.set_password(who, name, made)
        return secret(words.ONE_TIME.format(name=name), made, words.ONCE)
    if sent.act == "revoke":
        accounts.revoke_key(who, sent.one("id"), accounts.found(name).name)
        return note(words.REVOKED.format(id=sent.one("id")), "good")
    if sent.act in ("disable", "enable"):
        accounts.change(who, name, disabled=sent.act == "disable")
    elif sent.act == "change":
        accounts.change(who, name, roles=sent.many("roles"), department=sent.one("department"))
    return note(words.CHANGED.format(name=name), "good")


def _row(service: Service, user: User, may: bool) -> list[str]:
    state = words.DISABLED if user.disabled else words.MUST_CHANGE if user.must_change else words.ACTIVE
    keys = service.tokens.all(user.name)
    cells = [
        f"<b>{escape(user.name)}</b>",
        escape(", ".join(sorted(user.roles)).replace("_", " ")),
        escape(user.department),
        state,
        "".join(_key(user, key, may) for key in keys) or words.NO_KEYS,
    ]
    return [*cells, _change(user)] if may else cells


def _key(user: User, key: Token, may: bool) -> str:
    line = escape(words.KEY_LINE.format(label=key.label, id=key.id, state=state_of(key)))
    if not may or key.revoked is not None:
        return f"<div>{line}</div>"
    end = button("accounts:revoke", words.REVOKE, "danger")
    return form(f"<span>{line}</span>", hidden("name", user.name), hidden("id", key.id), end, shade="inline")


def _change(user: User) -> str:
    shut = ("enable", words.OPEN_AGAIN, "") if user.disabled else ("disable", words.DISABLE, "danger")
    inner = form(
        hidden("name", user.name),
        boxes("roles", words.ROLES, ROLES, user.roles),
        field("department", words.DEPARTMENT, user.department),
        button("accounts:change", words.SAVE, "primary"),
        button("accounts:password", words.RESET),
        button(f"accounts:{shut[0]}", shut[1], shut[2]),
    )
    said = f"{words.CHANGE} {user.name}"
    return f'<details><summary aria-label="{escape(said)}">{words.CHANGE}</summary>{inner}</details>'


def _new() -> str:
    return f"<h2>{words.NEW_ACCOUNT}</h2>" + form(
        field("name", words.NAME, required=True),
        field("department", words.DEPARTMENT),
        boxes("roles", words.ROLES, ROLES, ["member"]),
        button("accounts:add", words.ADD, "primary"),
        shade="card",
    )


ROOM = Room("accounts", words.ACCOUNTS, "users.read", answer)
