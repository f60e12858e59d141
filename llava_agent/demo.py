"""The main job, end to end: a photo, a web application, its API, and a check from outside.

Nothing here is scripted: the models of the gateway decide every step. What this module knows of the right
values is used only after the runs, to verify what is in the application's database.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import llava_agent
from llava_agent.agent.expect import Reads, Shows
from llava_agent.agent.fact import Fact
from llava_agent.agent.loop import Progress
from llava_agent.agent.picture import Find
from llava_agent.agent.report import Check, write_report
from llava_agent.agent.result import RunResult
from llava_agent.agent.run import MakePolicy, run_task
from llava_agent.agent.state import Budget
from llava_agent.agent.surfaces import Sight
from llava_agent.errors import ConfigError, ToolError
from llava_agent.gateway.compare import Comparison, compare_with_vision
from llava_agent.gateway.gateway import Gateway

if TYPE_CHECKING:
    from examples.maintenance import Ticket

CONDITION = "Seal is leaking"
PRIORITY = "high"
WEB_TASK = (
    "File a ticket for the pump with the asset tag, serial number, model and pressure reading from the photo"
    f', priority {PRIORITY}, and the condition "{CONDITION}". Submit it'
)
API_TASK = "Find the ticket with the serial number"
#: What is looked for on the photo, and the column that it ends up in.
READINGS = {
    "asset tag": "asset_tag",
    "serial number": "serial_number",
    "model": "model",
    "pressure reading": "pressure_bar",
}
#: A needle between two strokes is read to this share of the value's scale (0 to 10 bar on the photo).
PRESSURE_TOLERANCE = 0.2
STEPS = 30

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demo did and what was found in the database afterwards."""

    web: RunResult
    api: RunResult | None
    checks: tuple[Check, ...]
    comparison: Comparison | None
    report: Path

    @property
    def passed(self) -> bool:
        """Both runs passed and everything checked from outside holds."""
        runs = (self.web, self.api)
        return all(run is not None and run.status == "passed" for run in runs) and all(
            check.held for check in self.checks
        )

    @property
    def exit_code(self) -> int:
        return 0 if self.passed else 1

    def as_dict(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "status": "passed" if self.passed else "failed",
            "web": self.web.as_dict(),
            "api": self.api.as_dict() if self.api else None,
            "checks": [{"held": check.held, "words": check.words} for check in self.checks],
            "comparison": _comparison(self.comparison),
            "report": str(self.report),
        }


async def run_demo(
    gateway: Gateway,
    out: Path,
    *,
    photo: Path | None = None,
    observation: Sight = "hybrid",
    policy: str | MakePolicy = "routed",
    compare: bool = True,
    find: Find | None = None,
    progress: Progress | None = None,
    say: Say = print,
) -> DemoResult:
    """File a ticket from a photo in the web application, look it up through the API, verify both.

    Args:
        gateway: its models take every decision.
        out: folder for the two runs, the database and the report; must not hold a demo already.
        photo: the user's own; the included pump without one.
        compare: measure afterwards what the vision model alone would have cost.
        find: the detectors for the photo; OCR, shapes and dials where none is given.
        say: what a person reads on the way.

    Raises:
        ConfigError: the example application is not there (only a clone of the repository has it), or `out`
            holds a demo already.
    """
    examples, application = _examples()
    picture = photo or examples / "photos" / "pump.jpg"
    database = _database(out)
    with application.serve(database) as url:
        say(f"The maintenance application runs at {url}, the photo is {picture}.")
        say(f"\nOn the page: {WEB_TASK}.")
        web = await run_task(
            f"{url}/",
            WEB_TASK,
            gateway=gateway,
            out=out / "web",
            images=[picture],
            observation=observation,
            policy=policy,
            budget=Budget(steps=STEPS),
            expectations=[Shows("The ticket was saved")],
            keep_asked=compare,
            progress=progress,
            find=find,
        )
        say(f"{web.status}: {web.reason}")
        api = await _look_up(url, web.facts, gateway, policy, out / "api", progress, say)
    checks = tuple(verify(application.tickets(database), expected_values(picture, web.facts)))
    comparison = None
    if compare and web.gateway.asked:
        say("\nAsking the vision model what the text model decided, to measure the difference ...")
        comparison = await asyncio.to_thread(compare_with_vision, web.gateway, web.gateway.asked)
    runs = [run for run in (web, api) if run is not None]
    report = write_report(
        [run.folder for run in runs],
        out / "report.html",
        title="From a photo to a ticket",
        checks=checks,
        comparison=comparison,
    )
    return DemoResult(web, api, checks, comparison, report)


async def _look_up(
    url: str,
    facts: Sequence[Fact],
    gateway: Gateway,
    policy: str | MakePolicy,
    out: Path,
    progress: Progress | None,
    say: Say,
) -> RunResult | None:
    """Find the record again through the tool made from the application's OpenAPI document."""
    serial = next((fact.value for fact in facts if _column(fact.name) == "serial_number"), None)
    if serial is None:
        say("\nThrough the API: left out, because no serial number was read.")
        return None
    say(f"\nThrough the API: {API_TASK}.")
    result = await run_task(
        f"{url}/openapi.json",
        API_TASK,
        gateway=gateway,
        out=out,
        surface="api",
        policy=policy,
        budget=Budget(steps=STEPS),
        expectations=[Reads("serial number", serial)],
        known=facts,
        progress=progress,
    )
    say(f"{result.status}: {result.reason}")
    return result


