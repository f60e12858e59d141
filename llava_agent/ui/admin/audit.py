"""The audit log: searched, verified, exported."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from llava_agent.gateway.audit.search import kind_of, newest
from llava_agent.gateway.audit.verify import verify
from llava_agent.service.auth.identity import Identity
from llava_agent.ui.admin import words
from llava_agent.ui.admin.room import Room
from llava_agent.ui.cards import failed_card
from llava_agent.ui.elements import button, field, form, hidden, note, table
from llava_agent.ui.forms import Sent

if TYPE_CHECKING:
    from llava_agent.service.context import Service

#: What every record says anyway, or what is a column of its own.
_SAID = frozenset({"kind", "user", "roles", "tenant", "key"})


def answer(service: Service, identity: Identity, sent: Sent) -> str:
    identity.require("audit.read")
    kind, user, run = (sent.one(name) for name in ("kind", "user", "run"))
    before = sent.one("before")
    found = newest(
        service.database,
        before=int(before) if sent.act == "older" and before.isdecimal() else None,
        kind=kind,
        user=user,
        run=run,
    )
    fields = (
        field("kind", words.KIND, kind),
        field("user", words.USER, user),
        field("run", words.RUN, run),
    )
    top = form(button("audit:verify", words.VERIFY, "primary"), _export(), shade="row")
    ask = form(*fields, button("audit:show", words.FILTER), shade="row")
    headers = (words.NUMBER, words.TIME, words.KIND, words.USER, words.ABOUT)
    listed = table(words.AUDIT, headers, [_row(one) for one in found.records])
    asked = {"kind": kind, "user": user, "run": run, "before": str(found.next)}
    older = [hidden(name, value) for name, value in asked.items()]
    on = form(*older, button("audit:older", words.OLDER)) if found.next else ""
    said = _verified(service) if sent.act == "verify" else ""
    return said + top + ask + (listed if found.records else note(words.NO_RECORDS)) + on


def _verified(service: Service) -> str:
    found = verify(service.audit)
    figures = {"records": found.records, "heads": found.heads, "count": found.count}
    if found.whole:
        said = note(words.WHOLE.format(**figures), "good")
    else:
        listed = "".join(f"<li>{escape(one)}</li>" for one in found.problems)
        said = failed_card(words.BROKEN.format(**figures)) + f"<ul>{listed}</ul>"
    return said + (note(words.OPEN_CALLS.format(count=len(found.open))) if found.open else "")


def _export() -> str:
    return f'<a class="report" href="/api/audit/export" download>{words.EXPORT}</a>'


def _row(record: dict[str, Any]) -> list[str]:
    body = record["body"]
    told = {key: value for key, value in body.items() if key not in _SAID and value not in (None, "", [])}
    about = ", ".join(f"{key}={_short(value)}" for key, value in told.items())
    to = f" of {record['of']}" if "of" in record else ""
    return [
        str(record["sequence"]),
        escape(record["time"][:19].replace("T", " ")),
        escape(f"{kind_of(record)}{to}"),
        escape(str(body.get("user", ""))),
        escape(about),
    ]


def _short(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 80 else f"{text[:77]}…"


ROOM = Room("audit", words.AUDIT, "audit.read", answer)
