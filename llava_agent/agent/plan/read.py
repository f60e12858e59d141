"""Reads a goal into a plan: clauses, each an order, each with what it names and what it gives.

Nothing is written that the goal does not say: a part quotes the goal. A clause that is no such order is a
`free` part, which is the model's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from llava_agent.agent.plan.clauses import FILL, PRESS, clauses
from llava_agent.agent.plan.given import fills, read_source
from llava_agent.agent.plan.part import Part, Phrase, Plan, Source
from llava_agent.agent.plan.phrase import read_phrase

_FOR = re.compile(
    r"^(?:for|as|in|on)\s+(?:the\s+)?(?:user|post|message|row|entry)\s+(?P<who>[^\s,]+)\s*(?:,\s*|$)",
    re.IGNORECASE,
)
_PURPOSE = re.compile(
    r"\s+to\s+(?:mark|delete|make|remove|open|close|submit|send|find|search|see|show)\b.*$", re.IGNORECASE
)
#: Several things one after another by what they say: more than naming them.
_SEQUENCE = re.compile(r"\bin (?:\w+ )?order\b", re.IGNORECASE)
_WAY = re.compile(
    r"(?:to )?(?:the )?(?P<way>(?:top|bottom) (?:left|right)|left|right|up|down|top|bottom|end|start)",
    re.IGNORECASE,
)


#: What is asked for, and what its control may be called.
_SIGNS = {
    "delete": ("delete", "trash", "remove", "bin"),
    "important": ("important", "star", "favorite"),
    "star": ("star", "favorite"),
    "like": ("like", "heart"),
    "close": ("close", "x"),
}


@dataclass(frozen=True, slots=True)
class _Clause:
    """A clause that fits a form: its words, its groups, and what earlier clauses said.

    Attributes:
        near: whose row is meant.
        copied: the text that was said to be copied.
    """

    words: str
    found: re.Match[str]
    near: str
    copied: Source | None


#: Parts; a text to be copied, which is no part by itself; None where it is no such order after all.
_Made = list[Part] | Source | None


def read_plan(goal: str) -> Plan:
    """The plan that the goal's own words make; empty for a goal without words."""
    parts: list[Part] = []
    near, copied = "", None
    for words in clauses(goal):
        scope = _FOR.match(words)
        rest = words[scope.end() :] if scope else words
        near = scope["who"].strip("\"'") if scope else near
        made = _parts(rest, near, copied) if rest else []
        if isinstance(made, Source):
            copied = made
        else:
            parts += made
    return Plan.of(
        tuple(part for index, part in enumerate(parts) if not index or not _same(part, parts[index - 1]))
    )


def _parts(words: str, near: str, copied: Source | None) -> list[Part] | Source:
    for form, make in _FORMS:
        found = form.match(words)
        made = make(_Clause(words, found, near, copied)) if found else None
        if made is not None:
            return made
    return [Part("free", words)]


def _same(one: Part, other: Part) -> bool:
    """The same thing said twice in a row (`and submit. Press submit`)."""
    if one.kind == "free":
        return False
    return replace(one, quote="") == replace(other, quote="")


def _press(clause: _Clause) -> _Made:
    rest = _PURPOSE.sub("", clause.found["rest"]).strip()
    if _SEQUENCE.search(rest):
        return None
    path = [name.strip() for name in re.split(r"\s*(?:>|›|→)\s*", rest.rstrip("."))]
    if len(path) > 1 and all(path) and '"' not in rest:
        return [Part("press", clause.words, Phrase((name,), near=clause.near)) for name in path]
    if re.match(r"(?:it|them|that(?: (?:e?mail|message|post|item))?)\b", rest, re.IGNORECASE):
        return _sign(clause)
    if clause.found["verb"].lower() == "go" and not re.match(r"to\b", rest, re.IGNORECASE):
        return None
    if re.match(r"nothing\b", rest, re.IGNORECASE):
        return []
    given = re.match(r"(?P<value>\S+) as the (?P<field>\w+)$", rest.rstrip("."), re.IGNORECASE)
    if given:
        return [Part("fill", clause.words, Phrase((given["field"],), "field"), given["value"])]
    names = _listed(rest)
    if len(names) > 1:
        return [Part("press", clause.words, Phrase((name,), near=clause.near)) for name in names]
    return [Part("press", clause.words, read_phrase(rest, clause.near))]


def _sign(clause: _Clause) -> _Made:
    """`delete it`, `mark it as important`: the control that is named for it."""
    said = clause.words.lower()
    names = next((names for word, names in _SIGNS.items() if word in said), None)
    return [Part("press", clause.words, Phrase(names, "button", near=clause.near))] if names else None


def _listed(rest: str) -> list[str]:
    """The names of a list `a, b and c`; the whole where it is none."""
    if '"' in rest or "," not in rest or re.search(r"\b(?:the|from|with|of|that|which)\b", rest):
        return [rest]
    return [name.strip() for name in re.split(r",\s*(?:and\s+)?|\s+and\s+", rest.rstrip(".")) if name.strip()]


