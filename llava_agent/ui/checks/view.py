"""The desk's HTML. Everything that comes from a page, a spec or a person is escaped here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from llava_agent.ui.checks import words

if TYPE_CHECKING:
    from llava_agent.service.shapes import Expected
    from llava_agent.service.store.checks import PastRun, StoredCheck
    from llava_agent.service.store.runs import StoredRun

_WORST = ("fail", "error", "uncertain", "pass")
#: Lines shown around the one that is wrong.
_AROUND = 2


def line_card(said: str, text: str, line: int) -> str:
    """What is wrong with a spec, and the line where it is with those around it."""
    lines = text.splitlines() or [""]
    line = min(line, len(lines))
    around = range(max(1, line - _AROUND), min(len(lines), line + _AROUND) + 1)
    marks = {line: " class=wrong"}
    shown = "".join(
        f"<li{marks.get(number, '')}><b>{number}</b>{escape(lines[number - 1]) or ' '}</li>"
        for number in around
    )
    return (
        f'<div class="card problem" role="alert"><b>{words.LINE.format(line=line)}</b>: '
        f'{escape(said.rstrip("."))}.<ol class="checks-line">{shown}</ol></div>'
    )


def result_card(run: StoredRun) -> str:
    """How a run ended, in numbers, and its files."""
    result = run.result or {}
    counts: Mapping[str, int] = result["counts"]
    told = ", ".join(f"{counts[status]} {status}" for status in _WORST if counts.get(status))
    problems = "".join(
        f"<p>{escape(one['name'])}: {escape(one['problem'])}</p>"
        for one in result["variants"]
        if one["problem"]
    )
    files = (
        f'<a class="report" href="/runs/{escape(run.id)}/index.html" target="_blank" rel="noopener">'
        f"{words.REPORT}</a>"
        f'<a class="report" href="/api/runs/{escape(run.id)}/artifacts/junit.xml" download>{words.JUNIT}</a>'
    )
    status = escape(result["status"])
    return (
        f'<div class="card result {status}" role="status"><div class="answer">{status}</div><p>{told}</p>'
        f'{problems}<div class="checks-files">{files}</div></div>'
    )


def variants_view(run: StoredRun, found: Sequence[Mapping[str, Any]]) -> str:
    """Each way that the page was looked at: its pictures with a box for each verdict, and the verdicts."""
    several = len(found) > 1
    baselines: Mapping[str, str] = (run.result or {}).get("baselines", {})
    return "".join(_variant(run.id, number, one, several, baselines) for number, one in enumerate(found))


def _variant(
    run: str, number: int, found: Mapping[str, Any], several: bool, baselines: Mapping[str, str]
) -> str:
    verdicts = list(enumerate(found["verdicts"]))
    pictures = dict.fromkeys(one["picture"] for _, one in verdicts if one["picture"])
    figures = "".join(
        _picture(run, number, str(picture), [(at, one) for at, one in verdicts if one["picture"] == picture])
        for picture in pictures
    )
    listed = sorted(verdicts, key=lambda pair: _WORST.index(pair[1]["status"]))
    rows = "".join(_row(run, number, at, one, baselines) for at, one in listed)
    body = (
        f'<div class="desk"><div class="desk-photos">{figures}</div><ol class="checks-list">{rows}</ol></div>'
    )
    name = escape(found["variant"] or words.ONE_WAY)
    opened = "" if several and found["status"] == "pass" else " open"
    return (
        f'<details class="checks-variant"{opened}><summary>{name}: {escape(found["status"])}</summary>'
        f"{body}</details>"
    )


def _picture(run: str, number: int, name: str, verdicts: Sequence[tuple[int, Mapping[str, Any]]]) -> str:
    width, height = verdicts[0][1]["size"]
    boxes = "".join(_box(number, at, one, width) for at, one in verdicts if one["box"])
    return (
        f'<figure><div class="desk-photo"><img loading="lazy" alt="{words.ONE_WAY}" width="{width}" '
        f'height="{height}" src="/runs/{escape(run)}/{escape(name)}">'
        f'<svg viewBox="0 0 {width} {height}" preserveAspectRatio="none">{boxes}</svg></div></figure>'
    )


def _box(number: int, at: int, verdict: Mapping[str, Any], width: int) -> str:
    x0, y0, x1, y1 = verdict["box"]
    pad, said = width * 0.003, escape(f"{verdict['status']}: {verdict['expects']}")
    return (
        f'<rect class="{escape(verdict["status"])}" data-link="v{number}-{at}" tabindex="0" role="button" '
        f'aria-label="{said}" x="{x0 - pad:.0f}" y="{y0 - pad:.0f}" width="{x1 - x0 + 2 * pad:.0f}" '
        f'height="{y1 - y0 + 2 * pad:.0f}"><title>{said}</title></rect>'
    )


def _row(run: str, number: int, at: int, verdict: Mapping[str, Any], baselines: Mapping[str, str]) -> str:
    status = escape(verdict["status"])
    link = f' data-link="v{number}-{at}" tabindex="0" role="button"' if verdict["box"] else ""
    means = words.MEANS[verdict["by"]]
    sure = f", {verdict['confidence']:.0%} sure" if verdict["by"] == "model" else ""
    detail = f"<div>{escape(verdict['detail'])}</div>" if verdict["detail"] else ""
    item = (
        f'<li class="{status}"{link}><span class="sign" aria-hidden="true">{words.SIGNS[status]}</span><div>'
        f"<b>{escape(verdict['expects'])}</b> <em>{status}, {means}{sure}</em>{detail}</div></li>"
    )
    return item + _pair(run, verdict, baselines)


def _pair(run: str, verdict: Mapping[str, Any], baselines: Mapping[str, str]) -> str:
    """The accepted picture beside what was seen, where the two differ."""
    name = verdict.get("baseline")
    if not name or name not in baselines or verdict["status"] == "pass" or not verdict["picture"]:
        return ""
    base = f"/runs/{escape(run)}"
    return (
        f"<li><details><summary>{words.COMPARE}</summary><div class=checks-pair>"
        f'<figure><img loading="lazy" alt="{words.BEFORE}" src="{base}/given/{escape(name)}">'
        f"<figcaption>{words.BEFORE}</figcaption></figure>"
        f'<figure><img loading="lazy" alt="{words.NOW}" src="{base}/{escape(verdict["picture"])}">'
        f"<figcaption>{words.NOW}</figcaption></figure></div></details></li>"
    )


def history_view(past: Sequence[PastRun], rows: Sequence[Expected]) -> str:
    """Each expectation over the last runs: a bar a run, and whether it is broken or flaky."""
    if len(past) < 2:
        return ""
    order = {"broken": 0, "flaky": 1, "mended": 2, "holds": 3}
    shown = "".join(_history(one) for one in sorted(rows, key=lambda one: order[one.standing]))
    title = words.HISTORY.format(count=len(past))
    return (
        f"<h3>{title}</h3>"
        f'<div class="checks-history" tabindex="0" role="region" aria-label="{title}">{shown}</div>'
    )


def _history(row: Expected) -> str:
    bars = "".join(f'<i class="{escape(one or "none")}"></i>' for one in row.statuses)
    said = ", ".join(one or "not there" for one in row.statuses)
    variant = f"{escape(row.variant)}: " if row.variant else ""
    stands = escape(row.standing)
    return (
        f'<div class="checks-row"><span>{variant}{escape(row.expects)}</span>'
        f'<span class="dots" role="img" aria-label="{said}" title="{said}">{bars}</span>'
        f'<em class="{stands}">{words.STANDINGS[row.standing]}</em></div>'
    )


def check_choices(checks: Sequence[StoredCheck]) -> list[tuple[str, str]]:
    """The checks as the entries of a list, a new one first."""
    return [(words.NEW, ""), *((f"{one.name} · {one.changed:%d %b %H:%M}", one.id) for one in checks)]


def run_choices(runs: Sequence[StoredRun]) -> list[tuple[str, str]]:
    """The runs of a check as the entries of a list, the newest first."""
    return [
        (f"{run.created:%d %b %H:%M:%S} · {(run.result or {}).get('status', run.state)}", run.id)
        for run in runs
    ]
