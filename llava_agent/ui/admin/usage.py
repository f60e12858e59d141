"""Usage: calls, success, tokens, cost and latency by what is asked, with a plot and as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from llava_agent.gateway.usage import GROUPS, Group, UsageLine, usage_by
from llava_agent.service.auth.identity import Identity
from llava_agent.ui.admin import words
from llava_agent.ui.admin.room import Room
from llava_agent.ui.elements import bar, button, form, note, select, table
from llava_agent.ui.forms import Sent

if TYPE_CHECKING:
    from llava_agent.service.context import Service

#: Size of the plot in units of its own; it is as wide as the page.
_WIDE, _HIGH = 640, 120


def answer(service: Service, identity: Identity, sent: Sent) -> str:
    identity.require("usage.read")
    days = next((value for value, _ in words.SPANS if value == sent.one("days")), "30")
    by = _groups(sent)
    since = datetime.now(UTC) - timedelta(days=int(days))
    lines = usage_by(service.database, by, since)
    currency = service.policy.in_force().policy.currency
    chosen = [*by, ""]
    listed = [(one, one) for one in GROUPS]
    ask = form(
        select("by", words.BY, listed, chosen[0]),
        select("and", words.AND_BY, [("", words.NO_SECOND), *listed], chosen[1]),
        select("days", words.SPAN, words.SPANS, days),
        button("usage:show", words.SHOW, "primary"),
        shade="row",
    )
    if not lines:
        return ask + note(words.NO_USAGE)
    query = urlencode([*(("by", one) for one in by), ("days", days), ("as", "csv")])
    link = f'<p><a class="report" href="/api/usage?{escape(query)}" download>{words.CSV}</a></p>'
    plot = _plot(usage_by(service.database, ["day"], since), currency)
    return ask + plot + _table(by, lines, currency) + link


def _groups(sent: Sent) -> list[Group]:
    asked = (sent.one("by") or "model", sent.one("and"))
    found = [group for name in asked for group in GROUPS if group == name]
    return list(dict.fromkeys(found)) or ["model"]


def _table(by: Sequence[Group], lines: Sequence[UsageLine], currency: str) -> str:
    headers = (
        *by,
        words.CALLS,
        words.SUCCESS,
        words.TOKENS_IN,
        words.TOKENS_OUT,
        f"{words.COST} ({currency})",
        words.LATENCY,
    )
    most = max(Decimal(line.cost or 0) for line in lines) or Decimal(1)
    rows = [
        [
            *(escape(name or "–") for name in line.group.values()),
            f"{line.calls:,}",
            bar(line.success, f"{line.success:.1%}", "good" if line.success > 0.9 else ""),
            f"{line.prompt_tokens:,}",
            f"{line.output_tokens:,}",
            words.UNPRICED if line.cost is None else bar(float(Decimal(line.cost) / most), line.cost),
            f"{line.p50:,.0f} / {line.p95:,.0f} / {line.p99:,.0f}",
        ]
        for line in lines
    ]
    return table(words.USAGE, headers, rows)


def _plot(days: Sequence[UsageLine], currency: str) -> str:
    """A bar a day for the calls, a line for the cost; each day tells its figures."""
    shown = days[-120:]
    width = _WIDE / max(len(shown), 14)
    calls, cost = max(day.calls for day in shown), max(Decimal(day.cost or 0) for day in shown)
    bars, points = [], []
    for place, day in enumerate(shown):
        height = _HIGH * day.calls / calls
        said = words.DAY.format(
            day=day.group["day"], calls=day.calls, cost=day.cost or "0", currency=currency
        )
        bars.append(
            f'<rect x="{place * width + 1:.1f}" y="{_HIGH - height:.1f}" width="{max(1.0, width - 2):.1f}" '
            f'height="{height:.1f}"><title>{escape(said)}</title></rect>'
        )
        up = float(Decimal(day.cost or 0) / cost) if cost else 0.0
        points.append(f"{(place + 0.5) * width:.1f},{_HIGH - up * (_HIGH - 4):.1f}")
    line = f'<polyline points="{" ".join(points)}"/>' if cost else ""
    told = f"{words.PER_DAY}: {shown[0].group['day']} – {shown[-1].group['day']}"
    return (
        f'<figure class="plot"><svg viewBox="0 -2 {_WIDE} {_HIGH + 4}" role="img" '
        f'aria-label="{escape(told)}">'
        f"{''.join(bars)}{line}</svg><figcaption>{escape(told)}</figcaption></figure>"
    )


ROOM = Room("usage", words.USAGE, "usage.read", answer)
