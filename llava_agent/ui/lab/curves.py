"""Curves of training runs as SVG: no script, readable in light and dark, their ends told in words too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from llava_agent.ui.lab import words

#: Of the drawing, in its own units.
_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 640, 220, 56, 26, 10
#: Told apart also by the colour-blind (Okabe and Ito), on light and on dark.
COLOURS = ("#0a9e8f", "#d9822b", "#4c7fd9", "#c0508f", "#7a9a1f", "#8a6fd1")

Points = Sequence[tuple[int, float]]


@dataclass(frozen=True, slots=True)
class Line:
    """A curve with its name; `colour` is of the run, so that it is the same in each plot."""

    name: str
    points: Points
    colour: str


def plot(title: str, lines: Sequence[Line]) -> str:
    """One plot over the steps; empty where no line has a point."""
    shown = [line for line in lines if line.points]
    if not shown:
        return ""
    steps = [step for line in shown for step, _ in line.points]
    values = [value for line in shown for _, value in line.points]
    low, high = min(values), max(values)
    if low == high:
        low, high = low - abs(low or 1) * 0.05, high + abs(high or 1) * 0.05
    first, last = min(steps), max(max(steps), min(steps) + 1)

    def place(step: int, value: float) -> tuple[float, float]:
        x = _LEFT + (step - first) / (last - first) * (_WIDTH - _LEFT - 8)
        y = _TOP + (high - value) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)
        return x, y

    drawn = "".join(_curve(line, [place(*point) for point in line.points]) for line in shown)
    grid = "".join(_level(low + (high - low) * part, place(first, low + (high - low) * part)[1])
                   for part in (0.0, 0.5, 1.0))  # fmt: skip
    ends = (
        f'<text x="{_LEFT}" y="{_HEIGHT - 8}">{first}</text>'
        f'<text x="{_WIDTH - 8}" y="{_HEIGHT - 8}" text-anchor="end">{last} ({words.STEP})</text>'
    )
    said = "; ".join(
        f"{line.name}: {_number(line.points[0][1])} to {_number(line.points[-1][1])}" for line in shown
    )
    return (
        f'<figure class="lab-plot"><figcaption>{escape(title)}</figcaption>'
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(f"{title}. {said}")}">'
        f"{grid}{ends}{drawn}</svg></figure>"
    )


def legend(lines: Sequence[tuple[str, str]]) -> str:
    """Names with their colours."""
    entries = "".join(
        f'<li><span style="background:{colour}" aria-hidden="true"></span>{escape(name)}</li>'
        for name, colour in lines
    )
    return f'<ul class="lab-legend">{entries}</ul>'


def _curve(line: Line, places: Sequence[tuple[float, float]]) -> str:
    title = f"<title>{escape(line.name)}</title>"
    if len(places) == 1:
        x, y = places[0]
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{line.colour}">{title}</circle>'
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return f'<polyline points="{points}" stroke="{line.colour}">{title}</polyline>'


def _level(value: float, y: float) -> str:
    return (
        f'<line x1="{_LEFT}" x2="{_WIDTH - 8}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{_number(value)}</text>'
    )


def _number(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1e3 else f"{value:,.0f}"
