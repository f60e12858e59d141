"""The HTML of filings. Everything that comes from a record or another system is escaped here."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from llava_agent.ui.desk import words

if TYPE_CHECKING:
    from llava_agent.service.filing.target import Preview
    from llava_agent.service.store.filings import Filing


def preview_card(found: Preview) -> str:
    """What will be sent, or why it cannot be: one sentence a field."""
    parcel, terms = found.parcel, found.target.config.approval
    if parcel.problems:
        rows = "".join(f"<li>{escape(_sentence(one.sentence))}</li>" for one in parcel.problems)
        return f'<div class="card problem" role="alert"><b>{words.FILE_NOT_YET}</b><ul>{rows}</ul></div>'
    goes = {
        "allow": words.FILE_GOES,
        "ask": words.FILE_ASK.format(role=terms.role.replace("_", " ")),
        "deny": words.FILE_DENIED.format(rule=found.ruling.rule),
    }[found.ruling.decision]
    photos = words.FILE_PHOTOS.format(count=len(parcel.photos))
    return (
        f'<div class="card"><b>{words.FILE_HINT}</b>{_values(parcel.shown())}'
        f'<p class="small">{escape(photos)}. {escape(goes)}</p></div>'
    )


def filed_card(filing: Filing) -> str:
    """How the last filing stands."""
    if filing.state == "filed":
        named = words.FILED.format(title=filing.title, reference=filing.reference).strip()
        proof = words.EQUAL if filing.verified else filing.reason
        shade = "failed" if filing.verified is False else "passed" if filing.verified else "unverified"
        return (
            f'<div class="card result {shade}" role="status"><div class="answer">{escape(named)}</div>'
            f"<p>{escape(_sentence(proof))}</p>{_link(filing.link)}</div>"
        )
    if filing.state == "waiting":
        title = escape(filing.title)
        return (
            f'<div class="card result unverified" role="status"><div class="answer">{title}</div>'
            f"<p>{words.WAITS}</p>{_values(filing.sent)}</div>"
        )
    shade = "unverified" if filing.state == "unknown" else "failed"
    state = words.STATES[filing.state]
    return (
        f'<div class="card result {shade}" role="alert"><div class="answer">{escape(state)}</div>'
        f"<p>{escape(_sentence(filing.reason))}</p></div>"
    )


def history_list(filings: Sequence[Filing]) -> str:
    """Every attempt to file a record, the newest first."""
    if not filings:
        return ""
    rows = "".join(_attempt(one) for one in filings)
    return f'<details class="desk-history"><summary>{words.HISTORY}</summary><ol>{rows}</ol></details>'


def _attempt(one: Filing) -> str:
    by = f" · {escape(one.approved_by)}" if one.approved_by else ""
    why = f"<br>{escape(_sentence(one.reason))}" if one.reason else ""
    return (
        f"<li><b>{escape(one.title)}</b> {escape(words.STATES[one.state])} {escape(one.reference)}"
        f'<div class="small">{one.asked:%Y-%m-%d %H:%M} UTC{by} · {escape(one.content[:12])}{why}</div></li>'
    )


def _values(values: dict[str, Any]) -> str:
    rows = "".join(
        f"<dt>{escape(name.replace('_', ' '))}</dt><dd>{escape(_shown(value))}</dd>"
        for name, value in values.items()
    )
    return f'<dl class="desk-sent">{rows}</dl>'


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else f"{value}"


def _link(address: str) -> str:
    if not address.startswith(("http://", "https://")):
        return ""
    return (
        f'<a class="report" href="{escape(address)}" target="_blank" rel="noopener noreferrer">'
        f"{words.OPEN_THERE}</a>"
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""
