"""A text as a reader sees it: without disguises, each character with its place in the original."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

#: `\u0040` in JSON and `%40` in a URL.
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|%([2-7][0-9a-fA-F])")
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—−⁃"), "-")


@dataclass(frozen=True, slots=True)
class Plain:
    """Attributes:
    text: compatibility forms resolved (full-width digits, ligatures), invisible characters left out,
        escapes of JSON and URLs decoded, all dashes and blanks plain.
    places: for each of its characters, and for its end, the index in the original.
    """

    text: str
    places: range | list[int]

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The piece of the original that a piece of `text` stands for."""
        return self.places[start], max(self.places[end - 1] + 1, self.places[end])


def plain(text: str) -> Plain:
    """The plain form; an ASCII text without escapes is its own."""
    if text.isascii() and "\\u" not in text and "%" not in text:
        return Plain(text, range(len(text) + 1))
    characters: list[str] = []
    places: list[int] = []
    position = 0
    while position < len(text):
        escape = _ESCAPE.match(text, position)
        if escape:
            character = chr(int(escape[1] or escape[2], 16))
            following = escape.end()
        else:
            character = text[position]
            following = position + 1
        for one in _resolved(character):
            characters.append(one)
            places.append(position)
        position = following
    return Plain("".join(characters), [*places, len(text)])


def invisible(character: str) -> bool:
    """Whether a character has no shape of its own: joiners, direction marks, tags."""
    return unicodedata.category(character) == "Cf" or character in "\u115f\u1160\u3164\uffa0"


def _resolved(character: str) -> str:
    if character.isascii():
        return character
    if invisible(character):
        return ""
    if character.isspace() and character not in "\n\r\u2028\u2029":
        return " "
    return unicodedata.normalize("NFKC", character).translate(_DASHES)
