"""The policy: read, changed, compared, tried on requests and recent calls, put in force."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any, cast, get_args

from llava_agent.errors import LlavaAgentError
from llava_agent.gateway.data_class import DATA_CLASSES
from llava_agent.gateway.effect import Shift
from llava_agent.gateway.policy import warnings_of
from llava_agent.gateway.principal import ROLES, Principal
from llava_agent.gateway.request import StepKind
from llava_agent.service.auth.identity import Identity
from llava_agent.service.auth.users import checked_roles
from llava_agent.service.policy_desk import Draft, digest_of
from llava_agent.strict_yaml import YamlError
from llava_agent.ui.admin import words
from llava_agent.ui.admin.room import Room
from llava_agent.ui.cards import failed_card, problem_card
from llava_agent.ui.elements import area, boxes, button, field, form, hidden, note, select, table
from llava_agent.ui.forms import Sent

if TYPE_CHECKING:
    from llava_agent.service.context import Service

#: Rows of the effect that are shown.
_SHIFTS = 30


def answer(service: Service, identity: Identity, sent: Sent) -> str:
    identity.require("policy.read")
    text, base, said, line = (
        sent.values.get("text", [""])[0].replace("\r\n", "\n"),
        sent.one("base"),
        "",
        None,
    )
    if sent.act in ("check", "save", "explain"):
        try:
            said = _done(service, identity, sent, text, base)
            base = digest_of(text) if sent.act == "save" else base
        except YamlError as error:
            line = error.line
            said = failed_card(words.LINE.format(line=line, problem=error)) if line else problem_card(error)
        except LlavaAgentError as error:
            said = problem_card(error)
    return said + _editor(service, identity, sent, text, base, line)


def _done(service: Service, identity: Identity, sent: Sent, text: str, base: str) -> str:
    if sent.act == "save":
        draft = service.policy.save(identity.require("policy.write"), text, base)
        return note(words.SAVED.format(version=draft.policy.version_hash), "good") + _warned(draft.warnings)
    draft = service.policy.draft(text)
    if sent.act == "check":
        return _compared(draft, service.policy.effect(draft))
    principal = Principal(
        sent.one("user") or "local", sent.one("department"), checked_roles(sent.many("roles"))
    )
    found = service.policy.explain(
        sent.one("request"), principal, sent.one("step") or None, sent.one("data_class") or None, draft.policy
    )
    return _explained(found)


def _editor(service: Service, identity: Identity, sent: Sent, text: str, base: str, line: int | None) -> str:
    now = service.policy.in_force()
    may = identity.may("policy.write")
    head = [words.VERSION.format(version=now.policy.version_hash), *([words.SHIPPED] if now.shipped else [])]
    shown = text or now.text
    edit = [
        hidden("base", base or now.digest),
        area("text", words.YAML if may else words.YAML_READ, shown, rows=22, line=line),
        button("policy:check", words.CHECK),
        button("policy:save", words.PUT_IN_FORCE, "primary") if may else "",
    ]
    explain = [
        f"<h2>{words.EXPLAIN}</h2>",
        area("request", words.REQUEST, sent.one("request") or words.EXAMPLE, rows=4),
        field("user", words.USER, sent.one("user") or "local"),
        field("department", words.DEPARTMENT, sent.one("department")),
        _choice("data_class", words.DATA_CLASS, DATA_CLASSES, sent),
        _choice("step", words.STEP_KIND, get_args(StepKind), sent),
        boxes("roles", words.ROLES, ROLES, sent.many("roles") or ["member"]),
        button("policy:explain", words.ASK),
        f'<p class="small">{words.WITH_TEXT}</p>',
    ]
    warned = "" if text else _warned(warnings_of(now.policy))
    return f'<p class="small">{" ".join(head)}</p>{warned}' + form(*edit, *explain, shade="policy")


def _choice(name: str, label: str, options: Sequence[str], sent: Sent) -> str:
    return select(name, label, [("", words.BY_ITSELF), *((one, one) for one in options)], sent.one(name))


def _compared(draft: Draft, shifts: Sequence[Shift]) -> str:
    if not draft.diff:
        return note(words.SAME) + _warned(draft.warnings)
    return (
        note(words.RIGHT, "good")
        + _warned(draft.warnings)
        + f"<h2>{words.DIFF}</h2>{_diff(draft.diff)}<h2>{words.EFFECT}</h2>{_shifted(shifts)}"
    )


def _diff(text: str) -> str:
    shades = {"+": "more", "-": "less", "@": "place"}
    lines = "".join(
        f'<span class="{shades.get(line[:1], "")}">{escape(line)}\n</span>' for line in text.splitlines()[2:]
    )
    return f'<pre class="diff" tabindex="0" role="region" aria-label="{words.DIFF}">{lines}</pre>'


def _shifted(shifts: Sequence[Shift]) -> str:
    if not shifts:
        return note(words.NO_CALLS)
    changed = [one for one in shifts if one.changed]
    same = sum(one.calls for one in shifts if not one.changed)
    said = note(words.UNCHANGED.format(calls=same, of=sum(one.calls for one in shifts)))
    rows = [
        [
            str(one.calls),
            escape(one.kind),
            escape(one.data_class),
            escape(" ".join(part for part in (one.user or "local", one.department) if part)),
            escape(one.before or words.NOBODY),
            f"<b>{escape(one.after or words.NOBODY)}</b>",
            escape(one.why),
        ]
        for one in changed[:_SHIFTS]
    ]
    headers = (words.CALLS, words.STEP, words.CLASS, words.WHO, words.BEFORE, words.AFTER, words.WHY)
    return said + (table(words.EFFECT, headers, rows) if rows else "")


def _explained(found: dict[str, object]) -> str:
    rows = [
        [escape(one["model"]), escape(one["verdict"]), escape(one["reason"])]
        for one in cast("list[dict[str, Any]]", found["candidates"])
    ]
    head = f"{found['step_kind']} · {found['data_class']} · {found['model'] or words.NOT_THIS}"
    shown = table(words.EXPLAIN, (words.MODEL, words.VERDICT, words.REASON), rows)
    return note(head, "good" if found["model"] else "") + shown


def _warned(warnings: Sequence[str]) -> str:
    if not warnings:
        return ""
    listed = "".join(f"<li>{escape(one)}</li>" for one in warnings)
    return f'<div class="card warn"><b>{words.WARNINGS}</b><ul>{listed}</ul></div>'


ROOM = Room("policy", words.POLICY, "policy.read", answer)
