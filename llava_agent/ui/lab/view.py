"""The lab's HTML. Everything that comes from a photo, a model or a run's folder is escaped here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any
from urllib.parse import quote

from llava_agent.lab.models import RUN
from llava_agent.lab.runs import TrainingRun, about, files, metrics, thinned
from llava_agent.service.routes.reports import report_address
from llava_agent.ui.lab import words
from llava_agent.ui.lab.curves import COLOURS, Line, legend, plot

#: Regions that the page lists.
_LISTED = 12


def explanation_view(run: str, found: Mapping[str, Any]) -> str:
    """The answer, the heat with its regions, the test, and all marks.

    Args:
        run: whose files the pictures are.
        found: result of a run of the kind `explain`.
    """
    why = found["why"]
    regions = "".join(_region(at, one, why["method"]) for at, one in enumerate(why["regions"][:_LISTED], 1))
    listed = f'<ol class="lab-regions">{regions}</ol>' if regions else f"<p>{words.NOTHING}</p>"
    marks = words.MARKS.format(count=found["marks"])
    told = (
        str(found["model"]),
        words.SURE.format(share=_share(found["confidence"])),
        words.VIEWS[why["method"]],
        words.SPENT.format(calls=why["calls"], seconds=f"{why['seconds']:.1f}"),
    )
    return (
        f'<div class="card"><div class="answer">{escape(str(found["answer"]))}</div>'
        f'<div class="small">{escape(" · ".join(told))}</div></div>'
        f'<div class="lab-why"><img src="{_file(run, "heat.jpg")}" alt="{words.HEAT_ALT}">'
        f"<div>{listed}{_test(found)}</div></div>"
        f'<details class="lab-marks"><summary>{marks}</summary>'
        f'<img loading="lazy" src="{_file(run, "marks.jpg")}" alt="{words.MARKS_ALT}"></details>'
    )


def comparison_view(run: str, found: Mapping[str, Any]) -> str:
    """A row for each photo: both pictures with what was pointed at, and both answers."""
    rows = "".join(_pair(run, at, row, found["models"]) for at, row in enumerate(found["rows"]))
    said = words.SAME.format(same=found["same"], all=len(found["rows"]))
    return f'<p class="lab-same">{said}</p>{rows}'


def runs_view(chosen: Sequence[TrainingRun]) -> str:
    """Curves of the chosen runs in one plot each, and what each run is."""
    named = list(zip(chosen, COLOURS, strict=False))
    logs = {run.name: metrics(run) for run, _ in named}

    def plotted(title: str, key: str) -> str:
        return plot(title, [Line(run.name, thinned(logs[run.name], key), c) for run, c in named])

    rates = [
        Line(f"{run.name} {part}", [(line["step"], float(line["rates"][part])) for line in lines], colour)
        for run, colour in named
        if (lines := [line for line in logs[run.name] if isinstance(line.get("rates"), dict)])
        for part in lines[0]["rates"]
        if all(part in line["rates"] for line in lines)
    ]
    curves = plotted(words.LOSS, "loss") + plot(words.RATE, rates) + plotted(words.SPEED, "tokens_per_s")
    key = legend([(run.name, colour) for run, colour in named])
    nothing = "" if curves else f"<p>{words.NO_METRICS}</p>"
    return f'{key}{nothing}<div class="lab-plots">{curves}</div>{"".join(_run(run) for run, _ in named)}'


def _run(run: TrainingRun) -> str:
    """State, settings and files of a run."""
    state = words.READY.format(model=f"{RUN}{run.name}") if run.ready else words.NOT_READY
    parts = [run.stage, words.STATE.format(step=run.step, steps=run.steps), state]
    if run.loss is not None:
        parts.insert(2, words.LAST_LOSS.format(loss=run.loss))
    links = "".join(
        f'<li><a href="/api/lab/runs/{quote(run.name)}/files/{quote(path)}" download>{escape(path)}</a> '
        f"<span>{_size(file.stat().st_size)}</span></li>"
        for path, file in files(run).items()
    )
    told = escape(json.dumps(about(run), indent=1, ensure_ascii=False))
    return (
        f'<section class="card lab-run"><h3>{escape(run.name)}</h3>'
        f'<div class="small">{" · ".join(escape(part) for part in parts if part)}</div>'
        f'<details><summary>{words.FILES}</summary><ul class="lab-files">{links}</ul></details>'
        f'<details><summary>{words.SETTINGS}</summary><pre tabindex="0">{told}</pre></details></section>'
    )


def _region(rank: int, region: Mapping[str, Any], method: str) -> str:
    share = float(region["share"])
    unit = {"occlusion": words.LOST, "pointer": words.POINTED}.get(method, words.SHARE)
    name = region.get("text") or region.get("role") or words.CELL
    more = []
    if region.get("pixels") is not None:
        more.append(words.PIXELS.format(share=_share(region["pixels"])))
    if region.get("instead"):
        more.append(words.INSTEAD.format(answer=region["instead"]))
    place = ", ".join(str(value) for value in region["box"])
    return (
        f'<li><span class="rank" aria-hidden="true">{rank}</span><div><b>{escape(str(name))}</b>'
        f'<div class="track"><div style="width:{min(1.0, share):.0%}"></div></div>'
        f'<div class="small">{_share(share)} {unit} · {escape(place)}'
        f"{''.join(' · ' + escape(one) for one in more)}</div></div></li>"
    )


def _test(found: Mapping[str, Any]) -> str:
    """What the deletion test says of the view, in words."""
    test = found["why"]["deletion"]
    if test is None:
        return ""
    lines = [words.COVERED.format(answer=test["answer"], share=_share(test["confidence"]))]
    control, stays = test["control"], test["answer"] == found["answer"]
    if control is not None:
        lines.append(words.CONTROL.format(answer=control["answer"], share=_share(control["confidence"])))
    falls = control is not None and control["answer"] != found["answer"]
    verdict = words.HOLDS
    if stays or falls:
        verdict = words.HOLDS_NOT.format(why=words.STAYS if stays else words.FALLS)
    shade = "doubt" if stays or falls else "holds"
    said = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return f'<div class="lab-test {shade}"><h3>{words.TEST}</h3>{said}<p><b>{escape(verdict)}</b></p></div>'


def _pair(run: str, at: int, row: Mapping[str, Any], models: Sequence[str]) -> str:
    sides = "".join(
        f'<figure><figcaption>{escape(model)}</figcaption><img loading="lazy" alt="" '
        f'src="{_file(run, f"{at}-{side}.jpg")}"><div class="answer">{escape(str(answer["answer"]))}</div>'
        f'<div class="small">{escape(str(answer["model"]))} · '
        f"{words.SURE.format(share=_share(answer['confidence']))} · "
        f"{answer['ms'].get('total', 0.0) / 1000:.2f} s</div></figure>"
        for side, answer, model in zip("ab", row["answers"], models, strict=True)
    )
    differs = "" if row["same"] else f' <em class="lab-differs">{words.DIFFERENT}</em>'
    return (
        f'<section class="lab-pair"><h3>{escape(str(row["name"]))}{differs}</h3><div>{sides}</div></section>'
    )


def _file(run: str, name: str) -> str:
    return escape(report_address(run, name))


def _share(value: float) -> str:
    return f"{float(value):.0%}"


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"
