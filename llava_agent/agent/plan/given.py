"""What a clause gives: values for fields, said in the goal or to be read from the page."""

from __future__ import annotations

import re
from dataclasses import replace

from llava_agent.agent.plan.clauses import QUOTED, hidden
from llava_agent.agent.plan.part import Part, Phrase, Source
from llava_agent.agent.plan.phrase import read_phrase

_INTO = re.compile(
    r"\s+(?:in|into|to|as|for|on|inside|with)\s+(?=(?:the|an?|your|both|all|each|it\b|\x00))", re.IGNORECASE
)
#: `the user name "ann"`: a field by its name, and its value.
_PAIR = re.compile(
    r"""\b(?:(?:the|an?)\s+)?(?!and\b|or\b)(?P<name>\w[\w\ -]*?)
    \s+(?:of\ |as\ |to\ |is\ |=\ ?|:\ ?)?"(?P<value>[^"]*)\"""",
    re.IGNORECASE | re.VERBOSE,
)
_REFERS = re.compile(r"(?:it|that|this|them|the text|the copied text|the same)", re.IGNORECASE)
_VAGUE = re.compile(r"(?:the|an?|your|something|any|that|which|what)\b", re.IGNORECASE)
#: Names a value and does not say it: `the order number`, `my phone number`.
_WANTED = re.compile(
    r"(?:the|my|our|your)\s+(?!value|text|number$|word$|answer|result|item)(?P<name>[a-z]+(?:\s+[a-z]+){0,2})",
    re.IGNORECASE,
)
#: The value is described and not said.
_DESCRIBED = re.compile(
    r"\b(?:that|which)\s+(?:is|are|has|have|starts?|begins?|ends?|contains?)\b", re.IGNORECASE
)
_NOUN = re.compile(r"^(?:the )?(?:text|value|number|word|date|time|name)\s+(?=\S)", re.IGNORECASE)


def fills(clause: str, rest: str, copied: Source | None) -> list[Part] | None:
    """The fields that a clause fills; None where it does not say with what.

    Args:
        rest: the clause without its verb: `the name "Ann" and the code "7"`, `5 in the box`.
        copied: the text that an earlier clause said to copy or to find.
    """
    if _DESCRIBED.search(hidden(rest)):
        return None
    pairs = [(pair["name"], pair["value"]) for pair in _PAIR.finditer(rest)]
    border = _border(rest)
    field = read_phrase(rest[border[1] :]) if border else Phrase(role="field")
    if pairs and not (len(pairs) == 1 and (field.ordinal is not None or field.every)):
        return [Part("fill", clause, Phrase((name,), "field"), value) for name, value in pairs]
    value = pairs[0][1] if pairs else _value(rest[: border[0]] if border else rest, copied)
    if not value or (isinstance(value, Source) and clause[:4].lower() == "set "):
        return None  # `set the sliders to ...` names the fields first
    if field.role in ("", "text", "item"):
        field = replace(field, role="field")
    return [Part("fill", clause, field, value)]


def _border(rest: str) -> tuple[int, int] | None:
    """Where the value ends and the field begins: at the first *into*, at the last one beside quotations."""
    found = list(_INTO.finditer(hidden(rest)))
    if not found:
        return None
    return (found[-1] if QUOTED.search(rest) else found[0]).span()


def _value(what: str, copied: Source | None) -> str | Source:
    what = what.strip(" ,.")
    if _REFERS.fullmatch(what):
        return copied or ""
    quoted = QUOTED.search(what)
    if quoted:
        value = quoted[0][1:-1]
        if re.search(r"\blower[- ]?case\b", what, re.IGNORECASE):
            return value.lower()
        return value.upper() if re.search(r"\b(?:upper[- ]?case|capital)\b", what, re.IGNORECASE) else value
    if re.match(r"(?:your|the|an?) (?:answer|result|solution|sum)\b", what, re.IGNORECASE):
        return Source(Phrase(), "result")
    source = read_source(what)
    if source is not None:
        return source
    wanted = _WANTED.fullmatch(what)
    if wanted:
        return Source(Phrase((wanted["name"],)), "fact")
    bare = _NOUN.sub("", what)
    return "" if _VAGUE.match(bare) else bare


def read_source(what: str) -> Source | None:
    """`the value of X`, `the 2nd word in the paragraph`, `the text below`; None for other words."""
    word = re.match(r"the (.*?)\bword\b(?:.*?\b(?:in|of|from)\b(?P<of>.*))?", what, re.IGNORECASE)
    if word:
        place = read_phrase(word[1]).ordinal
        return Source(read_phrase(word["of"] or "text"), "word", 0 if place is None else place)
    value = re.match(r"the (?:value|content)s? (?:of|for|from)\s+(?P<of>.*)", what, re.IGNORECASE)
    if value:
        return Source(Phrase((value["of"].strip(" ."),)), "value")
    text = re.match(r"(?:all )?the text\b(?P<of>.*)", what, re.IGNORECASE)
    if text:
        of = re.sub(r"\b(?:below|above|shown|here)\b", "", text["of"]).strip(" .,")
        return Source(read_phrase(of) if of else Phrase(role="text"), "text")
    return None
