"""What the desk does: stores checks, runs them and follows the run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from llava_agent.errors import ConfigError, NotFound
from llava_agent.service.check_intake import own_names, taken
from llava_agent.service.routes.checks import begin, expectations, found_in
from llava_agent.service.work import check as work
from llava_agent.ui.cards import failed_card, hint_card, waiting_card
from llava_agent.ui.checks import words
from llava_agent.ui.checks.view import history_view, result_card, run_choices, variants_view

if TYPE_CHECKING:
    from llava_agent.gateway.principal import Principal
    from llava_agent.service.desk import Desk
    from llava_agent.service.store.checks import StoredCheck
    from llava_agent.service.store.runs import StoredRun

#: Seconds between two looks at a run.
_LOOK_S = 0.3
#: Runs in the history.
_PAST = 20


@dataclass(frozen=True, slots=True)
class Shown:
    """A run as the desk shows it.

    Attributes:
        run: its id; empty for none.
        baselines: names of pictures that may be accepted.
        runs: the runs of the check, for the list.
    """

    card: str
    run: str = ""
    view: str = ""
    history: str = ""
    baselines: tuple[str, ...] = ()
    runs: list[tuple[str, str]] = field(default_factory=list)
    over: bool = True


def kept(desk: Desk, who: Principal, id: str, text: str, files: Sequence[str]) -> StoredCheck:
    """The check with its text and pictures as they stand on the page, stored.

    Raises:
        ConfigError: there is no text.
        BadRequest: it is no spec; its line says where.
    """
    if not text.strip():
        raise ConfigError(words.NO_SPEC, words.NO_SPEC_MEND)
    paths = [path for path in files if not is_spec(path)]
    pictures = {name: Path(path).read_bytes() for name, path in zip(own_names(paths), paths, strict=True)}
    spec, stored = taken(desk, who, text, pictures, id)
    if not id:
        return desk.checks.add(who, spec.name, text, stored)[0]
    check = desk.checks.get(who, id)
    if check.text == text and not stored:
        return check
    return desk.checks.change(who, id, check.version, spec.name, text, stored)


def is_spec(path: str) -> bool:
    return path.lower().endswith((".yaml", ".yml"))


async def follow(desk: Desk, who: Principal, check: StoredCheck) -> AsyncIterator[Shown]:
    """Run a check and say how it goes; whoever leaves the page loses nothing."""
    run: StoredRun = await asyncio.to_thread(begin, desk, who, check.id)
    card = waiting_card(words.WAITING)
    yield Shown(card, run.id, over=False)
    while not run.over:
        await asyncio.sleep(_LOOK_S)
        run = await asyncio.to_thread(desk.runs.get, who, run.id)
        said = [one for one in await asyncio.to_thread(desk.runs.events, who, run.id) if one.kind == "look"]
        now = waiting_card(words.STOPPING) if run.cancel else card
        if said and not run.cancel:
            body = said[-1].body
            name = body["variant"] or words.ONE_WAY
            now = waiting_card(words.LOOKING.format(name=name, at=body["at"], of=body["of"]))
        if now != card and not run.over:
            card = now
            yield Shown(card, run.id, over=False)
    yield await asyncio.to_thread(shown, desk, who, check.id, run.id)


async def drafted(desk: Desk, who: Principal, url: str) -> str:
    """A first spec of a page.

    Raises:
        ConfigError: no page, or it cannot be looked at.
    """
    if not url.strip():
        raise ConfigError(words.NO_PAGE, words.NO_PAGE_MEND)
    desk.reach.check_literal(url.strip())
    run = await asyncio.to_thread(desk.begin, who, work.DRAFT, {"url": url.strip()})
    while not run.over:
        await asyncio.sleep(_LOOK_S)
        run = await asyncio.to_thread(desk.runs.get, who, run.id)
    if run.state != "done" or run.result is None:
        raise ConfigError(f"no spec was written ({run.reason or run.state})", words.NO_PAGE_MEND)
    return str(run.result["text"])


def shown(desk: Desk, who: Principal, check: str, run: str = "") -> Shown:
    """A run of a check, the last one if none is named; with the history of the check."""
    past = desk.checks.history(who, check, _PAST)
    history = history_view(past, expectations(past))
    runs = run_choices([desk.runs.get(who, one.run) for one in reversed(past)])
    run = run or (past[-1].run if past else "")
    if not run:
        return Shown(hint_card(words.HINT), history=history, runs=runs)
    stored = desk.runs.get(who, run)
    if stored.state == "cancelled":
        return Shown(hint_card(words.STOPPED), run, history=history, runs=runs)
    if stored.state != "done":
        card = failed_card(stored.reason) if stored.over else waiting_card(words.STATES[stored.state])
        return Shown(card, run, history=history, runs=runs, over=stored.over)
    found = found_in(desk, who, check, run)
    names = [
        one["baseline"]
        for variant in found
        for one in variant["verdicts"]
        if one.get("baseline") and one["status"] != "pass" and one["picture"]
    ]
    view = variants_view(stored, found)
    return Shown(result_card(stored), run, view, history, tuple(dict.fromkeys(names)), runs)


def stop(desk: Desk, who: Principal, run: str) -> None:
    """Raises NotFound where no run is chosen."""
    if not run:
        raise NotFound(words.NO_RUN, words.NO_RUN_MEND)
    desk.runs.cancel(who, run)
