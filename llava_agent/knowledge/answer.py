"""Answers that are quoted from manuals, with citations; *not in the manuals* is an answer.

Nothing is generated: the answer is the sentence or the row of a table that fits the question best, so it
cannot say what no manual says. Ids of citations are given out here; a model may only repeat them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from math import log

from llava_agent.gateway.data_class import DataClass
from llava_agent.gateway.data_class import highest as most_sensitive
from llava_agent.gateway.principal import Principal
from llava_agent.knowledge.block import CELL
from llava_agent.knowledge.fulltext import terms, variants
from llava_agent.knowledge.passages import sentences_of
from llava_agent.knowledge.search import Found, Search

NOT_FOUND = "not in the manuals"

#: Passages that are read for an answer.
READ = 8
#: Weights of what speaks for a sentence: its meaning, the question's words in it, its passage's place, a
#: title that the question names, and being the row of a table that a code of the question begins.
_MEANING, _WORDS, _PLACE, _NAMED, _OWN_ROW = 1.0, 0.5, 0.15, 0.3, 0.3
#: Below this score nothing is answered: chosen on the questions of `examples/manuals`, see docs/knowledge.md.
ENOUGH = 0.70
#: The same without an embedder, where words and place alone speak.
ENOUGH_BY_WORDS = 0.40


@dataclass(frozen=True, slots=True)
class Citation:
    """Where an answer stands.

    Attributes:
        quote: the words of the document.
        link: opens the document at the page, where its viewer can.
    """

    id: str
    document: str
    page: int | None
    heading: str
    quote: str
    passage: str
    link: str


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer from the manuals.

    Attributes:
        text: `NOT_FOUND` where the manuals do not say it.
        score: how well the quoted sentence fits; not a probability.
        data_class: of the most sensitive passage that was read for it, cited or not.
        by: whether meaning was compared, or words alone.
        found: what was read.
    """

    text: str
    citations: tuple[Citation, ...]
    score: float
    data_class: DataClass
    by: str
    found: tuple[Found, ...] = ()

    @property
    def known(self) -> bool:
        return bool(self.citations)

    def as_dict(self) -> dict[str, object]:
        return {
            "answer": self.text,
            "found": self.known,
            "citations": [
                {
                    "id": one.id,
                    "document": one.document,
                    "page": one.page,
                    "heading": one.heading,
                    "quote": one.quote,
                    "passage": one.passage,
                    "link": one.link,
                }
                for one in self.citations
            ],
            "score": round(self.score, 4),
            "data_class": self.data_class,
            "by": self.by,
        }


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    place: int
    passage: Found


def ask(
    search: Search,
    question: str,
    principal: Principal,
    *,
    collections: Collection[str] = (),
    highest: DataClass = "restricted",
) -> Answer:
    """The sentence or row that answers a question, or `NOT_FOUND`.

    Raises:
        ConfigError: an empty question.
        ToolError: the database cannot be used.
    """
    found = search.find(question, principal, collections=collections, highest=highest, count=READ)
    by = "words and meaning" if search.embedder else "words"
    data_class = most_sensitive(one.data_class for one in found)
    sentences = [
        _Sentence(text, place, one)
        for place, one in enumerate(found)
        for text in sentences_of(one.kind, one.text)
        if _names_codes(question, f"{one.heading} {text if one.kind != 'ocr' else one.text}")
    ]
    if not sentences:
        return Answer(NOT_FOUND, (), 0.0, data_class, by, tuple(found))
    scores = _scores(search, question, sentences)
    best = max(range(len(sentences)), key=scores.__getitem__)
    enough = ENOUGH if search.embedder else ENOUGH_BY_WORDS
    if scores[best] < enough:
        return Answer(NOT_FOUND, (), scores[best], data_class, by, tuple(found))
    return Answer(
        _said(sentences[best]), (_cited(sentences[best]),), scores[best], data_class, by, tuple(found)
    )


def _names_codes(question: str, text: str) -> bool:
    """Whether every code of the question (`E14`, `NK 65-200`) stands in the text.

    Meaning alone takes one error code for another, and a wrong code's remedy is worse than no answer.
    """
    near = f" {_plain(text)} "
    return all(
        any(f" {_plain(variant)} " in near or _glued(variant, near) for variant in variants(term))
        for term in terms(question)
        if _is_code(term)
    )


def _plain(text: str) -> str:
    return " ".join("".join(letter if letter.isalnum() else " " for letter in text.lower()).split())


def _glued(code: str, near: str) -> bool:
    """OCR sometimes joins a code with the word after it (`E14Sensor`)."""
    at = near.find(f" {code}")
    return at >= 0 and any(letter.isalpha() for letter in code) and near[at + 1 + len(code)].isalpha()


def _scores(search: Search, question: str, sentences: Sequence[_Sentence]) -> list[float]:
    shared = _shares(terms(question), [f"{one.passage.heading} {one.text}" for one in sentences])
    named = _shares(terms(question), [one.passage.title for one in sentences])
    codes = [variant for term in terms(question) if _is_code(term) for variant in variants(term)]
    scores = [
        _WORDS * word
        + _PLACE * (1 - one.place / READ)
        + _NAMED * name
        + (_OWN_ROW if _is_row_of(codes, one.text) else 0.0)
        for one, word, name in zip(sentences, shared, named, strict=True)
    ]
    if search.embedder is None:
        return scores
    vectors = search.embedder.embed([question, *(f"{one.passage.heading}\n{one.text}" for one in sentences)])
    meaning = vectors[1:] @ vectors[0]
    return [score + _MEANING * float(near) for score, near in zip(scores, meaning, strict=True)]


def _is_code(term: str) -> bool:
    return any(letter.isdigit() for letter in term)


def _is_row_of(codes: Sequence[str], text: str) -> bool:
    """Whether the row of a table is about the code: it begins with it."""
    return _plain(text.split(CELL)[0]) in {_plain(code) for code in codes}


def _shares(asked: Iterable[str], texts: Sequence[str]) -> list[float]:
    """For each text the share of the question's words that it holds, rare words counting more.

    Words are compared by their first five letters (`change`, `changing`).
    """
    stems = [{word[:5] for word in _plain(text).split()} for text in texts]
    wanted = list({word[:5] for term in asked for word in _plain(term).split()})
    weights = [log(1 + len(texts) / (1 + sum(word in one for one in stems))) for word in wanted]
    whole = sum(weights) or 1.0
    return [
        sum(weight for word, weight in zip(wanted, weights, strict=True) if word in one) / whole
        for one in stems
    ]


def _said(sentence: _Sentence) -> str:
    """A row of a table with the names of its columns, a sentence as it is."""
    if sentence.passage.kind != "table":
        return sentence.text
    head = sentence.passage.text.split("\n")[0].split(CELL)
    cells = sentence.text.split(CELL)
    if len(head) != len(cells) or sentence.text == sentence.passage.text.split("\n")[0]:
        return sentence.text
    return "; ".join(f"{name}: {cell}" for name, cell in zip(head, cells, strict=True) if cell)


def _cited(sentence: _Sentence) -> Citation:
    one = sentence.passage
    return Citation(one.id, one.name, one.page, one.heading, sentence.text, one.text, one.link)
