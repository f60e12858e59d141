"""Which marks a phrase means: by name, by a text that holds the name, by its words (each is a tier)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from llava_agent.agent.decision import FIELDS, LISTS
from llava_agent.agent.plan.part import Phrase
from tools.mark import Mark

#: Family of the goal's noun -> roles, the best first.
FAMILIES: dict[str, tuple[str, ...]] = {
    "button": ("button", "operation", "link", "menuitem", "tab", "img", "region"),
    "link": ("link", "button", "menuitem", "text", "region"),
    "tab": ("tab", "link", "button", "region"),
    "radio": ("radio", "menuitemradio", "region"),
    "box": ("checkbox", "switch", "menuitemcheckbox", "img", "region"),
    "field": (*sorted(FIELDS), "region"),
    "list": (*sorted(LISTS), "region"),
    "slider": ("slider", "spinbutton"),
    "icon": ("button", "img", "link", "region"),
    "section": ("tab", "button", "heading"),
    "text": ("text", "heading", "textbox"),
    "number": (),
    "item": (),
}
#: Roles of things in a row of results, the best first.
_ITEMS = ("link", "option", "treeitem", "row", "listitem", "heading", "img", "button", "text")
_PASSIVE = frozenset({"text", "heading", "status", "alert", "label", "cell"})
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)*")
_CROSS = frozenset({"x", "×", "✕"})
#: Words that say where or what kind, never what it is called.
_EMPTY = frozenset(
    (
        *(
            "the",
            "a",
            "an",
            "of",
            "in",
            "on",
            "at",
            "to",
            "and",
            "or",
            "below",
            "above",
            "following",
            "shown",
        ),
        *("here", "page", "both", "all", "each", "every", "only", "this", "that", "colored", "coloured"),
        *("color", "colour", "shade", "shape", "button", "link", "tab", "field", "box", "textbox", "input"),
        *("list", "item", "icon", "section", "text", "paragraph", "area", "dropdown"),
        *("textarea", "checkbox", "combobox", "listbox", "slider", "spinner"),
    )
)


@dataclass(frozen=True, slots=True)
class Match:
    """Marks that a phrase may mean, in reading order, and the tier that found them."""

    marks: tuple[Mark, ...]
    tier: str

    @property
    def only(self) -> Mark | None:
        return self.marks[0] if len(self.marks) == 1 else None


NOTHING = Match((), "none")


def match(phrase: Phrase, marks: Sequence[Mark], used: Sequence[str] = ()) -> Match:
    """The marks that the phrase means; none where nothing on the page fits.

    Args:
        used: refs that were tried before, left out where the phrase means several things one after another.
    """
    found = _named(phrase, marks)
    if phrase.extreme:
        return _by_number(phrase, found.marks or _pool(phrase, marks))
    if phrase.near:
        found = Match(tuple(_near(phrase.near, found.marks, marks)), f"{found.tier}, in its row")
    if phrase.ordinal is not None and found.marks:
        place = phrase.ordinal
        held = -len(found.marks) <= place < len(found.marks)
        return Match((found.marks[place],), f"{found.tier}, by place") if held else NOTHING
    if phrase.every:
        return Match(tuple(mark for mark in found.marks if mark.ref not in used)[:1], found.tier)
    return found


def plain(text: str) -> str:
    """Without case, outer punctuation and doubled blanks."""
    return " ".join(text.casefold().split()).strip(" :*.,\"'")


def words_in(text: str) -> set[str]:
    """What a text says, each word without the `s` of its plural."""
    words = (_singular(word) for word in re.findall(r"[^\W_]+", text.casefold()))
    return {word for word in words if word not in _EMPTY}


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def number_in(text: str) -> float | None:
    """The only number of a text."""
    found = _NUMBER.findall(text)
    if len(found) != 1:
        return None
    try:
        return float(found[0].replace(",", ""))
    except ValueError:
        return None


def _pool(phrase: Phrase, marks: Sequence[Mark]) -> tuple[Mark, ...]:
    """Marks of the phrase's role: those of the best role that there are."""
    roles = FAMILIES.get(phrase.role, ())
    if phrase.role == "item" and not phrase.names:
        roles = _ITEMS
    if phrase.role == "number":
        return tuple(mark for mark in marks if number_in(mark.text) is not None)
    if not roles:
        return tuple(marks)
    if phrase.role == "field":
        return tuple(mark for mark in marks if mark.role in FIELDS)
    for role in roles:
        own = tuple(mark for mark in marks if mark.role == role)
        if own:
            return own
    return ()


def _named(phrase: Phrase, marks: Sequence[Mark]) -> Match:
    roles = set(FAMILIES.get(phrase.role, ()))
    own = [mark for mark in marks if mark.role in roles] if roles else list(marks)
    for pool in (own, list(marks)) if roles else (own,):
        found = _by_name(phrase.names, pool)
        if found.marks:
            return found
    if phrase.names and any(words_in(name) for name in phrase.names):
        return NOTHING
    if not phrase.role or phrase.role == "text":
        return Match(_pool(phrase, marks), "role") if phrase.role else NOTHING
    return Match(_pool(phrase, marks), "role")


def _by_name(names: Sequence[str], pool: Sequence[Mark]) -> Match:
    if names and names[0].strip().casefold() in _CROSS:
        names = (*names, "Close")  # a cross is told by its name
    for name in names:
        wanted = plain(name)
        same = [mark for mark in pool if wanted and plain(mark.text) == wanted]
        if not same and not wanted:
            same = [mark for mark in pool if mark.text.strip() == name.strip()]
        if same:
            return Match(_active(same), "name")
    for name in names:
        whole = re.compile(rf"(?<![^\W_]){re.escape(plain(name))}(?![^\W_])") if plain(name) else None
        held = [mark for mark in pool if whole and whole.search(plain(mark.text))]
        if held:
            return Match(_active(held), "text")
    for name in names:
        wanted_words = words_in(name)
        alike = [mark for mark in pool if wanted_words and wanted_words <= words_in(mark.text)]
        if alike:
            return Match(_active(alike), "words")
    return NOTHING


def _active(marks: Sequence[Mark]) -> tuple[Mark, ...]:
    """Controls, where there are any: what is only read is their label."""
    return tuple([mark for mark in marks if mark.role not in _PASSIVE] or marks)


def _near(words: str, found: Sequence[Mark], marks: Sequence[Mark]) -> list[Mark]:
    """Of the marks found, the first after each mark that says the words: a row is read from its name on."""
    order = {mark.ref: index for index, mark in enumerate(marks)}
    wanted = plain(words)
    said = [plain(mark.text) for mark in marks]
    rows = [index for index, text in enumerate(said) if text == wanted or wanted in text.split()]
    chosen: list[Mark] = []
    for row in rows:
        after = [mark for mark in found if order[mark.ref] > row]
        if after and after[0] not in chosen:
            chosen.append(after[0])
    return chosen


def _by_number(phrase: Phrase, pool: Sequence[Mark]) -> Match:
    """The mark with the greatest or smallest number; without numbers, the one of that size."""
    numbered = [(number, mark) for mark in pool if (number := number_in(mark.text)) is not None]
    if not numbered:
        numbered = [
            (mark.box.area, mark) for mark in pool if mark.box and mark.role not in ("button", "link")
        ]
    if not numbered:
        return NOTHING
    choose = max if phrase.extreme == "greatest" else min
    return Match((choose(numbered, key=lambda pair: pair[0])[1],), "number")
