"""Ask every question in every way of searching, and count."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from llava_agent.database import Database
from llava_agent.errors import ToolError
from llava_agent.exam.manuals.question import ManualQuestion
from llava_agent.exam.share import Share
from llava_agent.gateway.principal import LOCAL
from llava_agent.knowledge.answer import Answer, ask
from llava_agent.knowledge.library import Library, Shelf
from llava_agent.knowledge.search import By, Found, Search
from llava_agent.knowledge.vectors import Embedder

#: A passage counts as found where it is among so many.
WITHIN = 5


@dataclass(frozen=True, slots=True)
class Ranking:
    """One way of searching on all questions that a manual answers.

    Attributes:
        places: of the passage that answers each question, 0 where it was not among the first `WITHIN`.
    """

    name: str
    places: tuple[tuple[ManualQuestion, int], ...]

    def share(self, within: int = WITHIN, kind: str | None = None) -> Share:
        places = [place for question, place in self.places if kind in (None, question.kind)]
        return Share(sum(0 < place <= within for place in places), len(places))

    @property
    def mean_reciprocal_rank(self) -> float:
        return fmean([1 / place if place else 0.0 for _, place in self.places] or [0.0])

    def as_dict(self) -> dict[str, object]:
        kinds = sorted({question.kind for question, _ in self.places})
        return {
            "by": self.name,
            f"recall_at_{WITHIN}": self.share().as_dict(),
            "recall_at_1": self.share(1).as_dict(),
            "mrr": round(self.mean_reciprocal_rank, 4),
            "by_kind": {kind: self.share(kind=kind).as_dict() for kind in kinds},
            "missed": [question.id for question, place in self.places if not place],
        }


@dataclass(frozen=True, slots=True)
class Result:
    """Searching, and answering with the best way of it.

    Attributes:
        answered: each question with its answer.
    """

    rankings: tuple[Ranking, ...]
    answered: tuple[tuple[ManualQuestion, Answer], ...]

    @property
    def shares(self) -> dict[str, Share]:
        """Of the questions that a manual answers, and of the others."""
        known = [(question, answer) for question, answer in self.answered if question.document]
        others = [answer for question, answer in self.answered if not question.document]
        quoted = [_quotes(question, answer) for question, answer in known]
        cited = [_cites(question, answer) for question, answer in known]
        wrong = [answer.known and not right for (_, answer), right in zip(known, quoted, strict=True)]
        return {
            "right_sentence": Share(sum(quoted), len(known)),
            "right_passage_cited": Share(sum(cited), len(known)),
            "wrong_sentence": Share(sum(wrong), len(known)),
            "said_not_in_the_manuals": Share(sum(not answer.known for _, answer in known), len(known)),
            "unanswerable_refused": Share(sum(not answer.known for answer in others), len(others)),
        }

    def as_dict(self) -> dict[str, object]:
        return {
            "search": [ranking.as_dict() for ranking in self.rankings],
            "answers": {name: share.as_dict() for name, share in self.shares.items()},
            "replies": [
                {"id": question.id, "question": question.question, **answer.as_dict()}
                for question, answer in self.answered
            ],
        }

    def table(self) -> str:
        """For a terminal."""
        lines = [f"{'search by':<24}{'recall@5':>10}  {'95 %':<16}{'recall@1':>10}{'MRR':>8}"]
        for ranking in self.rankings:
            low, high = ranking.share().interval
            lines.append(
                f"{ranking.name:<24}{ranking.share().rate:>10.1%}  [{low:.1%}, {high:.1%}]"
                f"{ranking.share(1).rate:>10.1%}{ranking.mean_reciprocal_rank:>8.3f}"
            )
        lines.append("answers")
        for name, share in self.shares.items():
            low, high = share.interval
            lines.append(
                f"  {name.replace('_', ' '):<26}{share.successes:>3} of {share.of:<4}[{low:.1%}, {high:.1%}]"
            )
        return "\n".join(lines)


def evaluate_manuals(
    folder: Path,
    questions: Sequence[ManualQuestion],
    embedder: Embedder | None,
    floors: Sequence[Embedder] = (),
    progress: Callable[[str], None] = lambda line: None,
) -> Result:
    """Read the manuals into a database of their own, and ask.

    Args:
        floors: other embedders, searched by meaning alone.

    Raises:
        ToolError: a manual was refused.
    """
    rankings: list[Ranking] = []
    with tempfile.TemporaryDirectory() as scratch:
        database = Database(Path(scratch) / "manuals.db")
        database.prepare()
        for one in Library(database, embedder).add([folder], Shelf()):
            progress(f"{one.status} {Path(one.path).name}: {one.passages} passages")
            if one.status == "refused":
                raise ToolError(one.reason, "the exam needs every manual")
        search = Search(database, embedder)
        ways: list[tuple[str, By]] = [("words", "words")]
        ways += [(f"meaning ({embedder.name})", "meaning"), ("both", "both")] if embedder else []
        rankings += [_ranking(name, search, by, questions) for name, by in ways]
        for floor in floors:
            list(Library(database, floor).add([folder], Shelf()))
            rankings.append(
                _ranking(f"meaning ({floor.name})", Search(database, floor), "meaning", questions)
            )
        answered = tuple((question, ask(search, question.question, LOCAL)) for question in questions)
        database.close()
    return Result(tuple(rankings), answered)


def _ranking(name: str, search: Search, by: By, questions: Sequence[ManualQuestion]) -> Ranking:
    places = []
    for question in questions:
        if question.document:
            found = search.find(question.question, LOCAL, by=by, count=WITHIN)
            places.append((question, _place(question, found)))
    return Ranking(name, tuple(places))


def _place(question: ManualQuestion, found: Sequence[Found]) -> int:
    for place, one in enumerate(found, start=1):
        if one.name == question.document and plain(question.holds) in plain(one.text):
            return place
    return 0


def _quotes(question: ManualQuestion, answer: Answer) -> bool:
    return plain(question.answer) in plain(answer.text) and any(
        one.document == question.document for one in answer.citations
    )


def _cites(question: ManualQuestion, answer: Answer) -> bool:
    return any(
        one.document == question.document and plain(question.holds) in plain(one.passage)
        for one in answer.citations
    )


def plain(text: str) -> str:
    """Words and numbers alone, in small letters: a scan has its own full stops and blanks."""
    return " ".join(re.findall(r"\w+", text.lower()))
