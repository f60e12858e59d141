"""Answers are quoted and cited, or they are *not in the manuals*."""

from __future__ import annotations

from pathlib import Path

import pytest

from llava_agent.database import Database
from llava_agent.errors import ConfigError
from llava_agent.exam.manuals.question import read_questions
from llava_agent.exam.manuals.run import evaluate_manuals
from llava_agent.gateway.principal import LOCAL
from llava_agent.knowledge.answer import NOT_FOUND, ask
from llava_agent.knowledge.library import Library, Shelf
from llava_agent.knowledge.search import Search

MANUALS = Path(__file__).parents[2] / "examples" / "manuals"


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Search:
    database = Database(tmp_path_factory.mktemp("manuals") / "state.db")
    database.prepare()
    library = Library(database)
    for name, data_class in (("norpump-nk-65-200.pdf", "confidential"), ("wk-120-boiler.pdf", "public")):
        list(library.add([MANUALS / name], Shelf(data_class=data_class)))  # type: ignore[arg-type]
    return Search(database)


def test_an_error_code_is_answered_by_its_row_with_document_page_and_passage(search: Search) -> None:
    answer = ask(search, "What does error E14 mean on the Norpump?", LOCAL)
    assert answer.text.startswith(
        "Code: E14; Meaning: Dry running: no liquid at the suction side; What to do:"
    )
    (citation,) = answer.citations
    assert (citation.document, citation.page) == ("norpump-nk-65-200.pdf", 3)
    assert citation.quote in citation.passage
    assert citation.link.endswith("norpump-nk-65-200.pdf#page=3")
    assert search.passage(citation.id, LOCAL).text == citation.passage
    assert answer.data_class == "confidential"


def test_the_same_code_of_another_machine(search: Search) -> None:
    answer = ask(search, "E14 on the boiler", LOCAL)
    assert "Condensate drain blocked" in answer.text


def test_a_code_that_no_manual_has_is_not_answered_by_another(search: Search) -> None:
    answer = ask(search, "What does error E99 mean on the Norpump?", LOCAL)
    assert answer.text == NOT_FOUND
    assert not answer.known and answer.as_dict()["citations"] == []


def test_what_the_manuals_do_not_say(search: Search) -> None:
    assert ask(search, "Which wifi password has the workshop?", LOCAL).text == NOT_FOUND


def test_what_may_not_be_seen_is_not_answered(search: Search) -> None:
    answer = ask(search, "What does error E21 mean on the Norpump?", LOCAL, highest="public")
    assert answer.text == NOT_FOUND
    assert answer.data_class == "public"


def test_an_empty_question(search: Search) -> None:
    with pytest.raises(ConfigError):
        ask(search, " ", LOCAL)


def test_the_exam_counts_by_words(tmp_path: Path) -> None:
    names = ("norpump-nk-65-200.pdf", "tb-40-conveyor.md", "bc-48-80-charger.txt")
    for name in names:
        (tmp_path / name).write_bytes((MANUALS / name).read_bytes())
    questions = [one for one in read_questions(MANUALS / "questions.jsonl") if one.document in (None, *names)]
    result = evaluate_manuals(tmp_path, questions, None)
    share = result.rankings[0].share()
    assert share.of == sum(one.document is not None for one in questions) > 25
    assert share.rate > 0.75
    assert result.shares["unanswerable_refused"].of == 12
    assert "recall@5" in result.table()


def test_every_question_has_its_passage_in_its_manual() -> None:
    """A question whose passage does not exist would count against every way of searching."""
    from llava_agent.exam.manuals.run import plain
    from llava_agent.knowledge.formats import read_document
    from llava_agent.knowledge.limits import ReadLimits

    questions = read_questions(MANUALS / "questions.jsonl")
    texts = {
        name: plain(" ".join(block.text for block in read_document(MANUALS / name, ReadLimits()).blocks))
        for name in {one.document for one in questions if one.document}
        if Path(name).stem not in ("ad-12-dryer", "hp-60-press-label")  # read by OCR, which the exam does
    }
    for one in questions:
        if one.document in texts:
            assert plain(one.holds) in texts[one.document], one.id


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"id": "a", "question": "q", "document": "x.pdf"}', "go together"),
        ('{"id": "a", "question": "q", "odd": 1}', "odd"),
        ("no json", "line 1"),
        ("", "holds no question"),
    ],
)
def test_wrong_questions_are_named(tmp_path: Path, line: str, words: str) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text(line)
    with pytest.raises(ConfigError, match=words):
        read_questions(path)
