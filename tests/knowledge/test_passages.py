"""Passages: nothing is lost, none is too long, each knows its page and heading."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llava_agent.knowledge.block import Block, Document
from llava_agent.knowledge.passages import TABLE, TEXT, passages_of, sentences_of

_WORDS = st.text("abcdefgh .!?\n", min_size=1, max_size=1500).filter(str.strip)


@given(st.lists(st.tuples(_WORDS, st.integers(1, 3)), min_size=1, max_size=8))
def test_every_word_stands_in_one_passage(parts: list[tuple[str, int]]) -> None:
    blocks = tuple(Block("text", text, page) for text, page in parts)
    found = passages_of(Document("T", blocks), "name")
    words = " ".join(text for text, _ in parts).split()
    joined = "".join(passage.text for passage in found)
    assert "".join(joined.split()) == "".join(words)
    assert all(len(passage.text) <= TEXT * 2 for passage in found)
    assert [passage.number for passage in found] == list(range(len(found)))


def test_headings_pages_and_tables() -> None:
    rows = [f"E{number:02} | {'meaning ' * 8}| {'remedy ' * 8}" for number in range(12)]
    document = Document(
        "Pump",
        (
            Block("heading", "Faults", 1, 2),
            Block("text", "Read this first.", 1),
            Block("table", "\n".join(["Code | Meaning | Remedy", *rows]), 2),
            Block("heading", "After repair", 2, 3),
            Block("text", "Test it.", 3),
            Block("heading", "Storage", 3, 2),
            Block("text", "Keep dry.", 3),
        ),
    )
    found = passages_of(document, "name")
    assert [(one.heading, one.page, one.kind) for one in found if one.kind == "text"] == [
        ("Pump > Faults", 1, "text"),
        ("Pump > Faults > After repair", 3, "text"),
        ("Pump > Storage", 3, "text"),
    ]
    tables = [one for one in found if one.kind == "table"]
    assert len(tables) > 2
    assert all(one.text.startswith("Code | Meaning | Remedy\n") for one in tables)
    assert all(len(one.text) < TABLE + 300 and one.page == 2 for one in tables)
    assert sum(len(sentences_of("table", one.text)) for one in tables) == 12


def test_lines_of_a_picture_are_joined_to_sentences() -> None:
    text = "Refrigerant\nThe circuit holds 0.55 kg of\nR513A. Only staff may open it."
    assert sentences_of("ocr", text) == [
        "Refrigerant The circuit holds 0.55 kg of R513A.",
        "Only staff may open it.",
    ]
