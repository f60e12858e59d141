"""Adding, replacing, removing, and going on after a kill; on both kinds of database."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from llava_agent.database import Database
from llava_agent.errors import ConfigError, ToolError
from llava_agent.gateway.principal import LOCAL
from llava_agent.knowledge.library import Added, Library, Shelf
from llava_agent.knowledge.search import Search
from llava_agent.knowledge.tables import documents, passages, vectors
from llava_agent.knowledge.vectors import Floats
from tests.knowledge.embedder import HashedWords

SHELF = Shelf()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "manuals"
    (made / ".hidden").mkdir(parents=True)
    (made / "pump.md").write_text("# Pump\n\nThe seal leaks when it is worn.\n\n## Oil\n\nUse ISO VG 46.\n")
    (made / "boiler.txt").write_text("BOILER\n\nThe flame is blue.\n")
    (made / "notes.xyz").write_text("not a document")
    (made / ".hidden" / "secret.md").write_text("hidden")
    return made


def _add(library: Library, *paths: Path, shelf: Shelf = SHELF) -> list[Added]:
    return list(library.add(paths, shelf))


def _rows(database: Database) -> tuple[int, ...]:
    with database.reading() as connection:
        return tuple(
            connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in (documents, passages, vectors)
        )


def test_what_is_known_is_not_read_again(prepared: Database, folder: Path) -> None:
    embedder = HashedWords()
    library = Library(prepared, embedder)
    assert [one.status for one in _add(library, folder)] == ["added", "added"]
    assert _rows(prepared) == (2, 3, 2)
    texts = embedder.texts
    assert [one.status for one in _add(library, folder, folder / "pump.md")] == ["known", "known"]
    assert embedder.texts == texts


def test_a_changed_file_takes_the_place_of_its_older_state(prepared: Database, folder: Path) -> None:
    library = Library(prepared, HashedWords())
    _add(library, folder)
    (folder / "pump.md").write_text("# Pump\n\nNow about impellers.\n")
    assert [one.status for one in _add(library, folder)] == ["known", "replaced"]
    search = Search(prepared)
    assert search.find("impellers", LOCAL)[0].name == "pump.md"
    assert search.find("seal leaks", LOCAL) == []  # the index forgot it too


def test_vectors_are_filled_in_later(prepared: Database, folder: Path) -> None:
    _add(Library(prepared), folder)
    assert _rows(prepared) == (2, 3, 0)
    assert [one.embedded for one in Library(prepared).listed()] == [False, False]
    assert [one.status for one in _add(Library(prepared, HashedWords()), folder)] == ["embedded", "embedded"]
    assert _rows(prepared) == (2, 3, 2)


def test_another_shelf_moves_a_document(prepared: Database, folder: Path) -> None:
    library = Library(prepared)
    _add(library, folder / "pump.md")
    moved = _add(library, folder / "pump.md", shelf=Shelf(data_class="confidential"))
    assert [one.status for one in moved] == ["replaced"]
    assert [one.data_class for one in library.listed()] == ["confidential"]
    assert [one.status for one in _add(library, folder / "pump.md", shelf=Shelf("other"))] == ["added"]
    assert sorted(one.collection for one in library.listed()) == ["manuals", "other"]


def test_removing(prepared: Database, folder: Path) -> None:
    library = Library(prepared, HashedWords())
    _add(library, folder)
    with pytest.raises(ConfigError, match="no document 'absent'"):
        library.remove(["pump.md", "absent"])
    assert _rows(prepared)[0] == 2
    assert [one.name for one in library.remove([str(folder / "pump.md")])] == ["pump.md"]
    assert _rows(prepared) == (1, 1, 1)
    assert Search(prepared).find("seal", LOCAL) == []


def test_a_bad_document_does_not_stop_the_others(prepared: Database, folder: Path) -> None:
    (folder / "a-broken.pdf").write_bytes(b"%PDF-1.7 nothing")
    found = _add(Library(prepared), folder)
    assert [one.status for one in found] == ["refused", "added", "added"]
    assert "a-broken.pdf is damaged" in found[0].reason


def test_paths_that_hold_nothing(prepared: Database, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    for path, words in ((tmp_path / "absent", "there is no"), (tmp_path / "none", "holds no documents")):
        with pytest.raises(ConfigError, match=words):
            _add(Library(prepared), path)


def test_a_link_out_of_the_folder_is_not_followed(prepared: Database, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "private.md").write_text("# Private\n\nsecret words\n")
    (folder / "link.md").symlink_to(tmp_path / "private.md")
    assert {Path(one.path).name for one in _add(Library(prepared), folder)} == {"boiler.txt", "pump.md"}


def test_a_failure_in_the_middle_leaves_whole_documents(prepared: Database, folder: Path) -> None:
    class Failing(HashedWords):
        def embed(self, texts: Sequence[str]) -> Floats:
            if any("Pump" in text for text in texts):
                raise ToolError("the disk is full")
            return super().embed(texts)

    with pytest.raises(ToolError, match="full"):
        _add(Library(prepared, Failing()), folder)
    assert _rows(prepared) == (1, 1, 1)
    assert [one.status for one in _add(Library(prepared, HashedWords()), folder)] == ["known", "added"]


def test_the_progress_counts_documents(prepared: Database, folder: Path) -> None:
    told: list[tuple[str, int, int]] = []
    list(Library(prepared).add([folder], SHELF, progress=lambda *words: told.append(words)))
    assert told == [("read boiler.txt", 0, 2), ("read pump.md", 1, 2)]
