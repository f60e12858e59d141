"""The report of a run: one static HTML page without scripts, made from the run's folder alone."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llava_agent.agent.record import Intent, Resumed, StepRecord, StoredFact, StoredMark, StoredResult
from llava_agent.agent.trace import Trace, read_result, write_whole
from llava_agent.gateway.compare import Comparison
from llava_agent.gateway.ledger import Entry, Total, total
from llava_agent.gateway.ledger import read as read_ledger

#: Marks named in the list of a step that has no pixels.
LISTED_MARKS = 40


@dataclass(frozen=True, slots=True)
class Check:
    """A fact about the result that was verified outside the run."""

    held: bool
    words: str


def write_report(
    folders: Sequence[Path],
    out: Path,
    *,
    title: str = "Run",
    checks: Sequence[Check] = (),
    comparison: Comparison | None = None,
) -> Path:
    """Write the page for one run, or for several that belong together.

    Args:
        folders: run folders; images are linked relative to the page, not copied.
        out: the HTML file.
        checks: what was verified from outside.
        comparison: the measured cost of the vision model alone.
    """
    from jinja2 import Environment, PackageLoader

    environment = Environment(
        loader=PackageLoader("llava_agent.agent", "."), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["ms"] = _duration
    environment.filters["count"] = lambda number: f"{number:,}".replace(",", "\u202f")
    runs = [_run(folder, out.parent) for folder in folders]
    html = environment.get_template("report.html").render(
        title=title,
        runs=runs,
        checks=checks,
        comparison=comparison,
        models=_models([entry for run in runs for entry in run["entries"]]),
        passed=all(check.held for check in checks) and all(run["status"] == "passed" for run in runs),
    )
    write_whole(out, html.encode())
    return out


def _run(folder: Path, base: Path) -> dict[str, Any]:
    trace = Trace.open(folder)
    result = read_result(folder)
    records = list(trace.records())
    entries = read_ledger(trace.ledger_path) if trace.ledger_path.exists() else []
    facts = [record.fact for record in records if isinstance(record, StepRecord) and record.fact]
    return {
        "settings": trace.settings,
        "result": result,
        "status": result.status if result else "interrupted",
        "reason": result.reason if result else "the run has no result yet",
        "entries": entries,
        "steps": [_row(record, trace, base) for record in records],
        "plan": _plan(trace, records),
        "photos": [_photo(sha, facts, trace, base) for sha in trace.settings.photos],
        "facts": _latest(result, facts),
    }


def _plan(trace: Trace, records: Sequence[StepRecord | Intent | Resumed]) -> list[tuple[str, str]]:
    """Each part of the plan in words, with what became of it."""
    steps = [record for record in records if isinstance(record, StepRecord)]
    ticks: Sequence[str] = steps[-1].ticks if steps else ()
    return [
        (words, ticks[index] if index < len(ticks) else "open")
        for index, words in enumerate(trace.settings.plan)
    ]


def _row(record: StepRecord | Intent | Resumed, trace: Trace, base: Path) -> dict[str, Any]:
    if not isinstance(record, StepRecord):
        return {"kind": record.kind, "record": record}
    look = record.observation
    names = {mark.ref: _name(mark) for mark in look.marks}
    image, marks, target = _scene(record, trace)
    return {
        "kind": "step",
        "record": record,
        "image": _link(image, base) if image else None,
        "size": png_size(image) if image else None,
        "alt": f"what step {record.step + 1} was decided on",
        "path": outlines(marks) if image else "",
        "target": _rect(target),
        "likely": [(names.get(ref, ref), probability) for ref, probability in record.likely],
        "listed": [_line(mark) for mark in look.marks[:LISTED_MARKS]] if not image else [],
        "unlisted": max(0, len(look.marks) - LISTED_MARKS) if not image else 0,
        "tokens": sum(call.prompt_tokens + call.output_tokens for call in record.calls),
        "data": json.dumps(record.data, indent=2, ensure_ascii=False) if record.data else "",
        "mood": _mood(record),
    }


def _scene(
    record: StepRecord, trace: Trace
) -> tuple[Path | None, Sequence[StoredMark], tuple[float, float, float, float] | None]:
    """The picture of a step, the marks on it and the box that was chosen: the photo where one was read."""
    evidence = next((one for one in record.fact.evidence if one.box), None) if record.fact else None
    if evidence is not None:
        return trace.image(evidence.image), (), evidence.box
    look = record.observation
    image = trace.image(look.image) if look.image else None
    chosen = next((mark.box for mark in look.marks if mark.ref == record.target), None)
    return image, look.marks, chosen


def _mood(record: StepRecord) -> str:
    return "refused" if record.outcome != "ok" else record.verification.status


def _photo(sha: str, facts: Sequence[StoredFact], trace: Trace, base: Path) -> dict[str, Any]:
    path = trace.image(sha)
    evidence = [
        {"rect": _rect(one.box), "name": fact.name, "value": fact.value}
        for fact in facts
        for one in fact.evidence
        if one.image == sha and one.box is not None
    ]
    exists = path.exists()
    size = png_size(path) if exists else None
    return {"image": _link(path, base) if exists else None, "size": size, "evidence": evidence, "sha": sha}


def _latest(result: StoredResult | None, facts: Sequence[StoredFact]) -> list[StoredFact]:
    return list(result.facts) if result else list({fact.name: fact for fact in facts}.values())


def _models(entries: Sequence[Entry]) -> list[tuple[str, str, Total, list[tuple[str, int]]]]:
    """Per model: name, tier, totals, and its route reasons by frequency; shadow calls are left out."""
    rows: list[tuple[str, str, Total, list[tuple[str, int]]]] = []
    counted = [entry for entry in entries if not entry.shadow]
    for name in dict.fromkeys(entry.model for entry in counted):
        own = [entry for entry in counted if entry.model == name]
        reasons: dict[str, int] = {}
        for entry in own:
            reasons[entry.reason] = reasons.get(entry.reason, 0) + 1
        rows.append((name, own[0].tier, total(own), sorted(reasons.items(), key=lambda item: -item[1])[:6]))
    return rows


def outlines(marks: Sequence[StoredMark]) -> str:
    """All boxes as one SVG path, which keeps a page of 500 steps light."""
    boxes = (mark.box for mark in marks if mark.box is not None)
    return "".join(
        f"M{x0:.0f} {y0:.0f}h{x1 - x0:.0f}v{y1 - y0:.0f}h{x0 - x1:.0f}z" for x0, y0, x1, y1 in boxes
    )


def _rect(box: tuple[float, float, float, float] | None) -> dict[str, float] | None:
    if box is None:
        return None
    x0, y0, x1, y1 = box
    return {"x": round(x0), "y": round(y0), "w": round(x1 - x0), "h": round(y1 - y0)}


def _name(mark: StoredMark) -> str:
    return f'"{mark.text}" {mark.role}' if mark.text else mark.role


def _line(mark: StoredMark) -> str:
    states = " ".join(mark.states)
    name = f"{_name(mark)} {states}".strip()
    return f"{name} = {mark.value}" if mark.value else name


def _link(path: Path, base: Path) -> str:
    return Path(os.path.relpath(path, base)).as_posix()


def png_size(path: Path) -> tuple[int, int] | None:
    """Width and height from the header of a PNG file, None where it is not one."""
    try:
        with path.open("rb") as file:
            head = file.read(24)
    except OSError:
        return None
    if len(head) < 24 or head[12:16] != b"IHDR":
        return None
    width, height = struct.unpack(">II", head[16:24])
    return width, height


def _duration(milliseconds: float) -> str:
    if milliseconds >= 60_000:
        return f"{milliseconds / 60_000:.1f} min"
    return f"{milliseconds / 1000:.1f} s" if milliseconds >= 1000 else f"{milliseconds:.0f} ms"
