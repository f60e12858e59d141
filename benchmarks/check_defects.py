"""How often do UI checks miss a defect, and how often do they cry wolf?

`python -m benchmarks.check_defects --out defects.json` takes 24 pages in 12 shapes and 5 styles, each with
twins that carry one of 24 defects, checks all of them with the page's own spec, and counts: every page that
is right must pass, every twin must not. A twin that passes is a false pass. Half of the pages are held out.
Takes half an hour; nothing leaves the machine. What the model tier adds: `benchmarks.check_claims`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from benchmarks.check_pages import DEFECTS, HELD_OUT, KNOWN, Page, expectations, html
from llava_agent.checks.look.subject import PageSubject
from llava_agent.checks.run import decided
from llava_agent.checks.served import Served
from llava_agent.checks.spec import Spec
from llava_agent.checks.verdict import SpecResult
from llava_agent.exam.share import Share
from tools.browser import BrowserSession, PageSurface
from tools.geometry import Box

SETS = {"known": KNOWN, "held out": HELD_OUT}


@dataclass(frozen=True, slots=True)
class Case:
    """A page or a twin, its spec, and where its defect is."""

    page: Page
    defect: str
    file: Path
    spec: Spec


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the checks made of it."""

    case: Case
    result: SpecResult
    truth: Box | None

    @property
    def findings(self) -> set[str]:
        """The expectations that did not pass."""
        found = {one.words for one in self.result.verdicts if one.status != "pass"}
        return found | ({self.result.problem} if self.result.problem else set())

    @property
    def overlap(self) -> float | None:
        """The best of the regions of its findings against the true one; None where there is no true one."""
        if self.truth is None:
            return None
        found = [one.box for one in self.result.verdicts if one.status != "pass" and one.box is not None]
        return max((box.iou(self.truth) for box in found), default=0.0)


def cases(folder: Path, pages: Sequence[Page], defects: Sequence[str]) -> list[Case]:
    """Every page and every twin, written into `folder`."""
    made = []
    for page in pages:
        for defect in ("", *defects):
            name = f"{page.name}-{defect or 'right'}".replace(" ", "_")
            (folder / f"{name}.html").write_text(html(page, defect), encoding="utf-8")
            spec = {
                "name": defect or "right",
                "page": f"{name}.html",
                "expect": expectations(page),
                "timeout": 0.1,
            }
            made.append(Case(page, defect, folder / f"{name}.yaml", Spec.model_validate(spec)))
    return made


async def measure(folder: Path, pages: Sequence[Page], defects: Sequence[str]) -> list[Outcome]:
    """Open, look, judge; all in one browser, since starting one takes longer than the check itself."""
    from llava_agent.egress import AllowList

    found: list[Outcome] = []
    made = cases(folder, pages, defects)
    with Served(folder) as base:
        async with BrowserSession(AllowList.of(base)) as session:
            for number, case in enumerate(made, start=1):
                outcome = await _measured(case, session, f"{base}/{case.file.stem}.html")
                print(f"{number:4}/{len(made)} {outcome.result.status:9} {case.file.stem}", file=sys.stderr)
                found.append(outcome)
    return found


async def _measured(case: Case, session: BrowserSession, address: str) -> Outcome:
    began = time.perf_counter()
    session.watch.drain()
    surface = PageSurface(session)
    await surface.open(address)
    verdicts = await decided(case.spec.expect, case.file.parent, PageSubject(surface), case.spec.timeout)
    raw = await session.page.evaluate("() => window.truth ?? null")
    truth = Box(*raw).clipped(*session.viewport) if raw and raw[2] > raw[0] else None
    # What was seen is let go: a thousand screenshots are some hundred megabytes.
    kept = tuple(replace(verdict, screenshot=None) for verdict in verdicts)
    return Outcome(case, SpecResult(case.defect, case.file, kept, time.perf_counter() - began), truth)


def figures(outcomes: Sequence[Outcome]) -> dict[str, object]:
    """Counts with intervals: precision and recall of "not passed", false passes, regions, each defect."""
    right = [one for one in outcomes if not one.case.defect]
    broken = [one for one in outcomes if one.case.defect]
    # A twin counts as caught only by a finding that its right page does not have.
    known = {one.case.page.name: one.findings for one in right}
    caught = [one for one in broken if one.findings - known[one.case.page.name]]
    alarms = sum(bool(one.findings) for one in right)
    regions = [one.overlap for one in caught if one.overlap is not None]
    return {
        "pages": len(right),
        "twins": len(broken),
        "recall": Share(len(caught), len(broken)).as_dict(),
        "precision": Share(len(caught), len(caught) + alarms).as_dict(),
        "false_passes": Share(len(broken) - len(caught), len(broken)).as_dict(),
        "false_alarms": Share(alarms, len(right)).as_dict(),
        "uncertain_or_error": sum(one.result.status in ("uncertain", "error") for one in broken),
        "regions": {
            "median_iou": round(median(regions), 3) if regions else None,
            "half_or_more": Share(sum(one >= 0.5 for one in regions), len(regions)).as_dict(),
            "touching": Share(sum(one > 0 for one in regions), len(regions)).as_dict(),
        },
        "caught_by_defect": {
            defect: f"{sum(one in caught for one in own)} of {len(own)}"
            for defect in DEFECTS
            if (own := [one for one in broken if one.case.defect == defect])
        },
        "iou_by_defect": {
            defect: round(median(own), 2)
            for defect in DEFECTS
            if (own := [o.overlap for o in caught if o.case.defect == defect and o.overlap is not None])
        },
        "missed": [one.case.file.stem for one in broken if one not in caught],
        "alarms": [_said(one) for one in right if one.findings],
        "problems": [one.result.problem for one in outcomes if one.result.problem],
        "seconds_median": round(median(one.result.seconds for one in outcomes), 2),
    }


def _said(outcome: Outcome) -> str:
    found = [f"{one.words}: {one.detail}" for one in outcome.result.verdicts if one.status != "pass"]
    return f"{outcome.case.file.stem}: {'; '.join(found)}"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    parser.add_argument("--set", choices=SETS, action="append", dest="sets", help="all where not given")
    parser.add_argument("--pages", type=int, help="only so many pages of each set")
    parser.add_argument("--defects", nargs="+", choices=DEFECTS, default=list(DEFECTS), metavar="DEFECT")
    given = parser.parse_args(arguments)
    found: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for one in given.sets or list(SETS):
            pages = SETS[one][: given.pages]
            found[one] = figures(asyncio.run(measure(folder, pages, given.defects)))
    text = json.dumps(found, indent=2)
    if given.out:
        given.out.write_text(text + "\n", encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
