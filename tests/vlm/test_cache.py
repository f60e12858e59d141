import pytest
from hypothesis import given
from hypothesis import strategies as st

from llava_agent.vlm.cache import ByteCache


def cache(limit: int) -> ByteCache[str, bytes]:
    return ByteCache(limit, len)


def test_what_was_used_longest_ago_goes_first() -> None:
    kept = cache(6)
    for key in "abc":
        kept.put(key, b"xx")
    assert kept.get("a") == b"xx"
    kept.put("d", b"xx")
    assert kept.get("b") is None
    assert [key in kept for key in "acd"] == [True, True, True]


def test_asking_whether_it_is_there_is_no_use() -> None:
    kept = cache(4)
    kept.put("a", b"xx")
    kept.put("b", b"xx")
    assert "a" in kept
    kept.put("c", b"xx")
    assert "a" not in kept


def test_a_value_larger_than_the_limit_drives_nothing_out_but_its_own_older_self() -> None:
    kept = cache(4)
    kept.put("a", b"xx")
    kept.put("b", b"xxxxx")
    assert kept.get("a") == b"xx"
    kept.put("a", b"xxxxx")  # the older value must not be served for it
    assert kept.get("a") is None
    assert kept.bytes == 0


def test_clearing_and_a_limit_of_nothing() -> None:
    kept = cache(4)
    kept.put("a", b"xx")
    kept.clear()
    assert (len(kept), kept.bytes, kept.get("a")) == (0, 0, None)
    nothing = cache(0)
    nothing.put("a", b"x")
    assert len(nothing) == 0
    with pytest.raises(ValueError, match="-1"):
        cache(-1)


@given(
    st.integers(0, 12),
    st.lists(st.tuples(st.sampled_from(["get", "put", "drop"]), st.sampled_from("abcde"), st.integers(0, 7))),
)
def test_it_behaves_like_a_list_of_recent_uses(limit: int, steps: list[tuple[str, str, int]]) -> None:
    kept = cache(limit)
    recent: list[tuple[str, bytes]] = []  # the plainest possible reference: oldest use first
    for step, key, size in steps:
        old = next((value for name, value in recent if name == key), None)
        if step == "get":
            assert kept.get(key) == old
            if old is not None:
                recent = [pair for pair in recent if pair[0] != key] + [(key, old)]
            continue
        recent = [pair for pair in recent if pair[0] != key]
        if step == "drop":
            kept.drop(key)
            continue
        kept.put(key, b"x" * size)
        if size <= limit:
            recent.append((key, b"x" * size))
        while sum(len(value) for _, value in recent) > limit:
            recent.pop(0)
        assert kept.bytes == sum(len(value) for _, value in recent) <= limit
        assert len(kept) == len(recent)
