"""What the models did and cost, by whatever is asked: model, kind of step, user, department, day, month."""

from __future__ import annotations

import csv
import io
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal, get_args

import sqlalchemy as sa

from llava_agent.database import Database
from llava_agent.gateway.ledger_store import BILLION, ledger_entries
from llava_agent.spreadsheet import harmless

Group = Literal["model", "kind", "user", "department", "day", "month"]
GROUPS: tuple[Group, ...] = get_args(Group)

_TIMES = {"day": "%Y-%m-%d", "month": "%Y-%m"}
FIGURES = ("calls", "success", "prompt_tokens", "image_tokens", "output_tokens", "cost", "p50", "p95", "p99")


@dataclass(frozen=True, slots=True)
class UsageLine:
    """The calls of one group, shadow calls left out.

    Attributes:
        group: what they share, in the order that was asked for; days and months are in UTC.
        success: share that ended well, 0 to 1.
        cost: exact, as a decimal string; None where no call had a price.
        p50, p95, p99: wall time in milliseconds that so many calls did not exceed (nearest rank).
    """

    group: Mapping[str, str]
    calls: int
    success: float
    prompt_tokens: int
    image_tokens: int
    output_tokens: int
    cost: str | None
    p50: float
    p95: float
    p99: float

    def figures(self) -> dict[str, float | str | None]:
        """What is told of the group, by name."""
        return {name: getattr(self, name) for name in FIGURES}


@dataclass(slots=True)
class _Sum:
    ms: array = field(default_factory=lambda: array("d"))
    good: int = 0
    tokens: list[int] = field(default_factory=lambda: [0, 0, 0])
    cost: int = 0
    priced: bool = False


def usage_by(
    database: Database, by: Sequence[Group], since: datetime | None = None, until: datetime | None = None
) -> list[UsageLine]:
    """Sums and percentiles of each group, in the order of the groups' names.

    Raises:
        ToolError: the database cannot be read.
    """
    table = ledger_entries.c
    where: sa.ColumnElement[bool] = table.shadow.is_(False)
    if since is not None:
        where &= table.time >= since.timestamp()
    if until is not None:
        where &= table.time < until.timestamp()
    keys = [table.time if one in _TIMES else table[one] for one in by]
    tokens = (table.prompt_tokens, table.image_tokens, table.output_tokens)
    columns = (
        table.ms,
        table.outcome,
        table.cost,
        *tokens,
        *(key.label(f"k{n}") for n, key in enumerate(keys)),
    )
    sums: dict[tuple[str, ...], _Sum] = {}
    with database.reading() as connection:
        rows = connection.execution_options(yield_per=10_000).execute(sa.select(*columns).where(where))
        for ms, outcome, cost, prompt, image, output, *found in rows:
            group = tuple(_named(one, value) for one, value in zip(by, found, strict=True))
            kept = sums.setdefault(group, _Sum())
            kept.ms.append(ms)
            kept.good += outcome == "ok"
            for place, count in enumerate((prompt, image, output)):
                kept.tokens[place] += count
            if cost is not None:
                kept.cost, kept.priced = kept.cost + cost, True
    return [_line(dict(zip(by, group, strict=True)), kept) for group, kept in sorted(sums.items())]


def usage_csv(by: Sequence[Group], lines: Sequence[UsageLine]) -> str:
    """One row a group; a name that a spreadsheet would take for a formula gets an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*by, *FIGURES])
    for line in lines:
        names = [harmless(name) for name in line.group.values()]
        writer.writerow([*names, *("" if value is None else value for value in line.figures().values())])
    return out.getvalue()


def _named(group: Group, value: str | float) -> str:
    if group in _TIMES:
        return datetime.fromtimestamp(float(value), UTC).strftime(_TIMES[group])
    return str(value)


def _line(group: Mapping[str, str], kept: _Sum) -> UsageLine:
    times, count = sorted(kept.ms), len(kept.ms)
    ranks = [round(times[-(-percent * count // 100) - 1], 2) for percent in (50, 95, 99)]
    cost = f"{(Decimal(kept.cost) / BILLION).normalize():f}" if kept.priced else None
    prompt, image, output = kept.tokens
    p50, p95, p99 = ranks
    return UsageLine(group, count, round(kept.good / count, 4), prompt, image, output, cost, p50, p95, p99)
