from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llava_agent.errors import ConfigError
from llava_agent.vlm.engines.torch_engine import TorchEngine
from llava_agent.vlm.prefix import PrefixCache
from tests.vlm.language_models import tiny_language

prompts = st.lists(st.integers(0, 3), min_size=1, max_size=8)


@cache
def engine() -> TorchEngine:
    return TorchEngine(tiny_language())


def run(prefix: PrefixCache, ids: list[int]) -> tuple[np.ndarray, np.ndarray, int]:
    return prefix.forward(ids, engine().embed(np.array(ids)))


def alone(ids: list[int]) -> tuple[np.ndarray, np.ndarray]:
    engine().cut(0)
    return engine().forward(engine().embed(np.array(ids)))


@settings(max_examples=25)
@given(st.lists(prompts, min_size=2, max_size=5))
def test_a_kept_prefix_changes_nothing_but_the_work(sequence: list[list[int]]) -> None:
    expected = [alone(ids) for ids in sequence]
    engine().cut(0)
    prefix = PrefixCache(engine())
    before: list[int] = []
    for ids, (hidden, logits) in zip(sequence, expected, strict=True):
        found, found_logits, reused = run(prefix, ids)
        np.testing.assert_allclose(found, hidden, atol=1e-4)
        np.testing.assert_allclose(found_logits, logits, atol=1e-4)
        shared = next((i for i, (a, b) in enumerate(zip(before, ids, strict=False)) if a != b), None)
        assert reused == min(len(before) if shared is None else shared, len(ids) - 1, len(before))
        before = ids


def test_equal_words_over_other_pixels_are_not_reused() -> None:
    engine().cut(0)
    prefix = PrefixCache(engine())
    rows = engine().embed(np.array([1, 2, 3]))
    prefix.forward([1, b"pixels", 3], rows)
    other = rows.copy()
    other[1] += 1
    _, _, reused = prefix.forward([1, b"other pixels", 3], other)
    assert reused == 1


def test_what_is_appended_behind_the_prompt_can_be_dropped() -> None:
    engine().cut(0)
    prefix = PrefixCache(engine())
    run(prefix, [1, 2, 3])
    engine().forward(engine().embed(np.array([9, 9])))
    prefix.cut()
    assert engine().length == 3
    assert run(prefix, [1, 2, 3, 4])[2] == 3


def test_a_refused_prompt_does_not_leave_it_believing_in_lost_positions() -> None:
    engine().cut(0)
    prefix = PrefixCache(engine())
    run(prefix, [1, 2, 3])
    with pytest.raises(ConfigError):
        prefix.forward([1, 7, 8], np.zeros((3, 1), np.float32))
    hidden, _, reused = run(prefix, [1, 2, 3, 4])
    assert reused == 1
    np.testing.assert_allclose(hidden, alone([1, 2, 3, 4])[0], atol=1e-4)


def test_forgetting_empties_the_engine() -> None:
    engine().cut(0)
    prefix = PrefixCache(engine())
    run(prefix, [1, 2, 3])
    prefix.forget()
    assert engine().length == 0
    assert run(prefix, [1, 2, 3])[2] == 0
