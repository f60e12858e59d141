# ruff: noqa: E501  (pages are easier to read on one line)
"""How often does the agent do what a step in plain words (`do`) asks, and does the check notice where not?

`python -m benchmarks.check_errands --out errands.json` gives the model errands on small pages of this
project's own, in the words of a tester. The page's own script knows whether the right thing was done. Each
errand runs twice: with `until`, a text that the page shows once it is done, and without, where only the
spec's expectations could notice. A step that says it was done and was not is the worst end. Nothing leaves
the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from llava_agent.checks.served import Served
from llava_agent.checks.spec import Do
from llava_agent.checks.steps import Errand
from llava_agent.exam.share import Share
from tools.browser import BrowserSession, PageSurface

_STYLE = "<style>body{font:16px sans-serif;margin:24px}button,input,select{font:inherit;margin:4px}</style>"
#: Pages by name: `note` shows what was done, which is what `until` names and what the truth is read from.
PAGES = {
    "basket": "<h1>Pump shop</h1><p>Hex bolts 12 EUR <button onclick=\"say('Hex bolts added')\">Add hex bolts</button></p>"
    "<p>Pump seal 30 EUR <button onclick=\"say('Pump seal added')\">Add pump seal</button></p>"
    "<button onclick=\"say('Basket emptied')\">Empty basket</button>",
    "sign in": "<h1>Sign in</h1><label>Name <input id=name></label><label>Token <input id=token></label>"
    "<button onclick=\"say('Hello ' + document.getElementById('name').value + ' / ' + token.value)\">Go</button>",
    "settings": "<h1>Settings</h1><label><input type=checkbox onchange=\"say('Dark mode ' + (this.checked ? 'on' : 'off'))\"> "
    "Dark mode</label><label><input type=checkbox checked onchange=\"say('Mail ' + (this.checked ? 'on' : 'off'))\"> "
    "Weekly mail</label><button onclick=\"say('Saved')\">Save</button>",
    "ticket": "<h1>New ticket</h1><label>Title <input id=topic></label><label>Priority <select id=level><option>low"
    "<option>normal<option>high</select></label><button onclick=\"say('Filed: ' + topic.value + ', ' + level.value)\">File ticket</button>",
    "tabs": "<nav><button onclick=\"say('Overview opened')\">Overview</button><button onclick=\"say('Invoices opened')\">Invoices"
    "</button><button onclick=\"say('Reports opened')\">Reports</button></nav><h1>Account</h1>",
    "search": "<h1>Parts</h1><form onsubmit=\"say('Found ' + q.value); return false\"><label>Search <input id=q></label>"
    "<button>Find</button></form><a href=# onclick=\"say('Help opened')\">Help</a>",
}
_SCRIPT = (
    "<p id=note>Nothing done yet</p><script>function say(text) { note.textContent = text }"
    "for (const e of document.querySelectorAll('[id]')) window[e.id] = e</script>"
)


@dataclass(frozen=True, slots=True)
class Task:
    """An errand: on which page, in whose words, and what the page says once it is done rightly."""

    page: str
    words: str
    done: str
    actions: int


TASKS = (
    Task("basket", "Add the pump seal to the basket", "Pump seal added", 1),
    Task("basket", 'Click "Add hex bolts"', "Hex bolts added", 1),
    Task("basket", "Empty the basket", "Basket emptied", 1),
    Task("sign in", 'Type "Ada" into Name and "t-17" into Token, then click Go', "Hello Ada / t-17", 3),
    Task("sign in", "Sign in as Ada with the token t-17", "Hello Ada / t-17", 3),
    Task("settings", "Switch dark mode on", "Dark mode on", 1),
    Task("settings", "Turn the weekly mail off", "Mail off", 1),
    Task("settings", 'Click "Save"', "Saved", 1),
    Task("ticket", 'File a ticket with the title "Seal leaks"', "Filed: Seal leaks, low", 2),
    Task(
        "ticket",
        'Enter "Seal leaks" as Title, select high as Priority and click File ticket',
        "Filed: Seal leaks, high",
        3,
    ),
    Task("tabs", "Open the invoices", "Invoices opened", 1),
    Task("tabs", 'Click "Reports"', "Reports opened", 1),
    Task("search", "Search for bearing 6204", "Found bearing 6204", 2),
    Task("search", 'Type "6204" into Search and click Find', "Found 6204", 2),
    Task("search", "Open the help", "Help opened", 1),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an errand.

    Attributes:
        said: why the step was not done, as the step says it; empty where it says that it was.
        right: whether the page is as it should be.
    """

    task: Task
    until: bool
    said: str
    right: bool
    seconds: float


async def measure(tasks: Sequence[Task], errand: Errand) -> list[Outcome]:
    """Each errand on a fresh page, with and without `until`."""
    from llava_agent.egress import AllowList

    found = []
    with tempfile.TemporaryDirectory() as name, Served(Path(name)) as base:
        async with BrowserSession(AllowList.of(base)) as session:
            for task in tasks:
                (Path(name) / "page.html").write_text(
                    f"<!doctype html><meta charset=utf-8>{_STYLE}{PAGES[task.page]}{_SCRIPT}",
                    encoding="utf-8",
                )
                for until in (True, False):
                    await PageSurface(session).open(f"{base}/page.html")
                    began = time.perf_counter()
                    do = Do(task=task.words, until=task.done if until else None, steps=6, seconds=60)
                    said = await errand(session, do)
                    note = await session.page.evaluate("() => note.textContent")
                    spent = time.perf_counter() - began
                    found.append(Outcome(task, until, said, note == task.done, spent))
                    print(
                        f"{'right' if note == task.done else 'wrong':6}{spent:6.1f} s  {task.words} "
                        f"(page: {note}; step: {said or 'done'})",
                        file=sys.stderr,
                    )
    return found


def figures(outcomes: Sequence[Outcome]) -> dict[str, object]:
    """Counts with intervals: done rightly, and what the step said of it."""
    return {
        "errands": len(outcomes),
        "done_rightly": Share(sum(one.right for one in outcomes), len(outcomes)).as_dict(),
        "of_one_action": _rightly([one for one in outcomes if one.task.actions == 1]),
        "of_several_actions": _rightly([one for one in outcomes if one.task.actions > 1]),
        "said_done_and_was_not": sum(not one.said and not one.right for one in outcomes),
        "said_not_done_and_was": sum(bool(one.said) and one.right for one in outcomes),
        "seconds_median": round(median(one.seconds for one in outcomes), 1) if outcomes else None,
    }


def _rightly(outcomes: Sequence[Outcome]) -> str:
    return f"{sum(one.right for one in outcomes)} of {len(outcomes)}"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    parser.add_argument("--tasks", type=int, help="only the first so many")
    parser.add_argument("--model", default="auto", metavar="PRESET")
    given = parser.parse_args(arguments)
    from llava_agent.assembly import assemble
    from llava_agent.checks.model import errand_with

    found = asyncio.run(measure(TASKS[: given.tasks], errand_with(assemble(given.model))))
    sets = {"with_until": [one for one in found if one.until], "without": [o for o in found if not o.until]}
    text = json.dumps({name: figures(one) for name, one in sets.items()}, indent=2)
    if given.out:
        given.out.write_text(text + "\n", encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
