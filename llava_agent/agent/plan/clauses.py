"""Cuts a goal into clauses, each with one order."""

from __future__ import annotations

import re

PRESS = (
    "click|press|hit|push|tap|choose|pick|open|expand|follow|focus|close|switch|select|go|check|tick|like|"
    "delete|mark|retweet"
)
FILL = "enter|type|write|put|fill|input|set"
_OTHER = "drag|move|scroll|find|search|copy|paste|submit|highlight|use|send|navigate|reply|forward"
_VERB = rf"(?:{PRESS}|{FILL}|{_OTHER}|then)"

QUOTED = re.compile(r'"[^"]*"|“[^”]*”')
#: Between two clauses: a sentence's end, or a conjunction or comma before the next order.
_BORDER = re.compile(
    rf"""
    (?<=[.;!?])\s+
    | ,?\s+(?:and|then|and\ then)\s+(?=(?:then\s+)?{_VERB}\b)
    | ,\s*(?=(?:then\s+)?{_VERB}\b)
    | \s+(?=then\s+{_VERB}\b)
    """,
    re.IGNORECASE | re.VERBOSE,
)
_WHEN = re.compile(
    r",?\s*(?:when|once|after|if)\s+(?:you(?:'re| are)\s+)?(?:done|finished|ready|complete)\b", re.IGNORECASE
)
_POLITE = re.compile(r"^(?:please|now|first|next|finally|then|and)\b[,\s]*", re.IGNORECASE)
#: Says how or where, and nothing to be done by itself: the clause after it says what.
_SOFT = re.compile(
    r"""^(?:then\s+)?(?:
    (?:find|search|look)
    | (?:navigate|look|search|switch|scroll)\ (?:through|between|around|among)\b.*
    | (?:expand|open)\ the\ (?:sections|tabs|folders|panels|menus)\b.*
    | (?:expand|open)\ the\ (?!section|panel).*\ below
    | (?:solve|use)\b(?!.*\bto\ (?:enter|type)\b).*
    )$""",
    re.IGNORECASE | re.VERBOSE,
)


def clauses(goal: str) -> list[str]:
    """The goal cut at its borders, but never inside quotation marks; without polite words and mere manner."""
    masked = hidden(goal)
    pieces, start = [], 0
    for border in _BORDER.finditer(masked):
        pieces.append(goal[start : border.start()])
        start = border.end()
    pieces.append(goal[start:])
    bare = (_WHEN.sub("", _plain(piece)).strip(" \t\n,") for piece in pieces)
    return [piece for piece in bare if piece.strip(" .,") and not _SOFT.match(piece)]


def hidden(text: str) -> str:
    """The text with each quotation replaced by as many zero characters."""
    return QUOTED.sub(lambda found: "\x00" * len(found[0]), text)


def _plain(clause: str) -> str:
    clause = clause.strip(" \t\n,")
    while (match := _POLITE.match(clause)) and match.end() < len(clause):
        clause = clause[match.end() :]
    return clause