def _choose(clause: _Clause) -> _Made:
    what = clause.found["what"].strip(" \"'")
    where = read_phrase(clause.found["where"], clause.near)
    if where.role == "slider":
        return [Part("fill", clause.words, where, what)]
    return [Part("choose", clause.words, where, name) for name in _listed(what)]


def _fill(clause: _Clause) -> _Made:
    return fills(clause.words, clause.found["rest"], clause.copied)


def _copy(clause: _Clause) -> _Made:
    return read_source(clause.found["rest"])


def _find(clause: _Clause) -> _Made:
    """What is looked for is opened, or names the text that is meant later."""
    rest = clause.found["rest"]
    if clause.found["verb"].lower().startswith("search"):
        return _search(clause)
    source = read_source(rest) if re.match(r"the .*\bword\b", rest, re.IGNORECASE) else None
    if source:
        return source
    by = re.search(r"\b(?:by|from|of|named|called)\s+(?P<who>.+)$", rest, re.IGNORECASE) or re.match(
        r"(?P<who>\w+)'s\s+(?:\w+\s+)?(?:e?mail|message|post)\b", rest, re.IGNORECASE
    )
    phrase = read_phrase(by["who"] if by else rest, clause.near)
    return [Part("press", clause.words, phrase)] if phrase.names or phrase.extreme else None


def _search(clause: _Clause) -> _Made:
    quoted = re.fullmatch(r'"(?P<words>[^"]+)"\.?', clause.found["rest"].strip())
    if quoted is None:
        return None
    return [
        Part("fill", clause.words, Phrase(role="field"), quoted["words"]),
        Part("press", clause.words, Phrase(("Search",), "button")),
    ]


def _drag(clause: _Clause) -> _Made:
    what, rest = read_phrase(clause.found["what"]), clause.found["where"].strip(" .,")
    way = _WAY.fullmatch(rest)
    if way:
        return [Part("drag", clause.words, what, to=way["way"].lower())]
    place = re.fullmatch(r"to the (?P<nth>\S+) (?:position|place|spot)", rest, re.IGNORECASE)
    if place:
        return [
            Part("drag", clause.words, what, to=replace(read_phrase(place["nth"]), role="item", names=()))
        ]
    goal = read_phrase(re.sub(r"^(?:(?:in)?to|onto|over)\s+", "", rest))
    return [Part("drag", clause.words, what, to=goal)] if goal != Phrase() else None


def _scroll(clause: _Clause) -> _Made:
    rest = clause.found["rest"]
    where = re.search(r"\b(?:in|of)\s+(.*)$", rest, re.IGNORECASE)
    up = re.search(r"\b(?:top|up|start)\b", rest, re.IGNORECASE)
    return [Part("scroll", clause.words, read_phrase(where[1] if where else rest), to="up" if up else "down")]


def _highlight(clause: _Clause) -> _Made:
    rest = re.sub(r"^the text (?:in|of)\s+", "", clause.found["rest"], flags=re.IGNORECASE)
    return [Part("highlight", clause.words, read_phrase(rest))]


def _submit(clause: _Clause) -> _Made:
    return [Part("press", clause.words, Phrase(("Submit",), "button"))]


def _form(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL | re.VERBOSE)


#: Tried in this order.
_FORMS: tuple[tuple[re.Pattern[str], Callable[[_Clause], _Made]], ...] = (
    (_form(r"submit\b.*$"), _submit),
    (
        _form(
            r"""(?:select|choose|pick|set)\s+(?P<what>.+?)\s+(?:from|with|in|using|on)\s+
            (?P<where>(?:the|an?)\s+(?:[\w-]+\s+)*?(?:list|drop-?down|slider|spinner|menu)\b.*)$"""
        ),
        _choose,
    ),
    (_form(r"use\s+(?P<where>the\ .+?)\s+to\s+(?:enter|type)\s+(?P<rest>.+)$"), _fill),
    (_form(r"copy\s+(?P<rest>.+)$"), _copy),
    (_form(r"highlight\s+(?P<rest>.+)$"), _highlight),
    (_form(r"scroll\s+(?P<rest>.+)$"), _scroll),
    (
        _form(r"(?:drag|move)\s+(?P<what>.+?)\s+(?P<where>(?:(?:in)?to|onto|over|left|right|up|down)\b.*)$"),
        _drag,
    ),
    (_form(rf"(?:{FILL}|paste)\s+(?P<rest>.+)$"), _fill),
    (_form(r"(?P<verb>find|search\ for|navigate\ to)\s+(?P<rest>.+)$"), _find),
    (_form(rf"(?P<verb>{PRESS})\s+(?P<rest>.+)$"), _press),
)
