"""What is found on a photo: text lines, lamps, and dials with their readings."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from llava_agent.agent.picture import Find, find_marks
from tools.geometry import Box
from tools.mark import Mark

if TYPE_CHECKING:
    from llava_agent.vlm.dial import DialReader
    from tools.photo import Photo

#: Photos whose marks are kept; finding them takes longer than answering.
KEPT_PHOTOS = 16


class Sight:
    """Detectors that read dials, and look at the same photo once however many questions are asked about it.

    Args:
        reader: loads the reader of dials when a photo shows one; None leaves dials without a value.
        find: the other detectors.
    """

    def __init__(
        self,
        reader: Callable[[], DialReader] | None = None,
        find: Find = find_marks,
        kept: int = KEPT_PHOTOS,
    ) -> None:
        self._load, self._find, self._kept = reader, find, kept
        self._reader: DialReader | None = None
        self._known: OrderedDict[str, tuple[Mark, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, photo: Photo) -> Sequence[Mark]:
        """The marks of a photo in reading order.

        Raises:
            WeightsError: the reader of dials is not there.
        """
        # One photo at a time: the detectors take all cores anyway, and two may ask about the same photo.
        with self._lock:
            if photo.sha256 not in self._known:
                self._known[photo.sha256] = self._look(photo)
            self._known.move_to_end(photo.sha256)
            while len(self._known) > self._kept:
                self._known.popitem(last=False)
            return self._known[photo.sha256]

    def _look(self, photo: Photo) -> tuple[Mark, ...]:
        marks = tuple(self._find(photo))
        if self._load is None or not any(mark.role == "dial" for mark in marks):
            return marks
        self._reader = self._reader or self._load()
        return tuple(_read(mark, marks, photo, self._reader) for mark in marks)


@dataclass(frozen=True, slots=True)
class _Line:
    """A text of the photo, as the reader of dials wants it."""

    text: str
    box: Box


def _read(mark: Mark, marks: Sequence[Mark], photo: Photo, reader: DialReader) -> Mark:
    """A dial with its reading as the value; any other mark, and a dial that cannot be read, as it is."""
    if mark.role != "dial" or mark.box is None:
        return mark
    lines = [_Line(other.text, other.box) for other in marks if other.role == "text" and other.box]
    reading = reader.read(photo.image, mark.box, lines)
    return replace(mark, value=reading.text, score=reading.confidence) if reading else mark
