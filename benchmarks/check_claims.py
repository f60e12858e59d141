"""How often is a model's word on a claim about a page right?

`python -m benchmarks.check_claims --out claims.json` takes the pages of `benchmarks.check_pages` and asks the
model, as `asks` in a spec does, claims of 14 families. Each claim stands once where it is true and once where
it is false: on the page and on a twin with one defect, or said of the wrong thing. Beside the verdicts stand
two floors: whoever always says yes or no is right half of the time, and decides everything. The embedded
model needs some seconds a claim; nothing leaves the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.check_pages import HELD_OUT, KNOWN, Page, html
from llava_agent.checks.judges.claim import Ask, asks
from llava_agent.checks.look.subject import PageSubject
from llava_agent.checks.served import Served
from llava_agent.checks.verdict import Status
from llava_agent.exam.share import Share
from tools.browser import BrowserSession, PageSurface

SETS = {"known": KNOWN, "held out": HELD_OUT}
_COLOURS = {"plain": "blue", "dark": "blue", "dense": "grey", "centred": "green", "bold": "purple"}


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that is said of a page.

    Attributes:
        family: what it is about.
        defect: of the twin that it is said of; empty for the right page.
        true: whether it is so there.
    """

    family: str
    words: str
    defect: str
    true: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it."""

    page: str
    claim: Claim
    status: Status
    confidence: float
    seconds: float


def claims(page: Page) -> list[Claim]:
    """Each claim where it is true and where it is false."""

    def so(family: str, words: str, twin: str) -> list[Claim]:
        return [Claim(family, words, "", True), Claim(family, words, twin, False)]

    def wrong(family: str, words: str, twin: str) -> list[Claim]:
        return [Claim(family, words, twin, True), Claim(family, words, "", False)]

    first, last = page.rows[0][0], page.rows[-1][0]
    dark = page.style == "dark"
    ground, other = ("dark", "light") if dark else ("light", "dark")
    return [
        *so("a text", f"the page says {page.total}", "stale number"),
        *so("a heading", f'the heading says "{page.title}"', "wrong text"),
        *so("a button is there", f'there is a button "{page.main}"', "missing control"),
        *so("two buttons", "there are two buttons on the page", "missing control"),
        *so("enabled", f'the button "{page.main}" can be clicked', "disabled control"),
        *so("disabled", f'the button "{page.other}" is greyed out', "enabled control"),
        *so("checked", f'the check box "{page.box}" is checked', "unchecked box"),
        *so("colour", f'the button "{page.main}" is {_COLOURS[page.style]}', "wrong colour"),
        *so("order", f'"{first}" stands above "{last}"', "wrong order"),
        *wrong("an error", "the page shows an error message", "error message"),
        *wrong("a banner", "something covers the top of the page", "hidden behind a banner"),
        *wrong("a picture", "a picture on the page is broken", "broken image"),
        *wrong("overlap", "two texts lie over each other", "overlap"),
        Claim("dark or light", f"the page has a {ground} background", "", True),
        Claim("dark or light", f"the page has a {other} background", "", False),
    ]


async def measure(pages: Sequence[Page], ask: Ask, say: Callable[[Answer], None]) -> list[Answer]:
    """Ask every claim where it belongs; each page is looked at once."""
    from llava_agent.egress import AllowList

    found: list[Answer] = []
    with tempfile.TemporaryDirectory() as name, Served(Path(name)) as base:
        async with BrowserSession(AllowList.of(base)) as session:
            for page in pages:
                said = claims(page)
                for defect in dict.fromkeys(claim.defect for claim in said):
                    (Path(name) / "page.html").write_text(html(page, defect), encoding="utf-8")
                    surface = PageSurface(session)
                    await surface.open(f"{base}/page.html")
                    seen = await PageSubject(surface).look()
                    for claim in (one for one in said if one.defect == defect):
                        began = time.perf_counter()
                        verdict = await asyncio.to_thread(asks, claim.words, seen, ask)
                        spent = time.perf_counter() - began
                        found.append(Answer(page.name, claim, verdict.status, verdict.confidence, spent))
                        say(found[-1])
    return found


def figures(answers: Sequence[Answer]) -> dict[str, object]:
    """Counts with intervals, in all and for each family."""
    families = list(dict.fromkeys(one.claim.family for one in answers))
    return {
        **counts(answers),
        "seconds_median": round(median(one.seconds for one in answers), 2) if answers else None,
        "families": {name: counts([one for one in answers if one.claim.family == name]) for name in families},
    }


def counts(answers: Sequence[Answer]) -> dict[str, object]:
    """Of true and of false claims: how many pass, fail, stay uncertain; and what a verdict is worth."""

    def told(true: bool, status: Status) -> int:
        return sum(one.claim.true == true and one.status == status for one in answers)

    passed = told(True, "pass") + told(False, "pass")
    failed = told(True, "fail") + told(False, "fail")
    false = sum(not one.claim.true for one in answers)
    right = told(True, "pass") + told(False, "fail")
    return {
        "claims": len(answers),
        "true": {status: told(True, status) for status in ("pass", "fail", "uncertain", "error")},
        "false": {status: told(False, status) for status in ("pass", "fail", "uncertain", "error")},
        "decided": Share(passed + failed, len(answers)).as_dict(),
        "right_of_decided": Share(right, passed + failed).as_dict(),
        "true_of_passed": Share(told(True, "pass"), passed).as_dict(),
        "false_of_failed": Share(told(False, "fail"), failed).as_dict(),
        "false_that_pass": Share(told(False, "pass"), false).as_dict(),
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    parser.add_argument("--set", choices=SETS, action="append", dest="sets", help="all where not given")
    parser.add_argument("--pages", type=int, help="only so many pages of each set")
    parser.add_argument("--model", default="auto", metavar="PRESET")
    given = parser.parse_args(arguments)
    from llava_agent.assembly import assemble
    from llava_agent.checks.model import ask_with

    def say(one: Answer) -> None:
        mark = "true " if one.claim.true else "false"
        print(f"{one.page:10} {mark} {one.status:9} {one.seconds:5.1f} s  {one.claim.words}", file=sys.stderr)

    model, words = ask_with(assemble(given.model)), Counter[str]()

    def ask(screenshot: bytes, question: str) -> tuple[str, float]:
        verb, sure = model(screenshot, question)
        words[verb] += 1
        return verb, sure

    found = {
        name: asyncio.run(measure(SETS[name][: given.pages], ask, say)) for name in given.sets or list(SETS)
    }
    every = [one for answers in found.values() for one in answers]
    sets = {name: figures(one) for name, one in {**found, "all": every}.items()}
    text = json.dumps({**sets, "words": dict(words)}, indent=2)
    if given.out:
        given.out.write_text(text + "\n", encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
