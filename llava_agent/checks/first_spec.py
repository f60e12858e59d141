"""A first spec from a page as it is: its headings, buttons, boxes and texts, the stable ones only."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llava_agent.checks.expectation import Expectation
from llava_agent.checks.judge import judge
from llava_agent.checks.look.subject import PageSubject
from llava_agent.checks.opening import opened
from llava_agent.checks.sighting import Sighting
from llava_agent.checks.spans import folded, runs
from llava_agent.checks.spec import Spec
from llava_agent.egress import ANYWHERE, Reach

#: Most expectations of each kind.
_HEADINGS, _CONTROLS, _TEXTS = 6, 10, 10
#: Seconds between two looks; what changes in them is not stable.
_BETWEEN = 1.5
#: Times, dates and long numbers change from day to day.
_PASSING = re.compile(
    r"\d{1,2}:\d{2}|\d{4}-\d{2}-\d{2}|\d{1,2}[./]\d{1,2}[./]\d{2,4}|\bago\b|\d{6,}", re.IGNORECASE
)
_TOGGLES = ("checkbox", "radio", "switch")
_GENERAL: tuple[dict[str, Any], ...] = (
    {"image": "everything"},
    {"not_cut_off": "everything"},
    {"no_overlap": "everything"},
    {"contrast": "everything"},
    {"no_errors": True},
)


async def first_spec(page: str, folder: Path | None, reach: Reach = ANYWHERE) -> dict[str, Any]:
    """What a spec of the page may say, as it is written into a file; all of it holds now.

    Args:
        page: an address, or a file in `folder`.
        reach: which addresses the page may lead to.

    Raises:
        ConfigError: there is no such file.
        ToolError: the page cannot be reached, or is empty.
    """
    probe = Spec.model_validate({"name": "first look", "page": page, "expect": [{"shows": "x"}]})
    looks: list[Sighting] = []
    for _ in range(2):
        async with opened(probe, probe.variants()[0], folder, None, reach) as subject:
            looks.append(await subject.look())
            if isinstance(subject, PageSubject):
                await asyncio.sleep(_BETWEEN)
                looks.append(await subject.look())
    held = [one for one in _once(_proposed(looks[-1])) if all(_holds(one, seen) for seen in looks)]
    return {"name": _name(page, looks[-1]), "page": page, "expect": held}


def _holds(one: dict[str, Any], seen: Sighting) -> bool:
    return judge(Expectation.model_validate(one), seen, Path(), None).status == "pass"


def _proposed(seen: Sighting) -> Iterator[dict[str, Any]]:
    marks = [mark for _, mark in seen.marks() if mark.text and len(mark.text) <= 80]
    headings = [mark.text for mark in marks if mark.role == "heading" and not _PASSING.search(mark.text)]
    yield from ({"shows": {"name": text, "role": "heading"}} for text in headings[:_HEADINGS])
    controls = [mark for mark in marks if mark.role in ("button", *_TOGGLES)]
    for mark in controls[:_CONTROLS]:
        if mark.role in _TOGGLES:
            state = "checked" if {"checked", "pressed"} & set(mark.states) else "unchecked"
        else:
            state = "disabled" if "disabled" in mark.states else "enabled"
        yield {"state": {"name": mark.text, "role": mark.role, "is": state}}
    for role in ("textbox", "combobox", "link"):
        count = sum(mark.role == role for _, mark in seen.marks())
        if count:
            yield {"count": {"role": role, "equals": count}}
    said = {folded(mark.text) for mark in marks if mark.role != "text"}
    texts = [
        span.text
        for part in seen.parts
        for span in runs(part)
        if all(word.seen and word.kind in ("text", "ocr") and not word.owned for word in span.words)
    ]
    fresh = [text for text in dict.fromkeys(texts) if 3 <= len(text) <= 60 and folded(text) not in said]
    stable = [text for text in fresh if not _PASSING.search(text) and text.lower() != text.upper()]
    yield from ({"text": text} for text in stable[:_TEXTS])
    yield from _GENERAL


def _once(proposed: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({str(one): one for one in proposed}.values())


def _name(page: str, seen: Sighting) -> str:
    heading = next((mark.text for _, mark in seen.marks() if mark.role == "heading" and mark.text), "")
    return heading[:60] or Path(page).stem or page


def written(spec: dict[str, Any]) -> str:
    """The spec as YAML."""
    import yaml

    head = "# Written from the page as it was; keep what must stay true.\n"
    return head + yaml.safe_dump(spec, sort_keys=False, allow_unicode=True, width=100)