def expected_values(photo: Path, facts: Sequence[Fact]) -> dict[str, str]:
    """Column -> right value: what is known of an included photo, else what the agent says that it read."""
    truth = photo.with_suffix(".json")
    if truth.is_file() and truth.parent.name == "photos" and truth.parent.parent.name == "examples":
        readings = json.loads(truth.read_text(encoding="utf-8"))["readings"]
        names = {"pressure_bar": "pressure"}
        columns = ("asset_tag", "serial_number", "model", "pressure_bar")
        return {
            column: str(readings[name]["value"])
            for column in columns
            if (name := names.get(column, column)) in readings
        }
    return {column: fact.value for fact in facts if (column := _column(fact.name))}


def verify(tickets: Sequence[Ticket], expected: dict[str, str]) -> Iterator[Check]:
    """What has to be true of the database afterwards: one ticket from the web, with the right values."""
    filed = [ticket for ticket in tickets if ticket.source == "web"]
    yield Check(len(filed) == 1, f"the database holds exactly one new ticket (it holds {len(filed)})")
    if not expected:
        yield Check(False, "values were read from the photo (there are none)")
    wanted = {**expected, "priority": PRIORITY, "condition": CONDITION}
    for column, value in wanted.items():
        stored = [getattr(ticket, column) for ticket in filed]
        held = len(stored) == 1 and _same(column, stored[0], value)
        found = ", ".join(str(one) for one in stored) or "nothing"
        yield Check(held, f"{_words(column)} is {value} (stored: {found})")


def summary(result: DemoResult) -> str:
    """The end of the demo, for a terminal."""
    lines = ["", "Verified in the application's database:"]
    lines += [f"  {'✓' if check.held else '✗'} {check.words}" for check in result.checks]
    lines += ["", "Which model took the calls:"]
    for run in (result.web, result.api):
        for name, total in run.models.items() if run else ():
            where = "page" if run is result.web else "API"
            image = f" ({total.image_tokens} image)" if total.image_tokens else ""
            lines.append(
                f"  {name} on the {where}: {total.calls} calls, {total.prompt_tokens} prompt tokens{image}, "
                f"{total.output_tokens} output tokens, {total.ms / 1000:.1f} s"
            )
    measured = result.comparison
    if measured:
        lines.append(
            f"  The same page steps with the vision model alone (measured): {measured.vision.tokens} tokens, "
            f"{measured.vision.ms / 1000:.1f} s, instead of {measured.routed.tokens} tokens, "
            f"{measured.routed.ms / 1000:.1f} s"
        )
    lines += ["", f"Result: {'passed' if result.passed else 'failed'}", f"Report: {result.report}"]
    return "\n".join(lines)


def _column(name: str) -> str | None:
    """The column that a fact belongs to, by its name."""
    return next((column for words, column in READINGS.items() if words in name.casefold()), None)


def _words(column: str) -> str:
    return "pressure in bar" if column == "pressure_bar" else column.replace("_", " ")


def _same(column: str, stored: object, wanted: str) -> bool:
    if column != "pressure_bar":
        return str(stored) == wanted
    number = re.search(r"-?\d+(?:[.,]\d+)?", wanted)
    if number is None or not isinstance(stored, float):
        return False
    return abs(stored - float(number[0].replace(",", "."))) <= PRESSURE_TOLERANCE


def _database(out: Path) -> Path:
    """Where the application keeps its tickets; its folder is made."""
    database = out / "tickets.db"
    if database.exists():
        raise ConfigError(f"{out} holds a demo already", "choose another folder")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ToolError(f"{out} cannot be made ({error.strerror})", "choose another folder") from error
    return database


def _examples() -> tuple[Path, ModuleType]:
    """The folder of the examples and the maintenance application; only a clone of the repository has them."""
    folder = Path(llava_agent.__file__).resolve().parents[1] / "examples"
    if not (folder / "maintenance").is_dir():
        raise ConfigError(
            "the demo needs the example application, which is not part of the installed package",
            "clone the repository and run `make demo` there",
        )
    # A console script does not look for packages beside the one that it comes from.
    if str(folder.parent) not in sys.path:
        sys.path.insert(0, str(folder.parent))
    return folder, importlib.import_module("examples.maintenance")


def _comparison(measured: Comparison | None) -> dict[str, object] | None:
    if measured is None:
        return None
    return {
        "asked_again": measured.asked_again,
        "agreed": measured.agreed,
        "routed": {"tokens": measured.routed.tokens, "ms": round(measured.routed.ms, 1)},
        "vision": {"tokens": measured.vision.tokens, "ms": round(measured.vision.ms, 1)},
    }
