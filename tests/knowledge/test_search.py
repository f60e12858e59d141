"""Search: the filter is inside every query, codes are found however they are written."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llava_agent.database import Database
from llava_agent.errors import ConfigError, PermissionDenied
from llava_agent.gateway.principal import LOCAL, Principal
from llava_agent.knowledge.fulltext import terms, variants
from llava_agent.knowledge.library import Library, Shelf
from llava_agent.knowledge.search import By, Search
from tests.knowledge.embedder import HashedWords

ANN = Principal("ann", department="plant")
BOB = Principal("bob", department="office")


@pytest.fixture
def search(prepared: Database, tmp_path: Path) -> Search:
    library = Library(prepared, HashedWords())
    shelves = {
        "public": Shelf("a", "", "public"),
        "plant": Shelf("a", "plant", "internal"),
        "secret": Shelf("b", "", "restricted"),
    }
    for name, shelf in shelves.items():
        path = tmp_path / f"{name}.md"
        path.write_text(
            f"# Manual {name}\n\nThe common seal of {name} has the code E-14.\n\n## More\n\nOther words.\n"
        )
        list(library.add([path], shelf))
    other = tmp_path / "elsewhere.md"
    other.write_text("# Other tenant\n\nThe common seal of elsewhere.\n")
    list(library.add([other], Shelf(), Principal("eve", tenant="other")))
    return Search(prepared, HashedWords())


def _names(search: Search, who: Principal, by: By = "both", **options: object) -> set[str]:
    found = search.find("common seal", who, by=by, count=50, **options)  # type: ignore[arg-type]
    return {one.name for one in found}


def test_nobody_finds_what_is_not_theirs(search: Search) -> None:
    ways: tuple[By, ...] = ("words", "meaning", "both")
    for by in ways:
        assert _names(search, ANN, by) == {"public.md", "plant.md", "secret.md"}
        assert _names(search, BOB, by) == {"public.md", "secret.md"}
        assert _names(search, LOCAL, by, highest="internal") == {"public.md"}
        assert _names(search, ANN, by, collections=["b"]) == {"secret.md"}
        assert _names(search, Principal("eve", tenant="other"), by) == {"elsewhere.md"}
        assert _names(search, Principal("root", roles=frozenset({"admin", "auditor"})), by) == set()


def test_vectors_kept_for_one_are_not_shown_to_another(search: Search) -> None:
    assert "plant.md" in _names(search, ANN, "meaning")
    assert "plant.md" not in _names(search, BOB, "meaning")
    assert "plant.md" in _names(search, ANN, "meaning")


def test_a_code_is_found_however_it_is_written(search: Search) -> None:
    for code in ("E14", "e-14", "E 14", "the E14 error"):
        assert search.find(code, ANN, by="words")[0].text.endswith("E-14.")


def test_ids_name_passages_for_those_who_may_see_them(search: Search) -> None:
    one = next(one for one in search.find("common seal", ANN) if one.name == "plant.md")
    assert search.passage(one.id, ANN).text == one.text
    for who, id in ((BOB, one.id), (ANN, "abc-0"), (ANN, one.id + "0"), (ANN, "x"), (ANN, "a-" + "9" * 30)):
        with pytest.raises(PermissionDenied, match="there is no passage"):
            search.passage(id, who)


def test_a_citation_that_was_not_given_is_rejected(search: Search) -> None:
    given_out = search.find("common seal", ANN)
    first = given_out[0].id
    assert [one.id for one in search.checked([first, first], given_out)] == [first]
    with pytest.raises(PermissionDenied, match="'made-up'"):
        search.checked([first, "made-up"], given_out)


def test_without_an_embedder_words_alone_are_searched(prepared: Database, search: Search) -> None:
    plain = Search(prepared)
    found = plain.find("common seal", ANN)
    assert {one.name for one in found} == {"public.md", "plant.md", "secret.md"}
    assert all(one.similarity is None and one.by_meaning is None for one in found)
    with pytest.raises(ConfigError, match="models pull knowledge"):
        plain.find("x", ANN, by="meaning")
    with pytest.raises(ConfigError, match="nothing is asked"):
        plain.find("  ", ANN)


_ODD = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60).filter(str.strip)


@given(_ODD)
def test_terms_and_variants_of_anything(words: str) -> None:
    assert all(variants(term) for term in terms(words))


_HOSTILE = (
    '"',
    "seal AND (",
    "a* NEAR/2 b",
    "x' OR 1=1 --",
    "\\",
    ":*",
    "—",
    "seal - pump",
    "{E14}",
    "c++ & !",
)


def test_no_words_break_the_query(search: Search) -> None:
    for words in _HOSTILE:
        search.find(words, ANN)


def test_links_open_at_the_page(search: Search) -> None:
    one = search.find("common seal", ANN)[0]
    assert one.link.startswith("file:///") and one.link.endswith(".md")
    assert one.place == one.name
