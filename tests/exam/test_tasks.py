from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llava_agent.errors import ConfigError
from llava_agent.exam.miniwob import tasks
from tests.exam import little


@pytest.mark.parametrize(
    ("words", "seeds"), [("0-4", (0, 1, 2, 3, 4)), ("7", (7,)), ("0, 3,2-3", (0, 3, 2)), ([5, 5], (5,))]
)
def test_seeds(words: str | list[int], seeds: tuple[int, ...]) -> None:
    assert tasks.pick_seeds(words) == seeds


@pytest.mark.parametrize("words", ["", "a", "4-0", "-3", "1-", "1,,2", "0-1-2", [], [-1]])
def test_words_that_are_no_seeds(words: str | list[int]) -> None:
    with pytest.raises(ConfigError, match="seeds"):
        tasks.pick_seeds(words)


@given(st.text(alphabet="0123456789-, x", max_size=8))
def test_any_words_give_seeds_or_a_sentence(words: str) -> None:
    try:
        seeds = tasks.pick_seeds(words.replace("0", "1")[:5])
    except ConfigError:
        return
    assert seeds and min(seeds) >= 0


def test_tasks_by_name(tmp_path: Path) -> None:
    folder = little.write(tmp_path / "pages")
    assert tasks.pick_tasks("", folder) == tuple(sorted(little.PAGES))
    assert tasks.pick_tasks("late, even,late", folder) == ("late", "even")
    with pytest.raises(ConfigError, match=r"there is no task 'evn'.*even"):
        tasks.pick_tasks("evn", folder)


def test_a_missing_package_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"not installed .*run `pip install --no-deps miniwob==1\.1\.0`"):
        tasks.pages_folder()


def test_another_version_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "miniwob").mkdir()
    (tmp_path / "miniwob" / "__init__.py").write_text("raise RuntimeError('the package was imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "1.0.0")
    with pytest.raises(ConfigError, match=r"1\.1\.0, but 1\.0\.0"):
        tasks.pages_folder()


@pytest.mark.skipif(importlib.util.find_spec("miniwob") is None, reason="the pages are not installed")
def test_the_installed_pages_are_browsergyms_125() -> None:
    names = tasks.all_tasks(tasks.pages_folder())
    assert len(names) == 125
    assert set(names) >= tasks.NONDETERMINISTIC and not set(names) & tasks.LEFT_OUT
    assert "miniwob" not in sys.modules
