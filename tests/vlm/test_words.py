from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from llava_agent.vlm.words import Words

ALPHABET = "ab €😀.\n"


def decode(tokens: Sequence[int]) -> str:
    """Tokens are bytes, as in the byte-level tokenizers."""
    return bytes(tokens).decode("utf-8", errors="replace")


@given(st.text(ALPHABET, max_size=20))
def test_pieces_are_the_text_in_whole_characters(text: str) -> None:
    pieces = list(Words(decode).pieces(text.encode()))
    assert "".join(pieces) == text
    assert not any("�" in piece for piece in pieces)


@given(st.text("ab", max_size=30), st.lists(st.text("ab", min_size=1, max_size=4), min_size=1, max_size=3))
def test_nothing_of_a_stop_text_is_ever_given_out(text: str, stop: list[str]) -> None:
    words = Words(decode, stop)
    said = "".join(words.pieces(text.encode()))
    ends = [len(text[: text.find(one)] + one) for one in stop if one in text]
    assert words.stopped == bool(ends)
    if not ends:
        assert said == text
        return
    # The stop text that is whole first ends the output; of two at once, the one that began first.
    end = min(ends)
    begins = min(end - len(one) for one in stop if text[:end].endswith(one))
    assert said == text[:begins]
    assert len(words.tokens) == end


def test_bytes_that_are_no_character_end_as_one_sign() -> None:
    assert "".join(Words(decode).pieces("ok€".encode()[:-1])) == "ok�"
