"""Banned topics, by words and phrases."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from llava_agent.gateway.guards.finding import Finding, Place
from llava_agent.gateway.guards.plain import plain
from llava_agent.gateway.guards.settings import Topic


class Topics:
    """Whole words, whatever their case and accents; between the words of a phrase any blanks."""

    name = "topics"

    def __init__(self, topics: Sequence[Topic]) -> None:
        self._forms = [(topic.name, _form(topic.words)) for topic in topics]
        #: Longest phrase in characters, and in words.
        self.longest = max((len(words) for topic in topics for words in topic.words), default=0)
        self.most_words = max((len(words.split()) for topic in topics for words in topic.words), default=0)

    def look(self, text: str, place: Place) -> list[Finding]:
        if not self._forms:
            return []
        seen = plain(text)
        folded = _folded(seen.text)
        return [
            Finding(name, *seen.original(match.start(), match.end()))
            for name, form in self._forms
            for match in form.finditer(folded)
        ]


def _form(words: Sequence[str]) -> re.Pattern[str]:
    phrases = (r"\s+".join(map(re.escape, _folded(phrase).split())) for phrase in words)
    return re.compile(r"(?<!\w)(?:" + "|".join(phrases) + r")(?!\w)")


def _folded(text: str) -> str:
    """Lower case and without accents, character by character, so that places stay."""
    return "".join(_letter(character) for character in text)


def _letter(character: str) -> str:
    if character.isascii():
        return character.lower()
    lower = unicodedata.normalize("NFD", character.lower())
    return lower[0] if lower else character
