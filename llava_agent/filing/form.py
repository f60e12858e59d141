"""Filing through a web form: the agent's loop fills it in by its labels, sends it once, reads the page."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from pydantic import JsonValue

from llava_agent.agent.decision import FIELDS, Decision
from llava_agent.agent.expect import AddressHas, Shows
from llava_agent.agent.permission import START, Permission, Rule
from llava_agent.agent.run import run_task
from llava_agent.agent.state import Budget, State
from llava_agent.agent.supervision import Supervision
from llava_agent.agent.verify import Verification
from llava_agent.egress import AllowList
from llava_agent.errors import LlavaAgentError, ToolError
from llava_agent.filing.config import FormTarget, filled
from llava_agent.filing.destination import Difference, Receipt, equal
from llava_agent.filing.fill import Problem
from llava_agent.gateway.gateway import Gateway
from llava_agent.inspection.units import quantity
from tools.action import Action, Check, Click, Done, Scroll, Select, Target, Type
from tools.mark import Mark
from tools.observation import Observation, Surface

#: A window in which most forms are seen whole, in CSS pixels; longer ones are scrolled.
_WINDOW = (1000, 2000)
#: What a page shows for a ticked and an empty box.
_YES, _NO = frozenset({"yes", "true", "on", "ja"}), frozenset({"no", "false", "off", "nein", "–", "-", ""})
_TICKS = frozenset({"checkbox", "switch"})
_LISTS = frozenset({"combobox", "listbox", "select"})
#: What only names a control.
_NAMES = frozenset({"text", "heading", "label"})


class FormDestination:
    """One web form.

    Args:
        folder: of the agent's run; made by it. None where only checks are made.
    """

    def __init__(self, target: FormTarget, folder: Path | None) -> None:
        self._target, self._folder = target, folder

    async def check(
        self, values: Mapping[str, JsonValue], *, live: bool = True
    ) -> tuple[Mapping[str, JsonValue], list[Problem]]:
        """Open the form and see that each field is there; nothing is filled in."""
        if not live:
            return values, []
        async with _window(self._target.address) as surface:
            seen = await surface.observe()
        if seen.scroll is not None:
            return values, []  # the rest of it is seen when it is filled in
        return values, [
            Problem(name, f"the form at {self._target.address} has no field {name!r}: correct the file")
            for name in [*values, self._target.submit]
            if _control(name, seen.marks) is None
        ]

    async def send(self, values: Mapping[str, JsonValue], once: str) -> Receipt:
        assert self._folder is not None
        arrival = _Arrival(self._target, values)
        policy = _FillIn(self._target, values)
        try:
            result = await run_task(
                self._target.address,
                f"File the record {once}",
                gateway=Gateway({}),
                out=self._folder,
                policy=lambda _: policy,
                budget=Budget(steps=len(values) + 20, seconds=self._target.seconds),
                expectations=[arrival],
                stop_when_met=True,
                open_surface=_window,
                # The filing itself was approved; the form's own button must not ask again.
                supervision=Supervision(Permission(rules=(_HERE,))),
            )
        except (LlavaAgentError, OSError) as error:
            return self._cut(policy, str(error))
        if not arrival.arrived:
            return self._cut(policy, policy.trouble or arrival.detail or result.reason)
        differences = arrival.differences
        reason = "; ".join(one.sentence for one in differences)
        verified = not differences if self._target.read_back else None
        if verified is None:
            reason = "this destination has no read-back"
        link = arrival.address
        evidence = {"steps": result.spent.steps, "seconds": round(result.spent.seconds, 1)}
        number = re.search(r"\d+", link.rpartition("//")[2].partition("/")[2])
        reference = number[0] if number else ""
        return Receipt("filed", reason, reference, link, verified, differences, evidence, self._folder)

    def _cut(self, policy: _FillIn, why: str) -> Receipt:
        """It did not come to its end: whether anything was sent is known by the button."""
        if policy.sent:
            reason = f"the form was sent, and the page did not confirm it ({why})"
            return Receipt("unknown", reason, folder=self._folder)
        return Receipt("failed", f"the form was not sent: {why}", folder=self._folder)

    async def look_up(self, values: Mapping[str, JsonValue], once: str) -> Receipt:
        look = self._target.look_up
        if look is None:
            return Receipt("unknown", "this destination has no look-up: look in the other system yourself")
        given = {**values, "record": once}
        address = filled(look.address, lambda name: quote(_text(given[name]), safe=""))
        shows = filled(look.shows, lambda name: _text(given[name]))
        try:
            async with _window(address) as surface:
                seen = await surface.observe()
        except LlavaAgentError as failure:
            return Receipt("unknown", f"the other system could not be looked into ({failure})")
        # A search field shows what was searched; only what the page says of its own counts.
        read = tuple(one for one in seen.marks if one.role not in FIELDS)
        verdict = await Shows(shows).check(replace(seen, marks=read))
        if verdict.held:
            return Receipt("filed", "found there by a look-up", "", address, None)
        if verdict.status == "uncertain":
            return Receipt("unknown", "the page is longer than what was seen of it: look there yourself")
        return Receipt("failed", "it never arrived: the other system does not show it")

    async def close(self) -> None:
        return None


_HERE = Rule(name="the form that the record is filed through", hosts=(START,), decision="allow")


class _FillIn:
    """The policy of one filing: field by field, then the button; at the first trouble it stops."""

    name = "form"

    def __init__(self, target: FormTarget, values: Mapping[str, JsonValue]) -> None:
        self._left = list(values.items())
        self._submit = target.submit
        self.sent = False
        self.trouble = ""

    def decide(self, state: State, observation: Observation) -> Decision:
        if state.trouble and not self.sent:
            self.trouble = self.trouble or state.trouble
        if self.trouble or self.sent:
            return Decision(Done(), self.trouble or "the form was sent")
        name = self._left[0][0] if self._left else self._submit
        mark = _control(name, observation.marks)
        if mark is None and observation.scroll is not None and observation.scroll < 1:
            return Decision(Scroll(), f"{name} is further down")
        if mark is None:
            self.trouble = f"the form has no field {name!r}"
            return Decision(Done(), self.trouble)
        if not self._left:
            self.sent = True
            return Decision(Click(target=Target(ref=mark.ref)), "every field is filled in")
        _, value = self._left.pop(0)
        return Decision(_entry(mark, value), f"the record's {name}")


@dataclass(slots=True)
class _Arrival:
    """The expectation: the page says that it was taken. What it shows is kept, to be compared."""

    target: FormTarget
    values: Mapping[str, JsonValue]
    arrived: bool = False
    address: str = ""
    detail: str = ""
    differences: tuple[Difference, ...] = ()

    @property
    def exact(self) -> bool:
        return True

    def words(self) -> str:
        return " and ".join(one.words() for one in self._signs())

    async def check(self, observation: Observation) -> Verification:
        verdicts = [await one.check(observation) for one in self._signs()]
        missing = next((one for one in verdicts if not one.held), None)
        if missing is not None:
            self.detail = _alert(observation.marks) or missing.detail
            return missing
        self.arrived, self.address = True, observation.address
        self.differences = compared(self.target.read_back, self.values, observation.marks)
        return Verification("held", "page", self.words())

    def _signs(self) -> list[Shows | AddressHas]:
        signs: list[Shows | AddressHas] = []
        if self.target.expect_address:
            signs.append(AddressHas(self.target.expect_address))
        if self.target.expect_text:
            signs.append(Shows(self.target.expect_text))
        return signs


def compared(
    labels: Mapping[str, str], values: Mapping[str, JsonValue], marks: Sequence[Mark]
) -> tuple[Difference, ...]:
    """Fields that a page does not show as they were sent.

    Args:
        labels: what the page calls each field.
    """
    found = []
    for name, label in labels.items():
        if name not in values:
            continue
        shown = _shown_beside(label, marks)
        if not any(_same(values[name], text) for text in shown):
            found.append(Difference(name, values[name], shown[0] if shown else None))
    return tuple(found)


def _shown_beside(label: str, marks: Sequence[Mark]) -> list[str]:
    """What stands after a label: in the same text, or in the next one."""
    texts = [_plain(f"{mark.text} {mark.value or ''}") for mark in marks]
    wanted = _plain(label).rstrip(":").casefold()
    found = []
    for at, text in enumerate(texts):
        bare = text.casefold()
        if bare.rstrip(":") == wanted and at + 1 < len(texts):
            found.append(texts[at + 1])
        elif bare.startswith(wanted) and bare[len(wanted) : len(wanted) + 1] in (" ", ":"):
            found.append(text[len(wanted) :].strip(" :"))
    return found


def _same(sent: JsonValue, shown: str) -> bool:
    if isinstance(sent, bool):
        return shown.casefold() in (_YES if sent else _NO)
    if isinstance(sent, int | float):
        taken = quantity(shown)
        return taken is not None and equal(sent, taken.number)
    return equal(sent, shown)


def _entry(mark: Mark, value: JsonValue) -> Action:
    """What fills a field in, by its role."""
    target = Target(ref=mark.ref)
    if mark.role in _TICKS:
        return Check(target=target, on=value is True or _text(value).casefold() in _YES)
    if mark.role in _LISTS:
        return Select(target=target, option=_text(value))
    return Type(target=target, text=_text(value))


def _text(value: JsonValue) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _control(name: str, marks: Sequence[Mark]) -> Mark | None:
    """The one control with that name; more than one is as good as none."""
    wanted = _plain(name).casefold()
    found = [one for one in marks if one.role not in _NAMES and _plain(one.text).casefold() == wanted]
    return found[0] if len(found) == 1 else None


def _alert(marks: Sequence[Mark]) -> str:
    """What the page complains of; empty where it says nothing that looks like it."""
    return next((_plain(one.text) for one in marks if one.role in ("alert", "status") and one.text), "")


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


@asynccontextmanager
async def _window(address: str) -> AsyncIterator[Surface]:
    """The page in a browser that reaches its host alone, in a window that shows long forms."""
    from tools.browser import BrowserSession, PageSurface

    async with BrowserSession(AllowList.of(address), viewport=_WINDOW) as session:
        surface = PageSurface(session)
        opened = await surface.open(address)
        if not opened.ok:
            raise ToolError(f"{address} cannot be opened ({opened.detail})", "check the address")
        yield surface
