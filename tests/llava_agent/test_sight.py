"""Photos are looked at once, and dials carry what they read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from PIL import Image

from llava_agent.sight import Sight
from llava_agent.vlm.dial import DialReader, DialReading
from tools.geometry import Box
from tools.mark import Mark
from tools.photo import Photo

DIAL = Mark("d", "dial", "", Box(0, 0, 40, 40), "dial")
TEXT = Mark("t", "text", "10", Box(5, 5, 9, 9), "ocr")


class Reader:
    """Reads 6.2 bar where it is handed the numerals."""

    def __init__(self, readable: bool = True) -> None:
        self.readable = readable

    def read(self, image: Image.Image, box: Box, lines: Sequence[Any]) -> DialReading | None:
        numerals = [line.text for line in lines]
        return DialReading(6.2, "bar", 0.8, 0.0) if self.readable and numerals == ["10"] else None


def photo(sha: str = "a") -> Photo:
    return Photo(Image.new("RGB", (50, 50)), sha, (50, 50), "PNG")


def test_a_dial_gets_its_reading() -> None:
    sight = Sight(lambda: cast(DialReader, Reader()), lambda _: (DIAL, TEXT))
    dial, text = sight(photo())
    assert (dial.value, dial.score, dial.line()) == ("6.2 bar", 0.8, "dial = 6.2 bar")
    assert text == TEXT


def test_a_dial_that_cannot_be_read_has_no_value() -> None:
    assert Sight(lambda: cast(DialReader, Reader(False)), lambda _: (DIAL, TEXT))(photo()) == (DIAL, TEXT)
    assert Sight(None, lambda _: (DIAL,))(photo()) == (DIAL,)


def test_the_reader_is_loaded_only_for_a_dial() -> None:
    loads: list[int] = []

    def load() -> DialReader:
        loads.append(1)
        return cast(DialReader, Reader())

    marks: dict[str, tuple[Mark, ...]] = {"plain": (TEXT,), "dial": (DIAL, TEXT), "other": (DIAL,)}
    sight = Sight(load, lambda one: marks[one.sha256])
    sight(photo("plain"))
    assert loads == []
    sight(photo("dial"))
    sight(photo("other"))
    assert loads == [1]


def test_a_photo_is_looked_at_once_until_it_is_forgotten() -> None:
    looked: list[str] = []

    def find(one: Photo) -> tuple[Mark, ...]:
        looked.append(one.sha256)
        return (TEXT,)

    sight = Sight(None, find, kept=2)
    for sha in ("a", "a", "b", "a", "c", "a", "b"):
        sight(photo(sha))
    assert looked == ["a", "b", "c", "b"]
