"""A picture of the usage: calls, success, latency and cost by model and kind of step, or other groups."""

from __future__ import annotations

import io
from collections.abc import Sequence

from llava_agent.gateway.usage import UsageLine


def usage_png(rows: Sequence[UsageLine]) -> bytes:
    """PNG with three panels that share the rows."""
    from matplotlib.figure import Figure

    names = ["\n".join(row.group.values()) for row in rows]
    places = list(range(len(rows)))
    figure = Figure(figsize=(13, 1.6 + 0.55 * len(rows)), layout="constrained")
    latency, success, cost = figure.subplots(1, 3, sharey=True)
    for share, height, row_of in ((0.99, 0.8, "p99"), (0.95, 0.55, "p95"), (0.5, 0.3, "p50")):
        widths = [getattr(row, row_of) for row in rows]
        latency.barh(places, widths, height, label=row_of, alpha=0.35 + 0.6 * (1 - share))
    latency.set_xlabel("wall time of a call, ms")
    latency.legend()
    latency.set_yticks(places, names)
    latency.invert_yaxis()
    success.barh(places, [100 * row.success for row in rows], 0.6)
    success.set_xlim(0, 100)
    success.set_xlabel("calls that ended well, %")
    for place, row in zip(places, rows, strict=True):
        success.text(2, place, f"{row.calls:,} calls", va="center", color="white")
    cost.barh(places, [float(row.cost or 0) for row in rows], 0.6)
    cost.set_xlabel("cost")
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=110)
    return out.getvalue()
