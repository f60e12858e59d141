import json
from pathlib import Path

import numpy as np
import pytest

from llava_agent.errors import WeightsError
from llava_agent.vlm.naming import EMBEDDINGS, VOCABULARY, Vocabulary


def unit(*rows: list[float]) -> np.ndarray:
    values = np.asarray(rows, np.float32)
    return values / np.linalg.norm(values, axis=-1, keepdims=True)


def vocabulary() -> Vocabulary:
    """Axes: gear, lamp, red, blue."""
    plain = unit([1, 0, 0, 0], [0, 1, 0, 0])
    coloured = np.stack([unit([1, 0, 1, 0], [1, 0, 0, 1]), unit([0, 1, 1, 0], [0, 1, 0, 1])])
    return Vocabulary(("gear icon", "lamp"), ("red", "blue"), plain, coloured)


def test_the_kind_is_found_and_its_colour_only_where_it_helps() -> None:
    names = vocabulary().name(unit([1, 0, 0.1, 0], [0, 1, 0, 1], [1, 0, 1, 0.2]))
    assert [name.words for name in names] == ["gear icon", "blue lamp", "red gear icon"]
    assert names[1].similarity == pytest.approx(1)


def test_no_regions_have_no_names() -> None:
    assert vocabulary().name(np.zeros((0, 4), np.float32)) == []


def test_a_saved_vocabulary_names_the_same(tmp_path: Path) -> None:
    vocabulary().save(tmp_path)
    loaded = Vocabulary.load(tmp_path)
    seen = unit(*np.random.default_rng(0).normal(size=(20, 4)).tolist())
    assert [n.words for n in loaded.name(seen)] == [n.words for n in vocabulary().name(seen)]


def test_files_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    vocabulary().save(tmp_path)
    words = json.loads((tmp_path / VOCABULARY).read_text())
    (tmp_path / VOCABULARY).write_text(json.dumps(words | {"colours": ["red"]}))
    with pytest.raises(WeightsError, match="does not fit"):
        Vocabulary.load(tmp_path)


@pytest.mark.parametrize("name", [VOCABULARY, EMBEDDINGS])
@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 damaged", b"[]"])
def test_an_absent_or_damaged_file_is_named(tmp_path: Path, name: str, content: bytes | None) -> None:
    vocabulary().save(tmp_path)
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsError, match="cannot be read"):
        Vocabulary.load(tmp_path)
